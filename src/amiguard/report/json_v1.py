"""JSON, version 1: the shapes that readers rely on, and how core values are copied into them.

A contract: keys may be added, and none is renamed, removed or given another meaning. `report_v1.schema.json` says the
same to machines. The words of the core are mapped one by one, so that renaming one there changes nothing here.
"""

import json
from datetime import UTC, datetime
from typing import Literal, NotRequired, TypedDict, cast

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.image import Image
from amiguard.core.result import CheckResult, Severity, Status, TargetReport, TargetStatus
from amiguard.report.evidence_v1 import (
    EvidenceV1,
    RecycleBinV1,
    SnapshotPermissionV1,
    SnapshotUnavailableV1,
    UnavailableV1,
    snapshot_permission_v1,
)
from amiguard.report.grant_v1 import GrantV1, grant_v1

SCHEMA_VERSION: Literal["1"] = "1"

StatusV1 = Literal["pass", "fail", "suppressed", "unknown"]
SeverityV1 = Literal["critical", "high", "medium", "informational"]
TargetStatusV1 = Literal["audited", "skipped", "failed"]
SwitchV1 = Literal["unblocked", "block-new-sharing"]
BaselineV1 = Literal["known", "new"]


class ImageV1(TypedDict):
    """An image. Its times are EC2's own text; `creation_date` is empty if EC2 gave none."""

    id: str
    arn: str
    name: str
    creation_date: str
    state: str
    public: bool
    tags: dict[str, str]
    snapshot_ids: NotRequired[list[str]]
    last_launched_time: NotRequired[str]


class BlockPublicAccessV1(TypedDict):
    """How image block public access stands in a target; `managed_by` is EC2's own word."""

    state: SwitchV1
    managed_by: str


class ResultV1(TypedDict):
    """One check result; `image` is null when it is about a whole target.

    `block_public_access` is what the check `ami-block-public-access` has read, `snapshots` what the check
    `ami-snapshot-cross-account` has; `baseline` says of a result that fails whether it is known from the baseline that
    was given; `evidence` is there if it was asked for, and the result fails.
    """

    check_id: str
    status: StatusV1
    severity: SeverityV1
    account_id: str
    region: str
    partition: str
    image: ImageV1 | None
    grants: list[GrantV1]
    message: str
    fingerprint: str
    block_public_access: NotRequired[BlockPublicAccessV1]
    snapshots: NotRequired[list[SnapshotPermissionV1 | SnapshotUnavailableV1]]
    baseline: NotRequired[BaselineV1]
    evidence: NotRequired[EvidenceV1]


class TargetV1(TypedDict):
    """What became of one (account, region)."""

    account_id: str
    region: str
    status: TargetStatusV1
    reason: str
    images: int
    account_name: NotRequired[str]
    recycle_bin: NotRequired[RecycleBinV1 | UnavailableV1]


class ToolV1(TypedDict):
    """Which program wrote the report."""

    name: str
    version: str


class TrustEntryV1(TypedDict):
    """One entry of the trust policy; `expires` is the last day (UTC) on which it counts."""

    id: str
    name: NotRequired[str | None]
    reason: NotRequired[str | None]
    expires: NotRequired[str | None]


class SelectorV1(TypedDict):
    """Which images an exception is about, as in the settings: keys narrow each other, values of one key widen."""

    ids: NotRequired[list[str]]
    names: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    accounts: NotRequired[list[str]]
    regions: NotRequired[list[str]]


class ExceptionV1(TypedDict):
    """One exception; `expires` is the last day (UTC) on which it counts."""

    images: SelectorV1
    grantees: list[str] | Literal["any"]
    reason: str
    owner: str
    expires: NotRequired[str | None]


class TrustPolicyV1(TypedDict):
    """The trust policy and the exceptions that decided, in the order of the settings; those that lapsed too."""

    entries: list[TrustEntryV1]
    exceptions: list[ExceptionV1]


class AuditBegunV1(TypedDict):
    """What is known of an audit when it begins."""

    id: str
    started_at: str
    caller_arn: str
    trust_policy_digest: str
    trust_policy: NotRequired[TrustPolicyV1]


class DirectoryV1(TypedDict):
    """The organization whose members were known, and when they were read."""

    organization_id: str
    read_at: str
    source: Literal["aws", "file"]


class NarrowedV1(TypedDict):
    """What AWS was asked for, where that was not all images."""

    images: list[str]
    tags: list[str]


class AuditV1(AuditBegunV1):
    """One audit; `complete` is true when nothing that was asked for is unread or undecided."""

    finished_at: str
    complete: bool
    directory: NotRequired[DirectoryV1]
    narrowed_to: NotRequired[NarrowedV1]


class BaselineCountsV1(TypedDict):
    """How many of the failing results are known from a baseline: its file as it was named, and when its audit began."""

    known: int
    new: int
    file: str
    started_at: str


SummaryV1 = TypedDict(
    "SummaryV1",
    {
        "targets": int,
        "images": int,
        "pass": int,
        "fail": int,
        "suppressed": int,
        "unknown": int,
        "vanished": int,
        "api_calls": dict[str, int],
        "throttled": int,
        "baseline": NotRequired[BaselineCountsV1],
    },
)
"""Counts over the whole audit, whatever is shown of it; the four statuses count results."""


class HeaderV1(TypedDict):
    """What every document begins with."""

    schema_version: Literal["1"]
    tool: ToolV1
    audit: AuditBegunV1


_STATUS: dict[Status, StatusV1] = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.SUPPRESSED: "suppressed",
    Status.UNKNOWN: "unknown",
}
_SEVERITY: dict[Severity, SeverityV1] = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.INFORMATIONAL: "informational",
}
_TARGET_STATUS: dict[TargetStatus, TargetStatusV1] = {
    TargetStatus.AUDITED: "audited",
    TargetStatus.SKIPPED: "skipped",
    TargetStatus.FAILED: "failed",
}
_SWITCH: dict[BlockPublicAccess, SwitchV1] = {
    BlockPublicAccess.UNBLOCKED: "unblocked",
    BlockPublicAccess.BLOCK_NEW_SHARING: "block-new-sharing",
}


def result_v1(result: CheckResult) -> ResultV1:
    """Copy one check result."""
    copied: ResultV1 = {
        "check_id": result.check_id,
        "status": _STATUS[result.status],
        "severity": _SEVERITY[result.severity],
        "account_id": result.target.account_id,
        "region": result.target.region,
        "partition": result.target.partition,
        "image": None if result.image is None else _image_v1(result.image),
        "grants": [grant_v1(decision) for decision in result.decisions],
        "message": result.message,
        "fingerprint": result.fingerprint,
    }
    if result.block_public_access is not None:
        copied["block_public_access"] = _block_public_access_v1(result.block_public_access)
    if result.snapshots:
        copied["snapshots"] = [snapshot_permission_v1(snapshot) for snapshot in result.snapshots]
    return copied


def _block_public_access_v1(switch: BlockPublicAccessState) -> BlockPublicAccessV1:
    return {"state": _SWITCH[switch.state], "managed_by": switch.managed_by}


def _image_v1(image: Image) -> ImageV1:
    copied: ImageV1 = {
        "id": image.image_id,
        "arn": image.arn,
        "name": image.name,
        "creation_date": image.creation_date,
        "state": image.state,
        "public": image.public,
        "tags": dict(image.tags),
    }
    if image.snapshot_ids:
        copied["snapshot_ids"] = list(image.snapshot_ids)
    if image.last_launched:
        copied["last_launched_time"] = image.last_launched
    return copied


def target_v1(report: TargetReport, account_name: str | None = None) -> TargetV1:
    """Copy the end of one target; the account's name is there where it is known."""
    target: TargetV1 = {
        "account_id": report.target.account_id,
        "region": report.target.region,
        "status": _TARGET_STATUS[report.status],
        "reason": report.reason,
        "images": report.images,
    }
    return {**target, "account_name": account_name} if account_name else target


def rfc3339(moment: datetime) -> str:
    """A time in UTC, to the second, with `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def encode(value: object) -> str:
    """JSON on one line that a terminal can show: other characters than printable ASCII are escaped."""
    # Python's ASCII-only JSON still passes DEL; it can stand inside strings only.
    return _encode(value).replace("\x7f", "\\u007f")


def decode_result(line: str) -> ResultV1:
    """Read back what `encode` made of a result."""
    return cast("ResultV1", json.loads(line))
