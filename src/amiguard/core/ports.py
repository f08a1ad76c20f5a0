"""What the auditor needs of AWS: small protocols that `amiguard.aws` implements and tests replace."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from amiguard.core.image import Image, PermissionReply, Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.result import Target, TargetReport


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


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """An account whose regions are known.

    Attributes:
        readers: how each target that is to be audited is read.
        organization: what is known of the account's own organization.
        skipped: the targets that are left out, each with its reason.
        warning: set when the regions could not be checked against AWS's list.
    """

    readers: Mapping[Target, ImageReader]
    organization: OrganizationView
    skipped: tuple[TargetReport, ...] = ()
    warning: str | None = None


class AccountReader(Protocol):
    """One account that is to be audited. Nothing is asked of AWS before it is opened."""

    @property
    def account_id(self) -> str:
        """Whose images are read."""
        ...

    @property
    def expected(self) -> tuple[Target, ...]:
        """The targets that are known without asking: the named regions, or one whose region is `ALL_REGIONS`."""
        ...

    async def open(self) -> OpenedAccount | Unreadable:
        """Gain access (assume the role), and find the account's regions."""
        ...
