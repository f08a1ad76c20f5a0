"""The options that `amiguard trust review` alone has, or words in its own way."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ReviewFormat(StrEnum):
    """How a review is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="REPORT",
        help="The last audit, json or jsonl: which entries it uses. Without it that is not reviewed.",
        show_default=False,
    ),
]
ReviewDirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        metavar="FILE",
        help="The organization's directory as `amiguard trust snapshot` saved it: members, names, states.",
        show_default=False,
    ),
]
EarlierDirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--earlier-directory",
        metavar="FILE",
        help="An older one: accounts that are in it, and not in the directory, have left the organization.",
        show_default=False,
    ),
]
AskAwsOption = Annotated[
    bool, typer.Option("--ask-aws", help="Read the directory from AWS. Without it AWS is not asked.")
]
WithinOption = Annotated[
    str, typer.Option("--within", metavar="TIME", help="What expires in this time is told: 30d, 12h.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is a problem or a warning.")]
ReviewFormatOption = Annotated[ReviewFormat, typer.Option("--format", "-f", help="How to write the review.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the review to this file, replaced when it is whole. Default: stdout.",
        show_default=False,
    ),
]
