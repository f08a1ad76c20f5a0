"""Where journaled changes stand: read, never changed."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import assert_never

from amiguard.core.edit import BlockPublicAccessEdit, LaunchPermissionEdit
from amiguard.core.image import LaunchPermission, Unreadable
from amiguard.core.ports import ImageReader, TargetOpener
from amiguard.core.remediation import ChangeState, ChangeStatus, JournaledChange, StateOf
from amiguard.core.result import Target
from amiguard.remediator.pool import IMAGES_AT_ONCE, TARGETS_AT_ONCE, each, told_by
from amiguard.remediator.reading import states_of_undoing, what_differs, why_unread
from amiguard.remediator.targets import by_target


def check_states(record: Sequence[JournaledChange], opener: TargetOpener) -> AsyncGenerator[StateOf]:
    """Say in which state each journaled change is now.

    Args:
        record: what the journal says.
        opener: gives the way into each target.

    Yields:
        One state a change, as they are read.
    """

    async def work(tell: Callable[[StateOf], None]) -> None:
        async def check_target(item: tuple[Target, list[JournaledChange]]) -> None:
            target, changes = item
            opened = await opener.open(target)

            async def check(change: JournaledChange) -> None:
                if isinstance(opened, Unreadable):
                    tell(StateOf(change, ChangeState.UNREADABLE, opened.reason))
                else:
                    tell(await _state_of(change, opened.reader))

            await each(changes, check, at_once=IMAGES_AT_ONCE)

        targets = by_target(record, lambda change: change.edit)
        await each(targets.items(), check_target, at_once=TARGETS_AT_ONCE)

    return told_by(work)


async def _state_of(change: JournaledChange, reader: ImageReader) -> StateOf:
    match change.edit:
        case LaunchPermissionEdit():
            state, reason = await _state_of_image(change.edit, reader)
        case BlockPublicAccessEdit():
            state, reason = await _state_of_switch(change.edit, reader)
        case _:
            assert_never(change.edit)
    return StateOf(change, state, reason)


async def _state_of_image(edit: LaunchPermissionEdit, reader: ImageReader) -> tuple[ChangeState, str]:
    reply = await reader.read_launch_permission(edit.image_id)
    if not isinstance(reply, LaunchPermission):
        ending = await why_unread(reader, edit.image_id, reply)
        drifted = ending.status is ChangeStatus.DRIFTED
        return ChangeState.DRIFTED if drifted else ChangeState.UNREADABLE, ending.reason
    present = frozenset(reply.grantees)
    if present == frozenset(edit.after):
        return ChangeState.APPLIED, ""
    if present == frozenset(edit.before):
        return ChangeState.AS_BEFORE, ""
    reason = f"compared with the state after the change: {what_differs(present, edit.after)}"
    return ChangeState.IN_PROGRESS if present in states_of_undoing(edit) else ChangeState.DRIFTED, reason


async def _state_of_switch(edit: BlockPublicAccessEdit, reader: ImageReader) -> tuple[ChangeState, str]:
    present = await reader.read_block_public_access()
    if isinstance(present, Unreadable):
        return ChangeState.UNREADABLE, f"image block public access could not be read: {present.reason}"
    if present.state is edit.after:
        return ChangeState.APPLIED, ""
    if present.state is edit.before:
        return ChangeState.AS_BEFORE, ""
    return ChangeState.DRIFTED, f"image block public access is {present.state.value}"
