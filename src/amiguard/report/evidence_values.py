"""Evidence of the core copied into version 1, and read back from it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from amiguard.core.decision import Decision, Verdict
from amiguard.core.errors import InputError
from amiguard.core.evidence import (
    Admission,
    Author,
    BinnedImage,
    Evidence,
    ImageKey,
    KeyAdmission,
    Keys,
    SnapshotSharing,
    TrailEvent,
    Usage,
    UsageEntry,
)
from amiguard.core.grantee import Grantee, GranteeKind, grantee_of
from amiguard.core.image import Unreadable
from amiguard.core.snapshot import SnapshotPermission
from amiguard.report.evidence_v1 import (
    AdmissionV1,
    AuthorV1,
    EvidenceV1,
    KeysV1,
    KeyV1,
    RecycleBinV1,
    SnapshotPermissionV1,
    SnapshotSharingV1,
    SnapshotUnavailableV1,
    TrailEventV1,
    UnavailableV1,
    UsageV1,
    unavailable_v1,
    unread_snapshot_v1,
)
from amiguard.report.grant_v1 import GranteeV1, GrantV1, grant_v1, grantee_v1
from amiguard.report.json_v1 import rfc3339

_ADMISSION: dict[Admission, AdmissionV1] = {
    Admission.ADMITS: "admits",
    Admission.DOES_NOT_ADMIT: "does_not_admit",
    Admission.UNDETERMINED: "undetermined",
}
_HINT = "write one with `amiguard audit --format json --output FILE`"


def evidence_v1(evidence: Evidence) -> EvidenceV1:
    """Copy what was learned about one failing image; what was not asked for has no key."""
    copied: EvidenceV1 = {}
    if evidence.usage is not None:
        copied["usage"] = (
            unavailable_v1(evidence.usage) if isinstance(evidence.usage, Unreadable) else _usage_v1(evidence.usage)
        )
    if evidence.author is not None:
        copied["author"] = (
            unavailable_v1(evidence.author) if isinstance(evidence.author, Unreadable) else _author_v1(evidence.author)
        )
    if evidence.snapshots is not None:
        copied["snapshots"] = [_sharing_v1(one) for one in evidence.snapshots]
    if evidence.keys is not None:
        copied["keys"] = (
            unavailable_v1(evidence.keys) if isinstance(evidence.keys, Unreadable) else _keys_v1(evidence.keys)
        )
    if evidence.last_launched:
        copied["last_launched_time"] = evidence.last_launched
    return copied


def recycle_bin_v1(images: Sequence[BinnedImage] | Unreadable) -> RecycleBinV1 | UnavailableV1:
    """Copy what is in the Recycle Bin of one target (`RecycleBin.images`)."""
    if isinstance(images, Unreadable):
        return unavailable_v1(images)
    return {
        "status": "known",
        "images": [
            {"id": one.image_id, "name": one.name, "entered_at": one.entered_at, "leaves_at": one.leaves_at}
            for one in images
        ],
    }


def core_evidence(evidence: EvidenceV1) -> Evidence:
    """What was learned about an image, as far as version 1 holds it: times to the second.

    Raises:
        InputError: a grantee or a time is not written as version 1 has it.
    """
    usage, author, keys = evidence.get("usage"), evidence.get("author"), evidence.get("keys")
    snapshots = evidence.get("snapshots")
    return Evidence(
        usage=None if usage is None else _unreadable(usage) if usage["status"] == "unavailable" else _usage(usage),
        author=None
        if author is None
        else _unreadable(author)
        if author["status"] == "unavailable"
        else _author(author),
        snapshots=None if snapshots is None else tuple(map(_sharing, snapshots)),
        keys=None if keys is None else _unreadable(keys) if keys["status"] == "unavailable" else _keys(keys),
        last_launched=evidence.get("last_launched_time", ""),
    )


def core_grantee(grantee: GranteeV1) -> Grantee:
    """A grantee as the core has it.

    Raises:
        InputError: it is not written as its kind is.
    """
    try:
        return grantee_of(GranteeKind(grantee["kind"]), grantee["grantee"])
    except ValueError as error:
        raise InputError(f"the report cannot be used: {error}", hint=_HINT) from error


def core_decision(grant: GrantV1) -> Decision:
    """A grantee and what was decided about it, as the core has it.

    Raises:
        InputError: the grantee is not written as its kind is.
    """
    return Decision(core_grantee(grant), Verdict(grant["decision"]), grant["reason"])


def core_snapshot(snapshot: SnapshotPermissionV1 | SnapshotUnavailableV1) -> SnapshotPermission:
    """What the check of snapshots has read of one.

    Raises:
        InputError: a grantee is not written as its kind is.
    """
    if snapshot["status"] == "unavailable":
        return SnapshotPermission(snapshot["id"], _unreadable(snapshot))
    return SnapshotPermission(snapshot["id"], tuple(map(core_grantee, snapshot["grantees"])))


def _usage_v1(usage: Usage) -> UsageV1:
    return {
        "status": "known",
        "report_id": usage.report_id,
        "created_at": rfc3339(usage.created_at),
        "reused": usage.reused,
        "entries": [
            {"account_id": one.account_id, "resource_type": one.resource_type, "count": one.count}
            for one in usage.entries
        ],
    }


def _author_v1(author: Author) -> AuthorV1:
    return {
        "status": "known",
        "shares": [_event_v1(event) for event in author.shares],
        "origin": None if author.origin is None else _event_v1(author.origin),
        "truncated": author.truncated,
    }


def _event_v1(event: TrailEvent) -> TrailEventV1:
    return {
        "event_id": event.event_id,
        "name": event.name,
        "time": rfc3339(event.at),
        "principal": event.principal,
        "session": event.session,
        "source": event.source,
        "added": [grantee_v1(one) for one in event.added],
        "removed": [grantee_v1(one) for one in event.removed],
    }


def _sharing_v1(sharing: SnapshotSharing) -> SnapshotSharingV1 | SnapshotUnavailableV1:
    if isinstance(sharing.decisions, Unreadable):
        return unread_snapshot_v1(sharing.snapshot_id, sharing.decisions)
    return {"id": sharing.snapshot_id, "status": "known", "grants": [grant_v1(one) for one in sharing.decisions]}


def _keys_v1(keys: Keys) -> KeysV1:
    return {
        "status": "known",
        "unencrypted": list(keys.unencrypted),
        "unread": [unread_snapshot_v1(snapshot_id, problem) for snapshot_id, problem in keys.unread],
        "keys": [_key_v1(key) for key in keys.keys],
    }


def _key_v1(key: ImageKey) -> KeyV1:
    return {
        "arn": key.key_arn,
        "manager": key.manager,
        "state": key.state,
        "snapshots": list(key.snapshot_ids),
        "admissions": [
            {**grantee_v1(one.grantee), "admission": _ADMISSION[one.admission], "reason": one.reason}
            for one in key.admissions
        ],
    }


def _unreadable(problem: UnavailableV1) -> Unreadable:
    return Unreadable(problem["reason"], problem.get("hint"))


def _usage(usage: UsageV1) -> Usage:
    return Usage(
        usage["report_id"],
        _moment(usage["created_at"]),
        usage["reused"],
        tuple(UsageEntry(one["account_id"], one["resource_type"], one["count"]) for one in usage["entries"]),
    )


def _author(author: AuthorV1) -> Author:
    return Author(
        tuple(map(_event, author["shares"])),
        None if author["origin"] is None else _event(author["origin"]),
        author["truncated"],
    )


def _event(event: TrailEventV1) -> TrailEvent:
    return TrailEvent(
        event_id=event["event_id"],
        name=event["name"],
        at=_moment(event["time"]),
        principal=event["principal"],
        session=event["session"],
        source=event["source"],
        added=tuple(map(core_grantee, event["added"])),
        removed=tuple(map(core_grantee, event["removed"])),
    )


def _sharing(sharing: SnapshotSharingV1 | SnapshotUnavailableV1) -> SnapshotSharing:
    if sharing["status"] == "unavailable":
        return SnapshotSharing(sharing["id"], _unreadable(sharing))
    return SnapshotSharing(sharing["id"], tuple(map(core_decision, sharing["grants"])))


def _keys(keys: KeysV1) -> Keys:
    return Keys(
        tuple(keys["unencrypted"]),
        tuple((one["id"], _unreadable(one)) for one in keys["unread"]),
        tuple(map(_key, keys["keys"])),
    )


def _key(key: KeyV1) -> ImageKey:
    return ImageKey(
        key_arn=key["arn"],
        snapshot_ids=tuple(key["snapshots"]),
        manager=key["manager"],
        state=key["state"],
        admissions=tuple(
            KeyAdmission(core_grantee(one), Admission(one["admission"]), one["reason"]) for one in key["admissions"]
        ),
    )


def _moment(text: str) -> datetime:
    try:
        # As version 1 writes it: a time without `Z` would be taken for local time.
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"the report cannot be used: {text[:100]!r} is no time in UTC", hint=_HINT) from error
