"""`amiguard policy audit|remediation|organization`: settings and options become policies, and templates of roles."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from amiguard.cli.check_options import requested_checks
from amiguard.cli.evidence_options import evidence_settings
from amiguard.cli.policy_options import read_file, read_policy, today_utc
from amiguard.cli.talk import say, warn
from amiguard.cli.target_options import requested_scope
from amiguard.core.iam.policy import LONGEST_INLINE, LONGEST_MANAGED, Document, IamPolicy
from amiguard.core.iam.role_template import ANY_PARTITION, TemplateRole, roles_template
from amiguard.core.iam.tasks import Work, audit_policy, change_policy, organization_policy
from amiguard.core.notification import TopicTarget
from amiguard.core.remediation import RemediationSettings
from amiguard.core.scope import NamedRole, Scope
from amiguard.core.trust import TrustPolicy
from amiguard.files.settings_record import Settings
from amiguard.files.settings_target_values import read_external_id, read_role_name
from amiguard.report.output import open_output
from amiguard.report.policy_explanation import ExplainedAction, explained, render_explanation

# As botocore lists them (partitions.json).
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
_AUDIT_ROLE, _CHANGING_ROLE = NamedRole("AmiguardAudit"), NamedRole("AmiguardRemediation")
_Named = tuple[str | None, str | None]
"""A role's name and its external id, of the command line."""


@dataclass(frozen=True, slots=True)
class Printing:
    """How a policy is printed: `json` or `cloudformation`, or explained in its place; `quiet` says nothing beside."""

    policy_format: str
    explain: bool
    quiet: bool


def read_work(
    config: Path | None,
    trust: Sequence[str] | None,
    *,
    partition: str,
    check: Sequence[str] | None = None,
    evidence: Sequence[str] | None = None,
    security_hub: bool = False,
    role: _Named = (None, None),
    changing_role: _Named = (None, None),
    snapshots: bool = False,
    block_public_access: bool = False,
    quiet: bool = False,
) -> Work:
    """What amiguard is to do, by the settings, if there are any, and the command line.

    Raises:
        SettingsError: the settings are not valid, or are about another partition.
        typer.BadParameter: an option is malformed.
    """
    if partition not in _PARTITIONS:
        message = f"{partition!r} is no partition of AWS: {', '.join(_PARTITIONS)}"
        raise typer.BadParameter(message, param_hint="--partition")
    settings = read_settings(config, trust)
    if not quiet:
        for warning in settings.warnings:
            warn(warning)
    work = Work(
        trust=settings.policy,
        scope=_scope(settings.scope, role),
        checks=requested_checks(settings.checks, check),
        evidence=evidence_settings(settings.evidence, evidence, None).kinds,
        security_hub=security_hub,
        topics=tuple(entry.target.arn for entry in settings.notify if isinstance(entry.target, TopicTarget)),
        remediation=_remediation(settings.remediation, changing_role),
        change_snapshots=snapshots,
        change_block_public_access=block_public_access,
        partition=partition,
    )
    work.refuse_other_partitions()
    return work


def read_settings(config: Path | None, trust: Sequence[str] | None) -> Settings:
    """The settings, with `--trust` in the policy; those of nobody if there are none.

    Raises:
        SettingsError: they are not valid.
        typer.BadParameter: a `--trust` is no id.
    """
    today = today_utc()
    if trust:
        return read_policy(config, trust, today=today)
    return read_file(config, today=today) or Settings(policy=TrustPolicy(), entry_places=())


def _scope(scope: Scope, role: _Named) -> Scope:
    role_name, external_id = role
    if role_name is None and external_id is None:
        return scope
    # A role that is named is that of every account.
    return requested_scope(scope, organization=True, role_name=role_name, external_id=external_id)


def _remediation(settings: RemediationSettings, role: _Named) -> RemediationSettings:
    role_name, external_id = role
    try:
        name = None if role_name is None else read_role_name(role_name)
        wanted = None if external_id is None else read_external_id(external_id)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--role-name, --external-id") from error
    if name is not None:
        return replace(settings, role=NamedRole(name, wanted))
    if wanted is None:
        return settings
    if settings.role is None:
        raise typer.BadParameter("there is no role that it could be for: add --role-name", param_hint="--external-id")
    return replace(settings, role=replace(settings.role, external_id=wanted))


def print_audit_policy(work: Work, printing: Printing, *, as_role: bool) -> None:
    """Print what audits need in an account, or their role."""
    by_role = as_role or printing.policy_format == "cloudformation"
    policy = audit_policy(work, as_role=by_role)
    _print("What `amiguard audit` and `plan` need in an account", policy, _template(work, audit=True), printing)


def print_change_policy(work: Work, printing: Printing, *, as_role: bool) -> None:
    """Print what `apply` and `rollback` need in an account, or their role."""
    by_role = as_role or printing.policy_format == "cloudformation"
    policy = change_policy(work, as_role=by_role)
    _print("What `amiguard apply` and `rollback` need in an account", policy, _template(work, changing=True), printing)


def print_organization_policy(work: Work, printing: Printing, *, changing: bool, after: str | None) -> None:
    """Print what the credentials of a run need, or the roles of the accounts.

    Raises:
        SettingsError: nothing says which roles are assumed, or the chain has no such role.
    """
    if printing.policy_format == "cloudformation":
        if after is not None:
            message = "the template has the roles of accounts, not those of the chain"
            raise typer.BadParameter(message, param_hint="--chain-role")
        changing = changing or work.remediation.role is not None
        audit = audit_policy(work, as_role=True)
        both = _joined(audit, change_policy(work, as_role=True)) if changing else audit
        title = "What the roles of the accounts may"
        _print(title, both, _template(work, audit=True, changing=changing), printing)
        return
    policy = organization_policy(work, changing=changing, after=after)
    title = f"What {after} needs" if after else "What the credentials need that amiguard runs with"
    _print(title, policy, None, printing)


def _template(work: Work, *, audit: bool = False, changing: bool = False) -> Document:
    anywhere = replace(work, partition=ANY_PARTITION)
    made: list[TemplateRole] = []
    if audit:
        organization = work.scope.organization
        role = NamedRole(organization.role_name, organization.external_id) if organization else _AUDIT_ROLE
        made.append(TemplateRole("Audit", role, audit_policy(anywhere, as_role=True).statements))
    if changing:
        role = work.remediation.role or _CHANGING_ROLE
        made.append(TemplateRole("Remediation", role, change_policy(anywhere, as_role=True).statements))
    return roles_template(made, work.scope.roles)


def _joined(one: IamPolicy, other: IamPolicy) -> IamPolicy:
    notes = tuple(dict.fromkeys((*one.notes, *other.notes)))
    return IamPolicy((*one.statements, *other.statements), (*one.needs, *other.needs), notes)


def _print(title: str, policy: IamPolicy, template: Document | None, printing: Printing) -> None:
    found = template if template is not None and printing.policy_format == "cloudformation" else policy.document
    notes = [*policy.notes, *_size_notes(policy)]
    print_explained(title, json.dumps(found, indent=2), [*explained(policy.needs)], notes, printing)


def print_explained(
    title: str, text: str, actions: Sequence[ExplainedAction], notes: Sequence[str], printing: Printing
) -> None:
    """Print a policy on stdout, and on stderr why its actions are in it; or the explanation alone.

    Args:
        title: of the explanation.
        text: the policy.
        actions: that are in it.
        notes: what is to be known beside.
        printing: what of it is wanted.
    """
    with open_output(None) as stream:
        if printing.explain:
            render_explanation(title, actions, notes, stream)
            return
        stream.write(f"{text}\n")
    if not printing.quiet:
        for one in actions:
            say(one.line)
        for note in notes:
            say(f"note: {note}")


def _size_notes(policy: IamPolicy) -> list[str]:
    size = len("".join(json.dumps(policy.document).split()))
    if size <= LONGEST_MANAGED:
        return []
    return [
        f"the policy has {size:,} characters: a managed policy takes {LONGEST_MANAGED:,}, and the policies that stand "
        f"in a role itself {LONGEST_INLINE:,}"
    ]
