"""Options of the commands that plan, make and undo changes."""

from pathlib import Path
from typing import Annotated

import typer

MaxImagesOption = Annotated[
    int, typer.Option("--max-images", min=0, help="How many images may be changed without --force.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask. Needed where there is no terminal to ask on.")
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Change nothing: prove, by EC2's own dry run of each call, that you are permitted to."
    ),
]
StopOnErrorOption = Annotated[
    bool, typer.Option("--stop-on-error", help="Begin no further change after one that failed.")
]
RemediationDeadlineOption = Annotated[
    str | None,
    typer.Option(
        "--deadline",
        metavar="TIME",
        help="Begin nothing more after this time (90s, 45m, 6h), and repeat no throttled calls then. Default: none.",
        show_default=False,
    ),
]
JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FILE",
        help="Where to write what is done. Default: a file in your state folder, which is told at the end.",
        show_default=False,
    ),
]
RemediationRoleOption = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        metavar="NAME",
        help="The role to assume in other accounts. Default: remediation.role_name of the settings, else the role of "
        "audits.",
        show_default=False,
    ),
]
