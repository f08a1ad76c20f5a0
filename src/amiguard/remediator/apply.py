"""Apply a plan: every change is decided anew, journaled, made and read back."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from amiguard.core.decision import Rules
from amiguard.core.edit import states_between
from amiguard.core.image import Image, Unreadable
from amiguard.core.plan import BlockPublicAccessChange, Change, ImageChange
from amiguard.core.planning import decide_anew
from amiguard.core.ports import ChangeJournal, TargetOpener
from amiguard.core.remediation import ChangeOutcome, ChangeStatus, why_held
from amiguard.core.result import Target
from amiguard.remediator.image_edit import edit_image
from amiguard.remediator.pool import IMAGES_AT_ONCE, TARGETS_AT_ONCE, each, told_by
from amiguard.remediator.run import EditRecord, Ending, RemediationOptions, Run, StoppedError, TargetWork
from amiguard.remediator.switch_edit import edit_switch
from amiguard.remediator.targets import by_target, remediate_target


def apply(  # noqa: PLR0917 - the words in which a plan is applied: what, where, by which journal and rules, how
    changes: Sequence[Change],
    opener: TargetOpener,
    journal: ChangeJournal,
    rules: Rules,
    options: RemediationOptions,
    stop: asyncio.Event,
) -> AsyncGenerator[ChangeOutcome]:
    """Make the changes of a plan.

    Args:
        changes: in plan order.
        opener: gives the way into each target.
        journal: of this plan; what an earlier run left in it is continued.
        rules: what decides today; each target puts its own organization into them.
        options: how.
        stop: once it is set, nothing more is begun, and what is under way ends properly. The run sets it itself when
            the journal cannot be written, and after a failure if `options.stop_on_error`.

    Yields:
        One outcome a change, as they end; journaled before, if anything was called. Closing the iterator cancels what
        is under way: the journal then holds intents without an outcome, which the next run resolves.
    """

    async def work(tell: Callable[[ChangeOutcome], None]) -> None:
        run = Run(journal, options, stop, tell)

        async def apply_target(item: tuple[Target, list[Change]]) -> None:
            target, of_target = item
            edits = [change.edit for change in of_target]
            await remediate_target(run, opener, target, edits, partial(_apply_target, changes=of_target, rules=rules))

        targets = by_target(changes, lambda change: change.edit)
        await each(targets.items(), apply_target, at_once=TARGETS_AT_ONCE)

    return told_by(work)


async def _apply_target(work: TargetWork, changes: Sequence[Change], rules: Rules) -> None:
    images = [change for change in changes if isinstance(change, ImageChange)]
    if images:
        await _apply_images(work, images, replace(rules, organization=work.opened.organization))
    for change in changes:
        if isinstance(change, BlockPublicAccessChange):
            # Last: it is what keeps images from being made public again.
            await edit_switch(work, EditRecord(work.run.journal, change.edit), change.edit)


async def _apply_images(work: TargetWork, changes: Sequence[ImageChange], rules: Rules) -> None:
    run = work.run
    records = {change.edit.key: EditRecord(run.journal, change.edit) for change in changes}
    try:
        if any(record.unsettled for record in records.values()):
            await run.settle()
        listed = await run.before_stop(lambda: _list(work, [change.edit.image_id for change in changes]))
    except StoppedError:
        run.end_all((change.edit for change in changes), run.not_tried)
        return
    if isinstance(listed, Unreadable):
        ending = Ending(ChangeStatus.FAILED, f"the images could not be listed: {listed.reason}", listed.hint)
        run.end_all((change.edit for change in changes), ending)
        return

    async def apply_image(change: ImageChange) -> None:
        edit = change.edit
        untouched = _why_untouched(change, listed.get(edit.image_id), rules, run.options)
        if untouched is not None:
            run.end_unbegun(edit, untouched)
            return
        underway = states_between(edit.before, edit.after)
        await edit_image(work, records[edit.key], edit, starts={frozenset(edit.before)}, underway=underway)

    await each(changes, apply_image, at_once=IMAGES_AT_ONCE)


async def _list(work: TargetWork, image_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
    return await work.opened.reader.list_again(image_ids)


def _why_untouched(
    change: ImageChange, image: Image | None, rules: Rules, options: RemediationOptions
) -> Ending | None:
    """Why an image is left alone, before its launch permission is asked for; None if it is not."""
    if image is None:
        return Ending(ChangeStatus.DRIFTED, "the image no longer exists")
    if held := why_held(image, options.protected):
        return Ending(ChangeStatus.HELD, held)
    if unwanted := decide_anew(change, image, rules):
        return Ending(ChangeStatus.NO_LONGER_WANTED, unwanted)
    return None
