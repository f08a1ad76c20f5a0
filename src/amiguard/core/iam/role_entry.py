"""The roles that somebody has to assume, as the settings tell them: without AWS, by account id or for every account."""

from collections.abc import Iterator
from dataclasses import dataclass

from amiguard.core.errors import SettingsError
from amiguard.core.iam.held_images import literal
from amiguard.core.iam.needs import Statement
from amiguard.core.iam.policy import Document, Special, one_or_list
from amiguard.core.scope import AccountTarget, NamedRole, RoleOptions, Scope


@dataclass(frozen=True, slots=True)
class EnteredRole:
    """A role to assume; `*` stands for every account."""

    arn: str
    external_id: str | None = None

    @property
    def in_every_account(self) -> bool:
        """Whether the ARN names no account."""
        return self.arn.split(":")[4:5] == ["*"]


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
        yield EnteredRole(role_arn(partition, "*", organization.role_name), organization.external_id)
        fallback = fallback or NamedRole(organization.role_name, organization.external_id)
    for one in scope.accounts:
        if one.profile is not None:
            continue  # its own credentials assume the role
        if one.role_arn is not None:
            yield EnteredRole(one.role_arn, one.external_id)
        elif fallback is not None:
            external_id = one.external_id or fallback.external_id
            yield EnteredRole(role_arn(partition, one.account_id, fallback.role_name), external_id)


def _changing(scope: Scope, partition: str, role: NamedRole) -> Iterator[EnteredRole]:
    if scope.organization is not None or not scope.accounts:
        yield EnteredRole(role_arn(partition, "*", role.role_name), role.external_id)
    for one in scope.accounts:
        if one.profile is None:
            yield EnteredRole(role_arn(partition, one.account_id, role.role_name), role.external_id)


def without_a_way(scope: Scope) -> tuple[AccountTarget, ...]:
    """The entries with neither role nor profile: the run's own account is entered directly by such an entry."""
    return tuple(one for one in scope.accounts if one.profile is None and one.role_arn is None)


def own_organization_id(scope: Scope) -> str | None:
    """The id of the run's own organization, where the settings are sure to name it.

    The units that `targets.organization` includes or excludes belong to it, or the run stops before it assumes a role.
    An organization that is trusted may be anybody's.
    """
    audited = scope.organization
    selectors = (audited.include, audited.exclude) if audited else ()
    found = {unit.organization_id for one in selectors if one is not None for unit in one.units if unit.organization_id}
    return found.pop() if len(found) == 1 else None


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


def entry_statements(
    entered: tuple[EnteredRole, ...], roles: RoleOptions, organization_id: str | None = None
) -> dict[Statement, tuple[Special, ...]]:
    """The resources and conditions of the statements by which roles are assumed.

    Args:
        entered: those that are assumed.
        roles: how.
        organization_id: of the organization whose accounts `*` stands for; None if it is not known.
    """
    by_condition: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for one in entered:
        by_condition.setdefault(tuple(_asked_of(one, organization_id)), []).append(one.arn)
    arns = tuple(dict.fromkeys(one.arn for one in entered))
    return {
        Statement.ENTER: tuple(
            Special(tuple(some), {"StringEquals": dict(keys)} if keys else {}) for keys, some in by_condition.items()
        ),
        Statement.IDENTIFY: (Special(arns, identity_condition(roles)),),
        Statement.TAG: (Special(arns, tags_condition(roles)),),
    }


def _asked_of(entered: EnteredRole, organization_id: str | None) -> Iterator[tuple[str, str]]:
    """Condition keys and their values. An account that is named by its id may be another organization's on purpose."""
    if entered.external_id:
        yield "sts:ExternalId", literal(entered.external_id)
    if organization_id is not None and entered.in_every_account:
        yield "aws:ResourceOrgID", organization_id


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


def role_arn(partition: str, account_id: str, role_name: str) -> str:
    """The ARN of a role that is known by its name; `*` for every account."""
    return f"arn:{partition}:iam::{account_id}:role/{role_name}"
