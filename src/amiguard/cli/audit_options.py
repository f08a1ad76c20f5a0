"""The options that `amiguard audit` alone has, or words in its own way."""

from pathlib import Path
from typing import Annotated

import typer

RegionOption = Annotated[
    list[str] | None,
    typer.Option("--region", help="Audit this region only. Repeatable; default: all that are enabled."),
]
ImageOption = Annotated[
    list[str] | None,
    typer.Option(
        "--image", help="Ask AWS for this image only. Repeatable. Narrows what is audited, and so the exit code."
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        help="Ask AWS for images with this tag only: KEY or KEY=VALUE. Repeatable: values of one key widen, keys "
        "narrow. Narrows what is audited, and so the exit code.",
    ),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="REPORT",
        help="A saved report (json or jsonl): what failed there and has not become worse does not fail the audit, "
        "and formats for people only count it; json and jsonl mark it, the others list it as before.",
    ),
]
SecurityHubOption = Annotated[
    bool,
    typer.Option(
        "--security-hub",
        help="Also send what fails to AWS Security Hub in each account and region; archive what is over.",
    ),
]
NotifyOption = Annotated[
    bool, typer.Option("--notify/--no-notify", help="Notify those whom the settings name (`notify`).")
]
DeadlineOption = Annotated[
    str | None,
    typer.Option(
        "--deadline",
        metavar="TIME",
        help="End in time with what is known (90s, 45m, 6h); what was not read is unknown.",
    ),
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="Keep what has ended in this file; the same command goes on from it after a crash, Ctrl-C or the "
        "deadline. Removed when the audit has come to its end.",
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, max=64, help="Share the accounts among so many processes; not with --image.")
]
