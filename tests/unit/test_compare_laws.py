"""What holds of every comparison, and how one is shown."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import amiguard.report
from amiguard.report.compare import Comparison, compare
from amiguard.report.compare_json import render_comparison_json
from amiguard.report.compare_markdown import render_comparison_markdown
from amiguard.report.interface import StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.jsonl import render_jsonl
from amiguard.report.sanitize import printable
from tests.unit.compare_reports import EVERYONE, FAILED, a_saved, a_switch, compared, kinds, passing, table_of, text_of
from tests.unit.hostile_strings import HOSTILE
from tests.unit.report_readers import read_markdown
from tests.unit.v1_reports import ACCOUNT, STRANGER, a_result, a_target

SCHEMA = json.loads(Path(amiguard.report.__file__).with_name("diff_v1.schema.json").read_text(encoding="utf-8"))
FIXTURE_IS_SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


grants = st.lists(
    st.builds(
        lambda kind, decision: {**STRANGER, "grantee": kind, "decision": decision},
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["trusted", "untrusted", "undetermined"]),
    ),
    max_size=3,
    unique_by=lambda one: one["grantee"],
)


def reports(statuses: Sequence[str]) -> st.SearchStrategy[list[ResultV1]]:
    one = st.builds(
        lambda number, status, severity, some: a_result(number, status, severity, grants=some),
        st.integers(1, 6),
        st.sampled_from(statuses),
        st.sampled_from(["critical", "high"]),
        grants,
    )
    return st.lists(one, max_size=6, unique_by=lambda result: result["fingerprint"])


EVERY_STATUS = ("pass", "fail", "suppressed", "unknown")


@FIXTURE_IS_SHARED
@given(results=reports(EVERY_STATUS))
def test_a_report_compared_with_itself_has_nothing_new(tmp_path: Path, results: list[ResultV1]) -> None:
    for render in (render_json, render_jsonl):
        found = compared(tmp_path, results, results, render=render)
        failing = [one["fingerprint"] for one in results if one["status"] == "fail"]
        assert set(kinds(found)) <= {"unchanged"}
        assert sorted(kinds(found).get("unchanged", [])) == sorted(failing)
        assert not found.fails
        assert found.complete


@FIXTURE_IS_SHARED
@given(one=reports(("pass", "fail", "suppressed")), other=reports(("pass", "fail", "suppressed")))
def test_new_and_resolved_mirror_each_other(tmp_path: Path, one: list[ResultV1], other: list[ResultV1]) -> None:
    there, back = kinds(compared(tmp_path, one, other)), kinds(compared(tmp_path, other, one))
    mirrored = {"new": "resolved", "resolved": "new"}
    assert there == {mirrored.get(kind, kind): entries for kind, entries in back.items()}


@FIXTURE_IS_SHARED
@given(
    one=reports(EVERY_STATUS),
    other=reports(EVERY_STATUS),
    targets=st.sampled_from([[a_target()], [FAILED], []]),
    shown=st.sets(st.sampled_from(EVERY_STATUS)),
)
def test_every_failing_result_is_told_of_once(
    tmp_path: Path, one: list[ResultV1], other: list[ResultV1], targets: list[TargetV1], shown: set[str]
) -> None:
    found = compared(tmp_path, one, other, targets=targets, shown=StatusFilter(frozenset(shown)))
    told = kinds(found)
    fails = sorted(one["fingerprint"] for one in other if one["status"] == "fail" and "fail" in shown)
    assert sorted(chain.from_iterable(told.get(kind, []) for kind in ("new", "changed", "unchanged"))) == fails
    failed = {one["fingerprint"] for one in one if one["status"] == "fail"}
    unread = {one["fingerprint"] for one in other if one["status"] == "unknown" or one["status"] not in shown}
    better = {one["fingerprint"] for one in other if one["status"] in ("pass", "suppressed")}
    assert set(told.get("resolved", ())) <= failed
    assert not set(told.get("resolved", ())) & (unread - better)
    after = set(chain.from_iterable(told.values()))
    assert failed <= after
    document = json.loads(json_of(found))
    Draft202012Validator(SCHEMA).validate(document)
    assert {kind: document["summary"][kind] for kind in told} == {kind: len(some) for kind, some in told.items()}


def json_of(found: Comparison) -> str:
    return text_of(render_comparison_json, found)


def test_the_table_begins_with_the_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    old = [a_result(1), a_result(2), a_result(3), a_result(4, name="same")]
    new = [a_result(1, grants=(STRANGER, EVERYONE), severity="critical"), passing(2), passing(3, "unknown")]
    found = compared(tmp_path, old, [*new, a_result(4, name="same"), a_result(5)], audit={"complete": False})
    assert table_of(found) == TABLE.format(folder=tmp_path)


TABLE = """\
+1 new   ~1 changed (1 worse)   -1 resolved   ?1 not known any more   .0 not looked at   =1 unchanged
Something new fails: 1 fail that did not and 1 became worse.
OLD  {folder}/old: audit of 2026-06-15T08:30:00Z, complete
NEW  {folder}/new: audit of 2026-06-15T08:30:00Z, incomplete

New: it fails, and did not

012345678901  eu-central-1
  + fail high      ami-00000000000000005  golden
        untrusted: 999988887777
        it was not there before

Changed: it fails as before, and not alike

012345678901  eu-central-1
  ~ fail critical  ami-00000000000000001  golden
        + everyone: untrusted
        ~ severity: high, now critical

Resolved: it does not fail any more

012345678901  eu-central-1
  - fail high      ami-00000000000000002  golden
        it passes

Not known any more: not resolved

012345678901  eu-central-1
  ? unknown        ami-00000000000000003  golden
        Not trusted, and may launch it: 1 account.
"""


def planted(tmp_path: Path, text: str) -> Comparison:
    """Hostile text in whatever others write."""
    one = a_result(1, name=text, grants=({**STRANGER, "kind": "unrecognized", "grantee": text},))
    switch: ResultV1 = {**a_switch(), "message": text}
    failed: TargetV1 = {**a_target("us-east-1"), "status": "failed", "reason": text}
    lost = a_result(2, region="us-east-1", name=text)
    changed = a_result(3, name=text, grants=(*one["grants"], STRANGER))
    old = a_saved(tmp_path / "old", [lost, a_result(3, name=text)], audit={"caller_arn": text})
    return compare(old, a_saved(tmp_path / "new", [one, changed, switch], [a_target(), failed]))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "benign").mkdir()
    benign, hostile = planted(tmp_path / "benign", "benign"), planted(tmp_path, text)
    document = json_of(hostile)
    assert document.isascii()
    assert document.replace("\n", "").isprintable()
    Draft202012Validator(SCHEMA).validate(json.loads(document))
    # A lone surrogate is read back as it was written.
    assert json.loads(document)["findings"][1]["grants"][0]["grantee"] == json.loads(json.dumps(text))
    table = table_of(hostile)
    assert table.replace("\n", "").isprintable()
    starts = [line[:4] for line in table.splitlines() if line[:3] in ("  +", "  ~", "  ?", "  -", "  .")]
    assert starts == ["  + ", "  + ", "  ~ ", "  ? "]
    markdown = read_markdown(text_of(render_comparison_markdown, hostile))
    if text.strip():
        assert markdown.shape == read_markdown(text_of(render_comparison_markdown, benign)).shape
        assert any(" ".join(printable(text).split())[:60] in one for one in markdown.texts)


def test_markdown_is_cut_with_a_count(tmp_path: Path) -> None:
    many = [a_result(number, name="n" * 200, grants=(STRANGER,) * 3) for number in range(1, 2001)]
    found = compare(
        a_saved(tmp_path / "old", [a_result(number) for number in range(2001, 4001)]), a_saved(tmp_path / "new", many)
    )
    text = text_of(render_comparison_markdown, found)
    assert len(text.encode()) <= 60_000
    shown = text.count("| <code>+</code> | **high**")
    assert 0 < shown < 2000
    assert f"And {2000 - shown:,} more, not shown here." in text
    left = text.count("| <code>-</code> | high")
    assert left > 0
    assert f"And {2000 - left:,} more, not shown here." in text
    assert ACCOUNT in text
