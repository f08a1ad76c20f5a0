"""Trusted accounts that are one slip of the hand away from another account that is known."""

from collections.abc import Iterator
from enum import StrEnum

from amiguard.core.account_slips import one_slip_away
from amiguard.core.exception import AnyGrantee
from amiguard.core.review_survey import GrantSurvey
from amiguard.core.review_types import Known, PlacedPolicy, ReviewFinding, ReviewKind, ReviewSeverity, counted
from amiguard.core.trust import TrustedAccount


class _Source(StrEnum):
    """Who knows an account, besides the policy."""

    AUDITED = "is an audited account"
    MEMBER = "is in the directory"
    VENDOR = "is in the list of vendors"
    GRANTED = "is granted images"


def review_typos(placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewFinding]:
    """One finding for each pair of accounts, of which the policy trusts one at least, unless both are well known."""
    pairs = _Pairs(placed, known, survey)
    for account_id in pairs.entries:
        for other in sorted(one_slip_away(account_id)):
            finding = pairs.judge(account_id, other)
            if finding is not None:
                yield finding


class _Pairs:
    def __init__(self, placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> None:
        self._placed = placed
        self._known = known
        self._granted = survey.granted if survey else {}
        self._audited = known.own_accounts | (survey.scope.accounts if survey else frozenset[str]())
        # That nobody knows an account says something only where it would be known.
        self._evidence = known.directory is not None or (survey is not None and survey.whole)
        self.entries: dict[str, int] = {}
        """Each trusted account with the number of its first entry."""
        for number, entry in enumerate(placed.policy.entries):
            if isinstance(entry.trustee, TrustedAccount):
                self.entries.setdefault(entry.trustee.account_id, number)
        self._accepted: dict[str, str] = {}
        for exception, place in zip(placed.exceptions, placed.exception_places, strict=True):
            for one in () if isinstance(exception.grantees, AnyGrantee) else exception.grantees:
                if isinstance(one, TrustedAccount):
                    self._accepted.setdefault(one.account_id, place)

    def judge(self, account_id: str, other: str) -> ReviewFinding | None:
        """What is to be said of a trusted account and a neighbour of it.

        Which of two is the slip shows by who else knows them; where nobody can tell, both are named.
        """
        if other in self.entries and self.entries[other] < self.entries[account_id]:
            return None  # judged from the other side
        mine, theirs = self._sources(account_id), self._sources(other)
        if not theirs and other not in self.entries and other not in self._accepted:
            return None
        mine_firm, theirs_firm = mine - {_Source.GRANTED}, theirs - {_Source.GRANTED}
        if mine_firm and theirs_firm:
            return None
        if self._evidence and theirs and not mine:
            return self._slip(account_id, other, theirs)
        if self._evidence and mine and not theirs:
            return self._slip(other, account_id, mine)
        if mine_firm and other not in self.entries:
            return self._slipped_grant(account_id, other, mine_firm)
        later, earlier = (other, account_id) if other in self.entries else (account_id, other)
        message = f"is one slip away from {self._named(earlier)}, and which of them is meant does not show"
        mend = f"check both, and remove the wrong one: {self._removal(later)}"
        return self._found(later, ReviewSeverity.WARNING, message, mend)

    def _slip(self, typo: str, right: str, knowers: frozenset[_Source]) -> ReviewFinding:
        message = f"nobody knows this account, and it is one slip away from {self._named(right)}, {_said(knowers)}"
        if typo not in self.entries:
            mend = f"check it; if it is a slip, write {right} in the exception"
        elif right in self.entries:
            mend = f"check it; if it is a slip: {self._removal(typo)}"
        else:
            mend = f"check it; if it is a slip: {self._removal(typo)}, then {self._addition(right)}"
        return self._found(typo, ReviewSeverity.PROBLEM, message, mend)

    def _slipped_grant(self, account_id: str, granted: str, knowers: frozenset[_Source]) -> ReviewFinding:
        message = (
            f"{counted(self._granted[granted], 'image')} may be shared by a slip: the grantee is not this account, "
            f"{_said(knowers)}, but {granted}, which nobody else knows"
        )
        mend = f"check who {granted} is, and take its grants back with `amiguard plan`"
        return self._found(account_id, ReviewSeverity.PROBLEM, message, mend)

    def _found(self, account_id: str, severity: ReviewSeverity, message: str, mend: str) -> ReviewFinding:
        number = self.entries.get(account_id)
        entry = None if number is None else self._placed.policy.entries[number]
        place = self._accepted.get(account_id) if number is None else self._placed.entry_places[number]
        name = (entry.name if entry else None) or self._known.name_of(TrustedAccount(account_id))
        return ReviewFinding(ReviewKind.LIKELY_TYPO, severity, account_id, name, place, message, mend)

    def _sources(self, account_id: str) -> frozenset[_Source]:
        directory = self._known.directory
        known = {
            _Source.AUDITED: account_id in self._audited,
            _Source.MEMBER: directory is not None and account_id in directory.accounts,
            _Source.VENDOR: account_id in self._known.vendors,
            _Source.GRANTED: account_id in self._granted,
        }
        return frozenset(source for source, knows in known.items() if knows)

    def _named(self, account_id: str) -> str:
        number = self.entries.get(account_id)
        entry = None if number is None else self._placed.policy.entries[number]
        name = (entry.name if entry else None) or self._known.name_of(TrustedAccount(account_id))
        where = self._accepted.get(account_id) if number is None else self._placed.entry_places[number]
        return f"{account_id}{f' ({name})' if name else ''}{f' at {where}' if where else ''}"

    def _removal(self, account_id: str) -> str:
        return f"amiguard trust remove {account_id}{self._known.options}"

    def _addition(self, account_id: str) -> str:
        return f"amiguard trust add {account_id}{self._known.options}"


def _said(sources: frozenset[_Source]) -> str:
    """`which is an audited account and is granted images`, in the order of the sources."""
    return f"which {' and '.join(one.value for one in _Source if one in sources)}"
