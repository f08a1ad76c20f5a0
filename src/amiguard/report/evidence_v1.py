"""Evidence in the shapes of version 1: additions to the contract, each key there only if it was asked for."""

from typing import Literal, NotRequired, TypedDict

from amiguard.core.image import Unreadable
from amiguard.core.snapshot import SnapshotPermission
from amiguard.report.grant_v1 import GranteeV1, GrantV1, grantee_v1

AdmissionV1 = Literal["admits", "does_not_admit", "undetermined"]


class UnavailableV1(TypedDict):
    """What could not be had, and why; `hint` is what would mend it."""

    status: Literal["unavailable"]
    reason: str
    hint: NotRequired[str]


class UsageEntryV1(TypedDict):
    """How many resources of a type (EC2's word) an account has that name the image."""

    account_id: str
    resource_type: str
    count: int


class UsageV1(TypedDict):
    """Which accounts use the image, by EC2's usage report; the owner's own use is in it, too."""

    status: Literal["known"]
    report_id: str
    created_at: str
    reused: bool
    entries: list[UsageEntryV1]


class TrailEventV1(TypedDict):
    """One event of CloudTrail; `session` is empty where there is none."""

    event_id: str
    name: str
    time: str
    principal: str
    session: str
    source: str
    added: list[GranteeV1]
    removed: list[GranteeV1]


class AuthorV1(TypedDict):
    """Who shared the image, newest first, and where it comes from."""

    status: Literal["known"]
    shares: list[TrailEventV1]
    origin: TrailEventV1 | None
    truncated: bool


class SnapshotSharingV1(TypedDict):
    """A snapshot under the image, and what was decided about its grantees."""

    id: str
    status: Literal["known"]
    grants: list[GrantV1]


class SnapshotUnavailableV1(UnavailableV1):
    """A snapshot that could not be read."""

    id: str


class AdmissionOfV1(GranteeV1):
    """What a key says to one untrusted grantee."""

    admission: AdmissionV1
    reason: str


class KeyV1(TypedDict):
    """A KMS key under the image; `manager` and `state` are KMS's words."""

    arn: str
    manager: str
    state: str
    snapshots: list[str]
    admissions: list[AdmissionOfV1]


class KeysV1(TypedDict):
    """How the snapshots under the image are encrypted."""

    status: Literal["known"]
    unencrypted: list[str]
    unread: list[SnapshotUnavailableV1]
    keys: list[KeyV1]


class EvidenceV1(TypedDict):
    """What was learned about a failing image."""

    usage: NotRequired[UsageV1 | UnavailableV1]
    author: NotRequired[AuthorV1 | UnavailableV1]
    snapshots: NotRequired[list[SnapshotSharingV1 | SnapshotUnavailableV1]]
    keys: NotRequired[KeysV1 | UnavailableV1]
    last_launched_time: NotRequired[str]


class SnapshotPermissionV1(TypedDict):
    """A snapshot under the image, as the check of snapshots read it; each grantee's decision is in `grants`."""

    id: str
    status: Literal["known"]
    grantees: list[GranteeV1]


class BinnedImageV1(TypedDict):
    """An image in the Recycle Bin; times are EC2's own, empty if it gave none."""

    id: str
    name: str
    entered_at: str
    leaves_at: str


class RecycleBinV1(TypedDict):
    """The images of a target that can be restored, with the grants that they had."""

    status: Literal["known"]
    images: list[BinnedImageV1]


def unavailable_v1(problem: Unreadable) -> UnavailableV1:
    """Copy why something could not be had."""
    copied: UnavailableV1 = {"status": "unavailable", "reason": problem.reason}
    if problem.hint:
        copied["hint"] = problem.hint
    return copied


def unread_snapshot_v1(snapshot_id: str, problem: Unreadable) -> SnapshotUnavailableV1:
    """Copy why a snapshot could not be read."""
    return {"id": snapshot_id, **unavailable_v1(problem)}


def snapshot_permission_v1(read: SnapshotPermission) -> SnapshotPermissionV1 | SnapshotUnavailableV1:
    """Copy what the check of snapshots has read of one."""
    if isinstance(read.permission, Unreadable):
        return unread_snapshot_v1(read.snapshot_id, read.permission)
    return {"id": read.snapshot_id, "status": "known", "grantees": [grantee_v1(one) for one in read.permission]}
