"""In-memory `ImageReader` and `AccountReader`: what the auditor sees of AWS, without AWS."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.grantee import Grantee
from amiguard.core.image import Image, ImageNotFound, PermissionReply, Unreadable
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.ports import ImageReader, OpenedAccount
from amiguard.core.result import Target, TargetReport
from amiguard.core.snapshot import SnapshotPermission


@dataclass
class FakeImageReader:
    """Pages, and for each image the replies in the order in which they are given; the last one repeats.

    Snapshots that are not named are not shared.
    """

    pages: Sequence[tuple[Image, ...] | Unreadable]
    replies: Mapping[str, Sequence[PermissionReply]] = field(default_factory=dict)
    listed_again: Mapping[str, Image] | Unreadable | None = None
    asked: list[str] = field(default_factory=list)
    block_public_access: BlockPublicAccessState | Unreadable = field(
        default_factory=lambda: BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account")
    )
    snapshots: Mapping[str, tuple[Grantee, ...] | Unreadable] = field(default_factory=dict)
    snapshots_asked: list[str] = field(default_factory=list)

    async def list_images(self) -> AsyncIterator[tuple[Image, ...] | Unreadable]:
        for page in self.pages:
            yield page

    async def list_again(self, image_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        if isinstance(self.listed_again, Unreadable):
            return self.listed_again
        if self.listed_again is not None:
            return self.listed_again
        listed = {image.image_id: image for page in self.pages if not isinstance(page, Unreadable) for image in page}
        return {image_id: listed[image_id] for image_id in image_ids if image_id in listed}

    async def list_over(self, snapshot_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        pages = (page for page in self.pages if not isinstance(page, Unreadable))
        listed = await self.list_again([one.image_id for page in pages for one in page])
        if isinstance(listed, Unreadable):
            return listed
        return {key: one for key, one in listed.items() if set(snapshot_ids) & set(one.snapshot_ids)}

    async def read_launch_permission(self, image_id: str) -> PermissionReply:
        replies = self.replies.get(image_id, (ImageNotFound(),))
        reply = replies[min(self.asked.count(image_id), len(replies) - 1)]
        self.asked.append(image_id)
        return reply

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        self.snapshots_asked.append(snapshot_id)
        return SnapshotPermission(snapshot_id, self.snapshots.get(snapshot_id, ()))

    async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
        return self.block_public_access


@dataclass
class FakeAccountReader:
    """An account whose targets are known, or that cannot be opened."""

    readers: Mapping[Target, ImageReader]
    skipped: tuple[TargetReport, ...] = ()
    organization: OrganizationView = field(default_factory=NoOrganization)
    problem: Unreadable | None = None

    @property
    def account_id(self) -> str:
        return next(iter(self.readers)).account_id

    @property
    def expected(self) -> tuple[Target, ...]:
        return tuple(self.readers)

    async def open(self) -> OpenedAccount | Unreadable:
        return self.problem or OpenedAccount(self.readers, self.organization, self.skipped)
