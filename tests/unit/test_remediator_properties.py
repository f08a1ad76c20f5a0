"""Random worlds, faults and kills: nothing ends in a state that nobody named, and no trusted grant is ever missing."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiguard.core import edit as edits
from amiguard.core.edit import (
    BlockPublicAccessEdit,
    CreateVolumePermissionEdit,
    LaunchPermissionEdit,
    PermissionEdit,
    in_order,
    states_between,
)
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized
from amiguard.core.plan import Addition, BlockPublicAccessChange, Change, ImageChange, Removal, SnapshotChange
from amiguard.core.remediation import DONE, ChangeOutcome, ChangeState, ChangeStatus
from amiguard.remediator import RemediationOptions, apply, check_states, roll_back
from tests.fakes.images import image
from tests.fakes.remediation import FakeJournal, FakeOpener, FakeWorld, Fault, KilledError
from tests.fakes.remediation_runs import ADDED, ELSEWHERE, OTHER, RULES, STRANGER, SWITCH, TARGET, TRUSTED
from tests.fakes.virtual_time import run_in_virtual_time
from tests.profiles import share

KEPT: tuple[Grantee, ...] = (TRUSTED, Unrecognized("group=some"))
UNTRUSTED: tuple[Grantee, ...] = (Everyone(), STRANGER, OTHER, Account("777777777777"))
MOST_OF_A_SNAPSHOT = 2
"""In place of EC2's 500 grantees a call: so that edits of snapshots take several calls here."""
UNDER = {TARGET: "ami-under", ELSEWHERE: "ami-elsewhere"}
NO_OPTIONS = RemediationOptions()

faults = st.lists(st.sampled_from([None, *Fault]), max_size=4)
lags = st.lists(st.sampled_from([0.0, 0.0, 0.5, 4.0]), min_size=1, max_size=8)


@pytest.fixture(scope="module", autouse=True)
def _small_calls() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edits, "MOST_SNAPSHOT_GRANTS_A_CALL", MOST_OF_A_SNAPSHOT)
        yield


def name_of(edit: PermissionEdit) -> str:
    return edit.image_id if isinstance(edit, LaunchPermissionEdit) else edit.snapshot_id


@dataclass(frozen=True)
class Setting:
    """One world: the changes, how late each call shows, and what goes wrong."""

    changes: tuple[Change, ...]
    lags: tuple[float, ...]
    faults: tuple[tuple[Fault | None, ...], ...]
    turn_gap: float

    def world(self) -> FakeWorld:
        lags = iter(self.lags * 100)
        world = FakeWorld(lag=lambda: next(lags, 0.0), switch_lag=lambda: next(lags, 0.0) * 50)
        for target, image_id in UNDER.items():
            here = [one for one in self.edits if one.target == target and isinstance(one, CreateVolumePermissionEdit)]
            snapshot_ids = tuple(one.snapshot_id for one in here)
            world.add(image(image_id, region=target.region, snapshot_ids=snapshot_ids), ())
        for edit in self.edits:
            if isinstance(edit, LaunchPermissionEdit):
                world.add(image(edit.image_id, region=edit.target.region), edit.before)
            else:
                world.add_snapshot(edit.snapshot_id, edit.target, edit.before)
        return world

    def spoil(self, world: FakeWorld) -> None:
        for change, some in zip(self.changes, self.faults, strict=False):
            edit = change.edit
            whose = edit.target if isinstance(edit, BlockPublicAccessEdit) else name_of(edit)
            world.faults[whose].extend(fault for fault in some if fault is not None)

    @property
    def edits(self) -> list[PermissionEdit]:
        return [change.edit for change in self.changes if not isinstance(change, BlockPublicAccessChange)]

    @property
    def switches(self) -> list[BlockPublicAccessEdit]:
        return [change.edit for change in self.changes if isinstance(change, BlockPublicAccessChange)]


@st.composite
def image_changes(draw: st.DrawFn, number: int) -> ImageChange:
    kept = draw(st.sets(st.sampled_from(KEPT)))
    removed = draw(st.sets(st.sampled_from(UNTRUSTED)))
    added: set[Grantee] = {ADDED} if not removed or draw(st.booleans()) else set()
    target = draw(st.sampled_from([TARGET, ELSEWHERE]))
    edit = LaunchPermissionEdit(target, f"ami-{number}", "", in_order(kept | removed), in_order(kept | added))
    removals = tuple(Removal(one, "not trusted") for one in in_order(removed))
    return ImageChange(edit, tuple(Addition(one, "trusted") for one in in_order(added)), removals)


@st.composite
def snapshot_changes(draw: st.DrawFn, number: int) -> SnapshotChange:
    kept = draw(st.sets(st.sampled_from([TRUSTED, ADDED])))
    removed = draw(st.sets(st.sampled_from(UNTRUSTED), min_size=1))
    target = draw(st.sampled_from([TARGET, ELSEWHERE]))
    images = ("ami-gone", UNDER[target]) if draw(st.booleans()) else (UNDER[target],)
    edit = CreateVolumePermissionEdit(target, f"snap-{number}", images, in_order(kept | removed), in_order(kept))
    return SnapshotChange(edit, tuple(Removal(one, "not trusted") for one in in_order(removed)))


@st.composite
def settings_of_worlds(draw: st.DrawFn) -> Setting:
    of_snapshots = draw(st.lists(st.booleans(), min_size=1, max_size=5))
    changes: list[Change] = [
        draw(snapshot_changes(number)) if of_snapshot else draw(image_changes(number))
        for number, of_snapshot in enumerate(of_snapshots)
    ]
    if draw(st.booleans()):
        changes.append(SWITCH)
    return Setting(
        tuple(changes),
        tuple(draw(lags)),
        tuple(tuple(draw(faults)) for _ in changes),
        draw(st.sampled_from([0.0, 0.2])),
    )


def finish(events: AsyncGenerator[Any]) -> list[Any]:
    """Everything that is told; nothing once the program is killed."""

    async def main() -> list[Any]:
        async with aclosing(events):
            return [event async for event in events]

    told: list[Any] = []
    try:
        told, _ = run_in_virtual_time(main())
    except* KilledError:
        pass  # The caller asks the world.
    return told


def applying(setting: Setting, world: FakeWorld, journal: FakeJournal) -> list[ChangeOutcome]:
    world.journal = journal
    opener = FakeOpener(world, turn_gap=setting.turn_gap)
    return finish(apply(setting.changes, opener, journal, RULES, NO_OPTIONS, asyncio.Event()))


def rolling_back(world: FakeWorld, applied: FakeJournal, journal: FakeJournal) -> list[ChangeOutcome]:
    world.journal = journal
    return finish(roll_back(applied.record, FakeOpener(world), journal, NO_OPTIONS, asyncio.Event()))


@dataclass(frozen=True)
class Kill:
    """The call (of any port) during which the program is killed, and whether that call still has its effect."""

    at: int
    after_effect: bool

    def plan(self, world: FakeWorld) -> None:
        world.calls_left, world.kill_after_effect = self.at, self.after_effect


kills = st.builds(Kill, st.integers(1, 80), st.booleans())


def hold_at_every_moment(setting: Setting, world: FakeWorld, *, undone: bool = False) -> None:
    """What no moment of the world's history may break; undone from the middle, snapshots have states of their own."""
    assert world.violations == []
    for edit in setting.edits:
        history = world.permission(name_of(edit)).history
        of_image = isinstance(edit, LaunchPermissionEdit)
        most = 1000 if of_image else MOST_OF_A_SNAPSHOT
        assert all(set(edit.before) & set(edit.after) <= state for state in history)
        named = set(states_between(edit.before, edit.after, most=most))
        assert set(history) <= (named | states_of_undoing(edit, most) if undone and not of_image else named)


def states_of_undoing(edit: PermissionEdit, most: int) -> set[frozenset[Grantee]]:
    left = states_between(edit.before, edit.after, most=most)
    return {state for start in left for state in states_between(start, edit.before, most=most)}


def hold_between_runs(setting: Setting, world: FakeWorld, journals: Sequence[FakeJournal]) -> None:
    """What is in neither state was begun by a journal, and `check_states` says so."""
    world.restart()
    world.settle()
    for edit in setting.edits:
        if world.permission(name_of(edit)).actual != frozenset(edit.before):
            assert any(journal.known(edit.key) for journal in journals)
    for found in finish(check_states(journals[0].record, FakeOpener(world))):
        edit = found.change.edit
        if not isinstance(edit, BlockPublicAccessEdit):
            present = world.permission(name_of(edit)).actual
            named = {frozenset(edit.after): ChangeState.APPLIED, frozenset(edit.before): ChangeState.AS_BEFORE}
            assert found.state is named.get(present, ChangeState.IN_PROGRESS)


@settings(deadline=None)
@given(settings_of_worlds())
def test_every_outcome_is_true_and_journaled(setting: Setting) -> None:
    world = setting.world()
    journal = FakeJournal(world)
    setting.spoil(world)
    told = applying(setting, world, journal)
    assert {one.edit for one in told} == {change.edit for change in setting.changes}
    hold_at_every_moment(setting, world)
    for outcome in told:
        known = journal.known(outcome.edit.key)
        assert known is not None
        assert (known.status, known.reason) == (outcome.status, outcome.reason)
        if not isinstance(outcome.edit, BlockPublicAccessEdit) and outcome.status is ChangeStatus.APPLIED:
            assert world.permission(name_of(outcome.edit)).actual == frozenset(outcome.edit.after)
    hold_between_runs(setting, world, [journal])
    applying(setting, world, journal)
    assert_all(setting, world, done=True)


@settings(max_examples=share(200), deadline=None)
@given(settings_of_worlds(), kills, kills)
def test_killed_twice_and_applied_again_all_is_as_planned(setting: Setting, first: Kill, second: Kill) -> None:
    world = setting.world()
    journal = FakeJournal(world)
    for one in (first, second):
        setting.spoil(world)
        one.plan(world)
        applying(setting, world, journal)
        hold_at_every_moment(setting, world)
        world.restart()
    hold_between_runs(setting, world, [journal])
    told = applying(setting, world, journal)
    assert {outcome.status for outcome in told} <= DONE
    hold_at_every_moment(setting, world)
    assert_all(setting, world, done=True)


@settings(max_examples=share(200), deadline=None)
@given(settings_of_worlds(), kills, kills)
def test_killed_and_rolled_back_all_is_as_before(setting: Setting, first: Kill, second: Kill) -> None:
    world = setting.world()
    applied, undone = FakeJournal(world), FakeJournal(world)
    setting.spoil(world)
    first.plan(world)
    applying(setting, world, applied)
    world.restart()
    setting.spoil(world)
    second.plan(world)
    rolling_back(world, applied, undone)
    hold_at_every_moment(setting, world, undone=True)
    world.restart()
    told = rolling_back(world, applied, undone)
    assert {outcome.status for outcome in told} <= DONE
    hold_at_every_moment(setting, world, undone=True)
    assert_all(setting, world, done=False)
    hold_between_runs(setting, world, [applied, undone])


def assert_all(setting: Setting, world: FakeWorld, *, done: bool) -> None:
    for edit in setting.edits:
        assert world.permission(name_of(edit)).actual == frozenset(edit.after if done else edit.before)
    for switch in setting.switches:
        assert world.switches[switch.target].actual is (switch.after if done else switch.before)
