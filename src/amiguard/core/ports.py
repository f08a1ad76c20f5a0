"""What the auditor and the remediator need: small protocols that `aws` and `files` implement and tests replace."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.edit import Edit, Step
from amiguard.core.image import Image, PermissionReply, Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.core.result import Target, TargetReport
from amiguard.core.snapshot import SnapshotPermission


class ImageReader(Protocol):
    """Reads the images of one target. Pacing, retries and credentials are the implementation's own matter."""

    def list_images(self) -> AsyncIterator[tuple[Image, ...] | Unreadable]:
        """Every image of the target that was asked for, page by page; an `Unreadable` ends the listing."""
        ...

    async def list_again(self, image_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        """The named images as they are listed now; those that are gone are absent."""
        ...

    async def list_over(self, snapshot_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        """Every image of the target that has one of these snapshots now, by its id."""
        ...

    async def read_launch_permission(self, image_id: str) -> PermissionReply:
        """Who may launch the image."""
        ...

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        """Who may create volumes from the snapshot (DescribeSnapshotAttribute)."""
        ...

    async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
        """How image block public access stands in the target (GetImageBlockPublicAccessState)."""
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


@dataclass(frozen=True, slots=True)
class Accepted:
    """EC2 accepted a call; in a dry run: it would."""


@dataclass(frozen=True, slots=True)
class Refused:
    """EC2 refused a call: nothing was changed.

    Attributes:
        blocked_public: image block public access is what refused it (`OperationNotPermitted` to a call that adds
            everyone): for up to 10 minutes after the switch was turned off, EC2 may go on answering so.
    """

    reason: str
    hint: str | None = None
    blocked_public: bool = False


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No usable reply came: whether the call had effect is not known before it is read back."""

    reason: str


WriteReply = Accepted | Refused | NoAnswer


class ImageWriter(Protocol):
    """Changes one target. Throttled calls are tried until they are served; nothing else is tried again."""

    async def wait_for_turn(self) -> None:
        """Wait until a ModifyImageAttribute call may be made: what is read after that is read just before the call."""
        ...

    async def modify_launch_permission(self, image_id: str, step: Step, *, dry_run: bool = False) -> WriteReply:
        """Make one ModifyImageAttribute call, for which `wait_for_turn` was waited for."""
        ...

    async def wait_for_snapshot_turn(self) -> None:
        """As `wait_for_turn`, for a ModifySnapshotAttribute call."""
        ...

    async def modify_create_volume_permission(
        self, snapshot_id: str, step: Step, *, dry_run: bool = False
    ) -> WriteReply:
        """Make one ModifySnapshotAttribute call, for which `wait_for_snapshot_turn` was waited for."""
        ...

    async def set_block_public_access(self, state: BlockPublicAccess, *, dry_run: bool = False) -> WriteReply:
        """Switch image block public access of the target on or off; waits for its turn itself."""
        ...


@dataclass(frozen=True, slots=True)
class OpenedTarget:
    """A target that can be changed.

    Attributes:
        organization: what is known of the account's own organization.
    """

    reader: ImageReader
    writer: ImageWriter
    organization: OrganizationView


class TargetOpener(Protocol):
    """Gives the way into the targets of a remediation."""

    async def open(self, target: Target) -> OpenedTarget | Unreadable:
        """Gain access to the target (assume the role); asked once a target."""
        ...


class ChangeJournal(Protocol):
    """What was really done. Every method that writes returns when the record is on disk, and raises OutputError."""

    def known(self, key: str) -> JournaledChange | None:
        """What the journal says of an edit already, from an earlier run of the same plan; by the edit's key."""
        ...

    def intend(self, edit: Edit, step: Step | None) -> None:
        """A call is about to be made for this edit; the step is None for image block public access."""
        ...

    def conclude(self, edit: Edit, status: ChangeStatus, reason: str = "", *, may_have_effect: bool = True) -> None:
        """What became of an edit for which a call was made, and whether anything of it may be in force now."""
        ...
