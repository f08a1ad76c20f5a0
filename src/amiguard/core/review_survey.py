"""What an audit says of a trust policy: how often each entry and exception is used, and who is granted."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from amiguard.core.checks.ami_cross_account_access import METADATA
from amiguard.core.coverage import Covered, MayCover, NotCovered, coverage
from amiguard.core.decision import Rules, Verdict, decide, rules_in_force
from amiguard.core.grantee import Account, Grantee
from amiguard.core.image import Image
from amiguard.core.organization import OrganizationUnread, OrganizationView
from amiguard.core.result import CheckResult
from amiguard.core.review_types import Known, PlacedPolicy
from amiguard.core.trust import TrustedAccount

UNREAD = OrganizationUnread("the organization was not read")
"""What is known of an organization without its directory."""


@dataclass(frozen=True, slots=True)
class AuditScope:
    """What an audit looked at.

    Attributes:
        not_whole: why it proves nothing that something is not in its report; empty if it does.
        accounts: whose images were listed.
        regions: where.
        skipped: how many targets it left out.
    """

    not_whole: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class GrantSurvey:
    """What the grants of an audit come to. An account's own images are not counted: they need no trust.

    Attributes:
        images: how many images were seen.
        uses: for each entry, how many grants it covers, dates aside.
        may_use: for each entry, how many grants it may cover: that hangs on members that are not known.
        exception_images: for each exception, how many images it is about.
        exception_grants: for each exception, how many grants it accepts, dates aside.
        exception_needed: how many of those grants are not trusted anyway, or may not be.
        granted: how many images each account is granted.
        untrusted: how many images each grantee of interest is granted without being trusted or accepted.
    """

    scope: AuditScope
    images: int
    uses: tuple[int, ...]
    may_use: tuple[int, ...]
    exception_images: tuple[int, ...]
    exception_grants: tuple[int, ...]
    exception_needed: tuple[int, ...]
    granted: Mapping[str, int]
    untrusted: Mapping[Grantee, int]

    @property
    def whole(self) -> bool:
        """Whether it proves something that nothing was found: all that was to be audited was, and it has images."""
        return not self.scope.not_whole and self.images > 0


def survey_grants(
    results: Iterable[CheckResult],
    placed: PlacedPolicy,
    known: Known,
    scope: AuditScope,
    *,
    of_interest: Callable[[Grantee], bool],
) -> GrantSurvey:
    """Go through the results of an audit once. Memory grows with different accounts, never with results.

    Args:
        results: as they are read; those of other checks are passed over.
        placed: the policy of today, whatever policy the audit had.
        known: the directory and the day.
        scope: what the audit looked at.
        of_interest: which untrusted grantees are to be counted.
    """
    tally = _Tally(placed, known.today, of_interest)
    directory = known.directory
    inside = _rules(placed, known, directory.as_own if directory else UNREAD)
    outside = _rules(placed, known, UNREAD)
    images = 0
    for result in results:
        if result.image is None or result.check_id != METADATA.check_id:
            continue
        images += 1
        member = directory is not None and result.image.account_id in directory.accounts
        tally.count(result.image, {one.grantee for one in result.decisions}, inside if member else outside)
    return tally.survey(scope, images)


def _rules(placed: PlacedPolicy, known: Known, organization: OrganizationView) -> Rules:
    return rules_in_force(placed.policy, (), today=known.today, organization=organization)


class _Tally:
    def __init__(self, placed: PlacedPolicy, today: date, of_interest: Callable[[Grantee], bool]) -> None:
        self._placed = placed
        self._today = today
        self._of_interest = of_interest
        self._uses: Counter[int] = Counter()
        self._may_use: Counter[int] = Counter()
        self._exception_images: Counter[int] = Counter()
        self._exception_grants: Counter[int] = Counter()
        self._exception_needed: Counter[int] = Counter()
        self._granted: Counter[str] = Counter()
        self._untrusted: Counter[Grantee] = Counter()
        # Policies list hundreds of accounts, and exceptions hundreds of images: most are found by their ids.
        self._entries_by_account: defaultdict[str, list[int]] = defaultdict(list)
        self._group_entries: list[int] = []
        for number, entry in enumerate(placed.policy.entries):
            if isinstance(entry.trustee, TrustedAccount):
                self._entries_by_account[entry.trustee.account_id].append(number)
            else:
                self._group_entries.append(number)
        self._exceptions_by_image: defaultdict[str, list[int]] = defaultdict(list)
        self._other_exceptions: list[int] = []
        for number, exception in enumerate(placed.exceptions):
            for image_id in dict.fromkeys(exception.images.ids):
                self._exceptions_by_image[image_id].append(number)
            if not exception.images.ids:
                self._other_exceptions.append(number)

    def count(self, image: Image, grantees: Iterable[Grantee], rules: Rules) -> None:
        """Count one image."""
        own = Account(image.account_id)
        candidates = (*self._exceptions_by_image.get(image.image_id, ()), *self._other_exceptions)
        about = [one for one in candidates if self._placed.exceptions[one].images.matches(image)]
        self._exception_images.update(about)
        for grantee in grantees:
            if grantee != own:
                if isinstance(grantee, Account):
                    self._granted[grantee.account_id] += 1
                self._count_entries(grantee, rules)
                self._count_exceptions(image, grantee, about, decide(grantee, image, rules).verdict)

    def _count_entries(self, grantee: Grantee, rules: Rules) -> None:
        listed = self._entries_by_account.get(grantee.account_id, ()) if isinstance(grantee, Account) else ()
        for number in (*listed, *self._group_entries):
            match coverage(self._placed.policy.entries[number], grantee, rules.organization):
                case Covered():
                    self._uses[number] += 1
                case MayCover():
                    self._may_use[number] += 1
                case NotCovered():
                    pass
                case unreachable:
                    assert_never(unreachable)

    def _count_exceptions(self, image: Image, grantee: Grantee, about: Sequence[int], verdict: Verdict) -> None:
        accepted = False
        for number in about:
            exception = self._placed.exceptions[number]
            if exception.matches(image, grantee):
                self._exception_grants[number] += 1
                self._exception_needed[number] += verdict is not Verdict.TRUSTED
                accepted |= exception.in_force(self._today)
        if verdict is Verdict.UNTRUSTED and not accepted and self._of_interest(grantee):
            self._untrusted[grantee] += 1

    def survey(self, scope: AuditScope, images: int) -> GrantSurvey:
        """All that was counted."""
        entries, exceptions = range(len(self._placed.policy.entries)), range(len(self._placed.exceptions))
        return GrantSurvey(
            scope=scope,
            images=images,
            uses=tuple(self._uses[one] for one in entries),
            may_use=tuple(self._may_use[one] for one in entries),
            exception_images=tuple(self._exception_images[one] for one in exceptions),
            exception_grants=tuple(self._exception_grants[one] for one in exceptions),
            exception_needed=tuple(self._exception_needed[one] for one in exceptions),
            granted=self._granted,
            untrusted=self._untrusted,
        )
