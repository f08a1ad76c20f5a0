"""What the auditor needs of AWS: small protocols that `amiguard.aws` implements and tests replace."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from amiguard.core.image import Image, PermissionReply, Unreadable


class ImageReader(Protocol):
    """Reads the images of one target. Pacing, retries and credentials are the implementation's own matter."""

    def list_images(self) -> AsyncIterator[tuple[Image, ...] | Unreadable]:
        """Every image of the target that was asked for, page by page; an `Unreadable` ends the listing."""
        ...

    async def list_again(self, image_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        """The named images as they are listed now; those that are gone are absent."""
        ...

    async def read_launch_permission(self, image_id: str) -> PermissionReply:
        """Who may launch the image."""
        ...
