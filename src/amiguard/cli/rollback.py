"""`amiguard rollback`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.aws_options import EndpointUrlOption, ProfileOption, QuietOption, VerboseOption
from amiguard.cli.remediation_options import (
    DryRunOption,
    JournalOption,
    RemediationDeadlineOption,
    StopOnErrorOption,
    YesOption,
)
from amiguard.cli.time_options import read_deadline


def rollback(
    journal: Annotated[
        Path, typer.Argument(metavar="JOURNAL", help="The journal of an apply (or of a rollback) that is to be undone.")
    ],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: read what is there, and say in which state each change is.")
    ] = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    stop_on_error: StopOnErrorOption = False,
    deadline: RemediationDeadlineOption = None,
    new_journal: JournalOption = None,
    profile: ProfileOption = None,
    endpoint_url: EndpointUrlOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Undo what a journal says was done, newest first. Needs neither settings nor a trust policy.

    An image or snapshot whose present permission is not what the journal left has drifted, and is left alone. A journal
    that was cut off, by a crash say, is made good by reading what is there.

    Exit codes: 0 all is undone, or was so already; 2 usage, credentials or a refused journal: nothing was done; 4 some
    changes failed, drifted or were skipped; 130 interrupted. With --check: 0 the state of each is known; 3 some could
    not be read; 4 some have drifted.
    """
    from amiguard.cli.rollback_run import RollbackRequest, run_check, run_rollback

    request = RollbackRequest(
        source=journal,
        profile=profile,
        endpoint_url=endpoint_url,
        yes=yes,
        dry_run=dry_run,
        stop_on_error=stop_on_error,
        deadline=read_deadline(deadline, "--deadline"),
        journal=new_journal,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(run_check(request) if check else run_rollback(request))
