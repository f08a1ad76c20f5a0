"""`amiguard report`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.report_formats import FormatOption, OutputOption, StatusOption, read_outputs


def report(
    saved: Annotated[
        Path, typer.Argument(metavar="REPORT", help="A report that an audit saved, in the format json or jsonl.")
    ],
    *,
    status: StatusOption = None,
    report_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Write a saved report in other formats. AWS is not asked.

    Exit codes: 0 written, whatever the report says; 2 the report cannot be used, or nothing could be written.
    """
    from amiguard.cli.report_run import run_report

    run_report(saved, read_outputs(report_format, output), tuple(status or ()))
