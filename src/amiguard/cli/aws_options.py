"""Options that every command has that asks AWS."""

from pathlib import Path
from typing import Annotated

import typer

ProfileOption = Annotated[str | None, typer.Option("--profile", help="AWS profile; default: the standard chain.")]
EndpointUrlOption = Annotated[str | None, typer.Option("--endpoint-url", help="Send every AWS call to this URL.")]
DirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        metavar="FILE",
        help="The organization's directory as `amiguard trust snapshot` saved it, for callers who may not list it.",
    ),
]
DirectoryMaxAgeOption = Annotated[
    str, typer.Option("--directory-max-age", metavar="TIME", help="A directory file that is older is not used.")
]
ReadBucketOption = Annotated[
    str | None,
    typer.Option(
        "--read-bucket",
        metavar="BURST+REFILL",
        help="Your account's limit for describe calls where AWS has raised it (documented: 100+20, calls at once "
        "and a second), or `none` to go as fast as AWS lets you. amiguard stays a little below.",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings on stderr.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Log what is done to stderr, one JSON object a line.")
]
