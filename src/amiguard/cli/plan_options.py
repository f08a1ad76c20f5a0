"""The options that `amiguard plan` alone has, or words in its own way."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class PlanFormat(StrEnum):
    """How the plan is printed."""

    TABLE = "table"
    AWS_CLI = "aws-cli"


class Only(StrEnum):
    """Kinds of grantee, in the plural of the command line."""

    EVERYONE = "everyone"
    ACCOUNTS = "accounts"
    ORGANIZATIONS = "organizations"
    UNITS = "units"


RegionOption = Annotated[
    list[str] | None,
    typer.Option("--region", help="Plan for this region only. Repeatable; default: all that are enabled."),
]
ImageOption = Annotated[list[str] | None, typer.Option("--image", help="Plan for this image only. Repeatable.")]
SourceOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="REPORT",
        help="Plan from this report of an audit (json or jsonl) in place of a new one; each grant is decided anew.",
        show_default=False,
    ),
]
OnlyOption = Annotated[
    list[Only] | None,
    typer.Option("--only", help="Remove untrusted grantees of this kind only. Repeatable; default: all kinds."),
]
ShareWithOption = Annotated[
    list[str] | None,
    typer.Option(
        "--share-with",
        metavar="ID",
        help="Add this grantee, which the policy must trust, to the failing images, or to those named by --image: "
        "an account id, or the ARN of an organization or unit. Repeatable.",
        show_default=False,
    ),
]
BlockPublicAccessOption = Annotated[
    bool,
    typer.Option(
        "--block-public-access",
        help="Also switch on image block public access wherever the plan looks and it is off.",
    ),
]
SnapshotsOption = Annotated[
    bool,
    typer.Option(
        "--snapshots",
        help="Also take back the snapshots under images from grantees that are not trusted.",
    ),
]
RevokeInUseOption = Annotated[
    bool,
    typer.Option(
        "--revoke-in-use",
        help="Take access from accounts that use an image, too. Default: what usage evidence names is left out.",
    ),
]
ValidForOption = Annotated[
    str, typer.Option("--valid-for", metavar="TIME", help="How long the plan may be applied (90m, 24h, 7d).")
]
PlanFormatOption = Annotated[
    PlanFormat,
    typer.Option(
        "--format", "-f", help="What to print: the changes as a table, or the AWS CLI commands that make them."
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Where to write the plan. Default: amiguard-plan.json; with `--format aws-cli` nowhere.",
        show_default=False,
    ),
]
PlanQuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="No progress, and no warnings but of what makes the plan incomplete or needs --force."
    ),
]
