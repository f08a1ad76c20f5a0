"""Typing errors in account ids: what one slip makes is found, what two make never is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.account_slips import one_slip_away
from amiguard.core.directory import MemberAccount
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account
from amiguard.core.review_types import ReviewFinding, ReviewKind, ReviewSeverity
from amiguard.core.trust import parse_trustee
from tests.unit.review_samples import (
    FRIEND,
    MEMBER,
    OWNER,
    PARTNER,
    STRANGER,
    WHOLE,
    directory,
    entry,
    found,
    known,
    placed,
    result,
    reviewed,
)

IDS = st.integers(0, 10**12 - 1).map("{:012}".format)
SLIP, SWAP = "222233334445", "222233343444"
"""One slip away from FRIEND."""


def distance(one: str, other: str) -> int:
    """Damerau-Levenshtein (optimal string alignment), by the textbook's table: another way to the same numbers."""
    table = [[max(a, b) if not a * b else 0 for b in range(len(other) + 1)] for a in range(len(one) + 1)]
    for a in range(1, len(one) + 1):
        for b in range(1, len(other) + 1):
            table[a][b] = min(
                table[a - 1][b] + 1, table[a][b - 1] + 1, table[a - 1][b - 1] + (one[a - 1] != other[b - 1])
            )
            if a > 1 and b > 1 and one[a - 2 : a] == other[b - 2 : b][::-1]:
                table[a][b] = min(table[a][b], table[a - 2][b - 2] + 1)
    return table[-1][-1]


@given(IDS, st.data())
def test_one_slip_is_always_found(right: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 11))
    if data.draw(st.booleans()):
        digit = data.draw(st.sampled_from("0123456789"))
        wrong = right[:place] + digit + right[place + 1 :]
    else:
        wrong = right[:place] + right[place : place + 2][::-1] + right[place + 2 :]
    assert (wrong in set(one_slip_away(right))) == (wrong != right)


@given(IDS, IDS)
def test_what_is_two_slips_away_is_never_found(one: str, other: str) -> None:
    assert (other in set(one_slip_away(one))) == (distance(one, other) == 1)


@given(IDS, st.data())
def test_two_slips(right: str, data: st.DataObject) -> None:
    once = data.draw(st.sampled_from(sorted(one_slip_away(right))))
    twice = data.draw(st.sampled_from(sorted(one_slip_away(once))))
    assert (twice in set(one_slip_away(right))) == (distance(right, twice) == 1)


@given(IDS)
def test_each_is_given_once_and_never_the_id_itself(account_id: str) -> None:
    slips = list(one_slip_away(account_id))
    assert len(slips) == len(set(slips))
    assert account_id not in slips
    assert all(len(one) == 12 for one in slips)


def typos(*arguments: object) -> list[ReviewFinding]:
    return found(reviewed(*arguments), ReviewKind.LIKELY_TYPO)  # type: ignore[arg-type]  # as `reviewed` takes them


@pytest.mark.parametrize("wrong", [SLIP, SWAP])
def test_the_one_that_the_directory_does_not_know_is_the_typo(wrong: str) -> None:
    members = directory(MemberAccount(FRIEND, "Staging", "ACTIVE"))
    (finding,) = typos(placed(entry(wrong)), known(members))
    assert (finding.subject, finding.severity, finding.place) == (wrong, ReviewSeverity.PROBLEM, "amiguard.yaml:1:1")
    assert finding.message == (
        f"nobody knows this account, and it is one slip away from {FRIEND} (Staging), which is in the directory"
    )
    assert finding.mend == (
        f"check it; if it is a slip: amiguard trust remove {wrong}, then amiguard trust add {FRIEND}"
    )


def test_the_one_that_no_grant_names_is_the_typo() -> None:
    (finding,) = typos(placed(entry(SLIP)), known(), [result(1, Account(FRIEND))])
    assert (finding.subject, finding.severity) == (SLIP, ReviewSeverity.PROBLEM)
    assert "which is granted images" in finding.message


def test_of_two_trusted_the_one_that_is_known_is_right_in_any_order() -> None:
    for policy in (placed(entry(SLIP), entry(FRIEND)), placed(entry(FRIEND), entry(SLIP))):
        (finding,) = typos(policy, known(), [result(1, Account(FRIEND))])
        assert finding.subject == SLIP
        assert finding.severity is ReviewSeverity.PROBLEM
        assert "trust add" not in finding.mend


def test_own_accounts_and_vendors_are_known_too() -> None:
    slip = "111111111112"
    (finding,) = typos(placed(entry(slip)), known(directory()))
    assert OWNER in finding.message
    (finding,) = typos(placed(entry(SLIP)), known(directory(), vendors={FRIEND: "Vendor"}))
    assert "(Vendor), which is in the list of vendors" in finding.message
    (finding,) = typos(placed(entry(SLIP)), known(directory(), own_accounts=frozenset({FRIEND})))
    assert "which is an audited account" in finding.message


def test_a_grant_may_be_the_slip() -> None:
    members = directory(MemberAccount(FRIEND, "Staging", "ACTIVE"))
    (finding,) = typos(placed(entry(FRIEND)), known(members), [result(1, Account(SLIP))])
    assert (finding.subject, finding.severity) == (FRIEND, ReviewSeverity.PROBLEM)
    assert finding.message.startswith("1 image may be shared by a slip")


def test_where_nobody_can_tell_both_are_named() -> None:
    (finding,) = typos(placed(entry(FRIEND), entry(SLIP)), known())
    assert (finding.subject, finding.severity) == (SLIP, ReviewSeverity.WARNING)
    assert f"{FRIEND} (N) at amiguard.yaml:1:1" in finding.message
    both = [result(1, Account(FRIEND), Account(SLIP))]
    (finding,) = typos(placed(entry(FRIEND), entry(SLIP)), known(), both)
    assert finding.severity is ReviewSeverity.WARNING


def test_a_report_that_is_not_whole_is_no_evidence() -> None:
    cut = replace(WHOLE, not_whole=("the audit is incomplete",))
    (finding,) = typos(placed(entry(SLIP)), known(), [result(1, Account(FRIEND))], cut)
    assert finding.severity is ReviewSeverity.WARNING


def test_accepted_accounts_are_compared_with() -> None:
    exception = ImageException(ImageSelector(names=("*",)), (parse_trustee(SLIP),), "r", "o")
    both = [result(1, Account(FRIEND))]
    (finding,) = typos(placed(entry(FRIEND), exceptions=[exception]), known(), both)
    assert (finding.subject, finding.place) == (SLIP, "amiguard.yaml:100:3")
    anyone = replace(exception, grantees=AnyGrantee())
    assert not typos(placed(entry(FRIEND), exceptions=[anyone]), known(), both)


def test_two_real_accounts_are_no_slip() -> None:
    members = directory(MemberAccount(FRIEND, "A", "ACTIVE"), MemberAccount(SLIP, "B", "ACTIVE"))
    assert not typos(placed(entry(FRIEND), entry(SLIP)), known(members))


def test_others_are_no_slip() -> None:
    policy = placed(entry(FRIEND), entry(PARTNER), entry(FRIEND))
    assert not typos(policy, known(directory()), [result(1, Account(STRANGER), Account(MEMBER))])
