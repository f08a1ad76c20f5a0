"""The in-use guard: which removals take access from an account that uses the image.

It errs to the side of use: a grant counts as what an account launches by, unless the account certainly keeps access by
another grant that stays, or certainly does not belong to it.
"""

from collections.abc import Collection, Mapping

from amiguard.core.effects import effect_of
from amiguard.core.evidence import Usage, UsageEntry
from amiguard.core.grantee import Account, Grantee
from amiguard.core.image import Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.plan import Effect, InUse, NotInUse, Use, UseUnknown


def use_of_removals(
    usage: Usage | Unreadable | None,
    removed: Collection[Grantee],
    staying: Collection[Grantee],
    organization: OrganizationView,
    *,
    owner: str,
    revoke: bool,
) -> Mapping[Grantee, Use]:
    """What use of an image each removal would end.

    Narrow grants are kept before wide ones: an account in use that is named by a grant of its own keeps that one, so
    that everyone, or its organization, can go.

    Args:
        usage: which accounts use the image; None if that was not asked for.
        removed: the grantees that are to be removed.
        staying: those that stay in any case, additions included.
        organization: what is known of the organization of the image's account.
        owner: the image's own account, which needs no grant.
        revoke: whether what is in use is removed all the same; if not, it stays, and covers whom it covers.

    Returns:
        The use by grantee, of each that is to be removed.
    """
    if not isinstance(usage, Usage):
        reason = "" if usage is None else usage.reason + (f" ({usage.hint})" if usage.hint else "")
        return dict.fromkeys(removed, UseUnknown(reason))
    users = _users(usage, owner)
    # Accounts cover nobody but themselves: without them, many users are quick to judge.
    wide = [grantee for grantee in staying if not isinstance(grantee, Account)]
    named = {grantee.account_id for grantee in staying if isinstance(grantee, Account)}
    losing = {
        account_id
        for account_id in users
        if account_id not in named and not _keeps(Account(account_id), wide, organization)
    }
    uses: dict[Grantee, Use] = {
        grantee: _use([grantee.account_id] if grantee.account_id in losing else [], users, usage)
        for grantee in removed
        if isinstance(grantee, Account)
    }
    if not revoke:
        losing -= {grantee.account_id for grantee in removed if isinstance(grantee, Account)}
    for grantee in removed:
        if isinstance(grantee, Account):
            continue
        covered = _keeps(grantee, wide, organization)
        through = [] if covered else [one for one in losing if _may_launch_by(grantee, one, organization)]
        uses[grantee] = _use(through, users, usage)
    return uses


def _users(usage: Usage, owner: str) -> Mapping[str, list[UsageEntry]]:
    """The entries of each account but the owner that has something of the image."""
    users: dict[str, list[UsageEntry]] = {}
    for entry in usage.entries:
        if entry.count > 0 and entry.account_id != owner:
            users.setdefault(entry.account_id, []).append(entry)
    return users


def _keeps(grantee: Grantee, staying: Collection[Grantee], organization: OrganizationView) -> bool:
    return effect_of(grantee, staying, organization)[0] is Effect.KEEPS_ACCESS


def _may_launch_by(grantee: Grantee, account_id: str, organization: OrganizationView) -> bool:
    """Whether an account is, or may be, one of those whom a wide grant stands for."""
    return effect_of(Account(account_id), [grantee], organization)[0] is not Effect.LOSES_ACCESS


def _use(account_ids: Collection[str], users: Mapping[str, list[UsageEntry]], usage: Usage) -> InUse | NotInUse:
    # To the second, as plans are written.
    as_of = usage.created_at.replace(microsecond=0)
    if not account_ids:
        return NotInUse(as_of)
    entries = (entry for account_id in account_ids for entry in users[account_id])
    return InUse(as_of, tuple(sorted(entries, key=lambda one: (one.account_id, one.resource_type, one.count))))
