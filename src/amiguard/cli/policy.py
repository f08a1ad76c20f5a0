"""`amiguard policy`: IAM policies for what amiguard calls, printed offline."""

from enum import StrEnum
from typing import Annotated

import typer

from amiguard.cli.check_options import CheckOption
from amiguard.cli.evidence_options import EvidenceOption
from amiguard.cli.policy_options import ConfigOption, TrustOption

app = typer.Typer(
    help="Print IAM policies for exactly what amiguard calls. AWS is not asked.",
    no_args_is_help=True,
)


class PolicyFormat(StrEnum):
    """How a policy is printed."""

    JSON = "json"
    CLOUDFORMATION = "cloudformation"


_RoleNameOption = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        metavar="NAME",
        help="The name of the role, in place of the one in the settings.",
        show_default=False,
    ),
]
_ExternalIdOption = Annotated[
    str | None,
    typer.Option("--external-id", metavar="ID", help="The external id that this role asks for.", show_default=False),
]
_PartitionOption = Annotated[
    str, typer.Option("--partition", metavar="NAME", help="The part of AWS: aws, aws-cn, aws-us-gov, aws-eusc, ...")
]
_SecurityHubOption = Annotated[
    bool, typer.Option("--security-hub", help="Also what `audit --security-hub` calls in Security Hub.")
]
_SnapshotsOption = Annotated[
    bool,
    typer.Option("--snapshots", help="Also what `plan --snapshots` reads, or what applying and rolling it back takes."),
]
_BlockOption = Annotated[
    bool,
    typer.Option(
        "--block-public-access",
        help="Also what `plan --block-public-access` reads, or what applying and rolling it back takes.",
    ),
]
_FormatOption = Annotated[
    PolicyFormat,
    typer.Option("--format", "-f", help="The policy as JSON, or the role with it as a CloudFormation template."),
]
_AsRoleOption = Annotated[
    bool,
    typer.Option(
        "--as-role",
        help="For a role that is assumed by someone in another account. So it is, too, if the settings name other "
        "accounts.",
    ),
]
_ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Print why each action is needed, as a table in Markdown, and no policy.")
]
_QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Do not say on stderr why each action is needed.")]


@app.command("audit")
def audit(
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    check: CheckOption = None,
    evidence: EvidenceOption = None,
    security_hub: _SecurityHubOption = False,
    snapshots: _SnapshotsOption = False,
    block_public_access: _BlockOption = False,
    as_role: _AsRoleOption = False,
    role_name: _RoleNameOption = None,
    external_id: _ExternalIdOption = None,
    partition: _PartitionOption = "aws",
    policy_format: _FormatOption = PolicyFormat.JSON,
    explain: _ExplainOption = False,
    quiet: _QuietOption = False,
) -> None:
    """Print what `amiguard audit` and `plan` need in an account.

    Everything in it reads, but for usage reports, which EC2 is asked to write, findings for Security Hub, and messages
    to topics of SNS. Each stands there only if it is asked for, here or in the settings.

    Exit codes: 0 printed; 2 usage or settings.
    """
    from amiguard.cli.policy_run import Printing, print_audit_policy, read_work

    work = read_work(
        config,
        trust,
        partition=partition,
        quiet=quiet,
        check=check,
        evidence=evidence,
        security_hub=security_hub,
        role=(role_name, external_id),
        snapshots=snapshots,
        block_public_access=block_public_access,
    )
    print_audit_policy(work, Printing(policy_format.value, explain, quiet), as_role=as_role)


@app.command("remediation")
def remediation(
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    snapshots: _SnapshotsOption = False,
    block_public_access: _BlockOption = False,
    as_role: _AsRoleOption = False,
    role_name: _RoleNameOption = None,
    external_id: _ExternalIdOption = None,
    partition: _PartitionOption = "aws",
    policy_format: _FormatOption = PolicyFormat.JSON,
    explain: _ExplainOption = False,
    quiet: _QuietOption = False,
) -> None:
    """Print what `amiguard apply` and `rollback` need in an account.

    Changes of images with the tag amiguard:hold, and of those in remediation.protected_images of the settings, are
    denied as far as IAM can tell them.

    Exit codes: 0 printed; 2 usage or settings.
    """
    from amiguard.cli.policy_run import Printing, print_change_policy, read_work

    work = read_work(
        config,
        trust,
        partition=partition,
        quiet=quiet,
        changing_role=(role_name, external_id),
        snapshots=snapshots,
        block_public_access=block_public_access,
    )
    print_change_policy(work, Printing(policy_format.value, explain, quiet), as_role=as_role)


@app.command("organization")
def organization(
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    check: CheckOption = None,
    evidence: EvidenceOption = None,
    security_hub: _SecurityHubOption = False,
    remediation: Annotated[
        bool,
        typer.Option(
            "--remediation",
            help="For `apply` and `rollback` in place of `audit` and `plan`; with cloudformation, both roles.",
        ),
    ] = False,
    snapshots: _SnapshotsOption = False,
    block_public_access: _BlockOption = False,
    role_name: _RoleNameOption = None,
    external_id: _ExternalIdOption = None,
    chain_role: Annotated[
        str | None,
        typer.Option(
            "--chain-role",
            metavar="ARN",
            help="What this role of targets.roles.chain needs, in place of the credentials that amiguard runs with.",
            show_default=False,
        ),
    ] = None,
    partition: _PartitionOption = "aws",
    policy_format: _FormatOption = PolicyFormat.JSON,
    explain: _ExplainOption = False,
    quiet: _QuietOption = False,
) -> None:
    """Print what the credentials need that amiguard is started with, to work in other accounts.

    They list the organization, assume exactly the roles that the settings name, audit their own account, and publish to
    the topics of `notify`. With `--format cloudformation`: the roles of all accounts, for a StackSet.

    Exit codes: 0 printed; 2 usage or settings.
    """
    from amiguard.cli.policy_run import Printing, print_organization_policy, read_work

    named = (role_name, external_id)
    work = read_work(
        config,
        trust,
        partition=partition,
        quiet=quiet,
        check=check,
        evidence=evidence,
        security_hub=security_hub,
        role=(None, None) if remediation else named,
        changing_role=named if remediation else (None, None),
        snapshots=snapshots,
        block_public_access=block_public_access,
    )
    printing = Printing(policy_format.value, explain, quiet)
    print_organization_policy(work, printing, changing=remediation, after=chain_role)


@app.command("guardrails")
def guardrails(
    *,
    allow_principal: Annotated[
        list[str],
        typer.Option(
            "--allow-principal",
            metavar="ARN",
            help="A role or user that may: arn:aws:iam::123456789012:role/NAME; * in place of the account or in the "
            "name. Repeatable.",
        ),
    ],
    role_admin: Annotated[
        list[str] | None,
        typer.Option(
            "--role-admin",
            metavar="ARN",
            help="A role or user that may create and change the named ones, StackSets' execution role for example. "
            "Without any, nobody may in a member account. Repeatable.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    trust: TrustOption = None,
    explain: _ExplainOption = False,
    quiet: _QuietOption = False,
) -> None:
    """Print a service control policy that lets only named principals share images.

    All others may share snapshots with the accounts that the trust policy names, and with nobody else. The named
    principals are protected: only those of --role-admin may create or change them. What such a policy cannot do is said
    with it.

    Exit codes: 0 printed; 2 usage or settings, or it became longer than Organizations takes.
    """
    from amiguard.cli.guardrails_run import print_guardrails

    print_guardrails(config, trust, allow_principal, role_admin or (), explain=explain, quiet=quiet)
