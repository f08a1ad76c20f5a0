"""The roles that somebody has to assume, as the settings tell them: without AWS, by account id or for every account."""

from collections.abc import Iterator
from dataclasses import dataclass

from amiguard.core.errors import SettingsError
from amiguard.core.iam.held_images import literal
from amiguard.core.iam.needs import Statement
from amiguard.core.iam.policy import Document, Special, one_or_list
from amiguard.core.scope import NamedRole, RoleOptions, Scope


@dataclass(frozen=True, slots=True)
class EnteredRole:
    """A role to assume; `*` stands for every account."""

    arn: str
    external_id: str | None = None


def entered_roles(scope: Scope, partition: str, *, changing: NamedRole | None = None) -> tuple[EnteredRole, ...]:
    """The roles of accounts that the run's credentials, or the last role of the chain, assume.

    Args:
        scope: the accounts and the organization.
        partition: of roles that are known by their name.
        changing: the role that `apply` assumes in the place of that of audits; None for the latter.
    """
    found = _changing(scope, partition, changing) if changing else _auditing(scope, partition)
    return tuple(dict.fromkeys(found))


def _auditing(scope: Scope, partition: str) -> Iterator[EnteredRole]:
    organization = scope.organization
    fallback = scope.role
    if organization is not None:
        yield EnteredRole(_arn(partition, "*", organization.role_name), organization.external_id)
        fallback = fallback or NamedRole(organization.role_name, organization.external_id)
    for one in scope.accounts:
        if one.profile is not None:
            continue  # its own credentials assume the role
        if one.role_arn is not None:
            yield EnteredRole(one.role_arn, one.external_id)
        elif fallback is not None:
            external_id = one.external_id or fallback.external_id
            yield EnteredRole(_arn(partition, one.account_id, fallback.role_name), external_id)


def _changing(scope: Scope, partition: str, role: NamedRole) -> Iterator[EnteredRole]:
    if scope.organization is not None or not scope.accounts:
        yield EnteredRole(_arn(partition, "*", role.role_name), role.external_id)
    for one in scope.accounts:
        if one.profile is None:
            yield EnteredRole(_arn(partition, one.account_id, role.role_name), role.external_id)


def next_roles(roles: RoleOptions, of_accounts: tuple[EnteredRole, ...], after: str | None) -> tuple[EnteredRole, ...]:
    """The roles that come next on the way into accounts.

    Args:
        roles: their chain.
        of_accounts: the roles behind the chain.
        after: a role of the chain; None for the run's own credentials.

    Raises:
        SettingsError: the chain has no such role.
    """
    chain = roles.chain
    if after is not None and after not in chain:
        known = f"it has {', '.join(chain)}" if chain else "there is none"
        raise SettingsError(f"{after} is not in the chain of roles (targets.roles.chain): {known}")
    place = 0 if after is None else chain.index(after) + 1
    return (EnteredRole(chain[place]),) if place < len(chain) else of_accounts


def entry_statements(entered: tuple[EnteredRole, ...], roles: RoleOptions) -> dict[Statement, tuple[Special, ...]]:
    """The resources and conditions of the statements by which roles are assumed.

    Args:
        entered: those that are assumed.
        roles: how.
    """
    by_external_id: dict[str | None, list[str]] = {}
    for one in entered:
        by_external_id.setdefault(one.external_id, []).append(one.arn)
    arns = tuple(dict.fromkeys(one.arn for one in entered))
    return {
        Statement.ENTER: tuple(
            Special(tuple(some), {"StringEquals": {"sts:ExternalId": literal(external_id)}} if external_id else {})
            for external_id, some in by_external_id.items()
        ),
        Statement.IDENTIFY: (Special(arns, identity_condition(roles)),),
        Statement.TAG: (Special(arns, tags_condition(roles)),),
    }


def identity_condition(roles: RoleOptions) -> Document:
    """The one source identity of the settings."""
    return {"StringEquals": {"sts:SourceIdentity": literal(roles.source_identity or "")}}


def tags_condition(roles: RoleOptions) -> Document:
    """The session tags of the settings, each with its value, and no others."""
    values = {f"aws:RequestTag/{key}": literal(value) for key, value in roles.tags}
    return {
        "StringEquals": values,
        "ForAllValues:StringEquals": {"aws:TagKeys": one_or_list([key for key, _ in roles.tags])},
    }


def _arn(partition: str, account_id: str, role_name: str) -> str:
    return f"arn:{partition}:iam::{account_id}:role/{role_name}"
