"""What a review says, word by word: each finding whole."""

from datetime import date, timedelta

import pytest

from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone
from amiguard.core.result import CheckResult
from amiguard.core.review import Review
from amiguard.core.review_types import ReviewFinding, ReviewKind, ReviewSeverity
from tests.unit import review_samples as review
from tests.unit.review_samples import FRIEND, MEMBER, STRANGER, TODAY

WARNING, PROBLEM, INFORMATION = ReviewSeverity.WARNING, ReviewSeverity.PROBLEM, ReviewSeverity.INFORMATION
SHARED = review.result(1, Account(STRANGER))
LATER = "set a later `expires` there, or get ready to do without it"


def of_exception(exception: ImageException, *results: CheckResult, entries: tuple[str, ...] = ()) -> ReviewFinding:
    policy = review.placed(*map(review.entry, entries), exceptions=[exception])
    facts = review.known(review.directory())
    [finding] = [
        one for one in review.reviewed(policy, facts, results or None).findings if one.subject == "exceptions[0]"
    ]
    return finding


def told(kind: ReviewKind, severity: ReviewSeverity, message: str, mend: str) -> ReviewFinding:
    return ReviewFinding(kind, severity, "exceptions[0]", "owner", "amiguard.yaml:100:3", message, mend)


def accepting(name: str, expires: date | None = None) -> ImageException:
    return ImageException(ImageSelector(names=(name,)), AnyGrantee(), "reason", "owner", expires)


@pytest.mark.parametrize(
    ("days", "when"),
    [
        (0, "expires today"),
        (1, "expires in 1 day, after 2026-09-16"),
        (30, "expires in 30 days, after 2026-10-15"),
    ],
)
def test_an_exception_that_expires_soon(days: int, when: str) -> None:
    finding = of_exception(accepting("*", TODAY + timedelta(days=days)), SHARED)

    uses = "; the report has 1 grant that it would accept"
    assert finding == told(ReviewKind.EXPIRES_SOON, WARNING, when + uses, LATER)


def test_an_exception_that_has_expired() -> None:
    lapsed = accepting("*", date(2026, 9, 14))
    mend = "set a later `expires` there, or delete the exception there"
    message = "expired after 2026-09-14 and accepts nothing"
    uses = ", and the report has 1 grant that it would accept"

    assert of_exception(lapsed) == told(ReviewKind.EXPIRED, WARNING, message, mend)
    assert of_exception(lapsed, SHARED) == told(ReviewKind.EXPIRED, PROBLEM, message + uses, mend)


def test_an_exception_that_does_nothing() -> None:
    delete = "delete the exception there"
    nothing, unneeded = ReviewKind.EXCEPTION_MATCHES_NOTHING, ReviewKind.EXCEPTION_NOT_NEEDED
    public_only = ImageException(ImageSelector(names=("*",)), (Everyone(),), "reason", "owner")

    assert of_exception(accepting("other"), SHARED) == told(
        nothing, WARNING, "no image of the report fits it (1 image seen)", delete
    )
    assert of_exception(public_only, SHARED) == told(
        nothing,
        WARNING,
        "1 image of the report fit it, and none is shared with a grantee that it accepts",
        delete,
    )
    assert of_exception(accepting("*"), SHARED, entries=(STRANGER,)) == told(
        unneeded, WARNING, "every grant of the report that it accepts is trusted anyway (1 grant)", delete
    )


def of_entry(found: Review, kind: ReviewKind) -> list[tuple[ReviewSeverity, str, str]]:
    return [(one.severity, one.message, one.mend) for one in found.findings if one.kind is kind]


def test_an_entry_that_expires_soon() -> None:
    policy = review.placed(review.entry(FRIEND, expires=TODAY + timedelta(days=1)))

    used = review.reviewed(policy, review.known(), [review.result(1, Account(FRIEND))])
    unused = review.reviewed(policy, review.known())

    when = "expires in 1 day, after 2026-09-16"
    assert of_entry(used, ReviewKind.EXPIRES_SOON) == [(WARNING, f"{when}; the report has 1 grant for it", LATER)]
    assert of_entry(unused, ReviewKind.EXPIRES_SOON) == [(WARNING, when, LATER)]


def test_an_entry_that_another_covers() -> None:
    policy = review.placed(review.entry("own"), review.entry(MEMBER), review.entry(review.OUTER))

    found = review.reviewed(policy, review.known(review.directory()))

    assert [message for _, message, _ in of_entry(found, ReviewKind.REDUNDANT)] == [
        "is trusted already as a member of own (N) (amiguard.yaml:1:1)",
        "is trusted already by own (N) (amiguard.yaml:1:1)",
    ]


def test_an_entry_that_says_too_little_or_something_else() -> None:
    bare = review.reviewed(review.placed(review.entry(FRIEND, name=None, reason=None)), review.known())
    known = review.known(review.directory())
    called = review.reviewed(review.placed(review.entry(MEMBER, name="Depot")), known)

    why = "there, so that others know why it is trusted"
    assert of_entry(bare, ReviewKind.UNDOCUMENTED) == [
        (INFORMATION, "has no name and no reason", f"write `name` and `reason` {why}")
    ]
    [(severity, message, mend)] = of_entry(called, ReviewKind.NAME_DIFFERS)
    assert severity is WARNING
    assert message.startswith("is called Depot here, and Shop ")
    assert mend == "set its `name` there, or check that the id is the one that was meant"


def test_only_what_is_more_than_information_needs_attention() -> None:
    bare = review.reviewed(review.placed(review.entry(FRIEND, name=None)), review.known())
    lapsed = review.reviewed(review.placed(review.entry(FRIEND, expires=date(2026, 1, 1))), review.known())

    assert (bare.needs_attention, lapsed.needs_attention) == (False, True)
