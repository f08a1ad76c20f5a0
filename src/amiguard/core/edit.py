"""One edit of AWS: what is there before, what is there after, and the calls that lead from one to the other.

Plans and journals are made of edits, and an edit turned round is its own undoing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.grantee import Grantee, report_order
from amiguard.core.result import Target

MOST_GRANTS_A_CALL = 1000
"""Grantees in one ModifyImageAttribute call: EC2 takes 10,000 account ids, and its quota is 1,000 grantees an image."""
MOST_SNAPSHOT_GRANTS_A_CALL = 500
"""Grantees in one ModifySnapshotAttribute call (EC2 API Reference: at most 500 modifications an operation)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One ModifyImageAttribute or ModifySnapshotAttribute call: it adds or it removes, never both."""

    add: tuple[Grantee, ...] = ()
    remove: tuple[Grantee, ...] = ()

    def __post_init__(self) -> None:
        """What EC2 does with an empty call, or with one that adds and removes, is not documented."""
        if bool(self.add) == bool(self.remove):
            raise ValueError("a step either adds or removes")


def launch_permission_key(target: Target, image_id: str) -> str:
    """The key of every edit of an image's launch permission."""
    return f"{target.account_id}/{target.region}/{image_id}"


@dataclass(frozen=True, slots=True)
class LaunchPermissionEdit:
    """The launch permission of one image, before and after.

    Attributes:
        image_name: for people; written by someone else: neutralise it before it is shown.
        before: all grantees, in report order.
        after: all grantees, in report order.
    """

    target: Target
    image_id: str
    image_name: str
    before: tuple[Grantee, ...]
    after: tuple[Grantee, ...]

    @property
    def key(self) -> str:
        """What is edited: stable, and unique within a plan or a journal."""
        return launch_permission_key(self.target, self.image_id)

    @property
    def inverse(self) -> "LaunchPermissionEdit":
        """The edit that undoes this one."""
        return LaunchPermissionEdit(self.target, self.image_id, self.image_name, self.after, self.before)


@dataclass(frozen=True, slots=True)
class BlockPublicAccessEdit:
    """Image block public access of one target, before and after."""

    target: Target
    before: BlockPublicAccess
    after: BlockPublicAccess

    @property
    def key(self) -> str:
        """What is edited: stable, and unique within a plan or a journal."""
        return f"{self.target.account_id}/{self.target.region}/image-block-public-access"

    @property
    def inverse(self) -> "BlockPublicAccessEdit":
        """The edit that undoes this one."""
        return BlockPublicAccessEdit(self.target, self.after, self.before)


@dataclass(frozen=True, slots=True)
class CreateVolumePermissionEdit:
    """The createVolumePermission of one snapshot, before and after.

    Attributes:
        image_ids: the images of the target that the snapshot is under, in order.
        before: all grantees (accounts and everyone), in report order.
        after: all grantees, in report order.
    """

    target: Target
    snapshot_id: str
    image_ids: tuple[str, ...]
    before: tuple[Grantee, ...]
    after: tuple[Grantee, ...]

    @property
    def key(self) -> str:
        """What is edited: stable, and unique within a plan or a journal."""
        return f"{self.target.account_id}/{self.target.region}/{self.snapshot_id}"

    @property
    def inverse(self) -> "CreateVolumePermissionEdit":
        """The edit that undoes this one."""
        return CreateVolumePermissionEdit(self.target, self.snapshot_id, self.image_ids, self.after, self.before)


PermissionEdit = LaunchPermissionEdit | CreateVolumePermissionEdit
"""The edits that add and remove grantees."""
Edit = PermissionEdit | BlockPublicAccessEdit


def most_grants_a_call(edit: PermissionEdit) -> int:
    """How many grantees one call of such an edit adds or removes."""
    match edit:
        case LaunchPermissionEdit():
            return MOST_GRANTS_A_CALL
        case CreateVolumePermissionEdit():
            return MOST_SNAPSHOT_GRANTS_A_CALL
        case _:
            assert_never(edit)


def in_order(grantees: Collection[Grantee]) -> tuple[Grantee, ...]:
    """Each grantee once, in report order: how edits hold them."""
    return tuple(sorted(set(grantees), key=report_order))


def steps_between(
    start: Collection[Grantee], goal: Collection[Grantee], *, most: int = MOST_GRANTS_A_CALL
) -> tuple[Step, ...]:
    """The calls that lead from one permission to another, additions first: nobody who keeps access loses it.

    Args:
        start: the grantees as they are.
        goal: the grantees as they are to be.
        most: grantees in one call.
    """
    added, removed = in_order(set(goal) - set(start)), in_order(set(start) - set(goal))
    adding = (Step(add=added[at : at + most]) for at in range(0, len(added), most))
    removing = (Step(remove=removed[at : at + most]) for at in range(0, len(removed), most))
    return (*adding, *removing)


def states_between(
    start: Collection[Grantee], goal: Collection[Grantee], *, most: int = MOST_GRANTS_A_CALL
) -> tuple[frozenset[Grantee], ...]:
    """Every permission that these calls pass through, start and goal included, in order."""
    states = [frozenset(start)]
    for step in steps_between(start, goal, most=most):
        states.append((states[-1] | set(step.add)) - set(step.remove))
    return tuple(states)
