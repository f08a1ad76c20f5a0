"""The book of a key's grants: the freest of several counts, and a role's grant counts for its sessions."""

from itertools import permutations

import pytest

from amiguard.core.key_facts import KeyGrant
from amiguard.core.key_grants import GrantBook
from amiguard.core.policy_patterns import Truth
from amiguard.core.policy_principals import Requester

A, B = "222222222222", "333333333333"
ROLE, USER = f"arn:aws:iam::{A}:role/ci/deploy/Launcher", f"arn:aws:iam::{A}:user/Launcher"
SESSION = f"arn:aws:sts::{A}:assumed-role/Launcher/run"


def grant(name: str, principal: str, *operations: str, constrained: bool = False) -> KeyGrant:
    return KeyGrant(name, principal, operations or ("Decrypt",), constrained)


def asked(book: GrantBook, arn: str = "", operation: str = "Decrypt", account: str = A) -> tuple[Truth, str]:
    return book.allows(Requester(account, arn), operation)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_first_grant_without_constraints_counts_in_any_order(order: tuple[int, ...]) -> None:
    grants = [grant("tight", ROLE, constrained=True), grant("free", ROLE), grant("more", ROLE)]
    book = GrantBook([grants[number] for number in order], "aws")

    first = next(grants[number].grant_id for number in order if not grants[number].constrained)
    assert asked(book, ROLE) == (Truth.YES, f"grant {first}")


def test_a_constrained_grant_leaves_it_open_and_counts_for_its_operations_only() -> None:
    book = GrantBook([grant("g", ROLE, "Decrypt", "CreateGrant", constrained=True)], "aws")

    assert asked(book, ROLE, "CreateGrant") == (Truth.MAYBE, "grant g")
    assert asked(book, ROLE, "ReEncryptFrom") == (Truth.NO, "")


def test_a_grant_to_a_role_counts_for_its_sessions_whatever_its_path() -> None:
    book = GrantBook([grant("g", ROLE)], "aws")

    assert asked(book, SESSION) == (Truth.YES, "grant g")
    assert asked(book, SESSION.replace("Launcher", "deploy"))[0] is Truth.NO
    assert asked(book, USER)[0] is Truth.NO
    assert asked(book)[0] is Truth.NO
    assert asked(book, SESSION.replace(A, B), account=B)[0] is Truth.NO


def test_a_grant_to_a_user_counts_for_no_session() -> None:
    book = GrantBook([grant("g", USER)], "aws")

    assert asked(book, USER) == (Truth.YES, "grant g")
    assert asked(book, SESSION)[0] is Truth.NO


def test_a_grant_to_an_account_counts_for_all_of_it_and_is_named_first() -> None:
    book = GrantBook([grant("role", ROLE), grant("account", f"arn:aws:iam::{A}:root")], "aws")

    assert asked(book) == asked(book, ROLE) == asked(book, USER) == (Truth.YES, "grant account")
    assert asked(book, account=B)[0] is Truth.NO


def test_the_surer_grant_is_named() -> None:
    book = GrantBook([grant("tight", A, constrained=True), grant("free", ROLE), grant("unclear", "?")], "aws")

    assert asked(book, USER) == (Truth.MAYBE, "grant tight")
    assert asked(book, ROLE) == (Truth.YES, "grant free")


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("ec2.amazonaws.com", Truth.MAYBE),
        ("ec2.cn-north-1.amazonaws.com.cn", Truth.MAYBE),
        ("logs.amazonaws.com", Truth.NO),
        ("logs.cn-north-1.amazonaws.com.cn", Truth.NO),
        ("AROADBQP57FF2AEXAMPLE", Truth.MAYBE),
        ("what:logs.amazonaws.com", Truth.MAYBE),
        ("*", Truth.MAYBE),
    ],
)
def test_what_stands_for_no_one_account_leaves_it_open_for_all(principal: str, expected: Truth) -> None:
    book = GrantBook([grant("g", principal)], "aws")

    assert asked(book) == asked(book, ROLE) == (expected, "grant g" if expected is Truth.MAYBE else "")
    assert (book.accounts, book.identities) == (frozenset(), {})


def test_who_is_named_is_listed_by_account_those_with_free_grants_first() -> None:
    grants = [
        grant("1", USER, constrained=True),
        grant("2", ROLE, constrained=True),
        grant("3", ROLE),
        grant("4", ROLE, constrained=True),
        grant("5", SESSION),
        grant("6", f"arn:aws:iam::{A}:root"),
        grant("7", B),
    ]

    for given in (grants, grants[::-1]):
        book = GrantBook(given, "aws")
        assert book.accounts == {A, B}
        assert book.identities == {A: (ROLE, SESSION, USER)}
