"""Two reports compared: what could not be read is never resolved."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.errors import InputError
from amiguard.report.compare import Comparison, Kind, compare
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.jsonl import render_jsonl
from tests.unit.compare_reports import EVERYONE, FAILED, a_saved, a_switch, compared, kinds, passing, table_of
from tests.unit.v1_reports import STRANGER, a_result, a_target

OTHER: GrantV1 = {**STRANGER, "grantee": "111122224444"}
TRUSTED: GrantV1 = {**STRANGER, "decision": "trusted"}


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
