"""The plan: ordered changes with before and after, their reasons, and everything it was made from. Data, no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit
from amiguard.core.evidence import UsageEntry
from amiguard.core.grantee import Grantee
from amiguard.core.result import Target


class Effect(StrEnum):
    """What a removal changes for the grantee.

    Source: EC2 User Guide, "Manage AMI sharing with an organization or OU": removing an account that a shared
    organization or unit contains succeeds, and the account keeps access.
    """

    LOSES_ACCESS = "loses_access"
    KEEPS_ACCESS = "keeps_access"
    """Another grant that stays covers the grantee."""
    MAY_KEEP_ACCESS = "may_keep_access"
    """A grant that stays may cover it: the members of that organization are not known."""


@dataclass(frozen=True, slots=True)
class UseUnknown:
    """Whether the grantee uses the image is not known.

    Attributes:
        reason: why; empty if usage evidence was not asked for.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotInUse:
    """EC2's usage report of this time names no account that would lose access by the removal."""

    as_of: datetime


@dataclass(frozen=True, slots=True)
class InUse:
    """These accounts use the image, by EC2's usage report of this time, and the removal takes access from them."""

    as_of: datetime
    entries: tuple[UsageEntry, ...]


Use = UseUnknown | NotInUse | InUse


@dataclass(frozen=True, slots=True)
class Removal:
    """A grantee that is taken away.

    Attributes:
        reason: why it is untrusted: the decision's own words.
        effect: what that changes for it.
        effect_reason: which grant still covers it; empty when it loses access.
        use: whether it, or whom it stands for, uses the image.
        notes: what other evidence says of it, a sentence each: who shared it, which key keeps it out.
    """

    grantee: Grantee
    reason: str
    effect: Effect = Effect.LOSES_ACCESS
    effect_reason: str = ""
    use: Use = UseUnknown()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Addition:
    """A grantee that is added, and why it is trusted."""

    grantee: Grantee
    reason: str


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What is to change in one image's launch permission, and why."""

    edit: LaunchPermissionEdit
    additions: tuple[Addition, ...]
    removals: tuple[Removal, ...]

    def __post_init__(self) -> None:
        """A change says the same thing twice, as lists and as before and after: both must agree."""
        added = {one.grantee for one in self.additions}
        removed = {one.grantee for one in self.removals}
        before = set(self.edit.before)
        if set(self.edit.after) != (before | added) - removed or not removed <= before or added & before:
            raise ValueError(f"{self.edit.key}: additions and removals do not lead from before to after")


@dataclass(frozen=True, slots=True)
class BlockPublicAccessChange:
    """Image block public access is to be switched on in one target."""

    edit: BlockPublicAccessEdit


@dataclass(frozen=True, slots=True)
class SnapshotChange:
    """What is to be taken away from one snapshot's createVolumePermission, and why."""

    edit: CreateVolumePermissionEdit
    removals: tuple[Removal, ...]

    def __post_init__(self) -> None:
        """A change says the same thing twice, as a list and as before and after: both must agree."""
        removed, before = {one.grantee for one in self.removals}, set(self.edit.before)
        if not removed or not removed <= before or set(self.edit.after) != before - removed:
            raise ValueError(f"{self.edit.key}: removals do not lead from before to after")


Change = ImageChange | BlockPublicAccessChange | SnapshotChange


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that would be changed, and is not, on purpose.

    Attributes:
        image_id: None for a whole target (image block public access).
        reason: why: a hold tag, `remediation.protected_images`, `--only`, use, a declarative policy.
        snapshot_id: what is left out is about this snapshot under the image; None if it is about the image itself.
        removal: the removal that is left out, if that is because of the use of the image; else None.
    """

    target: Target
    image_id: str | None
    image_name: str
    reason: str
    snapshot_id: str | None = None
    removal: Removal | None = None


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Something that could not be read or decided, and so is not in the plan.

    Attributes:
        image_id: None for a whole target.
        snapshot_id: it is about this snapshot under the image; None if it is about the image itself.
    """

    target: Target
    image_id: str | None
    reason: str
    snapshot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """What the plan was made from: how many images were read, and how many grants they have (of all verdicts)."""

    images: int
    grants: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan.

    Attributes:
        plan_id: a UUID; journals name it.
        caller_arn: who made it.
        account_id: of the caller: it is applied from the same account.
        trust_policy_digest: from `core.decision.policy_digest`: it is applied by the same policy.
        changes: by account and region: images by id, then snapshots by id, then image block public access.
        left_out: what is not changed on purpose.
        unplanned: what could not be read or decided.
    """

    plan_id: str
    created_at: datetime
    expires_at: datetime
    tool_version: str
    caller_arn: str
    account_id: str
    trust_policy_digest: str
    audited: Audited
    changes: tuple[Change, ...]
    left_out: tuple[LeftOut, ...] = ()
    unplanned: tuple[Unplanned, ...] = ()

    @property
    def image_changes(self) -> Iterator[ImageChange]:
        """The changes of images."""
        return (change for change in self.changes if isinstance(change, ImageChange))

    @property
    def removals(self) -> int:
        """How many grants of images it takes away."""
        return sum(len(change.removals) for change in self.image_changes)

    @property
    def snapshot_removals(self) -> int:
        """How many grants of snapshots it takes away."""
        return sum(len(change.removals) for change in self.snapshot_changes)

    @property
    def snapshot_changes(self) -> Iterator[SnapshotChange]:
        """The changes of snapshots."""
        return (change for change in self.changes if isinstance(change, SnapshotChange))
