"""The algebra of edits: which calls lead from one launch permission to another, and through which states."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import (
    MOST_GRANTS_A_CALL,
    BlockPublicAccessEdit,
    Edit,
    LaunchPermissionEdit,
    Step,
    in_order,
    states_between,
    steps_between,
)
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.result import Target
from tests.unit import strategies

HERE = Target("123456789012", "eu-central-1", "aws")
most = st.integers(1, 4)
permissions = st.lists(strategies.grantees, max_size=9)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(
        LaunchPermissionEdit,
        st.just(HERE),
        st.just("ami-1"),
        st.text(max_size=3),
        permissions.map(in_order),
        permissions.map(in_order),
    ),
    st.builds(
        BlockPublicAccessEdit,
        st.just(HERE),
        st.sampled_from(BlockPublicAccess),
        st.sampled_from(BlockPublicAccess),
    ),
)


@given(permissions, permissions, most)
def test_the_steps_lead_from_start_to_goal(start: list[Grantee], goal: list[Grantee], most: int) -> None:
    now = set(start)
    for step in steps_between(start, goal, most=most):
        assert not set(step.add) & now
        assert set(step.remove) <= now
        now = (now | set(step.add)) - set(step.remove)
    assert now == set(goal)


@given(permissions, permissions, most)
def test_additions_come_first_and_no_step_names_too_many(start: list[Grantee], goal: list[Grantee], most: int) -> None:
    steps = steps_between(start, goal, most=most)
    adds = [bool(step.add) for step in steps]
    assert adds == sorted(adds, reverse=True)
    assert all(1 <= len(step.add) + len(step.remove) <= most for step in steps)
    added, removed = len(set(goal) - set(start)), len(set(start) - set(goal))
    assert len(steps) == -(-added // most) + -(-removed // most)


@given(permissions, permissions, most)
def test_nobody_who_is_in_both_is_ever_without_access(start: list[Grantee], goal: list[Grantee], most: int) -> None:
    states = states_between(start, goal, most=most)
    assert (states[0], states[-1]) == (frozenset(start), frozenset(goal))
    assert len(states) == len(steps_between(start, goal, most=most)) + 1 == len(set(states))
    for state in states:
        assert set(start) & set(goal) <= state <= set(start) | set(goal)


@given(permissions, permissions, most, st.randoms(use_true_random=False))
def test_order_and_repetition_never_matter(
    start: list[Grantee], goal: list[Grantee], most: int, random: Random
) -> None:
    shuffled = [*start, *start]
    random.shuffle(shuffled)
    assert steps_between(shuffled, goal, most=most) == steps_between(start, goal, most=most)
    assert in_order(shuffled) == in_order(start)


@given(permissions, permissions, most, st.data())
def test_from_any_state_on_the_way_the_rest_of_the_way_stays_on_it(
    start: list[Grantee], goal: list[Grantee], most: int, data: st.DataObject
) -> None:
    states = states_between(start, goal, most=most)
    at = data.draw(st.integers(0, len(states) - 1))
    assert states_between(states[at], goal, most=most) == states[at:]


@given(edits)
def test_an_edit_turned_round_twice_is_itself(edit: Edit) -> None:
    assert edit.inverse.inverse == edit
    assert edit.inverse.key == edit.key
    assert (edit.inverse.before, edit.inverse.after) == (edit.after, edit.before)


def test_nothing_to_do_is_no_step() -> None:
    assert steps_between([Everyone()], [Everyone()]) == ()
    assert states_between([], []) == (frozenset(),)


def test_a_thousand_grantees_fit_into_one_call_and_no_more() -> None:
    accounts = [Account(f"{number:012}") for number in range(MOST_GRANTS_A_CALL + 1)]
    assert [len(step.remove) for step in steps_between(accounts[1:], [])] == [1000]
    assert [len(step.add) for step in steps_between([], accounts)] == [1000, 1]


@pytest.mark.parametrize("fields", [{}, {"add": (Everyone(),), "remove": (Account("1"),)}])
def test_a_step_adds_or_removes(fields: dict[str, tuple[Grantee, ...]]) -> None:
    with pytest.raises(ValueError, match="either adds or removes"):
        Step(**fields)


def test_keys_name_what_is_edited() -> None:
    image = LaunchPermissionEdit(HERE, "ami-1", "name", (), ())
    switch = BlockPublicAccessEdit(HERE, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
    assert image.key == "123456789012/eu-central-1/ami-1"
    assert switch.key == "123456789012/eu-central-1/image-block-public-access"
