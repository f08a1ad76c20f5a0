"""Applying and rolling back changes of snapshots over an EC2 in memory: the rules of images, and what is different."""

import asyncio
from dataclasses import replace

import pytest

from amiguard.core.edit import Step, states_between
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone
from amiguard.core.image import Unreadable
from amiguard.core.plan import Change
from amiguard.core.remediation import ChangeOutcome, ChangeState, ChangeStatus, JournaledChange
from amiguard.core.trust import TrustedAccount
from amiguard.remediator import RemediationOptions, apply
from tests.fakes.images import image
from tests.fakes.remediation import FakeJournal, FakeOpener, FakeWorld, Fault
from tests.fakes.remediation_runs import (
    AMI,
    BLOCKED,
    CHANGE,
    EDIT,
    ELSEWHERE,
    KEY,
    OTHER,
    RULES,
    SNAP,
    STRANGER,
    SWITCH,
    TARGET,
    TRUSTED,
    S,
    change_of,
    collect,
    many,
    run,
    snapshot_change_of,
    snapshot_edit_of,
    states,
    undo,
    world_of,
)

SECOND = "ami-0123456789abcdef1"
SNAP_EDIT = snapshot_edit_of([Everyone(), TRUSTED, STRANGER], [TRUSTED], image_ids=(AMI, SECOND))
SNAP_CHANGE = snapshot_change_of(SNAP_EDIT)
SNAP_KEY = SNAP_EDIT.key
SHARED, UNSHARED = frozenset(SNAP_EDIT.before), frozenset(SNAP_EDIT.after)
UNSHARE = Step(remove=(Everyone(), STRANGER))


def run_one(world: FakeWorld, journal: FakeJournal | None = None, *, dry_run: bool = False) -> ChangeOutcome:
    return run(world, [SNAP_CHANGE], journal, options=RemediationOptions(dry_run=dry_run))[SNAP_KEY]


def test_a_snapshot_is_unshared_journaled_and_read_back() -> None:
    world = world_of(SNAP_EDIT, lag=2.0)
    journal = FakeJournal(world)
    assert run_one(world, journal) == ChangeOutcome(SNAP_EDIT, S.APPLIED)
    assert world.snapshots[SNAP].history == [SHARED, UNSHARED]
    assert world.calls == [(SNAP, UNSHARE)]
    assert journal.lines == [(SNAP_KEY, "intend"), (SNAP_KEY, "applied")]


def test_images_of_the_same_plan_keep_their_launch_permission() -> None:
    world = world_of(SNAP_EDIT)
    world.meddle(AMI, {STRANGER})
    run_one(world)
    assert world.images[AMI].history == [frozenset(), frozenset({STRANGER})]


def test_running_again_calls_nothing_and_takes_no_turn() -> None:
    world = world_of(SNAP_EDIT)
    journal = FakeJournal(world)
    run_one(world, journal)
    world.restart()
    world.calls.clear()
    opener = FakeOpener(world, turn_gap=1000)
    told, seconds = collect(lambda: apply([SNAP_CHANGE], opener, journal, RULES, RemediationOptions(), asyncio.Event()))
    assert told == [ChangeOutcome(SNAP_EDIT, S.ALREADY_DONE)]
    assert (world.calls, len(journal.lines)) == ([], 2)
    assert seconds < 1


def test_images_and_snapshots_do_not_wait_for_each_others_turns() -> None:
    edits = many(30)
    snapshots = [snapshot_edit_of([STRANGER], [], f"snap-{number:03}", (edits[0].image_id,)) for number in range(30)]
    world = world_of(*edits, *snapshots)
    opener, journal = FakeOpener(world, turn_gap=1.0), FakeJournal(world)
    changes: list[Change] = [*map(change_of, edits), *map(snapshot_change_of, snapshots)]
    told, seconds = collect(lambda: apply(changes, opener, journal, RULES, RemediationOptions(), asyncio.Event()))
    assert {one.status for one in told} == {S.APPLIED}
    assert seconds < 35


def test_the_switch_comes_after_the_snapshots() -> None:
    world = world_of(SNAP_EDIT)
    run(world, [SWITCH, SNAP_CHANGE])
    assert world.calls == [(SNAP, UNSHARE), ("eu-central-1", BLOCKED)]


def test_a_dry_run_asks_and_changes_nothing() -> None:
    world = world_of(SNAP_EDIT)
    journal = FakeJournal(world)
    assert run_one(world, journal, dry_run=True).status is S.WOULD_APPLY
    assert (world.calls, world.dry_calls, journal.lines) == ([], [(SNAP, UNSHARE)], [])
    world.faults[SNAP].append(Fault.REFUSED)
    assert run_one(world, dry_run=True) == ChangeOutcome(SNAP_EDIT, S.FAILED, "not permitted", "grant it")
    assert world.snapshots[SNAP].history == [SHARED]


def test_more_grantees_than_a_call_takes_go_in_several_calls_of_five_hundred() -> None:
    strangers = [Account(f"8{number:011}") for number in range(1203)]
    edit = snapshot_edit_of([*strangers, TRUSTED], [TRUSTED])
    world = world_of(edit)
    assert run(world, [snapshot_change_of(edit)])[edit.key].status is S.APPLIED
    assert [len(step.remove) for _, step in world.calls if isinstance(step, Step)] == [500, 500, 203]
    assert tuple(world.snapshots[SNAP].history) == states_between(edit.before, edit.after, most=500)


def test_a_run_that_was_killed_between_two_calls_goes_on() -> None:
    edit = snapshot_edit_of([Account(f"8{number:011}") for number in range(600)], [])
    world = world_of(edit)
    middle = states_between(edit.before, edit.after, most=500)[1]
    world.meddle(SNAP, middle)
    assert run(world, [snapshot_change_of(edit)])[edit.key].status is S.DRIFTED
    journal = FakeJournal(world, edits={edit.key: JournaledChange(edit, None)})
    assert states(world, journal.record)[0].state is ChangeState.IN_PROGRESS
    assert run(world, [snapshot_change_of(edit)], journal)[edit.key].status is S.APPLIED
    assert [len(step.remove) for _, step in world.calls if isinstance(step, Step)] == [100]


# What is left alone


def test_a_grant_added_meanwhile_is_drift_and_named() -> None:
    world = world_of(SNAP_EDIT)
    world.meddle(SNAP, {Everyone(), TRUSTED, OTHER})
    assert run_one(world) == ChangeOutcome(
        SNAP_EDIT,
        S.DRIFTED,
        "its permission to create volumes has changed: grants that appeared: 999999999999; grants that are gone: "
        "888888888888",
    )
    assert world.calls == []


def test_a_snapshot_that_is_gone_has_drifted() -> None:
    world = world_of(SNAP_EDIT)
    del world.snapshots[SNAP]
    assert run_one(world) == ChangeOutcome(SNAP_EDIT, S.DRIFTED, "the snapshot no longer exists")
    assert states(world, [JournaledChange(SNAP_EDIT, S.APPLIED)])[0].state is ChangeState.DRIFTED
    assert undo(world, [JournaledChange(SNAP_EDIT, S.APPLIED)])[SNAP_KEY].status is S.DRIFTED


def test_a_permission_that_cannot_be_read_fails_the_change() -> None:
    world = world_of(SNAP_EDIT)
    world.snapshot_replies[SNAP].append(Unreadable("not permitted: ec2:DescribeSnapshotAttribute", "grant it"))
    reason = "its permission to create volumes could not be read: not permitted: ec2:DescribeSnapshotAttribute"
    assert run_one(world) == ChangeOutcome(SNAP_EDIT, S.FAILED, reason, "grant it")
    assert world.calls == []


def test_a_snapshot_under_an_image_that_is_gone_is_decided_by_those_that_are_left() -> None:
    world = world_of(SNAP_EDIT)
    del world.images[AMI]
    assert run_one(world).status is S.APPLIED


def test_a_snapshot_all_of_whose_images_are_gone_has_drifted_and_is_not_even_read() -> None:
    world = world_of(SNAP_EDIT)
    world.images.clear()
    outcome = run_one(world)
    assert (outcome.status, outcome.reason) == (S.DRIFTED, "no image has it any more")
    assert world.read_counts == {}
    assert world.snapshots[SNAP].history == [SHARED]


@pytest.mark.parametrize("which", [AMI, SECOND])
@pytest.mark.parametrize("how", ["tag", "protected"])
def test_one_held_image_holds_the_snapshot(which: str, how: str) -> None:
    world = world_of(SNAP_EDIT)
    protected: tuple[ImageSelector, ...] = ()
    if how == "tag":
        world.images[which].listed = image(which, tags=(("amiguard:hold", "until friday"),), snapshot_ids=(SNAP,))
        reason = f"its image {which}: it has the tag amiguard:hold"
    else:
        protected = (ImageSelector(ids=(which,)),)
        reason = f"its image {which}: it is in remediation.protected_images of the settings"
    outcome = run(world, [SNAP_CHANGE], options=RemediationOptions(protected=protected))[SNAP_KEY]
    assert outcome == ChangeOutcome(SNAP_EDIT, S.HELD, reason)
    assert world.calls == []


@pytest.mark.parametrize("which", [AMI, SECOND])
def test_one_image_for_which_a_grantee_is_no_longer_untrusted_is_enough(which: str) -> None:
    exception = ImageException(
        ImageSelector(ids=(which,)), (TrustedAccount(STRANGER.account_id),), "marketplace", "owner"
    )
    world = world_of(SNAP_EDIT)
    outcome = run(world, [SNAP_CHANGE], rules=replace(RULES, exceptions=(exception,)))[SNAP_KEY]
    assert (outcome.status, outcome.reason) == (
        S.NO_LONGER_WANTED,
        f"888888888888, which was to be removed, is excepted now for {which}: accepted by owner: marketplace",
    )
    assert world.snapshots[SNAP].history == [SHARED]


@pytest.mark.parametrize("how", ["exception", "tag"])
def test_an_image_that_came_over_the_snapshot_after_the_plan_counts(how: str) -> None:
    newcomer = "ami-0123456789abcdef2"
    world = world_of(SNAP_EDIT)
    tags = (("amiguard:hold", ""),) if how == "tag" else ()
    world.add(image(newcomer, snapshot_ids=("snap-00000000", SNAP), tags=tags), ())
    exception = ImageException(ImageSelector(ids=(newcomer,)), AnyGrantee(), "marketplace", "owner")
    rules = replace(RULES, exceptions=(exception,) if how == "exception" else ())
    outcome = run(world, [SNAP_CHANGE], rules=rules)[SNAP_KEY]
    assert outcome.status is (S.HELD if how == "tag" else S.NO_LONGER_WANTED)
    assert world.calls == []


def test_a_plan_that_names_another_image_than_the_snapshots_is_not_believed() -> None:
    """As someone may write one, digest and all, to get round an exception."""
    unrelated = "ami-0123456789abcdef3"
    world = world_of(SNAP_EDIT)
    world.add(image(unrelated), ())
    forged = snapshot_change_of(replace(SNAP_EDIT, image_ids=(unrelated,)))
    exception = ImageException(ImageSelector(ids=(AMI,)), AnyGrantee(), "marketplace", "owner")
    outcome = run(world, [forged], rules=replace(RULES, exceptions=(exception,)))[SNAP_KEY]
    assert outcome.status is S.NO_LONGER_WANTED
    assert world.calls == []


def test_an_exception_of_an_image_that_is_gone_decides_nothing() -> None:
    exception = ImageException(ImageSelector(ids=(AMI,)), AnyGrantee(), "marketplace", "owner")
    world = world_of(SNAP_EDIT)
    del world.images[AMI]
    assert run(world, [SNAP_CHANGE], rules=replace(RULES, exceptions=(exception,)))[SNAP_KEY].status is S.APPLIED


def test_images_that_cannot_be_listed_fail_images_and_snapshots_alike() -> None:
    world = world_of(EDIT, SNAP_EDIT)
    opener = FakeOpener(world, unlisted={TARGET: Unreadable("denied", "grant it")})
    told = run(world, [CHANGE, SNAP_CHANGE], opener=opener)
    assert {(one.status, one.reason, one.hint) for one in told.values()} == {
        (S.FAILED, "the images could not be listed: denied", "grant it")
    }


def test_a_snapshot_of_another_region_is_not_touched() -> None:
    edit = replace(SNAP_EDIT, target=ELSEWHERE)
    world = world_of(SNAP_EDIT)
    assert run(world, [snapshot_change_of(edit)])[edit.key].status is S.DRIFTED
    assert world.calls == []


# Rolling back


def applied(world: FakeWorld, *, switch: bool = False) -> list[JournaledChange]:
    journal = FakeJournal(world)
    run(world, [CHANGE, SNAP_CHANGE, *([SWITCH] if switch else [])], journal)
    world.restart()
    world.calls.clear()
    return journal.record


def test_a_rollback_restores_images_and_snapshots_whatever_holds_them() -> None:
    world = world_of(EDIT, SNAP_EDIT, lag=2)
    record = applied(world)
    world.images[AMI].listed = image(AMI, tags=(("amiguard:hold", ""),), snapshot_ids=(SNAP,))
    journal = FakeJournal(world)
    told = undo(world, record, journal, RemediationOptions(protected=(ImageSelector(ids=(SECOND,)),)))
    assert told[SNAP_KEY] == ChangeOutcome(SNAP_EDIT.inverse, S.APPLIED)
    assert told[KEY].status is S.APPLIED
    assert world.snapshots[SNAP].history == [SHARED, UNSHARED, SHARED]
    assert JournaledChange(SNAP_EDIT.inverse, S.APPLIED) in journal.record
    world.restart()
    assert {one.status for one in undo(world, record, journal).values()} == {S.ALREADY_DONE}


def test_a_rollback_restores_a_snapshot_whose_images_are_gone() -> None:
    world = world_of(EDIT, SNAP_EDIT)
    record = applied(world)
    world.images.clear()
    told = undo(world, record)
    assert (told[KEY].status, told[SNAP_KEY].status) == (S.DRIFTED, S.APPLIED)
    assert world.snapshots[SNAP].actual == SHARED


def test_a_rollback_leaves_a_snapshot_that_someone_else_has_changed() -> None:
    world = world_of(EDIT, SNAP_EDIT)
    record = applied(world)
    world.meddle(SNAP, {OTHER})
    assert undo(world, record)[SNAP_KEY].status is S.DRIFTED
    assert world.snapshots[SNAP].actual == {OTHER}


def test_the_switch_of_images_neither_hinders_nor_excuses_snapshots() -> None:
    world = world_of(EDIT, SNAP_EDIT)
    record = applied(world, switch=True)
    world.faults[TARGET].append(Fault.REFUSED)
    told = undo(world, record)
    assert told[KEY].reason.startswith("image block public access was not switched off (")
    assert told[SNAP_KEY].status is S.APPLIED


def test_snapshot_block_public_access_refuses_at_once() -> None:
    world = world_of(EDIT, SNAP_EDIT)
    record = applied(world, switch=True)
    world.snapshots_blocked.add(TARGET)
    told = undo(world, record)
    assert (told[SNAP_KEY].status, told[SNAP_KEY].reason) == (S.FAILED, "OperationNotPermitted: snapshots")
    assert [name for name, _ in world.calls].count(SNAP) == 1
    assert told[KEY].status is S.APPLIED
    assert world.snapshots[SNAP].actual == UNSHARED


@pytest.mark.parametrize(
    ("present", "state", "status"),
    [
        (SHARED, ChangeState.AS_BEFORE, S.ALREADY_DONE),
        (UNSHARED, ChangeState.APPLIED, S.APPLIED),
        (frozenset({OTHER}), ChangeState.DRIFTED, S.DRIFTED),
    ],
)
@pytest.mark.parametrize("journaled", [None, S.FAILED, S.UNVERIFIED])
def test_where_a_snapshot_stands_after_a_killed_run(
    present: frozenset[Account | Everyone], state: ChangeState, status: ChangeStatus, journaled: ChangeStatus | None
) -> None:
    world = world_of(SNAP_EDIT)
    world.meddle(SNAP, present)
    record = [JournaledChange(SNAP_EDIT, journaled)]
    assert states(world, record)[0].state is state
    assert undo(world, record)[SNAP_KEY].status is status


def test_the_state_of_what_cannot_be_read() -> None:
    world = world_of(SNAP_EDIT)
    world.snapshot_replies[SNAP].append(Unreadable("denied"))
    (found,) = states(world, [JournaledChange(SNAP_EDIT, None)])
    assert (found.state, found.reason) == (
        ChangeState.UNREADABLE,
        "its permission to create volumes could not be read: denied",
    )
