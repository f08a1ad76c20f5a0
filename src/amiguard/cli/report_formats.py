"""The report formats by name. Each is loaded when it is used: the table needs rich, HTML jinja2, the others neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.completion import offer
from amiguard.cli.talk import complain
from amiguard.core.errors import OutputError
from amiguard.core.result import Status
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Renderer, Report, StatusFilter
from amiguard.report.known import without_known
from amiguard.report.output import check_writable, open_output

FORMATS = ("table", "text", "json", "jsonl", "csv", "markdown", "html", "sarif", "junit", "ocsf", "asff", "conformity")
_FORMAT, _OUTPUT = "--format", "--output"
_FOR_PEOPLE = frozenset({"table", "text", "markdown"})
_COUNT_KNOWN = frozenset({"text", "markdown", "html", "junit"})
"""The formats that list nothing of what a baseline knows; the table leaves it out by itself."""

FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        _FORMAT,
        "-f",
        metavar="FORMAT[=FILE]",
        autocompletion=offer(FORMATS),
        help=f"How to write the report: {', '.join(FORMATS)}; to FILE, replaced when it is whole. Repeatable: one of "
        "them may go to stdout. Default: table.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        _OUTPUT,
        "-o",
        metavar="FILE",
        help="Write the report that has no FILE of its own to this file in place of stdout.",
        show_default=False,
    ),
]
StatusOption = Annotated[
    list[Status] | None,
    typer.Option(
        help="Show results of this status only. Repeatable. Default: fail and unknown in formats for people "
        f"({', '.join(name for name in FORMATS if name in _FOR_PEOPLE)}), all in the others. Narrows what is shown, "
        "never counts or the exit code."
    ),
]


@dataclass(frozen=True, slots=True)
class Output:
    """One report that is to be written: its format, and the file; None is stdout."""

    name: str
    path: Path | None = None

    def shown(self, statuses: Sequence[Status]) -> StatusFilter:
        """Which results it shows: people want what needs attention, programs want all, `--status` decides for both."""
        if statuses:
            return StatusFilter.of(statuses)
        return NEEDS_ATTENTION if self.name in _FOR_PEOPLE else ALL


TABLE = (Output("table"),)
"""What is written unless something else is asked for."""


def read_outputs(formats: Sequence[str] | None, output: Path | None) -> tuple[Output, ...]:
    """The reports that the command line asks for.

    Args:
        formats: every `--format`.
        output: `--output`.

    Raises:
        typer.BadParameter: there is no such format, or the options do not go together.
    """
    outputs = [_read(text) for text in formats or ()] or list(TABLE)
    at_large = [place for place, one in enumerate(outputs) if one.path is None]
    if len(at_large) > 1:
        names = " and ".join(outputs[place].name for place in at_large)
        raise typer.BadParameter(f"{names} would both go to stdout: write FORMAT=FILE", param_hint=_FORMAT)
    if output is not None:
        if not at_large:
            raise typer.BadParameter("every format has a file of its own already", param_hint=_OUTPUT)
        outputs[at_large[0]] = Output(outputs[at_large[0]].name, output)
    return tuple(outputs)


def _read(text: str) -> Output:
    name, separator, file = text.partition("=")
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, n=1)
        mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(FORMATS)}"
        raise typer.BadParameter(f"there is no format {name!r}: {mend}", param_hint=_FORMAT)
    if separator and not file:
        raise typer.BadParameter(f"{text!r} names no file", param_hint=_FORMAT)
    return Output(name, Path(file) if file else None)


def check_outputs(outputs: Sequence[Output]) -> None:
    """Make sure, before anything else is done, that each file can probably be written.

    Raises:
        OutputError: one cannot.
    """
    for one in outputs:
        if one.path is not None:
            check_writable(one.path)


def write_reports(
    report: Report, outputs: Sequence[Output], statuses: Sequence[Status], *, rule_id: str | None = None
) -> None:
    """Write reports, stdout last; one that cannot be written does not keep the others from being written.

    Args:
        report: what was found.
        outputs: the reports to write.
        statuses: those that are shown; empty for what each format shows by default.
        rule_id: how the format `conformity` calls the check of images; None for its default.

    Raises:
        OutputError: one could not be written. If there were others, they were told.
    """
    failed: OutputError | None = None
    for one in sorted(outputs, key=lambda output: output.path is None):
        try:
            with open_output(one.path) as stream:
                told = without_known(report) if one.name in _COUNT_KNOWN else report
                renderer_of(one.name, rule_id)(told, one.shown(statuses), stream)
        except OutputError as error:
            if failed is not None:
                complain(failed)
            failed = error
    if failed is not None:
        raise failed


def renderer_of(name: str, rule_id: str | None = None) -> Renderer:
    """What writes a format, by its name; `rule_id` as for `write_reports`."""
    match name:
        case "table":
            from amiguard.report.table import render_table

            return render_table
        case "text":
            from amiguard.report.text_lines import render_text

            return render_text
        case "json":
            from amiguard.report.json_document import render_json

            return render_json
        case "jsonl":
            from amiguard.report.jsonl import render_jsonl

            return render_jsonl
        case "csv":
            from amiguard.report.csv_table import render_csv

            return render_csv
        case "markdown":
            from amiguard.report.markdown import render_markdown

            return render_markdown
        case "html":
            from amiguard.report.html import render_html

            return render_html
        case "sarif":
            from amiguard.report.sarif import render_sarif

            return render_sarif
        case "junit":
            from amiguard.report.junit import render_junit

            return render_junit
        case "ocsf":
            from amiguard.report.ocsf import render_ocsf

            return render_ocsf
        case "asff":
            from amiguard.report.asff import render_asff

            return render_asff
        case "conformity":
            from amiguard.report.conformity import conformity_renderer

            return conformity_renderer(rule_id) if rule_id else conformity_renderer()
        case _:
            raise ValueError(name)
