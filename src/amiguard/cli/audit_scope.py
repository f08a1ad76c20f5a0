"""Which accounts an audit comes to: the organization's directory, the selection, and what was left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from amiguard.aws.estate import OrganizationKnowledge
from amiguard.aws.organization import read_account_tags, read_directory, read_own_organization
from amiguard.aws.session import AwsSession, Caller
from amiguard.cli.audit_request import DirectoryOptions
from amiguard.cli.talk import warn
from amiguard.core.checks.unread import unread_target
from amiguard.core.directory import Directory
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.organization import (
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)
from amiguard.core.result import ALL_REGIONS, CheckResult, Target, TargetReport, TargetStatus
from amiguard.core.scope import Scope
from amiguard.core.selection import AccountLeftOut, AccountTags, Selection, accounts_asked_for_tags, select_accounts
from amiguard.core.trust import TrustPolicy


@dataclass(frozen=True, slots=True)
class Accounts:
    """What an audit comes to.

    Attributes:
        selection: every account in question.
        organizations: what is known of organizations.
        names: account names, by account id, where they are known.
    """

    selection: Selection
    organizations: OrganizationKnowledge
    names: dict[str, str]


async def find_accounts(
    session: AwsSession,
    caller: Caller,
    scope: Scope,
    options: DirectoryOptions,
    *,
    policy: TrustPolicy,
    now: datetime,
    quiet: bool,
) -> Accounts:
    """Choose the accounts. The directory is read at most once, for targets and for trust.

    Args:
        session: of the run's own credentials.
        caller: who they belong to.
        scope: what was asked for.
        options: where the directory comes from.
        policy: the members of an organization are read only if it or the scope depends on them.
        now: the start of the run (UTC).
        quiet: no warnings.

    Raises:
        AmiguardError: the organization cannot be listed, or accounts are not as they are named.
    """
    known = await _organizations(session, scope, policy, options, now=now, quiet=quiet)
    if scope.organization is not None and known.directory is None:
        raise _no_directory(known.own)
    tags: AccountTags = {}
    if known.directory is not None and (asked := accounts_asked_for_tags(scope, known.directory)):
        tags = await _read_tags(session, asked)
    selection = select_accounts(
        scope, own_account_id=caller.account_id, partition=caller.partition, directory=known.directory, tags=tags
    )
    if selection.error is not None:
        raise selection.error
    if not selection.audited and not selection.failed:
        raise TargetsError("there is no account to audit", hint="all were left out: see targets.organization")
    members = known.directory.accounts.values() if known.directory else ()
    return Accounts(selection, known, {member.account_id: member.name for member in members if member.name})


async def _organizations(
    session: AwsSession, scope: Scope, policy: TrustPolicy, options: DirectoryOptions, *, now: datetime, quiet: bool
) -> OrganizationKnowledge:
    if scope.organization is None and not policy.names_organizations:
        return OrganizationKnowledge(wanted=False, own=NoOrganization())

    def members_wanted(organization_id: str) -> bool:
        return scope.organization is not None or policy.needs_members_of(organization_id)

    if options.file is None:
        reply = await read_directory(session, read_at=now, members_wanted=members_wanted)
        if isinstance(reply, Directory):
            return OrganizationKnowledge(wanted=policy.names_organizations, own=reply.as_own, directory=reply)
        return OrganizationKnowledge(wanted=policy.names_organizations, own=reply)
    from amiguard.files.directory_file import load_directory, why_not_usable

    directory = load_directory(options.file)
    described = read_own_organization(session)
    problem = why_not_usable(directory, described, now=now, max_age=options.max_age)
    if problem is None:
        return OrganizationKnowledge(wanted=policy.names_organizations, own=directory.as_own, directory=directory)
    if not quiet:
        warn(f"{problem}; it is not used")
    if isinstance(described, OwnOrganization):
        described = OwnOrganization(described.organization_id, described.management_account_id, MembersUnread(problem))
    return OrganizationKnowledge(wanted=policy.names_organizations, own=described)


def _no_directory(view: OrganizationView) -> TargetsError:
    match view:
        case NoOrganization():
            return TargetsError(
                "the account of your credentials is in no organization",
                hint="name the accounts with --account or targets.accounts",
            )
        case OrganizationUnread(reason) | OwnOrganization(members=MembersUnread(reason)):
            return TargetsError(
                f"the accounts of the organization could not be listed: {reason}",
                hint="use credentials of the management account or of a delegated administrator, or a directory that "
                "was saved there (`amiguard trust snapshot`, then --directory)",
            )
        case _:
            return TargetsError("the accounts of the organization could not be listed")


async def _read_tags(session: AwsSession, account_ids: tuple[str, ...]) -> AccountTags:
    tags = await read_account_tags(session, account_ids)
    if isinstance(tags, Unreadable):
        raise TargetsError(
            f"accounts are selected by tags, and the tags could not be read: {tags.reason}", hint=tags.hint
        )
    return {account_id: tuple(found.items()) for account_id, found in tags.items()}


def left_out(selection: Selection, partition: str, checks: frozenset[str]) -> Iterator[CheckResult | TargetReport]:
    """What reports say of accounts that are not audited: a skipped target, or a failed one with unknown results."""
    for account in selection.skipped:
        yield TargetReport(_target(account, partition), TargetStatus.SKIPPED, account.reason)
    for account in selection.failed:
        yield from unread_target(_target(account, partition), Unreadable(account.reason), checks)
        yield TargetReport(_target(account, partition), TargetStatus.FAILED, account.reason)


def _target(account: AccountLeftOut, partition: str) -> Target:
    return Target(account.account_id, ALL_REGIONS, partition)
