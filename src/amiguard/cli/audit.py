"""`amiguard audit`: its options."""

import typer

from amiguard.cli.audit_options import (
    BaselineOption,
    CheckpointOption,
    DeadlineOption,
    ImageOption,
    NotifyOption,
    RegionOption,
    SecurityHubOption,
    TagOption,
    WorkersOption,
)
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
    region: RegionOption = None,
    account: AccountOption = None,
    organization: OrganizationOption = False,
    role_name: RoleNameOption = None,
    external_id: ExternalIdOption = None,
    directory: DirectoryOption = None,
    directory_max_age: DirectoryMaxAgeOption = "7d",
    endpoint_url: EndpointUrlOption = None,
    image: ImageOption = None,
    tag: TagOption = None,
    check: CheckOption = None,
    evidence: EvidenceOption = None,
    evidence_deadline: EvidenceDeadlineOption = None,
    status: StatusOption = None,
    report_format: FormatOption = None,
    output: OutputOption = None,
    baseline: BaselineOption = None,
    security_hub: SecurityHubOption = False,
    notify: NotifyOption = True,
    deadline: DeadlineOption = None,
    checkpoint: CheckpointOption = None,
    workers: WorkersOption = 1,
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
