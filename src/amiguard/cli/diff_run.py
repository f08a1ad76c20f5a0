"""`amiguard diff`: two saved reports become a comparison, and that an exit code."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.talk import warn
from amiguard.core.errors import OutputError
from amiguard.report.compare import Comparison, compare
from amiguard.report.output import check_writable, open_output
from amiguard.report.saved_report import open_saved_report


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """What was asked for.

    Attributes:
        diff_format: `table`, `markdown` or `json`.
        output: the file to write; None for stdout.
    """

    old: Path
    new: Path
    diff_format: str
    output: Path | None


def run_diff(request: DiffRequest) -> ExitCode:
    """Compare, write the comparison, and say what it comes to.

    Raises:
        AmiguardError: a report cannot be used, or the comparison cannot be written.
    """
    if request.output is not None:
        _refuse_same_file(request.output, request)
        check_writable(request.output)
    found = compare(open_saved_report(request.old), open_saved_report(request.new))
    for warning in found.warnings:
        warn(warning)
    render = _renderer_of(request.diff_format)
    with open_output(request.output) as stream:
        render(found, stream)
    if found.fails:
        return ExitCode.UNTRUSTED
    return ExitCode.CLEAN if found.complete else ExitCode.INCOMPLETE


def _refuse_same_file(output: Path, request: DiffRequest) -> None:
    for report in (request.old, request.new):
        if output.resolve() == report.resolve():
            raise OutputError(
                f"{output} is one of the reports that are compared: it stays as it is",
                hint="choose another file with --output",
            )


def _renderer_of(name: str) -> Callable[[Comparison, TextIO], None]:
    match name:
        case "table":
            from amiguard.report.compare_table import render_comparison

            return render_comparison
        case "markdown":
            from amiguard.report.compare_markdown import render_comparison_markdown

            return render_comparison_markdown
        case "json":
            from amiguard.report.compare_json import render_comparison_json

            return render_comparison_json
        case _:
            raise ValueError(name)
