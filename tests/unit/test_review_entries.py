"""Entries of the trust policy that have expired, that another one covers, or whose account is closed or renamed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from amiguard.core.directory import MemberAccount
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone
from amiguard.core.review import Review
from amiguard.core.review_types import ReviewKind, ReviewSeverity
from tests.unit.review_samples import (
    ARN,
    FOREIGN,
    FRIEND,
    INNER,
    KINDS,
    MANAGER,
    MEMBER,
    ORGANIZATION,
    OUTER,
    PARTNER,
    STRANGER,
    TODAY,
    WHOLE,
    directory,
    entry,
    found,
    known,
    placed,
    result,
    reviewed,
)


def kinds(review: Review) -> list[ReviewKind]:
    return [one.kind for one in review.findings]


# Dates


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (-1, KINDS.EXPIRED),
        (0, KINDS.EXPIRES_SOON),
        (30, KINDS.EXPIRES_SOON),
        (31, None),
    ],
)
def test_expired_and_soon(days: int, kind: ReviewKind | None) -> None:
    expires = TODAY + timedelta(days=days)
    exception = ImageException(ImageSelector(names=("x",)), AnyGrantee(), "r", "o", expires)
    review = reviewed(placed(entry(FRIEND, expires=expires), exceptions=[exception]), known())
    assert kinds(review) == ([kind, kind] if kind else [])
    assert [one.severity for one in review.findings] == ([ReviewSeverity.WARNING] * 2 if kind else [])


def test_what_expired_and_is_still_used_is_a_problem() -> None:
    lapsed = TODAY - timedelta(days=1)
    exception = ImageException(ImageSelector(names=("golden",)), (Everyone(),), "r", "o", lapsed)
    policy = placed(entry(FRIEND, expires=lapsed), exceptions=[exception])
    review = reviewed(policy, known(), [result(1, Account(FRIEND), Everyone())])
    assert kinds(review) == [KINDS.EXPIRED, KINDS.EXPIRED]
    assert {one.severity for one in review.findings} == {ReviewSeverity.PROBLEM}
    assert review.findings[0].message == (
        "expired after 2026-09-14 and trusts nobody, and the report has 1 grant for it"
    )
    assert not found(review, KINDS.UNUSED)


def test_today_is_the_last_day() -> None:
    assert found(reviewed(placed(entry(FRIEND, expires=TODAY)), known()), KINDS.EXPIRES_SOON)[0].message == (
        "expires today"
    )


# The directory


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "CLOSED"])
def test_closed_accounts(state: str) -> None:
    members = directory(MemberAccount(FRIEND, "N", state))
    (finding,) = found(reviewed(placed(entry(FRIEND)), known(members)), KINDS.ACCOUNT_CLOSED)
    assert finding.severity is ReviewSeverity.WARNING
    active = directory(MemberAccount(FRIEND, "N", "ACTIVE"))
    assert not found(reviewed(placed(entry(FRIEND)), known(active)), KINDS.ACCOUNT_CLOSED)


def test_accounts_that_have_left() -> None:
    former = {FRIEND: "it was a member on 2026-08-01"}
    policy = placed(entry(FRIEND), entry(PARTNER))
    (finding,) = found(reviewed(policy, known(directory(), former=former)), KINDS.LEFT_ORGANIZATION)
    assert (finding.subject, finding.severity) == (FRIEND, ReviewSeverity.PROBLEM)
    assert finding.message == f"the account has left {ORGANIZATION}: it was a member on 2026-08-01"
    back = directory(MemberAccount(FRIEND, "N", "ACTIVE"))
    assert not found(reviewed(policy, known(back, former=former)), KINDS.LEFT_ORGANIZATION)


@pytest.mark.parametrize(
    ("entries", "redundant"),
    [
        (["own", MEMBER], [MEMBER]),
        ([MEMBER, ORGANIZATION], [MEMBER]),
        ([OUTER, MEMBER], [MEMBER]),
        ([f"{ORGANIZATION}/{INNER}", OUTER], [f"{ORGANIZATION}/{INNER}"]),
        (["own", INNER], [INNER]),
        (["own", ORGANIZATION], [ORGANIZATION]),
        ([ORGANIZATION, "own"], ["own"]),
        ([f"{ARN}:organization/{ORGANIZATION}", "own"], ["own"]),
        (["own", FRIEND], []),
        (["own", FOREIGN], []),
        ([INNER, OUTER, MEMBER], [INNER, MEMBER]),
        ([INNER, MANAGER], []),
        ([FRIEND, FRIEND], []),
        (["own", "own"], []),
    ],
)
def test_what_another_entry_covers_is_redundant(entries: list[str], redundant: list[str]) -> None:
    review = reviewed(placed(*map(entry, entries)), known(directory()))
    assert [one.subject for one in found(review, KINDS.REDUNDANT)] == redundant


def test_units_of_a_trusted_foreign_organization_are_redundant_without_any_directory() -> None:
    review = reviewed(placed(entry(FOREIGN), entry(f"{FOREIGN}/{OUTER}")), known())
    (finding,) = found(review, KINDS.REDUNDANT)
    assert finding.message == f"is trusted already by {FOREIGN} (N) (amiguard.yaml:1:1)"


def test_members_are_not_redundant_without_a_directory() -> None:
    assert not found(reviewed(placed(entry("own"), entry(MEMBER)), known()), KINDS.REDUNDANT)


def test_an_entry_that_lasts_longer_is_not_redundant() -> None:
    soon, later = TODAY + timedelta(days=100), TODAY + timedelta(days=200)

    def redundant(own: date | None, member: date | None) -> bool:
        policy = placed(entry("own", expires=own), entry(MEMBER, expires=member))
        return bool(found(reviewed(policy, known(directory())), KINDS.REDUNDANT))

    assert redundant(later, soon)
    assert redundant(None, soon)
    assert not redundant(soon, later)
    assert not redundant(soon, None)
    assert not redundant(TODAY - timedelta(days=1), TODAY - timedelta(days=2))


def test_members_are_not_redundant_if_accounts_outside_of_the_organization_are_audited() -> None:
    policy = placed(entry("own"), entry(MEMBER))
    assert not found(reviewed(policy, known(directory(), own_accounts=frozenset({STRANGER}))), KINDS.REDUNDANT)
    scope = replace(WHOLE, accounts=frozenset({STRANGER}))
    assert not found(reviewed(policy, known(directory()), [result(1)], scope), KINDS.REDUNDANT)
    assert found(reviewed(policy, known(directory()), [result(1)]), KINDS.REDUNDANT)


@pytest.mark.parametrize(
    ("text", "name", "differs"),
    [
        (MEMBER, "Shop", False),
        (MEMBER, " shop! ", False),
        (MEMBER, "Staging", True),
        (MEMBER, None, False),
        (OUTER, "workloads", False),
        (OUTER, "Production", True),
        (f"{FOREIGN}/{OUTER}", "Production", False),
        (FRIEND, "Staging", False),
        (PARTNER, "Vendor Inc", False),
        (PARTNER, "Other", True),
    ],
)
def test_names_that_disagree(text: str, name: str | None, *, differs: bool) -> None:
    facts = known(directory(), vendors={PARTNER: "Vendor, Inc.", MEMBER: "Vendor"})
    differing = found(reviewed(placed(entry(text, name=name)), facts), KINDS.NAME_DIFFERS)
    assert [one.severity for one in differing] == ([ReviewSeverity.WARNING] if differs else [])


def test_entries_without_words() -> None:
    policy = placed(
        entry(MEMBER, name=None, reason=None),
        entry(FRIEND, reason=None),
        entry(PARTNER),
        entry("own", name=None, reason=None),
    )
    review = reviewed(policy, known(directory()))
    messages = {one.subject: one.message for one in found(review, KINDS.UNDOCUMENTED)}
    assert messages == {
        MEMBER: "has no name and no reason (it is called Shop in the directory)",
        FRIEND: "has no reason",
    }
    assert {one.severity for one in found(review, KINDS.UNDOCUMENTED)} == {ReviewSeverity.INFORMATION}
    assert review.entries[0].name == "Shop"
