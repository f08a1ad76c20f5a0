"""The program `amiguard`: its commands, and how errors reach the user."""

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from amiguard.cli import audit, demo, trust
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.talk import complain
from amiguard.core.errors import AmiguardError

# Plain help and plain tracebacks: help is the same on every terminal, and a traceback shows no local variables, which
# may hold credentials.
app = typer.Typer(
    name="amiguard",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("audit")(audit.audit)
app.add_typer(trust.app, name="trust")
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"amiguard {version('amiguard')}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tell which of your Amazon Machine Images can be launched by AWS accounts that you do not trust."""


def main() -> NoReturn:
    """Run the program and exit with a published code."""
    try:
        app()
    except AmiguardError as error:
        complain(error)
        sys.exit(ExitCode.USAGE)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ExitCode.CLEAN)
