"""Evidence goes into version 1 and comes back, and the published schema describes what is between."""

import json
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from amiguard.core.errors import InputError
from amiguard.core.evidence import BinnedImage, Evidence, SnapshotSharing
from amiguard.core.image import Unreadable
from amiguard.core.snapshot import SnapshotPermission
from amiguard.report.evidence_v1 import EvidenceV1
from amiguard.report.evidence_values import core_evidence, evidence_v1, recycle_bin_v1
from amiguard.report.json_shape import MistakeError, reader_of
from amiguard.report.json_v1 import encode, result_v1
from amiguard.report.saved_report import core_result
from tests.unit.evidence_samples import all_evidence, binned, evidences, snapshot_permissions
from tests.unit.report_samples import FRANKFURT, STRANGER, image, judged

SCHEMA = json.loads(resources.files("amiguard.report").joinpath("report_v1.schema.json").read_text())
READ = reader_of(EvidenceV1)


def part(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


@given(evidences)
def test_evidence_comes_back_as_it_went_in(evidence: Evidence) -> None:
    written = json.loads(encode(evidence_v1(evidence)))
    assert core_evidence(READ(written)) == evidence
    part("evidence").validate(written)


@given(binned)
def test_a_recycle_bin_is_as_the_schema_has_it(images: tuple[BinnedImage, ...] | Unreadable) -> None:
    written = json.loads(encode(recycle_bin_v1(images)))
    (name,) = ("unavailable",) if isinstance(images, Unreadable) else ("recycle_bin",)
    part(name).validate(written)
    assert len(written.get("images", ())) == (0 if isinstance(images, Unreadable) else len(images))


@given(snapshot_permissions, st.lists(st.text(max_size=5), max_size=3).map(tuple), st.text(max_size=5))
def test_what_a_check_has_read_of_snapshots_comes_back(
    snapshots: tuple[SnapshotPermission, ...], ids: tuple[str, ...], launched: str
) -> None:
    one = image(FRANKFURT, 1, "golden", snapshot_ids=ids, last_launched=launched)
    result = replace(judged(one, STRANGER), snapshots=snapshots)
    written = json.loads(encode(result_v1(result)))
    assert core_result(written) == result
    part("result").validate(written)


def test_there_are_no_keys_for_what_there_is_not() -> None:
    written = result_v1(judged(image(FRANKFURT, 1, "golden"), STRANGER))
    assert "snapshots" not in written
    assert "evidence" not in written
    assert written["image"] is not None
    assert not {"snapshot_ids", "last_launched_time"} & set(written["image"])
    assert evidence_v1(Evidence()) == {}


def test_a_hint_is_there_if_there_is_one() -> None:
    sharing = SnapshotSharing("snap-1", Unreadable("denied", "allow it"))
    written = evidence_v1(Evidence(usage=Unreadable("denied"), snapshots=(sharing,)))
    assert written == {
        "usage": {"status": "unavailable", "reason": "denied"},
        "snapshots": [{"id": "snap-1", "status": "unavailable", "reason": "denied", "hint": "allow it"}],
    }


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("usage", "created_at"), "yesterday", "'yesterday' is no time"),
        (("usage", "created_at"), "2026-06-15T08:00:00", "is no time in UTC"),
        (("author", "shares", 0, "time"), "", "'' is no time"),
        (("author", "shares", 0, "added", 0, "grantee"), "", "is not how a grantee"),
        (("snapshots", 0, "grants", 0, "kind"), "organization", "is not how a grantee"),
        (("keys", "keys", 0, "admissions", 0, "kind"), "everyone", "is not how a grantee"),
    ],
)
def test_what_is_not_as_version_1_writes_it_is_refused(path: tuple[Any, ...], value: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        core_evidence(READ(_with(path, value)))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("usage", "entries", 0, "count"), "3", r"\.usage\.entries\[0\]\.count is not a whole number"),
        (("author", "shares", 0, "added"), None, r"\.author\.shares\[0\]\.added is not an array"),
        (("keys", "keys", 0, "admissions", 0, "admission"), "maybe", r"admission is not one of admits, does_not_admit"),
        (("snapshots",), {}, r"\.snapshots is not an array"),
        (("usage", "status"), "perhaps", r"\.usage\.status is not one of known, unavailable"),
        (("usage", "status"), ["known"], r"\.usage\.status is not one of known, unavailable"),
        (("usage",), {"status": "unavailable"}, r"\.usage\.reason is missing"),
        (("author",), {"status": "known"}, r"\.author\.shares is missing"),
        (("keys",), {}, r"\.keys\.status is missing"),
        (("keys",), [], r"\.keys is not an object"),
    ],
)
def test_a_mistake_is_named_where_it_is(path: tuple[Any, ...], value: object, says: str) -> None:
    with pytest.raises(MistakeError, match=says):
        READ(_with(path, value))


def _with(path: tuple[Any, ...], value: object) -> object:
    evidence: Any = json.loads(encode(all_evidence()))
    place = evidence
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return evidence


def test_the_sample_is_as_the_schema_has_it_and_what_is_not_is_noticed() -> None:
    part("evidence").validate(all_evidence())
    assert not part("evidence").is_valid(_with(("usage", "entries", 0, "count"), "3"))
    assert not part("evidence").is_valid(_with(("keys", "keys", 0, "admissions", 0, "admission"), "maybe"))
    assert not part("evidence").is_valid(_with(("snapshots", 1, "reason"), 1))
