"""Reports with evidence, written in every format."""

import io
from typing import Any

import lxml.html

from amiguard.report.asff import render_asff
from amiguard.report.conformity import conformity_renderer
from amiguard.report.csv_table import render_csv
from amiguard.report.html import render_html
from amiguard.report.interface import ALL, Renderer
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.junit import render_junit
from amiguard.report.markdown import render_markdown
from amiguard.report.ocsf import render_ocsf
from amiguard.report.sarif import render_sarif
from amiguard.report.table import render_table
from amiguard.report.text_lines import render_text
from tests.unit.evidence_samples import (
    ORGANIZATION,
    all_evidence,
)
from tests.unit.report_readers import read_markdown
from tests.unit.v1_reports import a_report, a_result, a_target

USE = "14 instances, 1 launch template"
FOR_PEOPLE: dict[str, Renderer] = {
    "table": render_table,
    "text": render_text,
    "markdown": render_markdown,
    "html": render_html,
}
FORMATS: dict[str, Renderer] = {
    **FOR_PEOPLE,
    "csv": render_csv,
    "sarif": render_sarif,
    "junit": render_junit,
    "ocsf": render_ocsf,
    "asff": render_asff,
    "conformity": conformity_renderer(),
}


def page_of(text: str) -> Any:
    return lxml.html.document_fromstring(text)


def written(render: Renderer, *results: ResultV1, targets: list[TargetV1] | None = None) -> str:
    stream = io.StringIO(newline="")
    render(a_report(results, targets or [a_target()]), ALL, stream)
    return stream.getvalue()


def words(name: str, *results: ResultV1, targets: list[TargetV1] | None = None) -> str:
    """What a person reads, on one line."""
    text = written(FORMATS[name], *results, targets=targets)
    if name == "markdown":
        text = " ".join(read_markdown(text).texts)
    if name == "html":
        text = page_of(text).find(".//main").text_content()
    return " ".join(text.split())


def through_an_organization() -> ResultV1:
    return {**a_result(1, grants=[ORGANIZATION]), "evidence": all_evidence()}


def author(result: ResultV1) -> dict[str, Any]:
    found: dict[str, Any] = result["evidence"]["author"]  # type: ignore[assignment]  # one that is known
    return found
