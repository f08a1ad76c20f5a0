"""`amiguard diff`: its options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class DiffFormat(StrEnum):
    """How a comparison is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The earlier report: json or jsonl of `amiguard audit`.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later report.")],
    *,
    diff_format: Annotated[DiffFormat, typer.Option("--format", "-f", help="How to write the comparison.")] = (
        DiffFormat.TABLE
    ),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the comparison to this file, replaced when it is whole. Default: stdout.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare two reports: what fails now and did not, what is resolved, what changed, what is not known any more.

    AWS is not asked. What could not be read in NEW is never taken for resolved.

    Exit codes: 0 nothing new fails; 1 something fails that did not, or became worse; 2 a report cannot be used;
    3 nothing new fails, but something is not known any more.
    """
    from amiguard.cli.diff_run import DiffRequest, run_diff

    raise typer.Exit(run_diff(DiffRequest(old=old, new=new, diff_format=diff_format.value, output=output)))
