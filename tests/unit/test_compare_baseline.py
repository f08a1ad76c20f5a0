"""A baseline: what failed there and is no worse is known, and everything stays in the reports for machines."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from amiguard.cli.baseline import Baseline
from amiguard.core.errors import InputError
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report, StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1
from amiguard.report.saved_report import open_saved_report
from amiguard.report.table import render_table
from tests.unit.report_samples import FRANKFURT, STRANGER, image, judged, sample_report
from tests.unit.v1_reports import STRANGER as GRANT
from tests.unit.v1_reports import a_report, a_result, a_target

OTHER: GrantV1 = {**GRANT, "grantee": "111122224444"}
EVERYONE: GrantV1 = {**GRANT, "kind": "everyone", "grantee": "all"}


def baseline_of(path: Path, report: Report, shown: StatusFilter = ALL) -> Baseline:
    with path.open("w", encoding="utf-8") as stream:
        render_json(report, shown, stream)
    return Baseline.load(path)


@pytest.mark.parametrize(
    ("before", "now", "judged_as"),
    [
        ([a_result()], a_result(), "known"),
        ([a_result(grants=(GRANT, OTHER))], a_result(), "known"),
        ([a_result()], a_result(grants=(GRANT, {**OTHER, "decision": "trusted"})), "known"),
        ([a_result()], a_result(grants=(GRANT, OTHER)), "new"),
        ([a_result()], a_result(grants=(OTHER,)), "new"),
        ([a_result()], a_result(severity="critical", grants=(GRANT, EVERYONE)), "new"),
        ([a_result()], a_result(severity="critical"), "new"),
        ([a_result(severity="critical")], a_result(), "known"),
        ([a_result(2)], a_result(), "new"),
        ([a_result(status="pass")], a_result(), "new"),
        ([a_result(status="unknown")], a_result(), "new"),
        ([a_result(status="suppressed")], a_result(), "new"),
    ],
)
def test_what_is_known(tmp_path: Path, before: list[ResultV1], now: ResultV1, judged_as: str) -> None:
    assert baseline_of(tmp_path / "old", a_report(before)).judge(now) == judged_as


def test_results_of_the_core_are_judged_alike(tmp_path: Path) -> None:
    with sample_report() as report:
        baseline = baseline_of(tmp_path / "old", report)
    assert baseline.judge(judged(image(FRANKFURT, 0x30, "renamed"), STRANGER)) == "known"
    assert baseline.judge(judged(image(FRANKFURT, 0x31, "another"), STRANGER)) == "new"
    with pytest.raises(ValueError, match="only what fails"):
        baseline.judge(judged(image(FRANKFURT, 0x31, "another")))


def marked(path: Path, before: Sequence[ResultV1], now: Sequence[ResultV1]) -> Report:
    return baseline_of(path, a_report(before)).applied_to(a_report(now, [a_target()]))


def test_reports_keep_every_result_and_mark_what_fails(tmp_path: Path) -> None:
    tagged: ResultV1 = a_result(3, "pass", "informational", grants=())
    assert tagged["image"] is not None
    tagged["image"]["tags"] = {"status": "fail"}
    now = [a_result(1), a_result(2), tagged, a_result(4, "unknown")]
    stream = io.StringIO()
    render_json(marked(tmp_path / "old", [a_result(1)], now), ALL, stream)
    document: dict[str, Any] = json.loads(stream.getvalue())
    assert [one.pop("baseline", None) for one in document["results"]] == ["known", "new", None, None]
    assert document["results"] == now
    assert document["summary"]["fail"] == 2
    expected = {"known": 1, "new": 1, "file": str(tmp_path / "old"), "started_at": "2026-06-15T08:30:00Z"}
    assert document["summary"]["baseline"] == expected
    (tmp_path / "new").write_text(stream.getvalue(), encoding="utf-8")
    again = open_saved_report(tmp_path / "new")
    assert again.summary["baseline"] == expected
    assert [one.get("baseline") for one in again.results()] == ["known", "new", None, None]


def test_the_table_shows_what_is_new_and_says_what_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    for now, said in (
        ([a_result(1), a_result(2, name="fresh")], "1 of 2 images can be launched by grantees that are not trusted"),
        ([a_result(1, name="old-one")], "No untrusted sharing was found that the baseline does not know."),
    ):
        stream = io.StringIO()
        render_table(marked(tmp_path / "o\x1bld", [a_result(1)], now), NEEDS_ATTENTION, stream)
        text = stream.getvalue()
        assert said in text
        assert "1 old finding is hidden: known from the baseline" in text
        assert "o\\x1bld (audit of 2026-06-15T08:30:00Z)" in text
        assert "ami-00000000000000001" not in text
        assert ("fresh" in text) == (len(now) == 2)


def test_a_baseline_without_what_failed_is_warned_of(tmp_path: Path) -> None:
    shown = StatusFilter(frozenset({"pass"}))
    baseline = baseline_of(tmp_path / "old", a_report([a_result()]), shown)
    assert baseline.judge(a_result()) == "new"
    assert baseline.warnings == (
        f"the baseline {tmp_path / 'old'} does not hold 1 of the results that failed (--status): they count as new",
    )
    assert baseline_of(tmp_path / "old", a_report([a_result()])).warnings == ()


def test_what_is_no_report_is_no_baseline(tmp_path: Path) -> None:
    (tmp_path / "cut").write_text('{"schema_version":"1",', encoding="utf-8")
    for name in ("cut", "none"):
        with pytest.raises(InputError):
            Baseline.load(tmp_path / name)
