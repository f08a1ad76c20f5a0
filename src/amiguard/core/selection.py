"""Which accounts a scope comes to, and by which way each is reached: every account is audited or has a reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from amiguard.core.directory import Directory, MemberAccount
from amiguard.core.errors import TargetsError
from amiguard.core.exception import TagSelector
from amiguard.core.scope import AccountSelector, AccountTarget, NamedRole, OrganizationTarget, Scope

# A pending closure is not in here: until it is done the account can be read, and its images launched.
_NOBODY_CAN_READ = {
    "SUSPENDED": "the account is suspended",
    "CLOSED": "the account is closed",
    "PENDING_ACTIVATION": "the account is not activated yet",
}

AccountTags = Mapping[str, tuple[tuple[str, str], ...]]
"""Keys and values of the tags, by account id. An account that is not in it was not read."""


@dataclass(frozen=True, slots=True)
class Access:
    """The way into an account: profile (else the run's own credentials), then the chain, then the role.

    Nothing of it: the run's own credentials, directly.
    """

    profile: str | None = None
    chain: tuple[str, ...] = ()
    role_arn: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditedAccount:
    """An account to audit. `name` is empty where it is not known; `regions` None is all that are enabled."""

    account_id: str
    name: str
    access: Access
    regions: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class AccountLeftOut:
    """An account that is not audited, and why."""

    account_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Every account in question, in exactly one of three lists, each by account id.

    Attributes:
        problems: what cannot be as it is written, a sentence each. While there are any, nothing is to be audited.
    """

    audited: tuple[AuditedAccount, ...] = ()
    skipped: tuple[AccountLeftOut, ...] = ()
    failed: tuple[AccountLeftOut, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def error(self) -> TargetsError | None:
        """All problems as one error."""
        match self.problems:
            case ():
                return None
            case (one,):
                return TargetsError(one)
            case several:
                return TargetsError("\n".join([f"{len(several)} targets are not as they are named", *several]))


def select_accounts(
    scope: Scope,
    *,
    own_account_id: str,
    partition: str,
    directory: Directory | None = None,
    tags: AccountTags | None = None,
) -> Selection:
    """Decide for every account whether it is audited, and how it is reached.

    Args:
        scope: what was asked for.
        own_account_id: the account of the run's own credentials: it is audited directly, unless an entry of its own
            says otherwise.
        partition: of these credentials; a role is known by its name only within a partition.
        directory: the caller's organization; names and states come from it whether or not it is audited.
        tags: of the accounts that `accounts_asked_for_tags` names.

    Raises:
        ValueError: the organization is to be audited, and there is no directory.
    """
    if scope.organization is not None and directory is None:
        raise ValueError("the accounts of an organization are selected from its directory")
    asked = {one.account_id: one for one in scope.accounts}
    if scope.organization is None and not asked:
        asked = {own_account_id: AccountTarget(own_account_id)}
    members: Mapping[str, MemberAccount] = directory.accounts if directory else {}
    problems = list(_unknown(scope.organization, directory)) if scope.organization and directory else []
    audited: list[AuditedAccount] = []
    skipped: list[AccountLeftOut] = []
    failed: list[AccountLeftOut] = []
    for account_id in sorted({*asked, *(members if scope.organization else ())}):
        member = members.get(account_id)
        name = member.name if member else ""
        named = account_id in asked
        left_out = _left_out(member, scope, directory, tags or {}, named=named) if member and directory else None
        if left_out is not None:
            (failed if left_out.failed else skipped).append(AccountLeftOut(account_id, name, left_out.reason))
            continue
        entry = asked.get(account_id, AccountTarget(account_id))
        access = _access(scope, entry, partition, own=account_id == own_account_id, member=member is not None)
        if access is None:
            problems.append(no_way_in(account_id))
        else:
            audited.append(AuditedAccount(account_id, name, access, entry.regions or scope.regions))
    return Selection(tuple(audited), tuple(skipped), tuple(failed), tuple(problems))


def accounts_asked_for_tags(scope: Scope, directory: Directory) -> tuple[str, ...]:
    """The accounts whose tags decide, in order: nothing is gained by reading those of the others."""
    if scope.organization is None or not scope.organization.asks_for_tags:
        return ()
    named = {one.account_id for one in scope.accounts}
    return tuple(
        account_id
        for account_id, member in sorted(directory.accounts.items())
        if _left_out(member, scope, directory, {}, named=account_id in named) is _BY_TAGS
    )


def no_way_in(account_id: str) -> str:
    """What to say of an account that is not the caller's own, and for which nothing says how to get into it."""
    return (
        f"{account_id} is not the account of your credentials, and nothing says which role to assume there: give it a "
        "role_arn or a profile under targets.accounts, or add --role-name"
    )


@dataclass(frozen=True, slots=True)
class _LeftOut:
    reason: str
    failed: bool = False


_BY_TAGS = _LeftOut("the tags of the account could not be read, and they decide whether it is audited", failed=True)


def _left_out(
    member: MemberAccount, scope: Scope, directory: Directory, tags: AccountTags, *, named: bool
) -> _LeftOut | None:
    """Why the account is not audited; None if it is. What the organization selects is not asked of a named one."""
    organization = None if named else scope.organization
    include = organization.include if organization else None
    exclude = organization.exclude if organization else None
    if exclude and (by := _matched_by(exclude, member, directory, tags)):
        return _LeftOut(f"excluded by {by}")
    unread = member.account_id not in tags
    included = include is None or _matched_by(include, member, directory, tags) is not None
    if include and not included and not (include.tags and unread):
        return _LeftOut("not included")
    unreadable = _NOBODY_CAN_READ.get(member.state)
    if unreadable and not scope.suspended_fail:
        return _LeftOut(unreadable)
    if unread and (not included or (exclude is not None and exclude.tags)):
        return _BY_TAGS
    return _LeftOut(unreadable, failed=True) if unreadable else None


def _matched_by(
    selector: AccountSelector, member: MemberAccount, directory: Directory, tags: AccountTags
) -> str | None:
    if member.account_id in selector.accounts:
        return "account id"
    for unit in sorted(selector.units, key=str):
        if unit.unit_id in member.units:
            known = directory.units.get(unit.unit_id)
            return f"unit {unit.unit_id} ({known.name})" if known and known.name else f"unit {unit.unit_id}"
    written = sorted(_written(one) for one in selector.tags if one.matches(tags.get(member.account_id, ())))
    return f"tag {written[0]}" if written else None


def _written(tag: TagSelector) -> str:
    return tag.key or "" if tag.value is None else f"{tag.key or ''}={tag.value}"


def _access(scope: Scope, entry: AccountTarget, partition: str, *, own: bool, member: bool) -> Access | None:
    """The way into the account; None if there is none."""
    if entry.profile is not None:
        # The profile is where its own credentials start: the chain belongs to the run's.
        return Access(entry.profile, (), entry.role_arn, entry.external_id)
    if entry.role_arn is not None:
        return Access(None, scope.roles.chain, entry.role_arn, entry.external_id)
    if own:
        return Access()
    role = scope.role
    if scope.organization is not None and member:
        role = NamedRole(scope.organization.role_name, scope.organization.external_id)
    if role is None:
        return None
    role_arn = f"arn:{partition}:iam::{entry.account_id}:role/{role.role_name}"
    return Access(None, scope.roles.chain, role_arn, entry.external_id or role.external_id)


def _unknown(organization: OrganizationTarget, directory: Directory) -> Iterator[str]:
    for key, selector in (("include", organization.include), ("exclude", organization.exclude)):
        if selector is None:
            continue
        where = f"targets.organization.{key}"
        for account_id in sorted(set(selector.accounts) - directory.accounts.keys()):
            near = _near(account_id, {one.account_id: one.name for one in directory.accounts.values()})
            yield f"{where}: {directory.organization_id} has no account {account_id}{near}"
        for unit in sorted(set(selector.units), key=str):
            if unit.organization_id not in (None, directory.organization_id):
                yield f"{where}: {unit} belongs to another organization than {directory.organization_id}, the caller's"
            elif unit.management_account_id not in (None, directory.management_account_id):
                yield (
                    f"{where}: the management account of {directory.organization_id} is "
                    f"{directory.management_account_id}, not {unit.management_account_id} as the ARN of {unit} says"
                )
            elif unit.unit_id not in directory.units:
                near = _near(unit.unit_id, {one.unit_id: one.name for one in directory.units.values()})
                yield f"{where}: {directory.organization_id} has no unit {unit.unit_id}{near}"


def _near(unknown: str, names: Mapping[str, str]) -> str:
    close = get_close_matches(unknown, sorted(names), n=3, cutoff=0.8)
    labels = [f"{one} ({names[one]})" if names[one] else one for one in close]
    return f", did you mean {' or '.join(labels)}?" if labels else ""
