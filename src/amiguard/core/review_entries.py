"""The entries of a trust policy, each held against the day, the audit, the directory and the other entries."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from amiguard.core.coverage import Covered, coverage
from amiguard.core.grantee import Account, Grantee, Organization, OrganizationalUnit
from amiguard.core.organization import OrganizationView, OwnOrganization
from amiguard.core.review_survey import UNREAD, GrantSurvey
from amiguard.core.review_types import Known, PlacedPolicy, ReviewFinding, ReviewKind, ReviewSeverity, counted
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry

# AWS Organizations API reference, Account, `State`: accounts that cannot launch anything, or soon cannot.
_CLOSED = {
    "SUSPENDED": "is suspended",
    "PENDING_CLOSURE": "is being closed",
    "CLOSED": "is closed",
}


@dataclass(frozen=True, slots=True)
class _One:
    """One entry among the others."""

    number: int
    entry: TrustEntry
    place: str
    known_name: str | None
    called_by: str
    """Who knows that name."""
    options: str

    def found(self, kind: ReviewKind, severity: ReviewSeverity, message: str, mend: str) -> ReviewFinding:
        return ReviewFinding(
            kind, severity, str(self.entry.trustee), self.entry.name or self.known_name, self.place, message, mend
        )

    @property
    def removal(self) -> str:
        return f"amiguard trust remove {shlex.quote(written_id(self.entry))}{self.options}"


def written_id(entry: TrustEntry) -> str:
    """The id of an entry as commands take it: one that was written as an ARN is that ARN."""
    match entry.trustee:
        case TrustedOrganization(str(organization_id), str(manager)):
            return f"arn:aws:organizations::{manager}:organization/{organization_id}"
        case TrustedUnit(str(organization_id), unit_id, str(manager)):
            return f"arn:aws:organizations::{manager}:ou/{organization_id}/{unit_id}"
        case trustee:
            return str(trustee)


def review_entries(placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewFinding]:
    """What is to be said of each entry on its own, and of those that others cover; typing errors aside."""
    for number, entry in enumerate(placed.policy.entries):
        one = _One(
            number=number,
            entry=entry,
            place=placed.entry_places[number],
            known_name=known.name_of(entry.trustee),
            called_by=_called_by(entry, known),
            options=known.options,
        )
        yield from _dates(one, known, survey)
        yield from _account(one, known)
        yield from _unused(one, known, survey)
        yield from _redundant(one, placed, known, survey)
        yield from _words(one)


def _called_by(entry: TrustEntry, known: Known) -> str:
    directory = known.directory
    if isinstance(entry.trustee, TrustedAccount) and (
        directory is None or entry.trustee.account_id not in directory.accounts
    ):
        return "in the list of vendors"
    return "in the directory"


def _dates(one: _One, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewFinding]:
    expires = one.entry.expires
    if expires is None:
        return
    left = (expires - known.today).days
    uses = survey.uses[one.number] if survey else 0
    if left < 0:
        if uses:
            message = f"expired after {expires} and trusts nobody, and the report has {counted(uses, 'grant')} for it"
            severity = ReviewSeverity.PROBLEM
        else:
            message, severity = f"expired after {expires} and trusts nobody", ReviewSeverity.WARNING
        yield one.found(ReviewKind.EXPIRED, severity, message, f"set a later `expires` there, or {one.removal}")
    elif left <= known.within.days:
        when = "expires today" if left == 0 else f"expires in {counted(left, 'day')}, after {expires}"
        used = f"; the report has {counted(uses, 'grant')} for it" if uses else ""
        mend = "set a later `expires` there, or get ready to do without it"
        yield one.found(ReviewKind.EXPIRES_SOON, ReviewSeverity.WARNING, when + used, mend)


def _account(one: _One, known: Known) -> Iterator[ReviewFinding]:
    trustee, directory = one.entry.trustee, known.directory
    if not isinstance(trustee, TrustedAccount) or directory is None:
        return
    member = directory.accounts.get(trustee.account_id)
    if member is not None and member.state in _CLOSED:
        message = f"the account {_CLOSED[member.state]}, says the directory of {directory.organization_id}"
        yield one.found(ReviewKind.ACCOUNT_CLOSED, ReviewSeverity.WARNING, message, one.removal)
    elif member is None and trustee.account_id in known.former:
        message = f"the account has left {directory.organization_id}: {known.former[trustee.account_id]}"
        mend = f"{one.removal}; or say in its reason why it is trusted outside of the organization"
        yield one.found(ReviewKind.LEFT_ORGANIZATION, ReviewSeverity.PROBLEM, message, mend)


def _unused(one: _One, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewFinding]:
    if survey is None or not survey.whole or not one.entry.in_force(known.today):
        return
    if survey.uses[one.number] or survey.may_use[one.number]:
        return
    what = {
        TrustedAccount: "no grant names it",
        TrustedOrganization: "no grant names it, one of its units or, as far as they are known, its members",
        TrustedUnit: "no grant names it or, as far as they are known, units and accounts in it",
    }[type(one.entry.trustee)]
    scope = survey.scope
    where = f"{counted(len(scope.accounts), 'account')} in {counted(len(scope.regions), 'region')}"
    message = f"{what} ({counted(survey.images, 'image')} of {where})"
    yield one.found(ReviewKind.UNUSED, ReviewSeverity.WARNING, message, one.removal)


def _redundant(one: _One, placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewFinding]:
    if not one.entry.in_force(known.today):
        return
    view = known.directory.as_own if known.directory else UNREAD
    is_account = isinstance(one.entry.trustee, TrustedAccount)
    if is_account and known.directory is not None:
        audited = known.own_accounts | (survey.scope.accounts if survey else frozenset[str]())
        if not audited <= known.directory.accounts.keys():
            # For audited accounts outside of the organization its members are not known: there this entry decides.
            return
    for number, other in enumerate(placed.policy.entries):
        # Of two that cover each other, the first is kept.
        if _covers(other, one.entry, known, view) and not (
            number > one.number and _covers(one.entry, other, known, view)
        ):
            how = "as a member of" if is_account else "by"
            message = f"is trusted already {how} {other.label} ({placed.entry_places[number]})"
            yield one.found(ReviewKind.REDUNDANT, ReviewSeverity.WARNING, message, one.removal)
            return


def _covers(other: TrustEntry, entry: TrustEntry, known: Known, view: OrganizationView) -> bool:
    """Whether the other entry trusts all that this one does, and as long."""
    if isinstance(other.trustee, TrustedAccount) or other.trustee == entry.trustee or not other.in_force(known.today):
        return False
    if other.expires is not None and (entry.expires is None or entry.expires > other.expires):
        return False
    grantee = _as_grantee(entry, view)
    return grantee is not None and isinstance(coverage(other, grantee, view), Covered)


def _as_grantee(entry: TrustEntry, view: OrganizationView) -> Grantee | None:
    """The grant that names what the entry does; None if it names the own organization, and that is not known."""
    trustee = entry.trustee
    if isinstance(trustee, TrustedAccount):
        return Account(trustee.account_id)
    own = view if isinstance(view, OwnOrganization) else None
    organization_id = trustee.organization_id or (own.organization_id if own else None)
    if organization_id is None:
        return None
    is_own = own is not None and own.organization_id == organization_id
    manager = trustee.management_account_id or (own.management_account_id if own and is_own else "")
    if isinstance(trustee, TrustedUnit):
        return OrganizationalUnit(str(trustee), organization_id, manager, trustee.unit_id)
    return Organization(str(trustee), organization_id, manager)


def _words(one: _One) -> Iterator[ReviewFinding]:
    entry, called = one.entry, one.known_name
    if entry.name and called and not _alike(entry.name, called):
        message = f"is called {entry.name} here, and {called} {one.called_by}"
        mend = "set its `name` there, or check that the id is the one that was meant"
        yield one.found(ReviewKind.NAME_DIFFERS, ReviewSeverity.WARNING, message, mend)
    missing = [key for key, value in (("name", entry.name), ("reason", entry.reason)) if not value]
    if missing and entry.trustee != TrustedOrganization(None):
        suggestion = f" (it is called {called} {one.called_by})" if called and not entry.name else ""
        message = f"has no {' and no '.join(missing)}{suggestion}"
        mend = f"write {' and '.join(f'`{key}`' for key in missing)} there, so that others know why it is trusted"
        yield one.found(ReviewKind.UNDOCUMENTED, ReviewSeverity.INFORMATION, message, mend)


def _alike(one: str, other: str) -> bool:
    """Whether two names are the same but for case, spaces and punctuation."""
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum()) or name
