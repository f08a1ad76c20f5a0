"""The program `amiguard`: its commands, and how errors reach the user."""

import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from amiguard.cli import apply, audit, demo, diff, import_, plan, policy, report, rollback, trust
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.talk import complain, say
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
app.command("report")(report.report)
app.command("diff")(diff.diff)
app.command("plan")(plan.plan)
app.command("apply")(apply.apply)
app.command("rollback")(rollback.rollback)
app.add_typer(trust.app, name="trust")
app.add_typer(policy.app, name="policy")
app.command("import")(import_.import_)
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        from amiguard.cli.versions import version_lines

        typer.echo("\n".join(version_lines()))
        raise typer.Exit


@app.callback()
def _program(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version, and those of what it runs on.",
        ),
    ] = False,
) -> None:
    """Tell which of your Amazon Machine Images can be launched by AWS accounts that you do not trust."""


def main() -> NoReturn:
    """Run the program and exit with a published code."""
    code = _run()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        # It has been told: without this, Python would try again at the end, complain, and end with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.USAGE
    except AmiguardError as error:
        complain(error)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        # Stdout that cannot be written to, mostly: a full disk behind it.
        complain(AmiguardError(f"could not go on: {error.strerror or error}"))
        return ExitCode.USAGE
    except Exception:  # noqa: BLE001 - Python's own exit code for this is 1, which says that sharing was found
        say(f"amiguard: error: a mistake in amiguard itself; please report it\n{traceback.format_exc()}")
        return ExitCode.USAGE
    return ExitCode.CLEAN
