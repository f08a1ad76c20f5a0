"""The exceptions, each held against the day and the audit."""

from collections.abc import Iterator

from amiguard.core.exception import ImageException
from amiguard.core.review_survey import GrantSurvey
from amiguard.core.review_types import Known, PlacedPolicy, ReviewFinding, ReviewKind, ReviewSeverity, counted

_DELETE = "delete the exception there"


def review_exceptions(placed: PlacedPolicy, known: Known, survey: GrantSurvey | None) -> Iterator[ReviewFinding]:
    """Exceptions that have expired or soon will, that match nothing, and that accept what is trusted anyway."""
    for number, (exception, place) in enumerate(zip(placed.exceptions, placed.exception_places, strict=True)):
        found = [_date(exception, known, survey.exception_needed[number] if survey else 0)]
        if survey is not None and exception.in_force(known.today):
            found.append(_match(exception, number, survey))
        for kind, severity, message, mend in filter(None, found):
            yield ReviewFinding(kind, severity, subject_of(number), exception.owner, place, message, mend)


def subject_of(number: int) -> str:
    """How a review names an exception: by its place in the list."""
    return f"exceptions[{number}]"


_Found = tuple[ReviewKind, ReviewSeverity, str, str]


def _date(exception: ImageException, known: Known, needed: int) -> _Found | None:
    if exception.expires is None:
        return None
    left = (exception.expires - known.today).days
    uses = f"the report has {counted(needed, 'grant')} that it would accept" if needed else ""
    if left < 0:
        message = f"expired after {exception.expires} and accepts nothing" + (f", and {uses}" if uses else "")
        severity = ReviewSeverity.PROBLEM if needed else ReviewSeverity.WARNING
        return ReviewKind.EXPIRED, severity, message, f"set a later `expires` there, or {_DELETE}"
    if left <= known.within.days:
        when = "expires today" if left == 0 else f"expires in {counted(left, 'day')}, after {exception.expires}"
        mend = "set a later `expires` there, or get ready to do without it"
        return ReviewKind.EXPIRES_SOON, ReviewSeverity.WARNING, when + (f"; {uses}" if uses else ""), mend
    return None


def _match(exception: ImageException, number: int, survey: GrantSurvey) -> _Found | None:
    if not survey.whole or not _could_be_seen(exception, survey):
        return None
    images, grants = survey.exception_images[number], survey.exception_grants[number]
    if not images:
        message = f"no image of the report fits it ({counted(survey.images, 'image')} seen)"
        return ReviewKind.EXCEPTION_MATCHES_NOTHING, ReviewSeverity.WARNING, message, _DELETE
    if not grants:
        message = f"{counted(images, 'image')} of the report fit it, and none is shared with a grantee that it accepts"
        return ReviewKind.EXCEPTION_MATCHES_NOTHING, ReviewSeverity.WARNING, message, _DELETE
    if not survey.exception_needed[number]:
        message = f"every grant of the report that it accepts is trusted anyway ({counted(grants, 'grant')})"
        return ReviewKind.EXCEPTION_NOT_NEEDED, ReviewSeverity.WARNING, message, _DELETE
    return None


def _could_be_seen(exception: ImageException, survey: GrantSurvey) -> bool:
    """Whether the audit looked where the images of the exception are."""
    images, scope = exception.images, survey.scope
    return (not images.accounts or not scope.accounts.isdisjoint(images.accounts)) and (
        not images.regions or not scope.regions.isdisjoint(images.regions)
    )
