"""`amiguard audit`: its options."""

from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.aws_options import (
    DirectoryMaxAgeOption,
    DirectoryOption,
    EndpointUrlOption,
    ProfileOption,
    QuietOption,
    ReadBucketOption,
    VerboseOption,
)
from amiguard.cli.check_options import CheckOption, requested_checks
from amiguard.cli.evidence_options import EvidenceDeadlineOption, EvidenceOption, evidence_settings
from amiguard.cli.policy_options import ConfigOption, TrustOption, read_policy, today_utc
from amiguard.cli.report_formats import FormatOption, OutputOption, StatusOption, read_outputs
from amiguard.cli.target_options import (
    AccountOption,
    ExternalIdOption,
    OrganizationOption,
    RoleNameOption,
    requested_scope,
)
from amiguard.cli.time_options import read_deadline, read_duration


def audit(
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    profile: ProfileOption = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Audit this region only. Repeatable; default: all that are enabled.")
    ] = None,
    account: AccountOption = None,
    organization: OrganizationOption = False,
    role_name: RoleNameOption = None,
    external_id: ExternalIdOption = None,
    directory: DirectoryOption = None,
    directory_max_age: DirectoryMaxAgeOption = "7d",
    endpoint_url: EndpointUrlOption = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="Ask AWS for this image only. Repeatable. Narrows what is audited, and so the exit code."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask AWS for images with this tag only: KEY or KEY=VALUE. Repeatable: values of one key widen, keys "
            "narrow. Narrows what is audited, and so the exit code."
        ),
    ] = None,
    check: CheckOption = None,
    evidence: EvidenceOption = None,
    evidence_deadline: EvidenceDeadlineOption = None,
    status: StatusOption = None,
    report_format: FormatOption = None,
    output: OutputOption = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT",
            help="A saved report (json or jsonl): what failed there and has not become worse does not fail the audit, "
            "and formats for people only count it; json and jsonl mark it, the others list it as before.",
        ),
    ] = None,
    security_hub: Annotated[
        bool,
        typer.Option(
            "--security-hub",
            help="Also send what fails to AWS Security Hub in each account and region; archive what is over.",
        ),
    ] = False,
    notify: Annotated[
        bool, typer.Option("--notify/--no-notify", help="Notify those whom the settings name (`notify`).")
    ] = True,
    deadline: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="End in time with what is known (90s, 45m, 6h); what was not read is unknown."
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep what has ended in this file; the same command goes on from it after a crash, Ctrl-C or the "
            "deadline. Removed when the audit has come to its end.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Share the accounts among so many processes; not with --image.")
    ] = 1,
    read_bucket: ReadBucketOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Report the images that accounts you do not trust can launch.

    Reads the launch permission of every image you own, in every enabled region, and compares each grantee with the
    trust policy. Nothing is changed.

    Exit codes: 0 nothing fails; 1 untrusted sharing was found; 2 usage, settings or credentials; 3 nothing fails, but
    something could not be read or decided; 4 Security Hub or a notification failed; 130 interrupted.
    """
    from amiguard.cli.audit_request import AuditRequest, DirectoryOptions
    from amiguard.cli.audit_run import run_audit

    settings = read_policy(config, trust, today=today_utc())
    scope = requested_scope(
        settings.scope,
        accounts=account,
        organization=organization,
        role_name=role_name,
        external_id=external_id,
        regions=region,
    )
    max_age = read_duration(directory_max_age, "--directory-max-age")
    request = AuditRequest(
        settings=settings,
        scope=scope,
        profile=profile,
        endpoint_url=endpoint_url,
        image_ids=tuple(dict.fromkeys(image or ())),
        tags=tuple(tag or ()),
        checks=requested_checks(settings.checks, check),
        evidence=evidence_settings(settings.evidence, evidence, evidence_deadline),
        statuses=tuple(status or ()),
        outputs=read_outputs(report_format, output),
        read_bucket=read_bucket,
        directory=DirectoryOptions(directory, max_age),
        deadline=read_deadline(deadline, "--deadline"),
        checkpoint=checkpoint,
        workers=workers,
        baseline=baseline,
        security_hub=security_hub,
        notify=notify,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(run_audit(request))
