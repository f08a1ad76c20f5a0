"""Roll a journal back: what was changed, newest first, and only where it is as the journal left it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import (
    BlockPublicAccessEdit,
    CreateVolumePermissionEdit,
    LaunchPermissionEdit,
    PermissionEdit,
)
from amiguard.core.ports import ChangeJournal, TargetOpener
from amiguard.core.remediation import DONE, ChangeOutcome, JournaledChange
from amiguard.core.result import Target
from amiguard.remediator.permission import State
from amiguard.remediator.permission_edit import edit_permission
from amiguard.remediator.pool import EDITS_AT_ONCE, TARGETS_AT_ONCE, each, told_by
from amiguard.remediator.reading import states_of_doing, states_of_undoing
from amiguard.remediator.run import UNSETTLED, EditRecord, RemediationOptions, Run, StoppedError, TargetWork
from amiguard.remediator.switch_edit import SECONDS_TO_TAKE_EFFECT, edit_switch
from amiguard.remediator.targets import by_target, remediate_target


def roll_back(
    record: Sequence[JournaledChange],
    opener: TargetOpener,
    journal: ChangeJournal,
    options: RemediationOptions,
    stop: asyncio.Event,
) -> AsyncGenerator[ChangeOutcome]:
    """Undo what a journal says was changed. It restores what was: no policy, no hold tag and no protection counts.

    Args:
        record: the journal that is rolled back, oldest first.
        opener: gives the way into each target.
        journal: of this rollback: it gets the inverse edits.
        options: how; `protected` is not asked.
        stop: as for `apply`.

    Yields:
        One outcome a journaled change, of its inverse edit, as they end.
    """

    async def work(tell: Callable[[ChangeOutcome], None]) -> None:
        run = Run(journal, options, stop, tell)

        async def undo_target(item: tuple[Target, list[JournaledChange]]) -> None:
            target, of_target = item
            edits = [change.edit.inverse for change in of_target]
            await remediate_target(run, opener, target, edits, partial(_undo_target, changes=of_target))

        targets = by_target(reversed(record), lambda change: change.edit)
        await each(targets.items(), undo_target, at_once=TARGETS_AT_ONCE)

    return told_by(work)


async def _undo_target(work: TargetWork, changes: Sequence[JournaledChange]) -> None:
    run = work.run
    records = {change.edit.key: EditRecord(run.journal, change.edit.inverse) for change in changes}
    try:
        if any(_unsettled(change, records[change.edit.key]) for change in changes):
            await run.settle()
    except StoppedError:
        run.end_all((change.edit.inverse for change in changes), run.not_tried)
        return
    of_images = work
    images: list[tuple[JournaledChange, PermissionEdit]] = []
    snapshots: list[tuple[JournaledChange, PermissionEdit]] = []
    for change in changes:
        match change.edit:
            case BlockPublicAccessEdit():
                # Before any image is made public again: EC2 would refuse that.
                of_images = await _undo_switch(work, records[change.edit.key], change, change.edit.inverse)
            case LaunchPermissionEdit():
                images.append((change, change.edit))
            case CreateVolumePermissionEdit():
                snapshots.append((change, change.edit))
            case _:
                assert_never(change.edit)

    async def undo(work: TargetWork, item: tuple[JournaledChange, PermissionEdit]) -> None:
        change, edit = item
        starts = () if edit.key in run.options.undone else _states_left(change, edit)
        underway = states_of_undoing(edit)
        await edit_permission(work, records[edit.key], edit.inverse, starts=starts, underway=underway)

    # Side by side: each kind has a bucket of its own, and the switch of images says nothing of snapshots.
    async with asyncio.TaskGroup() as group:
        group.create_task(each(images, partial(undo, of_images), at_once=EDITS_AT_ONCE))
        group.create_task(each(snapshots, partial(undo, work), at_once=EDITS_AT_ONCE))


def _unsettled(change: JournaledChange, record: EditRecord) -> bool:
    """Whether a call may just have been made whose effect does not show yet: of the change, or of its undoing."""
    return record.unsettled or (change.status in UNSETTLED and not record.done_earlier)


def _states_left(change: JournaledChange, edit: PermissionEdit) -> tuple[State, ...]:
    """In which states the journal may have left a permission; where nothing had effect, each is someone else's."""
    if change.status in DONE:
        return (frozenset(edit.after),)
    return states_of_doing(edit) if change.may_have_effect else ()


async def _undo_switch(
    work: TargetWork, record: EditRecord, change: JournaledChange, undoing: BlockPublicAccessEdit
) -> TargetWork:
    """Undo image block public access; what that means for the images of the target."""
    not_ours = ""
    if undoing.key in work.run.options.undone:
        not_ours = "it was undone before, and has been set again since"
    elif not change.may_have_effect:
        not_ours = "EC2 refused the journaled change, so that someone else has made it"
    unsettled = not not_ours and _unsettled(change, record)
    ending = await edit_switch(work, record, undoing, even_if_shown=unsettled, not_ours=not_ours)
    if undoing.after is not BlockPublicAccess.UNBLOCKED:
        return work
    if ending.status not in DONE:
        reason = f"image block public access was not switched off ({ending.status.value}): {ending.reason}"
        return replace(work, public_hindrance=reason)
    return replace(work, public_until=asyncio.get_running_loop().time() + SECONDS_TO_TAKE_EFFECT)
