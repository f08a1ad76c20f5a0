"""One permission: is it still as the edit takes it to be? Then lead it to where the edit ends."""

from collections.abc import Collection

from amiguard.core.edit import PermissionEdit
from amiguard.core.remediation import ChangeStatus
from amiguard.remediator.permission import State, Unread, permission_of
from amiguard.remediator.reading import what_differs
from amiguard.remediator.run import EditRecord, Ending, StoppedError, TargetWork
from amiguard.remediator.steps import Steps


async def edit_permission(
    work: TargetWork,
    record: EditRecord,
    edit: PermissionEdit,
    *,
    starts: Collection[State],
    underway: Collection[State],
) -> None:
    """Lead one permission to `edit.after`, and tell how that ended.

    Args:
        work: the target of the image or snapshot.
        record: what the run's journal knows of the edit.
        edit: before and after.
        starts: the states from which it may be begun.
        underway: the states that its own calls pass through: it is continued from them, if an earlier run began it.
    """
    allowed = {*starts, *underway} if record.unfinished else set(starts)
    try:
        ending = await _edit(work, record, edit, allowed)
    except StoppedError:
        ending = work.run.not_tried
    work.run.end(record, ending)


async def _edit(work: TargetWork, record: EditRecord, edit: PermissionEdit, allowed: Collection[State]) -> Ending:
    run, permission = work.run, permission_of(edit, work.opened)
    goal = frozenset(edit.after)
    already_done = Ending(ChangeStatus.ALREADY_DONE)
    if record.done_earlier and await run.before_stop(permission.read) == goal:
        # Running the same plan again takes no turns from anyone who has something to change.
        return already_done
    await run.before_stop(permission.wait_for_turn)
    present = await run.before_stop(permission.read)
    if isinstance(present, Unread):
        return await permission.ending_of(present)
    if present == goal:
        return already_done
    if present not in allowed:
        differences = what_differs(present, edit.before)
        return Ending(ChangeStatus.DRIFTED, f"its {permission.words} has changed: {differences}")
    if present != frozenset(edit.before):
        record.note_effect()
    steps = Steps(work, record, edit, present)
    if work.public_hindrance is not None and steps.adds_everyone:
        return Ending(ChangeStatus.FAILED, work.public_hindrance)
    run.raise_if_stopped()
    return await (steps.rehearse() if run.options.dry_run else steps.make())
