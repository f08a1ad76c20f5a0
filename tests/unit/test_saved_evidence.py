"""Evidence in saved reports: in a result, and in `jsonl` on lines of their own that come after it."""

import io
import json
from pathlib import Path

import pytest
from jsonschema import ValidationError

from amiguard.cli.report_run import _report
from amiguard.core.errors import InputError
from amiguard.report.evidence_v1 import EvidenceV1
from amiguard.report.interface import ALL, Renderer, header_v1
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import TargetV1
from amiguard.report.jsonl import render_jsonl, write_evidence, write_header, write_results, write_summary
from amiguard.report.saved_report import SavedReport, open_saved_report
from amiguard.report.spool import Spool
from tests.unit.evidence_samples import a_bin, all_evidence, of_snapshots, with_evidence, without
from tests.unit.report_readers import check
from tests.unit.report_samples import HEADER
from tests.unit.v1_reports import a_report, a_result, a_target

ONE, TWO = a_result(1), a_result(2)
OLDER: EvidenceV1 = {"last_launched_time": "2026-06-01T00:00:00Z"}


def streamed(path: Path, *lines: str) -> SavedReport:
    """A report as an audit streams it, with other lines between its results and its summary."""
    report = a_report([ONE, TWO], [a_target()])
    stream = io.StringIO()
    write_header(header_v1(HEADER), stream)
    write_results(report.source.ordered(ALL), stream)
    stream.writelines(lines)
    write_summary(report, stream)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return open_saved_report(path)


def line(fingerprint: str, evidence: EvidenceV1) -> str:
    stream = io.StringIO()
    write_evidence(fingerprint, evidence, stream)
    return stream.getvalue()


def test_a_line_of_evidence_as_a_whole() -> None:
    assert line("5a" * 32, OLDER) == (
        f'{{"type":"evidence","fingerprint":"{"5a" * 32}",'
        '"evidence":{"last_launched_time":"2026-06-01T00:00:00Z"}}\n'
    )


def test_lines_of_evidence_are_merged_into_their_results(tmp_path: Path) -> None:
    foreign = line("00" * 32, all_evidence())
    saved = streamed(tmp_path / "a.jsonl", line(TWO["fingerprint"], all_evidence()), foreign)
    assert list(saved.results()) == [ONE, {**TWO, "evidence": all_evidence()}]
    # And again: a report is read more than once.
    assert list(saved.results())[1]["evidence"] == all_evidence()


def test_of_several_lines_the_last_counts(tmp_path: Path) -> None:
    lines = (line(ONE["fingerprint"], OLDER), line(ONE["fingerprint"], all_evidence()))
    assert next(iter(streamed(tmp_path / "a.jsonl", *lines).results()))["evidence"] == all_evidence()


def test_lines_of_other_types_are_passed_over_as_before(tmp_path: Path) -> None:
    saved = streamed(tmp_path / "a.jsonl", '{"type":"later","fingerprint":1}\n')
    assert list(saved.results()) == [ONE, TWO]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"type":"evidence","evidence":{}}', "in a line of evidence, fingerprint is missing"),
        ('{"type":"evidence","fingerprint":"x"}', "in a line of evidence, evidence is missing"),
        ('{"type":"evidence","fingerprint":"x","evidence":{"usage":1}}', r"evidence\.usage is not an object"),
        ('{"type":"evidence","fingerprint":"x","evidence":{"snapshots":[{}]}}', r"evidence\.snapshots\[0\]"),
    ],
)
def test_a_line_that_is_none_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        streamed(tmp_path / "a.jsonl", text + "\n")


def test_a_result_with_evidence_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(_json([{**ONE, "evidence": {"author": {"status": "known"}}}]), encoding="utf-8")
    with pytest.raises(InputError, match=r"results\[0\]\.evidence\.author"):
        open_saved_report(path)


def again(saved: SavedReport, render: Renderer) -> str:
    """As `amiguard report` writes it."""
    stream = io.StringIO()
    with Spool() as spool:
        render(_report(saved, spool), ALL, stream)
    return stream.getvalue()


def test_a_streamed_report_is_rendered_with_its_evidence_inside(tmp_path: Path) -> None:
    saved = streamed(tmp_path / "a.jsonl", line(TWO["fingerprint"], all_evidence()))
    lines = [json.loads(one) for one in again(saved, render_jsonl).splitlines()]
    assert [one["type"] for one in lines] == ["header", "result", "result", "summary"]
    assert lines[2]["evidence"] == all_evidence()
    assert "evidence" not in lines[1]


def test_a_saved_document_comes_back_as_it_is(tmp_path: Path) -> None:
    target: TargetV1 = {**a_target(), "recycle_bin": a_bin()}
    failed: TargetV1 = {**a_target("us-east-1"), "recycle_bin": {"status": "unavailable", "reason": "denied"}}
    path = tmp_path / "a.json"
    path.write_text(_json([with_evidence()], [target, failed]), encoding="utf-8")
    saved = open_saved_report(path)
    assert list(saved.results()) == [with_evidence()]
    assert again(saved, render_json) == path.read_text(encoding="utf-8")


def _json(results: list, targets: list[TargetV1] | None = None) -> str:  # type: ignore[type-arg]  # broken ones, too
    stream = io.StringIO()
    render_json(a_report(results, targets or [a_target()]), ALL, stream)
    return stream.getvalue()


def test_the_schema_names_every_key() -> None:
    target: TargetV1 = {**a_target(), "recycle_bin": a_bin()}
    results = [with_evidence(1), of_snapshots(2), without("usage", "author", "keys")]
    check(json.loads(_json(results, [target])))
    check(json.loads(line(ONE["fingerprint"], all_evidence())), "evidence_line")
    with pytest.raises(ValidationError):
        check({**json.loads(line(ONE["fingerprint"], all_evidence())), "more": 1}, "evidence_line")
