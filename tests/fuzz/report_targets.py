"""Saved reports: read back, planned from, compared, and written in every format."""

import io
from collections.abc import Callable
from pathlib import Path

from amiguard.cli.baseline import Baseline
from amiguard.cli.report_formats import FORMATS, renderer_of
from amiguard.cli.report_run import _report as report_of
from amiguard.core.errors import InputError, OutputError
from amiguard.core.result import Status
from amiguard.report.compare import compare
from amiguard.report.compare_json import render_comparison_json
from amiguard.report.compare_markdown import render_comparison_markdown
from amiguard.report.compare_table import render_comparison
from amiguard.report.evidence_values import core_evidence
from amiguard.report.interface import ALL, Renderer, header_v1
from amiguard.report.json_document import render_json
from amiguard.report.jsonl import write_evidence, write_header, write_results, write_summary
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.saved_report import core_result, open_saved_report
from amiguard.report.spool import Spool
from tests.fuzz.target import Form, Target, as_file
from tests.unit.evidence_samples import all_evidence, with_evidence
from tests.unit.html_pages import EXCEPTIONS, POLICY
from tests.unit.report_samples import HEADER
from tests.unit.v1_reports import a_report, a_result, a_target


def _rendered(render: Renderer, path: Path) -> str:
    stream = io.StringIO()
    with Spool() as spool:
        render(report_of(open_saved_report(path), spool), ALL, stream)
    return stream.getvalue()


def read_report(data: bytes) -> None:
    """What is accepted holds: what passes has no grantee that is not trusted; written again, it is the same."""
    with as_file(data) as path:
        saved = open_saved_report(path)
        results = list(saved.results())
        for one in results:
            read = core_result(one)
            assert read.status is Status(one["status"])
            if "evidence" in one:
                core_evidence(one["evidence"])
        path.write_text(_rendered(render_json, path), encoding="utf-8", errors="surrogatepass")
        again = open_saved_report(path)
        assert sorted(map(repr, again.results())) == sorted(map(repr, results))
        assert (again.audit, again.summary) == (saved.audit, saved.summary)


def render_report(data: bytes) -> None:
    """Every format writes what is accepted, or refuses it."""
    with as_file(data) as path:
        open_saved_report(path)
        for name in FORMATS:
            assert _rendered(renderer_of(name), path) is not None


def compare_reports(data: bytes) -> None:
    """Compared with the sample, either way round, and taken for a baseline."""
    with as_file(data) as path:
        known = path.parent / "known"
        known.write_bytes(SEEDS[0])
        Baseline.load(path)
        for old, new in ((path, known), (known, path)):
            found = compare(open_saved_report(old), open_saved_report(new))
            for render in (render_comparison, render_comparison_markdown, render_comparison_json):
                render(found, io.StringIO())


def _small() -> bytes:
    stream = io.StringIO()
    report = a_report([with_evidence(), a_result(2, "pass", "informational", grants=())], [a_target()])
    report.audit["trust_policy"] = trust_policy_v1(POLICY, EXCEPTIONS)
    render_json(report, ALL, stream)
    return stream.getvalue().encode()


def _lines() -> bytes:
    one, two = a_result(1), a_result(2)
    report = a_report([one, two], [a_target()])
    stream = io.StringIO()
    write_header(header_v1(HEADER), stream)
    write_results(report.source.ordered(ALL), stream)
    write_evidence(two["fingerprint"], all_evidence(), stream)
    write_summary(report, stream)
    return stream.getvalue().encode()


SEEDS = (_small(), _lines())


def _target(name: str, run: Callable[[bytes], object], examples: int) -> Target:
    return Target(name, Form.LINES, run, (InputError, OutputError), SEEDS, examples)


REPORT_TARGETS = (
    _target("report", read_report, 180),
    _target("report-formats", render_report, 60),
    _target("report-diff", compare_reports, 120),
)
