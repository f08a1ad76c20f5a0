"""`amiguard apply`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.aws_options import (
    DirectoryMaxAgeOption,
    DirectoryOption,
    EndpointUrlOption,
    ProfileOption,
    QuietOption,
    VerboseOption,
)
from amiguard.cli.policy_options import ConfigOption, TrustOption, read_policy, today_utc
from amiguard.cli.remediation_options import (
    DryRunOption,
    JournalOption,
    MaxImagesOption,
    RemediationDeadlineOption,
    RemediationRoleOption,
    StopOnErrorOption,
    YesOption,
)
from amiguard.cli.target_options import ExternalIdOption
from amiguard.cli.time_options import read_deadline, read_duration


def apply(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The file that `amiguard plan` wrote.")],
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    force: Annotated[
        bool, typer.Option("--force", help="Apply although a guard warns: the plan is large, or removes most grants.")
    ] = False,
    max_images: MaxImagesOption = 50,
    stop_on_error: StopOnErrorOption = False,
    deadline: RemediationDeadlineOption = None,
    journal: JournalOption = None,
    profile: ProfileOption = None,
    role_name: RemediationRoleOption = None,
    external_id: ExternalIdOption = None,
    directory: DirectoryOption = None,
    directory_max_age: DirectoryMaxAgeOption = "7d",
    endpoint_url: EndpointUrlOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Apply a plan: take back the access that it shows, and nothing else.

    Every change is decided anew by today's policy, and the image or snapshot is read again just before: what has
    drifted since the plan is left alone. What is done goes to a journal first, from which `amiguard rollback` undoes
    it. Applying the same plan again goes on where it ended, and does nothing more where all is done.

    Exit codes: 0 all changes are made, or were made already; 2 usage, settings, credentials or a refused plan: nothing
    was done; 4 some changes failed, drifted or were skipped; 130 interrupted.
    """
    from amiguard.cli.apply_run import ApplyRequest, run_apply
    from amiguard.cli.audit_request import DirectoryOptions

    request = ApplyRequest(
        plan=plan,
        settings=read_policy(config, trust, today=today_utc()),
        profile=profile,
        endpoint_url=endpoint_url,
        role_name=role_name,
        external_id=external_id,
        directory=DirectoryOptions(directory, read_duration(directory_max_age, "--directory-max-age")),
        yes=yes,
        dry_run=dry_run,
        force=force,
        max_images=max_images,
        stop_on_error=stop_on_error,
        deadline=read_deadline(deadline, "--deadline"),
        journal=journal,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(run_apply(request))
