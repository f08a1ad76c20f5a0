"""Two reports compared: what could not be read is never resolved, and every failing result is told of once."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import amiguard.report
from amiguard.core.errors import InputError
from amiguard.report.compare import Comparison, Kind, compare
from amiguard.report.compare_json import render_comparison_json
from amiguard.report.compare_markdown import render_comparison_markdown
from amiguard.report.compare_table import render_comparison
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, Renderer, Report, StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1, StatusV1, TargetV1
from amiguard.report.jsonl import render_jsonl
from amiguard.report.sanitize import printable
from amiguard.report.saved_report import SavedReport, open_saved_report
from tests.unit.hostile_strings import HOSTILE
from tests.unit.report_readers import read_markdown
from tests.unit.v1_reports import ACCOUNT, REGION, STRANGER, a_report, a_result, a_target

OTHER: GrantV1 = {**STRANGER, "grantee": "111122224444"}
EVERYONE: GrantV1 = {**STRANGER, "kind": "everyone", "grantee": "all"}
TRUSTED: GrantV1 = {**STRANGER, "decision": "trusted"}
SCHEMA = json.loads(Path(amiguard.report.__file__).with_name("diff_v1.schema.json").read_text(encoding="utf-8"))
FIXTURE_IS_SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


def passing(number: int = 1, status: StatusV1 = "pass", region: str = REGION) -> ResultV1:
    return a_result(number, status, "informational", grants=(), region=region)


def a_switch(status: StatusV1 = "fail", region: str = REGION) -> ResultV1:
    one = a_result(0, status, "medium", grants=(), region=region)
    fingerprint = sha256(f"switch {region}".encode()).hexdigest()
    return {**one, "check_id": "ami-block-public-access", "image": None, "fingerprint": fingerprint}


def saved(path: Path, report: Report, *, render: Renderer = render_json, shown: StatusFilter = ALL) -> SavedReport:
    stream = io.StringIO()
    render(report, shown, stream)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return open_saved_report(path)


def a_saved(
    path: Path,
    results: Sequence[ResultV1],
    targets: Sequence[TargetV1] | None = None,
    *,
    render: Renderer = render_json,
    shown: StatusFilter = ALL,
    audit: Mapping[str, Any] | None = None,
) -> SavedReport:
    report = a_report(results, [a_target()] if targets is None else targets)
    report.audit["id"] = path.name
    report.audit.update(audit or {})  # type: ignore[typeddict-item]
    return saved(path, report, render=render, shown=shown)


def compared(tmp_path: Path, old: Sequence[ResultV1], new: Sequence[ResultV1], **of_new: Any) -> Comparison:
    return compare(a_saved(tmp_path / "old", old), a_saved(tmp_path / "new", new, **of_new))


def kinds(found: Comparison) -> dict[str, list[str]]:
    return {
        kind.value: [one.finding.fingerprint.hex() for one in entries]
        for kind, entries in found.entries.items()
        if entries
    }


def the_only(found: Comparison) -> tuple[str, str, str]:
    (entry,) = (one for entries in found.entries.values() for one in entries)
    return entry.kind.value, str(entry.before), str(entry.after)


@pytest.mark.parametrize(
    ("old", "new", "became"),
    [
        ([], [a_result()], ("new", "absent", "fail")),
        ([passing()], [a_result()], ("new", "pass", "fail")),
        ([passing(status="suppressed")], [a_result()], ("new", "suppressed", "fail")),
        ([passing(status="unknown")], [a_result()], ("new", "unknown", "fail")),
        ([a_result()], [passing()], ("resolved", "fail", "pass")),
        ([a_result()], [passing(status="suppressed")], ("resolved", "fail", "suppressed")),
        ([a_result()], [], ("resolved", "fail", "absent")),
        ([a_result()], [passing(status="unknown")], ("unknown", "fail", "unknown")),
        ([passing()], [passing(status="unknown")], ("unknown", "pass", "unknown")),
        ([], [passing(status="unknown")], ("unknown", "absent", "unknown")),
        ([a_result()], [a_result()], ("unchanged", "fail", "fail")),
        ([a_result()], [a_result(severity="critical")], ("changed", "fail", "fail")),
        ([a_switch()], [a_switch("pass")], ("resolved", "fail", "pass")),
        ([a_switch()], [], ("not_looked_at", "fail", "not_looked_at")),
    ],
)
def test_what_became_of_a_result(
    tmp_path: Path, old: list[ResultV1], new: list[ResultV1], became: tuple[str, str, str]
) -> None:
    found = compared(tmp_path, old, new)
    assert the_only(found) == became
    assert found.fails == (became[0] == "new" or (became[0] == "changed" and found.worse == 1))
    assert found.complete == (became[0] != "unknown")


def test_what_was_and_is_unknown_is_counted_only(tmp_path: Path) -> None:
    found = compared(tmp_path, [passing(status="unknown")], [passing(status="unknown")])
    assert kinds(found) == {}
    assert found.still_unknown == 1
    assert found.complete


FAILED: TargetV1 = {**a_target(), "status": "failed", "reason": "denied"}
SKIPPED: TargetV1 = {**a_target(), "status": "skipped", "reason": "suspended"}


@pytest.mark.parametrize(
    ("targets", "audit", "became"),
    [
        ([FAILED], {}, ("unknown", "not_read")),
        ([SKIPPED], {}, ("unknown", "not_read")),
        ([{**FAILED, "region": "*"}], {}, ("unknown", "not_read")),
        ([a_target(), FAILED], {}, ("unknown", "not_read")),
        ([FAILED, a_target()], {}, ("unknown", "not_read")),
        ([], {}, ("not_looked_at", "not_looked_at")),
        ([a_target("us-east-1")], {}, ("not_looked_at", "not_looked_at")),
        ([{**a_target(), "account_id": "111111111111"}], {}, ("not_looked_at", "not_looked_at")),
        (None, {"narrowed_to": {"images": ["ami-other"], "tags": []}}, ("not_looked_at", "not_looked_at")),
        (None, {"narrowed_to": {"images": [], "tags": ["a=b"]}}, ("not_looked_at", "not_looked_at")),
        (None, {"narrowed_to": {"images": ["ami-00000000000000001"], "tags": []}}, ("resolved", "absent")),
    ],
)
def test_what_was_not_read_or_not_looked_at_is_not_resolved(
    tmp_path: Path, targets: list[TargetV1] | None, audit: dict[str, Any], became: tuple[str, str]
) -> None:
    for render in (render_json, render_jsonl):
        found = compared(tmp_path, [a_result(), passing(2)], [], targets=targets, audit=audit, render=render)
        kind, _, after = the_only(found)
        assert (kind, after) == became
        assert found.others_unread == (became[1] == "not_read")
        assert found.complete == (kind != "unknown")


@pytest.mark.parametrize(
    ("shown", "became", "complete"),
    [
        ({"fail", "unknown"}, ("resolved", "not_shown"), True),
        ({"fail"}, ("unknown", "may_be_not_shown"), False),
        ({"unknown"}, ("unknown", "may_be_not_shown"), False),
        ({"pass", "suppressed"}, ("unknown", "may_be_not_shown"), False),
    ],
)
def test_what_a_report_does_not_hold_is_never_resolved(
    *, tmp_path: Path, shown: set[str], became: tuple[str, str], complete: bool
) -> None:
    others = [a_result(7), passing(8), passing(9, "suppressed"), passing(10, "unknown")]
    old = a_saved(tmp_path / "old", [a_result(), *others])
    found = compare(old, a_saved(tmp_path / "new", others, shown=StatusFilter(frozenset(shown))))
    (entry,) = (one for kind in Kind for one in found.entries[kind] if one.finding.image_id == "ami-00000000000000001")
    assert (entry.kind.value, entry.after.value) == became  # type: ignore[union-attr]
    assert found.complete == complete
    assert any("NEW does not hold" in one for one in found.warnings) != complete


def test_a_switch_of_which_nothing_is_shown_cannot_be_told(tmp_path: Path) -> None:
    shown = StatusFilter(frozenset({"fail", "unknown"}))
    old = a_saved(tmp_path / "old", [a_switch()])
    assert the_only(compare(old, a_saved(tmp_path / "new", [passing()], shown=shown)))[0] == "unknown"
    other = a_switch(region="us-east-1")
    targets = [a_target(), a_target("us-east-1")]
    found = compare(old, a_saved(tmp_path / "new", [passing(), other], targets, shown=shown))
    assert [one.after for one in found.entries[Kind.RESOLVED]] == ["not_shown"]


def test_an_old_report_without_what_failed_is_warned_of(tmp_path: Path) -> None:
    shown = StatusFilter(frozenset({"pass"}))
    found = compare(a_saved(tmp_path / "old", [a_result()], shown=shown), a_saved(tmp_path / "new", [a_result()]))
    assert the_only(found) == ("new", "may_be_not_shown", "fail")
    assert found.warnings == (
        "OLD does not hold 1 fail result of its audit (--status): what is new here may have failed before",
    )


def test_grantees_that_came_went_and_were_decided_anew_are_told(tmp_path: Path) -> None:
    was: GrantV1 = {**TRUSTED, "grantee": "1"}
    found = compared(
        tmp_path, [a_result(grants=(STRANGER, was))], [a_result(grants=(OTHER, {**was, "decision": "untrusted"}))]
    )
    (entry,) = found.entries[Kind.CHANGED]
    assert entry.delta is not None
    assert [one.grantee.grantee for one in entry.delta.came] == ["111122224444"]
    assert [one.grantee.grantee for one in entry.delta.went] == ["999988887777"]
    assert [(one.grantee.grantee, one.before, one.after) for one in entry.delta.redecided] == [
        ("1", "trusted", "untrusted")
    ]
    text = table_of(found)
    for line in ("+ 111122224444: untrusted", "- 999988887777: untrusted", "~ 1: trusted, now untrusted"):
        assert f"        {line}\n" in text


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ((STRANGER,), (STRANGER, OTHER), True),
        ((STRANGER,), (OTHER,), True),
        ((STRANGER,), (STRANGER, EVERYONE), True),
        ((STRANGER, OTHER), (STRANGER,), False),
        ((STRANGER,), (STRANGER, {**OTHER, "decision": "trusted"}), False),
        ((STRANGER, {**OTHER, "decision": "trusted"}), (STRANGER, OTHER), True),
    ],
)
def test_worse_is_who_was_not_untrusted_before(
    *, tmp_path: Path, before: Sequence[GrantV1], after: Sequence[GrantV1], worse: bool
) -> None:
    found = compared(tmp_path, [a_result(grants=before)], [a_result(grants=after)])
    assert (found.counts[Kind.CHANGED], found.fails) == (1, worse)


def test_words_alone_are_no_change(tmp_path: Path) -> None:
    other = {**a_result(grants=({**STRANGER, "reason": "said otherwise"},), name="renamed"), "message": "otherwise"}
    assert the_only(compared(tmp_path, [a_result()], [other]))[0] == "unchanged"  # type: ignore[list-item]


def test_what_is_to_be_kept_in_mind_is_noted(tmp_path: Path) -> None:
    of_new = {
        "trust_policy_digest": "0" * 64,
        "caller_arn": "arn:aws:iam::111122223333:user/x",
        "started_at": "2026-01-01T00:00:00Z",
    }
    found = compared(tmp_path, [], [], targets=[a_target("x"), FAILED], audit=of_new)
    assert [one.text for one in found.notes] == [
        "OLD is later than NEW: it began at 2026-06-15T08:30:00Z, NEW at 2026-01-01T00:00:00Z",
        "The trust policy or the exceptions are others: what differs may be due to that",
        "The callers are others: arn:aws:sts::111122223333:assumed-role/auditor/session, "
        "and now arn:aws:iam::111122223333:user/x",
        "NEW is incomplete: 1 target failed",
        "OLD did not look at 1 of 1 target that NEW has audited",
    ]
    another_session = {"caller_arn": "arn:aws:sts::111122223333:assumed-role/auditor/tomorrow"}
    assert compared(tmp_path, [], [], audit=another_session).notes == ()
    same = a_saved(tmp_path / "old", [])
    assert [one.text for one in compare(same, same).notes] == ["Both are reports of the same audit"]


def test_one_fingerprint_twice_is_refused(tmp_path: Path) -> None:
    twice = [a_result(), a_result()]
    for old, new in ((twice, [a_result()]), ([a_result()], twice), (twice, []), ([], [passing(), a_result()])):
        with pytest.raises(InputError, match="two of its results have one fingerprint"):
            compared(tmp_path, old, new)
    with pytest.raises(InputError, match="'x' is no fingerprint"):
        compared(tmp_path, [{**a_result(), "fingerprint": "x"}], [])


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


def text_of(render: Callable[[Comparison, Any], None], found: Comparison) -> str:
    stream = io.StringIO()
    render(found, stream)
    return stream.getvalue()


def table_of(found: Comparison) -> str:
    return text_of(render_comparison, found)


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
