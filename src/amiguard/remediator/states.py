"""Where journaled changes stand: read, never changed."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import assert_never

from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit, PermissionEdit
from amiguard.core.image import Unreadable
from amiguard.core.ports import ImageReader, OpenedTarget, TargetOpener
from amiguard.core.remediation import ChangeState, ChangeStatus, JournaledChange, StateOf
from amiguard.core.result import Target
from amiguard.remediator.permission import Unread, permission_of
from amiguard.remediator.pool import EDITS_AT_ONCE, TARGETS_AT_ONCE, each, told_by
from amiguard.remediator.reading import states_of_undoing, what_differs
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
                    tell(await _state_of(change, opened))

            await each(changes, check, at_once=EDITS_AT_ONCE)

        targets = by_target(record, lambda change: change.edit)
        await each(targets.items(), check_target, at_once=TARGETS_AT_ONCE)

    return told_by(work)


async def _state_of(change: JournaledChange, opened: OpenedTarget) -> StateOf:
    match change.edit:
        case LaunchPermissionEdit() | CreateVolumePermissionEdit():
            state, reason = await _state_of_permission(change.edit, opened)
        case BlockPublicAccessEdit():
            state, reason = await _state_of_switch(change.edit, opened.reader)
        case _:
            assert_never(change.edit)
    return StateOf(change, state, reason)


async def _state_of_permission(edit: PermissionEdit, opened: OpenedTarget) -> tuple[ChangeState, str]:
    permission = permission_of(edit, opened)
    present = await permission.read()
    if isinstance(present, Unread):
        ending = await permission.ending_of(present)
        drifted = ending.status is ChangeStatus.DRIFTED
        return ChangeState.DRIFTED if drifted else ChangeState.UNREADABLE, ending.reason
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
