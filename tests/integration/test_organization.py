"""The directory of an organization, read from the fake: pages, faults, refusals, and both ways to find the tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.organization import DirectoryReply, read_account_tags, read_directory
from amiguard.aws.retry import RetryLimits
from amiguard.aws.session import AwsSession
from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.image import Unreadable
from amiguard.core.organization import MembersUnread, NoOrganization, OrganizationUnread, OwnOrganization
from benchmarks.fake_ec2 import (
    AwsError,
    EmptyOrganizationPage,
    EndlessOrganizationToken,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeMember,
    FakeOrganization,
    FakeRegion,
    FakeTree,
    FakeUnit,
    Fault,
    HttpReply,
    Rewrite,
)
from tests.fakes.virtual_time import run_in_virtual_time
from tests.profiles import share

MANAGEMENT = "111122223333"
MEMBER = "222233334444"
ORGANIZATION = "o-abcdefghij"
READ_AT = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
INNER, EMPTY, OUTER = "ou-ab12-inner000", "ou-ab12-empty000", "ou-ab12-outer000"
TREE = FakeTree(
    accounts=(FakeMember(MANAGEMENT, "Management"),),
    units=(
        FakeUnit(
            OUTER,
            "Workloads",
            accounts=(FakeMember(MEMBER, "Platform", tags=(("team", "platform"), ("empty", ""))),),
            units=(
                FakeUnit(INNER, "Production", accounts=(FakeMember("012345678901", "Payments", "CLOSED"),)),
                FakeUnit(EMPTY, "Sandbox"),
            ),
        ),
    ),
)
EXPECTED = Directory(
    organization_id=ORGANIZATION,
    management_account_id=MANAGEMENT,
    accounts={
        MANAGEMENT: MemberAccount(MANAGEMENT, "Management", "ACTIVE", ()),
        MEMBER: MemberAccount(MEMBER, "Platform", "ACTIVE", (OUTER,)),
        "012345678901": MemberAccount("012345678901", "Payments", "CLOSED", (OUTER, INNER)),
    },
    units={
        OUTER: Unit(OUTER, "Workloads", ()),
        INNER: Unit(INNER, "Production", (OUTER,)),
        EMPTY: Unit(EMPTY, "Sandbox", (OUTER,)),
    },
    read_at=READ_AT,
)


def estate(tree: FakeTree = TREE, **changes: Any) -> Estate:
    accounts = {account_id: FakeAccount({"us-east-1": FakeRegion()}) for account_id in (MANAGEMENT, MEMBER)}
    return Estate(accounts, FakeOrganization(ORGANIZATION, MANAGEMENT, tree=tree, **changes))


@contextmanager
def caller(fake: FakeEc2, account_id: str = MANAGEMENT) -> Iterator[AwsSession]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in fake.environment(account_id).items():
            patch.setenv(name, value)
        yield AwsSession(profile=None, home_region="us-east-1", endpoint_url=fake.endpoint_url, stats=CallStats())


def read(fake: FakeEc2, account_id: str = MANAGEMENT) -> DirectoryReply:
    with caller(fake, account_id) as session:
        return run_in_virtual_time(read_directory(session, read_at=READ_AT))[0]


def large(tree: FakeTree) -> FakeTree:
    """The tree with 45 more accounts under the root: three pages."""
    return replace(tree, accounts=(*tree.accounts, *(FakeMember(f"5000000000{number}") for number in range(10, 55))))


def test_the_directory_is_complete() -> None:
    with FakeEc2(estate()) as fake:
        assert read(fake) == EXPECTED
        assert fake.stats.calls == {
            "DescribeOrganization": 1,
            "ListAccounts": 1,
            "ListRoots": 1,
            "ListOrganizationalUnitsForParent": 4,
        }
        assert fake.stats.signature_failures == 0


def test_calls_are_counted() -> None:
    with FakeEc2(estate()) as fake, caller(fake) as session:
        run_in_virtual_time(read_directory(session, read_at=READ_AT))
        assert session.stats.calls == fake.stats.calls


def test_without_paths_few_accounts_are_asked_for_their_parents() -> None:
    with FakeEc2(estate(replace(TREE, paths=False))) as fake:
        assert read(fake) == EXPECTED
        assert fake.stats.calls["ListParents"] == 3
        assert "ListAccountsForParent" not in fake.stats.calls


def test_without_paths_many_accounts_are_listed_by_parent() -> None:
    with FakeEc2(estate(large(TREE))) as fake:
        served = read(fake)
    with FakeEc2(estate(large(replace(TREE, paths=False)))) as fake:
        assert read(fake) == served
        assert fake.stats.calls["ListAccountsForParent"] == 6
        assert "ListParents" not in fake.stats.calls
    assert isinstance(served, Directory)
    assert len(served.accounts) == 48


def test_the_old_status_is_read_where_there_is_no_state() -> None:
    with FakeEc2(estate(replace(TREE, states=False))) as fake:
        directory = read(fake)
    assert isinstance(directory, Directory)
    assert directory.accounts["012345678901"].state == "SUSPENDED"


def test_the_organization_may_have_no_units() -> None:
    with FakeEc2(estate(FakeTree(TREE.accounts))) as fake:
        directory = read(fake)
    assert isinstance(directory, Directory)
    assert (set(directory.accounts), directory.units) == ({MANAGEMENT}, {})


def test_a_delegated_administrator_reads_it_too() -> None:
    with FakeEc2(estate(replace(TREE, listers=frozenset({MEMBER})))) as fake:
        assert read(fake, MEMBER) == EXPECTED


def test_empty_pages_that_go_on_are_no_end() -> None:
    with FakeEc2(estate(large(TREE)), faults=[Fault(EmptyOrganizationPage(), times=8)]) as fake:
        directory = read(fake)
        assert fake.stats.faults["EmptyOrganizationPage"] == 8
    assert isinstance(directory, Directory)
    assert len(directory.accounts) == 48
    assert directory.units == EXPECTED.units


@pytest.mark.parametrize("same", [True, False])
def test_a_listing_that_does_not_end_is_no_directory(same: bool) -> None:  # noqa: FBT001
    with FakeEc2(estate(), faults=[Fault(EndlessOrganizationToken(same), action="ListAccounts")]) as fake:
        reply = read(fake)
        assert fake.stats.calls["ListAccounts"] < 200
    assert reply == OwnOrganization(
        ORGANIZATION, MANAGEMENT, MembersUnread("the listing does not end: its pages repeat")
    )


def test_a_member_may_not_list_and_is_told_who_may() -> None:
    with FakeEc2(estate()) as fake:
        reply = read(fake, MEMBER)
        assert fake.stats.calls["ListAccounts"] == 1
    assert reply == OwnOrganization(
        ORGANIZATION,
        MANAGEMENT,
        MembersUnread(
            "not permitted: organizations:ListAccounts (AWS answers it to the management account 111122223333 and to "
            "delegated administrators only)"
        ),
    )


@pytest.mark.parametrize("action", ["ListRoots", "ListOrganizationalUnitsForParent", "ListParents"])
def test_what_was_read_before_a_denial_is_not_given(action: str) -> None:
    denied = Fault(AwsError("AccessDeniedException"), action=action)
    with FakeEc2(estate(replace(TREE, paths=False)), faults=[denied]) as fake:
        reply = read(fake)
    assert isinstance(reply, OwnOrganization)
    assert isinstance(reply.members, MembersUnread)
    assert f"organizations:{action}" in reply.members.reason


def test_an_account_without_an_organization() -> None:
    with FakeEc2(Estate({MANAGEMENT: FakeAccount({"us-east-1": FakeRegion()})})) as fake:
        assert read(fake) == NoOrganization()


def test_an_organization_that_may_not_be_described() -> None:
    with FakeEc2(estate(denied=frozenset({MEMBER}))) as fake:
        assert read(fake, MEMBER) == OrganizationUnread("not permitted: organizations:DescribeOrganization")


def test_throttled_calls_are_tried_until_they_are_served() -> None:
    faults = [
        Fault(AwsError("TooManyRequestsException"), action="ListAccounts", times=25),
        Fault(AwsError("TooManyRequestsException"), action="DescribeOrganization", times=3),
    ]
    with FakeEc2(estate(), faults=faults) as fake, caller(fake) as session:
        assert run_in_virtual_time(read_directory(session, read_at=READ_AT))[0] == EXPECTED
        assert session.stats.throttled == 28


def test_calls_keep_below_the_documented_rates() -> None:
    units = tuple(FakeUnit(f"ou-ab12-unit{number:04}") for number in range(100))
    with FakeEc2(estate(FakeTree(TREE.accounts, units))) as fake, caller(fake) as session:
        reply, seconds = run_in_virtual_time(read_directory(session, read_at=READ_AT))
    assert isinstance(reply, Directory)
    assert len(reply.units) == 100
    # 101 calls of which 8 may come at once, at 5 a second: slower than that, and not much.
    assert 93 / 5 < seconds < 93 / 5 * 1.15


def test_broken_replies_are_tried_again_and_then_given_up() -> None:
    broken = HttpReply(500, b"{}", "application/x-amz-json-1.1")
    with FakeEc2(estate(), faults=[Fault(broken, action="ListRoots", times=2)]) as fake:
        assert read(fake) == EXPECTED
    with FakeEc2(estate(), faults=[Fault(broken, action="ListRoots")]) as fake:
        reply = read(fake)
        assert fake.stats.calls["ListRoots"] == 6
    assert isinstance(reply, OwnOrganization)
    assert isinstance(reply.members, MembersUnread)
    assert reply.members.reason.startswith("HTTP 500: ")


def test_a_network_that_does_not_answer_is_a_reason() -> None:
    with FakeEc2(estate()) as fake, caller(fake) as session:
        pass
    work = read_directory(session, read_at=READ_AT, retry=RetryLimits(tries=2))
    reply = run_in_virtual_time(work)[0]
    assert isinstance(reply, OrganizationUnread)
    assert "tried 2 times" in reply.reason


def test_an_account_that_was_moved_while_it_was_read_is_asked_for_its_parent() -> None:
    moved = Fault(
        Rewrite(lambda body: body.replace(MEMBER.encode(), b"999999999999")),
        action="ListAccountsForParent",
        skip=3,
        times=1,
    )
    with FakeEc2(estate(large(replace(TREE, paths=False))), faults=[moved]) as fake:
        directory = read(fake)
        assert fake.stats.calls["ListParents"] == 1
    assert isinstance(directory, Directory)
    assert directory.accounts[MEMBER].units == (OUTER,)


def test_an_account_that_left_while_it_was_read_is_no_member() -> None:
    left = Fault(AwsError("ChildNotFoundException"), action="ListParents", times=1)
    with FakeEc2(estate(replace(TREE, paths=False)), faults=[left]) as fake:
        directory = read(fake)
    assert isinstance(directory, Directory)
    assert len(directory.accounts) == 2


def test_a_parent_that_nobody_listed_means_that_the_organization_changed() -> None:
    elsewhere = Fault(Rewrite(lambda body: body.replace(b"ou-ab12", b"ou-zz99")), action="ListParents")
    with FakeEc2(estate(replace(TREE, paths=False)), faults=[elsewhere]) as fake:
        reply = read(fake)
    assert isinstance(reply, OwnOrganization)
    assert reply.members == MembersUnread("the organization changed while it was read")


def test_a_unit_that_is_deleted_while_it_was_read_is_none() -> None:
    deleted = Fault(AwsError("ParentNotFoundException"), action="ListOrganizationalUnitsForParent", skip=3)
    with FakeEc2(estate(), faults=[deleted]) as fake:
        directory = read(fake)
    assert isinstance(directory, Directory)
    assert set(directory.units) == {OUTER, INNER}


@pytest.mark.parametrize("path", [b"o-zzzzzzzzzz/r-ab12/", b"elsewhere", b""])
def test_paths_of_another_form_are_not_believed(path: bytes) -> None:
    own = f"{ORGANIZATION}/r-ab12/".encode()
    other = Fault(Rewrite(lambda body: body.replace(own, path)), action="ListAccounts")
    with FakeEc2(estate(), faults=[other]) as fake:
        assert read(fake) == EXPECTED
        assert fake.stats.calls["ListParents"] == 3


def test_half_a_surrogate_pair_in_a_name_can_be_written_down() -> None:
    odd = Fault(Rewrite(lambda body: body.replace(b"Platform", b"\\ud83d!")), action="ListAccounts")
    with FakeEc2(estate(), faults=[odd]) as fake:
        directory = read(fake)
    assert isinstance(directory, Directory)
    assert directory.accounts[MEMBER].name == "?!"


def tags_of(fake: FakeEc2, *account_ids: str) -> object:
    with caller(fake) as session:
        return run_in_virtual_time(read_account_tags(session, account_ids))[0]


def test_tags_are_read_account_by_account() -> None:
    with FakeEc2(estate(), faults=[Fault(EmptyOrganizationPage(), times=1)]) as fake:
        assert tags_of(fake, MEMBER, MANAGEMENT, "999999999999") == {
            MEMBER: {"team": "platform", "empty": ""},
            MANAGEMENT: {},
        }


def test_tags_that_may_not_be_read_are_none_at_all() -> None:
    denied = Fault(AwsError("AccessDeniedException"), action="ListTagsForResource", skip=1)
    with FakeEc2(estate(), faults=[denied]) as fake:
        assert tags_of(fake, MEMBER, MANAGEMENT) == Unreadable(
            "not permitted: organizations:ListTagsForResource", "grant organizations:ListTagsForResource to the caller"
        )


@st.composite
def trees(draw: st.DrawFn) -> FakeTree:
    """Trees of units with accounts anywhere, none twice."""
    parents = draw(st.lists(st.integers(-1, 30), max_size=12))
    homes = draw(st.lists(st.integers(-1, len(parents) - 1), max_size=40))
    members = [FakeMember(f"{number:012}", f"account {number}") for number in range(len(homes))]

    def accounts_in(place: int) -> tuple[FakeMember, ...]:
        return tuple(member for member, home in zip(members, homes, strict=True) if home == place)

    def units_in(place: int) -> tuple[FakeUnit, ...]:
        return tuple(
            FakeUnit(f"ou-ab12-{number:08}", f"unit {number}", accounts_in(number), units_in(number))
            for number, parent in enumerate(parents)
            if min(parent, number - 1) == place
        )

    return FakeTree(accounts_in(-1), units_in(-1))


@settings(max_examples=share(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_both_ways_to_find_the_tree_agree(tree: FakeTree) -> None:
    with FakeEc2(estate(tree)) as fake:
        by_paths = read(fake)
    with FakeEc2(estate(replace(tree, paths=False))) as fake:
        by_walking = read(fake)
    assert by_paths == by_walking
    assert isinstance(by_paths, Directory)
    assert {account_id: account.units for account_id, account in by_paths.accounts.items()} == {
        account_id: path[1:] for account_id, (_, path) in tree.members.items()
    }
    assert set(by_paths.units) == set(tree.parents) - {tree.root_id}
