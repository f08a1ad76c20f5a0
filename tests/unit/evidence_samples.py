"""Evidence for the tests of reports: one image with all of it, as version 1 has it, and random values of the core."""

from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import strategies as st

from amiguard.core.decision import Decision, Verdict
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
from amiguard.core.image import Unreadable
from amiguard.core.snapshot import SnapshotPermission
from amiguard.report.evidence_v1 import EvidenceV1, RecycleBinV1
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.json_v1 import ResultV1
from tests.unit.strategies import grantees
from tests.unit.v1_reports import ACCOUNT, STRANGER, a_result

OTHER: GrantV1 = {**STRANGER, "grantee": "888877776666"}
ORGANIZATION: GrantV1 = {
    "kind": "organization",
    "grantee": "arn:aws:organizations::999988887777:organization/o-foreign1234",
    "decision": "untrusted",
    "reason": "not in the trust policy",
}
KEY = "arn:aws:kms:eu-central-1:012345678901:key/0b54bb9e-0000-0000-0000-000000000000"
SNAPSHOTS = ("snap-00000000000000001", "snap-00000000000000002")
WHO = "arn:aws:sts::012345678901:assumed-role/builder/ada"


def all_evidence(at: Callable[[str, str], str] = lambda _, text: text) -> EvidenceV1:
    """Everything about an image that is shared with STRANGER, who uses it, and with OTHER, who does not.

    Args:
        at: gives the text of a field that others write, by the field's name and its usual text.
    """
    stranger, other = STRANGER, OTHER
    return {
        "usage": {
            "status": "known",
            "report_id": "amiur-00000000000000001",
            "created_at": "2026-06-15T08:00:00Z",
            "reused": False,
            "entries": [
                {"account_id": ACCOUNT, "resource_type": "ec2:Instance", "count": 3},
                {"account_id": stranger["grantee"], "resource_type": "ec2:Instance", "count": 14},
                {
                    "account_id": stranger["grantee"],
                    "resource_type": at("resource type", "ec2:LaunchTemplate"),
                    "count": 1,
                },
                {"account_id": at("user", "777766665555"), "resource_type": "ec2:Instance", "count": 2},
            ],
        },
        "author": {
            "status": "known",
            "shares": [
                {
                    "event_id": at("event id", "11111111-2222-3333-4444-555555555555"),
                    "name": at("event name", "ModifyImageAttribute"),
                    "time": "2026-05-30T12:34:56Z",
                    "principal": at("principal", WHO),
                    "session": at("session", "ada"),
                    "source": at("source", "192.0.2.7"),
                    "added": [{"kind": "account", "grantee": stranger["grantee"]}],
                    "removed": [],
                }
            ],
            "origin": None,
            "truncated": False,
        },
        "snapshots": [
            {"id": at("snapshot", SNAPSHOTS[0]), "status": "known", "grants": [stranger]},
            {
                "id": SNAPSHOTS[1],
                "status": "unavailable",
                "reason": at("why", "EC2 answered HTTP 503"),
                "hint": "again",
            },
        ],
        "keys": {
            "status": "known",
            "unencrypted": [],
            "unread": [],
            "keys": [
                {
                    "arn": at("key", KEY),
                    "manager": "CUSTOMER",
                    "state": at("key state", "Enabled"),
                    "snapshots": list(SNAPSHOTS),
                    "admissions": [
                        {"kind": "account", "grantee": stranger["grantee"], "admission": "admits", "reason": "grant 1"},
                        {
                            "kind": "account",
                            "grantee": other["grantee"],
                            "admission": "does_not_admit",
                            "reason": at("key reason", "no statement and no grant names it"),
                        },
                    ],
                }
            ],
        },
    }


def with_evidence(number: int = 1) -> ResultV1:
    """A failing result with all of it."""
    return {**a_result(number, grants=[STRANGER, OTHER]), "evidence": all_evidence()}


def without(*kinds: str) -> ResultV1:
    """A failing result of which certain kinds were not permitted."""
    result = with_evidence()
    for kind in kinds:
        result["evidence"][kind] = {  # type: ignore[literal-required]  # kinds are keys
            "status": "unavailable",
            "reason": f"not permitted: the call for {kind}",
            "hint": f"allow {kind}",
        }
    result["evidence"]["last_launched_time"] = "2026-06-01T00:00:00Z"
    return result


def of_snapshots(number: int = 1) -> ResultV1:
    """A failing result of the check of snapshots."""
    everyone: GrantV1 = {**STRANGER, "kind": "everyone", "grantee": "all"}
    return {
        **a_result(number, severity="critical", grants=[everyone, STRANGER]),
        "check_id": "ami-snapshot-cross-account",
        "fingerprint": "5a" * 32,
        "message": "Not trusted, and may create volumes from 2 of its 3 snapshots: everyone and 1 account.",
        "snapshots": [
            {"id": SNAPSHOTS[0], "status": "known", "grantees": [{"kind": "everyone", "grantee": "all"}]},
            {
                "id": SNAPSHOTS[1],
                "status": "known",
                "grantees": [{"kind": "account", "grantee": STRANGER["grantee"]}],
            },
            {"id": "snap-00000000000000003", "status": "unavailable", "reason": "not permitted: read", "hint": "allow"},
        ],
    }


def a_bin(name: str = "old golden") -> RecycleBinV1:
    """A Recycle Bin with one image."""
    return {
        "status": "known",
        "images": [
            {"id": "ami-0000000000000b111", "name": name, "entered_at": "2026-06-01T00:00:00Z", "leaves_at": ""}
        ],
    }


# Random values. Version 1 holds times to the second.
_texts = st.text(max_size=8)
_moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants them so
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
_unreadable = st.builds(Unreadable, _texts, st.none() | st.text(min_size=1, max_size=8))
_some_grantees = st.lists(grantees, max_size=3).map(tuple)
_events = st.builds(
    TrailEvent, _texts, _texts, _moments, _texts, _texts, _texts, added=_some_grantees, removed=_some_grantees
)
_decisions = st.lists(st.builds(Decision, grantees, st.sampled_from(Verdict), _texts), max_size=3).map(tuple)
_ids = st.lists(_texts, max_size=3).map(tuple)
_usages = st.builds(
    Usage,
    _texts,
    _moments,
    st.booleans(),
    st.lists(st.builds(UsageEntry, _texts, _texts, st.integers(0, 10**6)), max_size=3).map(tuple),
)
_authors = st.builds(Author, st.lists(_events, max_size=3).map(tuple), st.none() | _events, st.booleans())
_keys = st.builds(
    Keys,
    _ids,
    st.lists(st.tuples(_texts, _unreadable), max_size=2).map(tuple),
    st.lists(
        st.builds(
            ImageKey,
            _texts,
            _ids,
            _texts,
            _texts,
            st.lists(st.builds(KeyAdmission, grantees, st.sampled_from(Admission), _texts), max_size=3).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)
evidences = st.builds(
    Evidence,
    usage=st.none() | _unreadable | _usages,
    author=st.none() | _unreadable | _authors,
    snapshots=st.none() | st.lists(st.builds(SnapshotSharing, _texts, _decisions | _unreadable), max_size=3).map(tuple),
    keys=st.none() | _unreadable | _keys,
    last_launched=_texts,
)
snapshot_permissions = st.lists(st.builds(SnapshotPermission, _texts, _some_grantees | _unreadable), max_size=3).map(
    tuple
)
binned = st.lists(st.builds(BinnedImage, _texts, _texts, _texts, _texts), max_size=3).map(tuple) | _unreadable
