"""Roll a journal back: what was changed, newest first, and only where it is as the journal left it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from functools import partial

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit, LaunchPermissionEdit, states_between
from amiguard.core.ports import ChangeJournal, TargetOpener
from amiguard.core.remediation import DONE, ChangeOutcome, JournaledChange
from amiguard.core.result import Target
from amiguard.remediator.image_edit import edit_image
from amiguard.remediator.pool import IMAGES_AT_ONCE, TARGETS_AT_ONCE, each, told_by
from amiguard.remediator.reading import State, states_of_undoing
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
    images: list[tuple[JournaledChange, LaunchPermissionEdit]] = []
    for change in changes:
        if isinstance(change.edit, BlockPublicAccessEdit):
            # Before any image is made public again: EC2 would refuse that.
            work = await _undo_switch(work, records[change.edit.key], change, change.edit.inverse)
        else:
            images.append((change, change.edit))

    async def undo_image(item: tuple[JournaledChange, LaunchPermissionEdit]) -> None:
        change, edit = item
        undone_before = run.options.once and records[edit.key].done_earlier
        starts = () if undone_before else _states_left(change, edit)
        underway = states_of_undoing(edit)
        await edit_image(work, records[edit.key], edit.inverse, starts=starts, underway=underway)

    await each(images, undo_image, at_once=IMAGES_AT_ONCE)


def _unsettled(change: JournaledChange, record: EditRecord) -> bool:
    """Whether a call may just have been made whose effect does not show yet: of the change, or of its undoing."""
    return record.unsettled or (change.status in UNSETTLED and not record.done_earlier)


def _states_left(change: JournaledChange, edit: LaunchPermissionEdit) -> tuple[State, ...]:
    """In which states the journal may have left an image."""
    if change.status in DONE:
        return (frozenset(edit.after),)
    return states_between(edit.before, edit.after)


async def _undo_switch(
    work: TargetWork, record: EditRecord, change: JournaledChange, undoing: BlockPublicAccessEdit
) -> TargetWork:
    """Undo image block public access; what that means for the images of the target."""
    ending = await edit_switch(work, record, undoing, even_if_shown=_unsettled(change, record))
    if undoing.after is not BlockPublicAccess.UNBLOCKED:
        return work
    if ending.status not in DONE:
        reason = f"image block public access was not switched off ({ending.status.value}): {ending.reason}"
        return replace(work, public_hindrance=reason)
    return replace(work, public_until=asyncio.get_running_loop().time() + SECONDS_TO_TAKE_EFFECT)
