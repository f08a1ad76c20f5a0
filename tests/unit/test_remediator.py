"""Applying over an EC2 in memory: every way in which the change of one image can end."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from amiguard.core.decision import rules_in_force
from amiguard.core.edit import Step, states_between
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone, Unrecognized
from amiguard.core.image import ImageNotFound, ImageUnavailable, LaunchPermission, Unreadable
from amiguard.core.organization import Members, NoOrganization, OwnOrganization
from amiguard.core.remediation import ChangeOutcome, ChangeStatus, JournaledChange
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from amiguard.remediator import RemediationOptions, apply
from tests.fakes.images import OWNER, image
from tests.fakes.remediation import FakeJournal, FakeOpener, FakeWorld, Fault
from tests.fakes.remediation_runs import (
    ADDING,
    AMI,
    CHANGE,
    EDIT,
    KEY,
    MIDDLE,
    OTHER,
    POLICY,
    REMOVING,
    RULES,
    STRANGER,
    TARGET,
    TRUSTED,
    S,
    change_of,
    collect,
    edit_of,
    run,
    run_one,
    world_of,
)


def test_adds_come_first_and_are_read_back_before_the_removes() -> None:
    world = world_of(EDIT, lag=2.0)
    journal = FakeJournal(world)
    assert run_one(world, journal) == ChangeOutcome(EDIT, S.APPLIED)
    assert world.images[AMI].history == [frozenset(EDIT.before), MIDDLE, frozenset(EDIT.after)]
    assert world.calls == [(AMI, ADDING), (AMI, REMOVING)]
    (_, added_at), (_, removed_at) = [(state, at) for at, state in world.images[AMI].states][1:]
    assert removed_at - added_at >= 2.0
    assert journal.lines == [(KEY, "intend"), (KEY, "intend"), (KEY, "applied")]


def test_running_again_calls_nothing_and_takes_no_turn() -> None:
    world = world_of(EDIT)
    journal = FakeJournal(world)
    run_one(world, journal)
    world.restart()
    world.calls.clear()
    opener = FakeOpener(world, turn_gap=1000)
    told, seconds = collect(lambda: apply([CHANGE], opener, journal, RULES, RemediationOptions(), asyncio.Event()))
    assert told == [ChangeOutcome(EDIT, S.ALREADY_DONE)]
    assert (world.calls, len(journal.lines)) == ([], 3)
    assert seconds < 1


def test_more_grantees_than_a_call_takes_go_in_several_calls() -> None:
    strangers = [Account(f"8{number:011}") for number in range(2500)]
    edit = edit_of([*strangers, TRUSTED], [TRUSTED])
    world = world_of(edit)
    assert run(world, [change_of(edit)])[edit.key].status is S.APPLIED
    assert [len(step.remove) for _, step in world.calls if isinstance(step, Step)] == [1000, 1000, 500]
    assert tuple(world.images[AMI].history) == states_between(edit.before, edit.after)


def test_an_image_that_is_gone_has_drifted() -> None:
    assert run_one(FakeWorld()) == ChangeOutcome(EDIT, S.DRIFTED, "the image no longer exists")


@pytest.mark.parametrize(
    ("listed", "protected"),
    [
        (image(AMI, tags=(("amiguard:hold", ""),)), ()),
        (image(AMI, name="keep-me"), (ImageSelector(names=("keep-*",)),)),
    ],
)
def test_a_held_image_is_left_alone(listed: object, protected: tuple[ImageSelector, ...]) -> None:
    world = world_of(EDIT)
    world.images[AMI].listed = listed  # type: ignore[assignment]
    outcome = run(world, [CHANGE], options=RemediationOptions(protected=protected))[KEY]
    assert outcome.status is S.HELD
    assert outcome.reason
    assert world.calls == []


def test_what_an_exception_accepts_today_is_no_longer_wanted() -> None:
    exception = ImageException(ImageSelector(ids=(AMI,)), AnyGrantee(), "marketplace", "owner")
    rules = replace(RULES, exceptions=(exception,))
    world = world_of(EDIT)
    outcome = run(world, [CHANGE], rules=rules)[KEY]
    assert outcome.status is S.NO_LONGER_WANTED
    assert world.calls == []


def test_it_is_decided_by_the_organization_of_the_opened_target() -> None:
    rules = rules_in_force(
        TrustPolicy((*POLICY.entries, TrustEntry(parse_trustee("own")))),
        (),
        today=date(2026, 6, 15),
        organization=NoOrganization(),
    )
    world = world_of(EDIT)
    own = OwnOrganization("o-abcdefghij", OWNER, Members({STRANGER.account_id: ()}))
    opener = FakeOpener(world, organizations={TARGET: own})
    assert run(world, [CHANGE], opener=opener, rules=rules)[KEY].status is S.NO_LONGER_WANTED
    assert run(world, [CHANGE], rules=rules)[KEY].status is S.APPLIED


def test_a_grant_added_meanwhile_is_drift_and_named() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, {Everyone(), TRUSTED, OTHER})
    assert run_one(world) == ChangeOutcome(
        EDIT,
        S.DRIFTED,
        "its launch permission has changed: grants that appeared: 999999999999; grants that are gone: 888888888888",
    )
    assert world.calls == []


def test_the_words_about_drift_are_bounded() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, {*EDIT.before, Unrecognized("x" * 9999), *(Account(f"7{n:011}") for n in range(900))})
    reason = run_one(world).reason
    assert len(reason) < 500
    assert reason.endswith(" and 898 more")


def test_what_is_after_already_is_done_and_not_journaled() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, EDIT.after)
    journal = FakeJournal(world)
    assert run_one(world, journal).status is S.ALREADY_DONE
    assert journal.lines == []


@pytest.mark.parametrize(
    ("reply", "state", "status", "reason"),
    [
        (Unreadable("HTTP 500", "wait"), "available", S.FAILED, "its launch permission could not be read: HTTP 500"),
        (
            ImageUnavailable("x"),
            "disabled",
            S.DRIFTED,
            "the image is disabled: AWS has removed its launch permission",
        ),
        (
            ImageUnavailable("x"),
            "pending",
            S.FAILED,
            "EC2 does not give the launch permission of an image that is pending",
        ),
        (
            ImageNotFound(),
            "available",
            S.FAILED,
            "EC2 lists the image, and does not know it when asked for its launch permission",
        ),
    ],
)
def test_what_cannot_be_read_just_before_is_left_alone(
    reply: Unreadable | ImageUnavailable | ImageNotFound, state: str, status: ChangeStatus, reason: str
) -> None:
    world = world_of(EDIT)
    world.images[AMI].listed = image(AMI, state=state)
    world.replies[AMI].append(reply)
    outcome = run_one(world)
    assert (outcome.status, outcome.reason) == (status, reason)
    assert outcome.hint == ("wait" if isinstance(reply, Unreadable) else None)
    assert world.calls == []


def test_an_image_that_vanishes_after_the_listing_has_drifted() -> None:
    world = world_of(EDIT)
    world.on_read = lambda image_id: world.images.clear()
    assert run_one(world) == ChangeOutcome(EDIT, S.DRIFTED, "the image no longer exists")


@pytest.mark.parametrize("status", [None, S.FAILED, S.UNVERIFIED])
def test_a_state_between_is_continued_when_the_journal_knows_that_it_was_begun(status: ChangeStatus | None) -> None:
    world = world_of(EDIT)
    world.meddle(AMI, MIDDLE)
    journal = FakeJournal(world, edits={KEY: JournaledChange(EDIT, status)})
    assert run_one(world, journal).status is S.APPLIED
    assert world.calls == [(AMI, REMOVING)]


@pytest.mark.parametrize("status", ["never begun", S.APPLIED, S.ALREADY_DONE])
def test_a_state_between_is_drift_otherwise(status: ChangeStatus | str) -> None:
    world = world_of(EDIT)
    world.meddle(AMI, MIDDLE)
    journal = FakeJournal(world, edits={KEY: JournaledChange(EDIT, status)} if isinstance(status, ChangeStatus) else {})
    assert run_one(world, journal).status is S.DRIFTED


def test_the_journal_of_another_edit_continues_nothing() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, MIDDLE)
    journal = FakeJournal(world, edits={KEY: JournaledChange(EDIT.inverse, None)})
    assert run_one(world, journal).status is S.DRIFTED


def test_an_intent_of_a_killed_run_that_had_effect_is_concluded() -> None:
    world = world_of(EDIT)
    world.meddle(AMI, EDIT.after)
    journal = FakeJournal(world, edits={KEY: JournaledChange(EDIT, None)})
    assert run_one(world, journal).status is S.ALREADY_DONE
    assert journal.lines == [(KEY, "already_done")]


def test_a_refused_call_fails_and_says_how_far_it_came() -> None:
    world = world_of(EDIT)
    world.faults[AMI].append(Fault.REFUSED)
    journal = FakeJournal(world)
    assert run_one(world, journal) == ChangeOutcome(EDIT, S.FAILED, "not permitted", "grant it")
    assert journal.lines == [(KEY, "intend"), (KEY, "failed")]
    world.faults[AMI].extend([Fault.THROTTLED, Fault.REFUSED])
    assert run_one(world, journal).reason == "not permitted (1 of 2 calls had been made)"
    assert world.launch_permission(AMI) == MIDDLE
    assert run_one(world, journal).status is S.APPLIED


def test_what_is_accepted_and_never_shows_is_unverified() -> None:
    world = world_of(EDIT, lag=100)
    journal = FakeJournal(world)
    outcome = run_one(world, journal)
    assert (outcome.status, outcome.reason) == (
        S.UNVERIFIED,
        "EC2 accepted the call, and does not show it after 30 s",
    )
    assert journal.lines[-1] == (KEY, "unverified")
    assert world.calls == [(AMI, ADDING)]


@pytest.mark.parametrize("lag", [0.3, 5.0, 24.0])
def test_what_shows_late_is_applied(lag: float) -> None:
    assert run_one(world_of(EDIT, lag=lag)).status is S.APPLIED


def meddling(world: FakeWorld, at_read: int) -> None:
    """Someone else changes the image just before it is read for so many a time."""

    def on_read(image_id: str) -> None:
        if world.read_counts[image_id] == at_read:
            world.meddle(image_id, {TRUSTED, OTHER})

    world.on_read = on_read


def test_a_third_state_after_the_call_is_unverified_with_what_is_seen() -> None:
    world = world_of(EDIT)
    meddling(world, 2)
    outcome = run_one(world)
    assert outcome.status is S.UNVERIFIED
    assert outcome.reason.startswith(
        "the launch permission is not what the call leads to: grants that appeared: 999999999999; grants that are gone:"
    )
    assert world.calls == [(AMI, ADDING)]


def test_a_third_state_between_the_calls_stops_the_change() -> None:
    world = world_of(EDIT)
    meddling(world, 3)
    outcome = run_one(world)
    assert outcome.status is S.FAILED
    assert outcome.reason.startswith("someone else has changed the launch permission: grants that appeared: 9999")
    assert outcome.reason.endswith("(1 of 2 calls had been made)")
    assert world.calls == [(AMI, ADDING)]


def test_reading_back_that_fails_is_unverified() -> None:
    world = world_of(EDIT)

    def on_read(image_id: str) -> None:
        if world.read_counts[image_id] >= 2:
            world.replies[image_id].append(Unreadable("HTTP 503"))

    world.on_read = on_read
    outcome = run_one(world)
    assert (outcome.status, outcome.reason) == (
        S.UNVERIFIED,
        "the launch permission could not be read back: HTTP 503",
    )


def test_reading_back_survives_a_moment_in_which_it_cannot() -> None:
    world = world_of(EDIT)
    world.replies[AMI].extend(
        [LaunchPermission(EDIT.before), Unreadable("HTTP 503"), ImageNotFound(), ImageUnavailable("x")]
    )
    assert run_one(world).status is S.APPLIED


def test_no_reading_before_the_second_call_fails() -> None:
    world = world_of(EDIT)

    def on_read(image_id: str) -> None:
        if world.read_counts[image_id] >= 3:
            world.replies[image_id].append(Unreadable("HTTP 503"))

    world.on_read = on_read
    outcome = run_one(world)
    assert (outcome.status, outcome.reason) == (
        S.FAILED,
        "the launch permission could not be read before the next call: HTTP 503 (1 of 2 calls had been made)",
    )


def test_an_older_state_that_shows_once_more_between_the_calls_is_only_late() -> None:
    world = world_of(EDIT)
    world.replies[AMI].extend(LaunchPermission(tuple(state)) for state in (EDIT.before, MIDDLE, EDIT.before))
    assert run_one(world).status is S.APPLIED
    assert world.calls == [(AMI, ADDING), (AMI, REMOVING)]


def test_a_change_that_someone_takes_back_between_the_calls_is_not_made_again() -> None:
    world = world_of(EDIT)

    def on_read(image_id: str) -> None:
        if world.read_counts[image_id] == 3:
            world.meddle(image_id, EDIT.before)

    world.on_read = on_read
    outcome = run_one(world)
    assert outcome.status is S.FAILED
    assert outcome.reason.startswith("the launch permission is again as it was before the last call")


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
@pytest.mark.parametrize("lag", [0.0, 3.0])
def test_a_lost_reply_is_settled_by_reading(fault: Fault, lag: float) -> None:
    world = world_of(EDIT, lag=lag)
    world.faults[AMI].append(fault)
    assert run_one(world).status is S.APPLIED
    again = [(AMI, ADDING)] if fault is Fault.LOST_BEFORE else []
    assert world.calls == [*again, (AMI, ADDING), (AMI, REMOVING)]


def test_an_effect_that_shows_after_the_wait_is_not_called_for_again() -> None:
    world = world_of(EDIT, lag=7.2)
    world.faults[AMI].append(Fault.LOST_AFTER)
    assert run_one(world).status is S.APPLIED
    assert world.calls == [(AMI, ADDING), (AMI, REMOVING)]


def test_three_lost_calls_fail() -> None:
    world = world_of(EDIT)
    world.faults[AMI].extend([Fault.LOST_BEFORE] * 3)
    outcome = run_one(world)
    assert (outcome.status, outcome.reason) == (
        S.FAILED,
        "3 calls had no usable reply, and no effect: connection reset",
    )
    assert world.calls == [(AMI, ADDING)] * 3


def test_a_lost_reply_and_a_third_state_is_unverified() -> None:
    world = world_of(EDIT)
    world.faults[AMI].append(Fault.LOST_BEFORE)
    meddling(world, 2)
    assert run_one(world).status is S.UNVERIFIED
