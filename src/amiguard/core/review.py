"""A review of the trust policy: whether its entries and exceptions are still used, right, and known."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from amiguard.core.review_entries import review_entries, written_id
from amiguard.core.review_exceptions import review_exceptions, subject_of
from amiguard.core.review_grantees import review_grantees
from amiguard.core.review_survey import GrantSurvey
from amiguard.core.review_types import Known, PlacedPolicy, ReviewFinding, ReviewKind, ReviewSeverity, counted
from amiguard.core.review_typos import review_typos

_SEVERITIES = {severity: number for number, severity in enumerate(ReviewSeverity)}
_KINDS = {kind: number for number, kind in enumerate(ReviewKind)}


@dataclass(frozen=True, slots=True)
class ReviewedItem:
    """One entry or exception, and how often the report uses it.

    Attributes:
        subject: as `ReviewFinding.subject`.
        name: of an entry: its own, or what the directory or the list of vendors calls it. Of an exception: its owner.
        uses: how many grants it covers or accepts, dates aside; None without a report.
        may_use: how many more it may cover: that hangs on members that are not known.
    """

    subject: str
    name: str | None
    place: str
    expires: date | None
    in_force: bool
    uses: int | None
    may_use: int


@dataclass(frozen=True, slots=True)
class Review:
    """What a review found, the worst first.

    Attributes:
        notes: what was not looked at, and why.
    """

    findings: tuple[ReviewFinding, ...]
    entries: tuple[ReviewedItem, ...]
    exceptions: tuple[ReviewedItem, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> Mapping[ReviewSeverity, int]:
        """The number of findings of each severity."""
        found = Counter(one.severity for one in self.findings)
        return {severity: found[severity] for severity in ReviewSeverity}

    @property
    def needs_attention(self) -> bool:
        """Whether anything but information was found."""
        return any(one.severity is not ReviewSeverity.INFORMATION for one in self.findings)


def review_policy(placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Review:
    """Review a policy.

    Args:
        placed: the policy and the exceptions.
        known: the day, the directory and the rest that they are held against.
        survey: from `survey_grants`; without one, what needs an audit is left out, and a note says so.
    """
    found = [
        *review_entries(placed, known, survey),
        *review_typos(placed, known, survey),
        *review_exceptions(placed, known, survey),
        *(review_grantees(known, survey) if survey else ()),
    ]
    # The sort is stable: within a kind the findings stay in the order of the file.
    return Review(
        findings=tuple(sorted(found, key=lambda one: (_SEVERITIES[one.severity], _KINDS[one.kind]))),
        entries=tuple(_entries(placed, known, survey)),
        exceptions=tuple(_exceptions(placed, known, survey)),
        notes=tuple(_notes(known, survey)),
    )


def _entries(placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewedItem]:
    for number, entry in enumerate(placed.policy.entries):
        yield ReviewedItem(
            subject=written_id(entry),
            name=entry.name or known.name_of(entry.trustee),
            place=placed.entry_places[number],
            expires=entry.expires,
            in_force=entry.in_force(known.today),
            uses=survey.uses[number] if survey else None,
            may_use=survey.may_use[number] if survey else 0,
        )


def _exceptions(placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewedItem]:
    for number, exception in enumerate(placed.exceptions):
        yield ReviewedItem(
            subject=subject_of(number),
            name=exception.owner,
            place=placed.exception_places[number],
            expires=exception.expires,
            in_force=exception.in_force(known.today),
            uses=survey.exception_grants[number] if survey else None,
            may_use=0,
        )


def _notes(known: Known, survey: GrantSurvey | None) -> Iterator[str]:
    if survey is None:
        yield "no report was given (--from): which entries and exceptions are used is not known"
    else:
        if survey.scope.not_whole:
            yield f"{'; '.join(survey.scope.not_whole)}: that nothing uses an entry or exception is not claimed"
        elif not survey.images:
            yield "the report has no image: that nothing uses an entry or exception is not claimed"
        if survey.scope.skipped:
            yield f"the audit skipped {counted(survey.scope.skipped, 'target')}: what is shared there does not count"
        if doubtful := sum(map(bool, survey.may_use)):
            yield (
                f"whether {'entries' if doubtful > 1 else 'an entry'} of organizations or units ({doubtful}) "
                "cover more grants hangs on members that are not known"
            )
    if known.directory is None:
        yield "no directory was given (--directory): accounts, members and names of your organization are not known"
