"""Rolling back over an EC2 in memory, and where journaled changes stand."""

import asyncio
from collections.abc import Sequence

import pytest

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import LaunchPermissionEdit, Step
from amiguard.core.exception import ImageSelector
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.image import Unreadable
from amiguard.core.plan import Change
from amiguard.core.remediation import ChangeOutcome, ChangeState, ChangeStatus, JournaledChange
from amiguard.remediator import RemediationOptions, roll_back
from tests.fakes.images import image
from tests.fakes.remediation import FakeJournal, FakeOpener, FakeWorld, Fault
from tests.fakes.remediation_runs import (
    ADDED,
    AMI,
    BLOCKED,
    CHANGE,
    EDIT,
    KEY,
    MIDDLE,
    OTHER,
    STRANGER,
    SWITCH,
    TARGET,
    TRUSTED,
    UNBLOCKED,
    S,
    change_of,
    collect,
    edit_of,
    many,
    run,
    states,
    undo,
    world_of,
)
from tests.fakes.remediation_states import ALWAYS
from tests.fakes.virtual_time import run_in_virtual_time


def applied(world: FakeWorld, changes: Sequence[Change]) -> list[JournaledChange]:
    journal = FakeJournal(world)
    run(world, changes, journal)
    world.restart()
    world.calls.clear()
    return journal.record


def test_a_rollback_restores_what_was_and_journals_the_inverse() -> None:
    world = world_of(EDIT, lag=2)
    record = applied(world, [CHANGE])
    world.images[AMI].listed = image(AMI, tags=(("amiguard:hold", ""),))
    journal = FakeJournal(world)
    options = RemediationOptions(protected=(ImageSelector(ids=(AMI,)),))
    assert undo(world, record, journal, options) == {KEY: ChangeOutcome(EDIT.inverse, S.APPLIED)}
    assert world.launch_permission(AMI) == frozenset(EDIT.before)
    assert world.calls == [(AMI, Step(add=(Everyone(), STRANGER))), (AMI, Step(remove=(ADDED,)))]
    assert journal.record == [JournaledChange(EDIT.inverse, S.APPLIED)]
    world.restart()
    assert undo(world, record, journal)[KEY].status is S.ALREADY_DONE


def test_a_rollback_goes_newest_first() -> None:
    edits = many(40)
    world = world_of(*edits)
    record = applied(world, [change_of(edit) for edit in edits])
    opener = FakeOpener(world, turn_gap=0.2)
    collect(lambda: roll_back(record, opener, FakeJournal(world), RemediationOptions(), asyncio.Event()))
    assert [name for name, _ in world.calls] == [
        one.edit.image_id for one in reversed(record) if isinstance(one.edit, LaunchPermissionEdit)
    ]


@pytest.mark.parametrize("present", [EDIT.before, MIDDLE, EDIT.after])
@pytest.mark.parametrize("status", [None, S.FAILED, S.UNVERIFIED])
def test_a_rollback_resolves_what_a_killed_run_left(
    present: frozenset[Grantee] | tuple[Grantee, ...], status: ChangeStatus | None
) -> None:
    world = world_of(EDIT)
    world.meddle(AMI, present)
    outcome = undo(world, [JournaledChange(EDIT, status)])[KEY]
    assert outcome.status is (S.ALREADY_DONE if present == EDIT.before else S.APPLIED)
    assert world.launch_permission(AMI) == frozenset(EDIT.before)


def test_what_ec2_refused_is_not_undone_whoever_made_it_since() -> None:
    world = world_of(EDIT)
    world.faults[AMI].append(Fault.REFUSED)
    world.faults[TARGET].append(Fault.REFUSED)
    record = applied(world, [CHANGE, SWITCH])
    assert [(one.status, one.may_have_effect) for one in record] == [(S.FAILED, False)] * 2

    # An administrator does by hand what the plan was refused.
    world.meddle(AMI, EDIT.after)
    world.switches[TARGET].become(BLOCKED, ALWAYS)
    outcomes = undo(world, record)
    assert {key: one.status for key, one in outcomes.items()} == {KEY: S.DRIFTED, SWITCH.edit.key: S.DRIFTED}
    assert world.calls == []


def test_what_ec2_refused_is_nothing_to_undo() -> None:
    world = world_of(EDIT)
    world.faults[AMI].append(Fault.REFUSED)
    assert undo(world, applied(world, [CHANGE]))[KEY].status is S.ALREADY_DONE


@pytest.mark.parametrize("first", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_refusal_after_a_call_without_a_reply_leaves_it_open(first: Fault) -> None:
    world = world_of(EDIT, lag=60)
    world.faults[AMI].extend([first, Fault.REFUSED])
    (one,) = applied(world, [CHANGE])
    assert one.may_have_effect


def test_a_second_apply_continues_nothing_that_was_refused() -> None:
    world = world_of(EDIT)
    world.faults[AMI].append(Fault.REFUSED)
    journal = FakeJournal(world)
    run(world, [CHANGE], journal)
    world.restart()
    world.meddle(AMI, MIDDLE)
    assert run(world, [CHANGE], journal)[KEY].status is S.DRIFTED


def test_what_was_undone_before_is_left_as_it_is_since() -> None:
    world = world_of(EDIT)
    record = applied(world, [CHANGE, SWITCH])
    undone = frozenset(one.edit.key for one in record)
    undo(world, record)
    world.restart()
    world.calls.clear()
    world.meddle(AMI, EDIT.after)
    world.switches[TARGET].become(BLOCKED, ALWAYS)
    outcomes = undo(world, record, FakeJournal(world), RemediationOptions(undone=undone))
    assert {key: one.status for key, one in outcomes.items()} == {KEY: S.DRIFTED, SWITCH.edit.key: S.DRIFTED}
    assert world.calls == []


def test_a_rollback_waits_for_the_last_call_of_a_killed_run_to_show() -> None:
    world = world_of(EDIT)
    world.images[AMI].become(MIDDLE, 4.0)
    assert undo(world, [JournaledChange(EDIT, None)])[KEY].status is S.APPLIED
    assert world.launch_permission(AMI) == frozenset(EDIT.before)


@pytest.mark.parametrize(
    ("present", "status"), [({OTHER}, None), (MIDDLE, S.APPLIED), ({*EDIT.after, OTHER}, S.APPLIED)]
)
def test_a_rollback_leaves_what_someone_else_has_changed(
    present: set[Grantee] | frozenset[Grantee], status: ChangeStatus | None
) -> None:
    world = world_of(EDIT)
    world.meddle(AMI, present)
    outcome = undo(world, [JournaledChange(EDIT, status)])[KEY]
    assert outcome.status is S.DRIFTED
    assert outcome.reason.startswith("its launch permission has changed: grants that ")
    assert world.calls == []


def test_a_rollback_of_an_image_that_is_gone_has_drifted() -> None:
    assert undo(FakeWorld(), [JournaledChange(EDIT, S.APPLIED)])[KEY].status is S.DRIFTED


def test_a_rollback_that_was_killed_is_continued_by_its_own_journal() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, MIDDLE)
    journal = FakeJournal(world, edits={KEY: JournaledChange(EDIT.inverse, None)})
    assert undo(world, [JournaledChange(EDIT, S.APPLIED)], journal)[KEY].status is S.APPLIED
    assert world.launch_permission(AMI) == frozenset(EDIT.before)


def test_a_rollback_that_goes_from_the_middle_passes_through_states_of_its_own() -> None:
    """Of 2,500 additions 2,000 were made; their removal was killed after the first 1,000."""
    added = [Account(f"2{number:011}") for number in range(2500)]
    edit = edit_of([TRUSTED], [TRUSTED, *added])
    world = world_of(edit)
    world.meddle(AMI, [TRUSTED, *added[1000:2000]])
    record = [JournaledChange(edit, None)]
    assert states(world, record)[0].state is ChangeState.IN_PROGRESS
    assert undo(world, record)[edit.key].status is S.DRIFTED
    journal = FakeJournal(world, edits={edit.key: JournaledChange(edit.inverse, None)})
    assert undo(world, record, journal)[edit.key].status is S.APPLIED
    assert world.launch_permission(AMI) == {TRUSTED}


def test_a_dry_run_of_a_rollback_with_the_switch_on() -> None:
    world = world_of(EDIT)
    record = applied(world, [CHANGE, SWITCH])
    told = undo(world, record, options=RemediationOptions(dry_run=True))
    assert [one.status for one in told.values()] == [S.WOULD_APPLY] * 2
    assert world.calls == []


def test_the_switch_is_off_before_images_are_public_again() -> None:
    world = world_of(EDIT)
    record = applied(world, [CHANGE, SWITCH])
    world.switch_lag = lambda: 300
    told = undo(world, record)
    assert [one.status for one in told.values()] == [S.APPLIED] * 2
    assert [name for name, _ in world.calls] == ["eu-central-1", AMI, AMI]
    assert world.launch_permission(AMI) == frozenset(EDIT.before)


@pytest.mark.parametrize(("refusals", "status"), [(15, S.APPLIED), (100, S.FAILED)])
def test_ec2_may_refuse_public_images_for_minutes_after_the_switch(refusals: int, status: ChangeStatus) -> None:
    world = world_of(EDIT)
    record = applied(world, [CHANGE, SWITCH])
    world.faults[AMI].extend([Fault.BLOCKED] * refusals)
    assert undo(world, record)[KEY].status is status
    assert len(world.calls) < 40


def test_without_a_switch_of_ours_a_blocked_image_fails_at_once() -> None:
    world = world_of(EDIT)
    record = applied(world, [CHANGE])
    world.switches[TARGET].become(BLOCKED, 0)
    outcome = undo(world, record)[KEY]
    assert (outcome.status, outcome.reason) == (S.FAILED, "OperationNotPermitted")
    assert len(world.calls) == 1


@pytest.mark.parametrize("fault", ["refused", "late"])
def test_images_are_not_made_public_in_vain_while_the_switch_is_on(fault: str) -> None:
    private = edit_of([TRUSTED, STRANGER], [TRUSTED], "ami-private")
    world = world_of(EDIT, private)
    record = applied(world, [CHANGE, change_of(private), SWITCH])
    if fault == "refused":
        world.faults[TARGET].append(Fault.REFUSED)
    else:
        world.switch_lag = lambda: 1000
    told = undo(world, record)
    assert told[SWITCH.edit.key].status is (S.FAILED if fault == "refused" else S.UNVERIFIED)
    assert told[KEY].status is S.FAILED
    assert told[KEY].reason.startswith("image block public access was not switched off (")
    assert told[private.key].status is S.APPLIED
    assert AMI not in {name for name, _ in world.calls}


def test_a_switch_whose_call_may_still_take_effect_is_switched_off_though_it_shows_off() -> None:
    world = world_of()
    world.switches[TARGET].become(BLOCKED, 300)
    journal = FakeJournal(world)
    assert undo(world, [JournaledChange(SWITCH.edit, None)], journal)[SWITCH.edit.key].status is S.APPLIED
    assert world.calls == [("eu-central-1", UNBLOCKED)]
    assert undo(world, [JournaledChange(SWITCH.edit, None)], journal)[SWITCH.edit.key].status is S.ALREADY_DONE


@pytest.mark.parametrize(("lost", "status"), [(1, S.APPLIED), (3, S.UNVERIFIED)])
def test_without_a_reply_what_shows_off_is_no_proof_while_an_earlier_call_may_take_effect(
    lost: int, status: ChangeStatus
) -> None:
    world = world_of()
    world.switches[TARGET].become(BLOCKED, 300)
    world.faults[TARGET].extend([Fault.LOST_BEFORE] * lost)
    outcome = undo(world, [JournaledChange(SWITCH.edit, None)])[SWITCH.edit.key]
    assert outcome.status is status
    assert (world.switches[TARGET].actual is UNBLOCKED) is (status is S.APPLIED)


def test_a_stopped_rollback_tries_nothing() -> None:
    world = world_of(EDIT)
    stop = asyncio.Event()
    record = [JournaledChange(EDIT, None), JournaledChange(SWITCH.edit, None)]

    async def main() -> list[ChangeOutcome]:
        asyncio.get_running_loop().call_later(1, stop.set)  # while the last calls settle
        told = roll_back(record, FakeOpener(world), FakeJournal(world), RemediationOptions(), stop)
        return [one async for one in told]

    told, seconds = run_in_virtual_time(main())
    assert [one.status for one in told] == [S.NOT_TRIED] * 2
    assert seconds < 2
    assert world.calls == []


def test_a_rollback_of_a_target_that_cannot_be_opened_fails() -> None:
    world = world_of(EDIT)
    opener = FakeOpener(world, unreadable={TARGET: Unreadable("denied", "grant it")})
    told, _ = collect(
        lambda: roll_back(
            [JournaledChange(EDIT, None)], opener, FakeJournal(world), RemediationOptions(), asyncio.Event()
        )
    )
    assert told == [ChangeOutcome(EDIT.inverse, S.FAILED, "denied", "grant it")]


# Where changes stand


@pytest.mark.parametrize(
    ("present", "state"),
    [
        (EDIT.before, ChangeState.AS_BEFORE),
        (MIDDLE, ChangeState.IN_PROGRESS),
        (EDIT.after, ChangeState.APPLIED),
        ((OTHER,), ChangeState.DRIFTED),
    ],
)
def test_the_state_of_an_image(present: Sequence[Grantee], state: ChangeState) -> None:
    world = world_of(EDIT)
    world.meddle(AMI, present)
    (found,) = states(world, [JournaledChange(EDIT, None)])
    assert found.state is state
    assert bool(found.reason) is (state in {ChangeState.DRIFTED, ChangeState.IN_PROGRESS})


def test_the_state_of_what_cannot_be_read() -> None:
    world = world_of(EDIT)
    record = [JournaledChange(EDIT, None), JournaledChange(SWITCH.edit, None)]
    denied = Unreadable("denied")
    told = states(world, record, FakeOpener(world, unreadable={TARGET: denied}))
    assert [(one.state, one.reason) for one in told] == [(ChangeState.UNREADABLE, "denied")] * 2
    world.replies[AMI].append(denied)
    world.switches[TARGET].unreadable = denied
    assert [one.state for one in states(world, record)] == [ChangeState.UNREADABLE] * 2
    world.images.clear()
    (gone,) = states(world, record[:1])
    assert (gone.state, gone.reason) == (ChangeState.DRIFTED, "the image no longer exists")


@pytest.mark.parametrize(("present", "state"), [(BLOCKED, ChangeState.APPLIED), (UNBLOCKED, ChangeState.AS_BEFORE)])
def test_the_state_of_a_switch(present: BlockPublicAccess, state: ChangeState) -> None:
    world = world_of()
    world.switches[TARGET].become(present, float("-inf"))
    (found,) = states(world, [JournaledChange(SWITCH.edit, None)])
    assert found.state is state
