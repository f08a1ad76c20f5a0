"""Apply a plan: every change is decided anew, journaled, made and read back."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from functools import partial

from amiguard.core.decision import Rules
from amiguard.core.image import Unreadable
from amiguard.core.plan import BlockPublicAccessChange, Change, ImageChange, SnapshotChange
from amiguard.core.ports import ChangeJournal, TargetOpener
from amiguard.core.remediation import ChangeOutcome, ChangeStatus
from amiguard.core.result import Target
from amiguard.remediator.fresh_images import FreshImages
from amiguard.remediator.permission_edit import edit_permission
from amiguard.remediator.pool import EDITS_AT_ONCE, TARGETS_AT_ONCE, each, told_by
from amiguard.remediator.reading import states_of_doing
from amiguard.remediator.run import EditRecord, Ending, RemediationOptions, Run, StoppedError, TargetWork
from amiguard.remediator.switch_edit import edit_switch
from amiguard.remediator.targets import by_target, remediate_target
from amiguard.remediator.untouched import PermissionChange, why_untouched


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
    of_permissions = [change for change in changes if isinstance(change, ImageChange | SnapshotChange)]
    if of_permissions:
        await _apply_permissions(work, of_permissions, replace(rules, organization=work.opened.organization))
    for change in changes:
        if isinstance(change, BlockPublicAccessChange):
            # Last: it is what keeps images from being made public again.
            await edit_switch(work, EditRecord(work.run.journal, change.edit), change.edit)


async def _apply_permissions(work: TargetWork, changes: Sequence[PermissionChange], rules: Rules) -> None:
    run = work.run
    records = {change.edit.key: EditRecord(run.journal, change.edit) for change in changes}
    try:
        if any(record.unsettled for record in records.values()):
            await run.settle()
    except StoppedError:
        run.end_all((change.edit for change in changes), run.not_tried)
        return

    async def apply_one(images: FreshImages, change: PermissionChange) -> None:
        edit = change.edit
        try:
            untouched = await _why_untouched(images, change, rules, run)
        except StoppedError:
            untouched = run.not_tried
        if untouched is not None:
            run.end_unbegun(edit, untouched)
            return
        underway = states_of_doing(edit)
        await edit_permission(work, records[edit.key], edit, starts={frozenset(edit.before)}, underway=underway)

    # Side by side: each kind has a bucket of its own, and neither waits for the other's turns.
    async with asyncio.TaskGroup() as group:
        for kind in (ImageChange, SnapshotChange):
            of_kind = [change for change in changes if isinstance(change, kind)]
            images = FreshImages(work.opened.reader, of_kind)
            group.create_task(each(of_kind, partial(apply_one, images), at_once=EDITS_AT_ONCE))


async def _why_untouched(images: FreshImages, change: PermissionChange, rules: Rules, run: Run) -> Ending | None:
    """Why a change is not made, as the images are listed now.

    Raises:
        StoppedError: the run is stopped meanwhile.
    """
    listed = await run.before_stop(lambda: images.by_which_to_decide(change))
    if isinstance(listed, Unreadable):
        return Ending(ChangeStatus.FAILED, f"the images could not be listed: {listed.reason}", listed.hint)
    return why_untouched(change, listed, rules, run.options.protected)
