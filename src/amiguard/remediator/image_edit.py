"""One image: is it still as the edit takes it to be? Then lead it to where the edit ends."""

from collections.abc import Collection

from amiguard.core.edit import LaunchPermissionEdit
from amiguard.core.image import LaunchPermission, PermissionReply
from amiguard.core.remediation import ChangeStatus
from amiguard.remediator.reading import State, what_differs, why_unread
from amiguard.remediator.run import EditRecord, Ending, StoppedError, TargetWork
from amiguard.remediator.steps import Steps


async def edit_image(
    work: TargetWork,
    record: EditRecord,
    edit: LaunchPermissionEdit,
    *,
    starts: Collection[State],
    underway: Collection[State],
) -> None:
    """Lead one image to `edit.after`, and tell how that ended.

    Args:
        work: the image's target.
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


async def _edit(work: TargetWork, record: EditRecord, edit: LaunchPermissionEdit, allowed: Collection[State]) -> Ending:
    run, reader = work.run, work.opened.reader

    async def read() -> PermissionReply:
        return await reader.read_launch_permission(edit.image_id)

    goal = frozenset(edit.after)
    already_done = Ending(ChangeStatus.ALREADY_DONE)
    if record.done_earlier:
        # Running the same plan again takes no turns from anyone who has something to change.
        reply = await run.before_stop(read)
        if isinstance(reply, LaunchPermission) and frozenset(reply.grantees) == goal:
            return already_done
    await run.before_stop(work.opened.writer.wait_for_turn)
    reply = await run.before_stop(read)
    if not isinstance(reply, LaunchPermission):
        return await why_unread(reader, edit.image_id, reply)
    present = frozenset(reply.grantees)
    if present == goal:
        return already_done
    if present not in allowed:
        return Ending(ChangeStatus.DRIFTED, f"its launch permission has changed: {what_differs(present, edit.before)}")
    steps = Steps(work, record, edit, present)
    if work.public_hindrance is not None and steps.adds_everyone:
        return Ending(ChangeStatus.FAILED, work.public_hindrance)
    run.raise_if_stopped()
    return await (steps.rehearse() if run.options.dry_run else steps.make())
