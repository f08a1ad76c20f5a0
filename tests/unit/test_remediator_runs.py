"""Applying many changes: several targets, ways to stop, dry runs, image block public access."""

import asyncio
from collections import Counter
from contextlib import aclosing
from dataclasses import replace

import pytest

from amiguard.core.edit import LaunchPermissionEdit
from amiguard.core.image import Unreadable
from amiguard.core.plan import Change
from amiguard.core.remediation import HOLD_TAG, ChangeOutcome, ChangeStatus
from amiguard.remediator import RemediationOptions, apply
from tests.fakes.remediation import FakeJournal, FakeOpener, Fault, KilledError
from tests.fakes.remediation_runs import (
    ADDING,
    AMI,
    BLOCKED,
    CHANGE,
    EDIT,
    ELSEWHERE,
    KEY,
    OTHER,
    REMOVING,
    RULES,
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
    run_one,
    world_of,
)
from tests.fakes.virtual_time import run_in_virtual_time


def test_a_failed_change_does_not_stop_the_others() -> None:
    edits = many(40)
    world = world_of(*edits)
    world.faults["ami-003"].append(Fault.REFUSED)
    told = run(world, [change_of(edit) for edit in edits])
    assert [one.edit.key for one in told.values() if one.status is not S.APPLIED] == [edits[3].key]


def test_stop_on_error_begins_nothing_more_and_ends_what_is_under_way() -> None:
    edits = many(40)
    world = world_of(*edits)
    world.faults["ami-000"].append(Fault.REFUSED)
    journal, opener = FakeJournal(world), FakeOpener(world, turn_gap=0.005)
    options = RemediationOptions(stop_on_error=True)
    told = run(world, [*(change_of(edit) for edit in edits), SWITCH], journal, opener, options)
    by_status = [one.status for one in told.values()]
    assert by_status.count(S.FAILED) == 1
    assert 0 < by_status.count(S.APPLIED) < 16
    assert by_status.count(S.NOT_TRIED) == 40 - by_status.count(S.APPLIED)
    not_tried = told[edits[-1].key]
    assert not_tried.reason == "the run was stopped before its turn: another change failed"
    assert world.switches[TARGET].actual is UNBLOCKED
    assert {key for key, what in journal.lines if what == "intend"} == {
        key for key, what in journal.lines if what != "intend"
    }


def test_stop_reaches_a_change_that_waits_for_its_turn_at_once() -> None:
    edits = many(3)
    world = world_of(*edits)
    opener, journal, stop = FakeOpener(world, turn_gap=1000), FakeJournal(world), asyncio.Event()

    async def main() -> list[ChangeOutcome]:
        asyncio.get_running_loop().call_later(5, stop.set)
        changes = [change_of(edit) for edit in edits]
        return [one async for one in apply(changes, opener, journal, RULES, RemediationOptions(), stop)]

    told, seconds = run_in_virtual_time(main())
    assert {one.edit.image_id: one.status for one in told if isinstance(one.edit, LaunchPermissionEdit)} == {
        "ami-000": S.APPLIED,
        "ami-001": S.NOT_TRIED,
        "ami-002": S.NOT_TRIED,
    }
    assert seconds < 6


def test_stop_reaches_a_target_that_is_being_opened() -> None:
    world = world_of(EDIT)
    opener, stop = FakeOpener(world, opening={TARGET: 1000}), asyncio.Event()

    async def main() -> list[ChangeOutcome]:
        asyncio.get_running_loop().call_later(5, stop.set)
        journal = FakeJournal(world)
        return [one async for one in apply([CHANGE, SWITCH], opener, journal, RULES, RemediationOptions(), stop)]

    told, seconds = run_in_virtual_time(main())
    assert [one.status for one in told] == [S.NOT_TRIED] * 2
    assert seconds < 6


def test_stop_reaches_a_change_that_is_being_read_before_its_first_call() -> None:
    world = world_of(EDIT)
    stop = asyncio.Event()
    world.on_read = lambda image_id: stop.set()
    journal, opener = FakeJournal(world), FakeOpener(world)
    told, _ = collect(lambda: apply([CHANGE], opener, journal, RULES, RemediationOptions(), stop))
    assert [one.status for one in told] == [S.NOT_TRIED]
    assert (world.calls, journal.lines) == ([], [])


def test_a_run_that_is_stopped_before_it_begins_opens_nothing() -> None:
    world = world_of(EDIT)
    opener, stop = FakeOpener(world), asyncio.Event()
    stop.set()
    told, _ = collect(lambda: apply([CHANGE], opener, FakeJournal(world), RULES, RemediationOptions(), stop))
    assert told == [ChangeOutcome(EDIT, S.NOT_TRIED, "the run was stopped before its turn")]
    assert opener.opened == []


@pytest.mark.parametrize("records", [0, 1, 2])
def test_a_journal_that_cannot_be_written_stops_everything(records: int) -> None:
    edits = [EDIT, *many(30)]
    world = world_of(*edits)
    journal = FakeJournal(world, broken_after=records)
    opener = FakeOpener(world, turn_gap=1.0)
    told = run(world, [*(change_of(edit) for edit in edits), SWITCH], journal, opener)
    assert len(world.calls) == min(records, 2)
    statuses = [one.status for one in told.values()]
    assert statuses.count(S.NOT_TRIED) >= 28
    assert world.switches[TARGET].actual is UNBLOCKED
    if records == 0:
        assert told[KEY].status is S.FAILED
        assert told[KEY].reason == "the journal cannot be written: nothing was called: no space left on device"


def test_an_outcome_that_cannot_be_journaled_is_told_truthfully() -> None:
    edit = edit_of([TRUSTED, STRANGER], [TRUSTED])
    world = world_of(edit)
    (outcome,) = run(world, [change_of(edit)], FakeJournal(world, broken_after=1)).values()
    assert outcome.status is S.APPLIED
    assert outcome.reason == "this outcome could not be journaled: no space left on device"


def test_a_journal_that_breaks_between_two_calls_says_how_far_it_came() -> None:
    world = world_of(EDIT)
    outcome = run_one(world, FakeJournal(world, broken_after=1))
    assert outcome.status is S.FAILED
    assert outcome.reason == (
        "the journal cannot be written: nothing more was called: no space left on device (1 of 2 calls had been made)"
        "; this outcome could not be journaled: no space left on device"
    )


def test_a_target_that_cannot_be_opened_or_listed_fails_and_the_others_go_on() -> None:
    edits = [*many(3), *[replace(edit, image_id=f"x{edit.image_id}") for edit in many(3, ELSEWHERE)]]
    changes: list[Change] = [change_of(edit) for edit in edits]
    for problem in ("unreadable", "unlisted"):
        world = world_of(*edits)
        opener = FakeOpener(world, **{problem: {TARGET: Unreadable("denied", "grant it")}})  # type: ignore[arg-type]
        told = run(world, changes, opener=opener)
        assert [told[edit.key].status for edit in edits] == [S.FAILED] * 3 + [S.APPLIED] * 3
        assert told[edits[0].key].reason.endswith("denied")
        assert told[edits[0].key].hint == "grant it"
        assert sorted(one.region for one in opener.opened) == ["eu-central-1", "us-east-1"]


def test_a_slow_target_does_not_hold_back_another() -> None:
    edits = [*many(20), *[replace(edit, image_id=f"x{edit.image_id}") for edit in many(20, ELSEWHERE)]]
    world = world_of(*edits)
    opener = FakeOpener(world, opening={TARGET: 500})

    async def main() -> float:
        changes = [change_of(edit) for edit in edits]
        told = apply(changes, opener, FakeJournal(world), RULES, RemediationOptions(), asyncio.Event())
        async with aclosing(told):
            regions = [(await anext(told)).edit.target.region for _ in range(20)]
        assert set(regions) == {"us-east-1"}
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(main())[0] < 10


def test_many_changes_keep_to_the_pace_of_the_turns() -> None:
    edits = many(100)
    world = world_of(*edits, lag=2.0)
    changes = [change_of(edit) for edit in edits]
    opener, journal = FakeOpener(world, turn_gap=0.2), FakeJournal(world)
    told, seconds = collect(lambda: apply(changes, opener, journal, RULES, RemediationOptions(), asyncio.Event()))
    assert [one.status for one in told] == [S.APPLIED] * 100
    assert seconds < 1.1 * 20 + 3


def test_closing_the_iterator_cancels_the_work() -> None:
    edits = many(100)
    world = world_of(*edits)

    async def main() -> None:
        told = apply(
            [change_of(edit) for edit in edits],
            FakeOpener(world, turn_gap=1.0),
            FakeJournal(world),
            RULES,
            RemediationOptions(),
            asyncio.Event(),
        )
        async with aclosing(told):
            await anext(told)
        calls = len(world.calls)
        await asyncio.sleep(100)
        assert len(world.calls) == calls
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main())


def test_an_error_in_the_program_is_raised_and_leaves_nobody_waiting() -> None:
    world = world_of(EDIT)
    world.calls_left = 4
    with pytest.raises(ExceptionGroup) as raised:
        run_one(world)
    assert raised.group_contains(KilledError)


# Dry runs


def test_a_dry_run_asks_for_each_call_and_changes_and_journals_nothing() -> None:
    world = world_of(EDIT)
    journal = FakeJournal(world)
    told = run(world, [CHANGE, SWITCH], journal, options=RemediationOptions(dry_run=True))
    assert [one.status for one in told.values()] == [S.WOULD_APPLY] * 2
    assert world.dry_calls == [(AMI, ADDING), (AMI, REMOVING), ("eu-central-1", BLOCKED)]
    assert (world.calls, journal.lines, len(world.images[AMI].history)) == ([], [], 1)


@pytest.mark.parametrize("faults", [[Fault.REFUSED], [Fault.LOST_BEFORE] * 3])
def test_a_dry_run_tells_what_would_fail(faults: list[Fault]) -> None:
    world = world_of(EDIT)
    world.faults[AMI].extend(faults)
    world.faults[TARGET].extend(faults)
    journal = FakeJournal(world)
    told = run(world, [CHANGE, SWITCH], journal, options=RemediationOptions(dry_run=True))
    assert [one.status for one in told.values()] == [S.FAILED] * 2
    assert all(one.reason for one in told.values())
    assert journal.lines == []


def test_a_dry_run_finds_drift_and_what_is_done() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, EDIT.after)
    assert run_one(world, dry_run=True).status is S.ALREADY_DONE
    world.meddle(AMI, {OTHER})
    assert run_one(world, dry_run=True).status is S.DRIFTED


# Block public access


def test_block_public_access_comes_last_and_is_read_back() -> None:
    world = world_of(EDIT, switch_lag=400)
    journal = FakeJournal(world)
    told = run(world, [SWITCH, CHANGE], journal)
    assert [one.status for one in told.values()] == [S.APPLIED] * 2
    assert [name for name, _ in world.calls] == [AMI, AMI, "eu-central-1"]
    assert journal.lines[-2:] == [(SWITCH.edit.key, "intend"), (SWITCH.edit.key, "applied")]


def test_block_public_access_that_does_not_show_is_unverified() -> None:
    world = world_of(switch_lag=700)
    (outcome,) = run(world, [SWITCH]).values()
    assert outcome == ChangeOutcome(
        SWITCH.edit,
        S.UNVERIFIED,
        "EC2 accepted the call, and image block public access is still unblocked after 600 s",
    )


def test_block_public_access_that_is_on_already_is_done() -> None:
    world = world_of()
    world.switches[TARGET].become(BLOCKED, 0)
    (outcome,) = run(world, [SWITCH]).values()
    assert outcome.status is S.ALREADY_DONE
    assert world.calls == []


def test_block_public_access_of_a_declarative_policy_fails() -> None:
    world = world_of()
    world.switches[TARGET].managed_by = "declarative-policy"
    (outcome,) = run(world, [SWITCH]).values()
    assert outcome.status is S.FAILED
    assert outcome.reason == "image block public access is unblocked, and a declarative policy holds it"


def test_block_public_access_that_cannot_be_read_fails() -> None:
    world = world_of()
    world.switches[TARGET].unreadable = Unreadable("denied", "grant it")
    (outcome,) = run(world, [SWITCH]).values()
    assert (outcome.status, outcome.hint) == (S.FAILED, "grant it")


@pytest.mark.parametrize(
    ("faults", "status", "calls"),
    [
        ([Fault.REFUSED], S.FAILED, 1),
        ([Fault.LOST_BEFORE], S.APPLIED, 2),
        ([Fault.LOST_AFTER], S.APPLIED, 1),
        ([Fault.LOST_BEFORE] * 3, S.UNVERIFIED, 3),
    ],
)
def test_faults_of_the_switch(faults: list[Fault], status: ChangeStatus, calls: int) -> None:
    world = world_of()
    world.faults[TARGET].extend(faults)
    (outcome,) = run(world, [SWITCH]).values()
    assert outcome.status is status
    assert len(world.calls) == calls


@pytest.mark.parametrize(("records", "called"), [(0, 0), (1, 1)])
def test_the_switch_is_not_touched_without_a_journal(records: int, called: int) -> None:
    world = world_of()
    world.faults[TARGET].append(Fault.LOST_BEFORE)
    (outcome,) = run(world, [SWITCH], FakeJournal(world, broken_after=records)).values()
    assert outcome.status is S.FAILED
    assert outcome.reason.startswith("the journal cannot be written: nothing")
    assert len(world.calls) == called


def test_a_hold_tag_that_is_put_on_while_a_long_plan_is_applied_counts() -> None:
    edits = many(120)
    world, last = world_of(*edits), edits[-1]

    def hold_after_a_while(image_id: str) -> None:
        if len(world.calls) >= 20:
            listed = world.images[last.image_id].listed
            world.images[last.image_id].listed = replace(listed, tags=((HOLD_TAG, ""),))

    world.on_read = hold_after_a_while
    outcomes = run(world, [change_of(edit) for edit in edits])
    assert outcomes[last.key].status is S.HELD
    assert Counter(one.status for one in outcomes.values()) == {S.APPLIED: 119, S.HELD: 1}
