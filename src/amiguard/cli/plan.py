"""`amiguard plan`: its options."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import typer

from amiguard.cli.aws_options import (
    DirectoryMaxAgeOption,
    DirectoryOption,
    EndpointUrlOption,
    ProfileOption,
    ReadBucketOption,
    VerboseOption,
)
from amiguard.cli.evidence_options import EvidenceDeadlineOption, EvidenceOption, evidence_settings
from amiguard.cli.plan_options import (
    BlockPublicAccessOption,
    ImageOption,
    Only,
    OnlyOption,
    OutputOption,
    PlanFormat,
    PlanFormatOption,
    PlanQuietOption,
    RegionOption,
    RevokeInUseOption,
    ShareWithOption,
    SnapshotsOption,
    SourceOption,
    ValidForOption,
)
from amiguard.cli.policy_options import ConfigOption, TrustOption, read_policy, today_utc
from amiguard.cli.remediation_options import MaxImagesOption
from amiguard.cli.target_options import (
    AccountOption,
    ExternalIdOption,
    OrganizationOption,
    RoleNameOption,
    requested_scope,
)
from amiguard.cli.time_options import read_duration
from amiguard.core.grantee import Account, Grantee, GranteeKind, Organization, OrganizationalUnit, parse_grant
from amiguard.core.trust import TrustedAccount, parse_trustee

_LONGEST_VALIDITY = timedelta(days=30)
_KINDS = {
    Only.EVERYONE: GranteeKind.EVERYONE,
    Only.ACCOUNTS: GranteeKind.ACCOUNT,
    Only.ORGANIZATIONS: GranteeKind.ORGANIZATION,
    Only.UNITS: GranteeKind.ORGANIZATIONAL_UNIT,
}


def plan(
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
    source: SourceOption = None,
    only: OnlyOption = None,
    share_with: ShareWithOption = None,
    block_public_access: BlockPublicAccessOption = False,
    snapshots: SnapshotsOption = False,
    revoke_in_use: RevokeInUseOption = False,
    evidence: EvidenceOption = None,
    evidence_deadline: EvidenceDeadlineOption = None,
    valid_for: ValidForOption = "24h",
    max_images: MaxImagesOption = 50,
    plan_format: PlanFormatOption = PlanFormat.TABLE,
    output: OutputOption = None,
    read_bucket: ReadBucketOption = None,
    quiet: PlanQuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Plan how to take back access from those you do not trust. Nothing is changed.

    Audits, shows for every failing image which grantees would be removed and why, and writes a plan file for
    `amiguard apply`. Grantees that are trusted, excepted or undetermined stay; images with the tag amiguard:hold and
    those in remediation.protected_images of the settings are left alone, and so is access that is known to be in use.

    Exit codes: 0 whether or not there is something to change; 2 usage, settings or credentials; 3 something could not
    be read or decided, and is not in the plan; 130 interrupted, no plan was written.
    """
    from amiguard.cli.audit_request import AuditRequest, DirectoryOptions
    from amiguard.cli.plan_run import PlanRequest, run_plan
    from amiguard.core.checks import ami_block_public_access, ami_snapshot_cross_account

    wanted = {
        ami_block_public_access.METADATA.check_id: block_public_access,
        ami_snapshot_cross_account.METADATA.check_id: snapshots,
    }
    if source is not None and evidence is not None:
        raise typer.BadParameter("a plan from a report uses the evidence that the report has", param_hint="--evidence")
    settings = read_policy(config, trust, today=today_utc())
    scope = requested_scope(
        settings.scope,
        accounts=account,
        organization=organization,
        role_name=role_name,
        external_id=external_id,
        regions=region,
    )
    audit = AuditRequest(
        settings=settings,
        scope=scope,
        profile=profile,
        endpoint_url=endpoint_url,
        image_ids=tuple(dict.fromkeys(image or ())),
        checks=frozenset(check_id for check_id, wished_for in wanted.items() if wished_for),
        evidence=evidence_settings(settings.evidence, evidence, evidence_deadline),
        read_bucket=read_bucket,
        directory=DirectoryOptions(directory, read_duration(directory_max_age, "--directory-max-age")),
        quiet=quiet,
        verbose=verbose,
    )
    request = PlanRequest(
        audit=audit,
        source=source,
        accounts=frozenset(account or ()),
        regions=frozenset(region or ()),
        only=frozenset(_KINDS[one] for one in only) if only else None,
        share_with=tuple(dict.fromkeys(map(_grantee, share_with or ()))),
        block_public_access=block_public_access,
        snapshots=snapshots,
        revoke_in_use=revoke_in_use,
        valid_for=_validity(valid_for),
        max_images=max_images,
        commands=plan_format is PlanFormat.AWS_CLI,
        output=output or (Path("amiguard-plan.json") if plan_format is PlanFormat.TABLE else None),
    )
    raise typer.Exit(run_plan(request))


def _validity(text: str) -> timedelta:
    """A plan shows what was so when it was made: it does not hold for ever."""
    validity = read_duration(text, "--valid-for")
    if validity > _LONGEST_VALIDITY:
        raise typer.BadParameter(f"at most {_LONGEST_VALIDITY.days}d", param_hint="--valid-for")
    return validity


def _grantee(text: str) -> Grantee:
    """Read a `--share-with`: strict about ids, as the trust policy is."""
    parameter = "--share-with"
    try:
        trustee = parse_trustee(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=parameter) from error
    if isinstance(trustee, TrustedAccount):
        return Account(trustee.account_id)
    for grantee in _grants_by_arn(text):
        return grantee
    raise typer.BadParameter(
        f"a launch permission names organizations and units by their ARN, and {text!r} is none", param_hint=parameter
    )


def _grants_by_arn(text: str) -> Sequence[Grantee]:
    grants = (*parse_grant([("organizationArn", text)]), *parse_grant([("organizationalUnitArn", text)]))
    return [one for one in grants if isinstance(one, Organization | OrganizationalUnit)]
