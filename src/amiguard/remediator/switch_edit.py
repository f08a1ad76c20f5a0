"""Image block public access of one target: set it, and read back until it shows."""

import asyncio
from typing import assert_never

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit
from amiguard.core.errors import OutputError
from amiguard.core.image import Unreadable
from amiguard.core.ports import Accepted, ImageReader, NoAnswer, Refused
from amiguard.core.remediation import ChangeStatus
from amiguard.remediator.run import EditRecord, Ending, StoppedError, TargetWork

SECONDS_TO_TAKE_EFFECT = 600.0
"""EC2 User Guide, "Block public access to your AMIs": up to 10 minutes."""
_SECONDS_AFTER_NO_ANSWER = 30.0
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 30.0
_MOST_TRIES = 3


async def edit_switch(
    work: TargetWork,
    record: EditRecord,
    edit: BlockPublicAccessEdit,
    *,
    even_if_shown: bool = False,
    not_ours: str = "",
) -> Ending:
    """Set the switch to `edit.after`, and tell how that ended.

    Args:
        work: the target.
        record: what the run's journal knows of the edit.
        edit: before and after.
        even_if_shown: set it although it shows `edit.after` already: a call of a killed run may still take effect.
        not_ours: why the present state is someone else's, if it is not `edit.after`: then it is left alone.
    """
    try:
        ending = await _edit(work, record, edit, even_if_shown=even_if_shown, not_ours=not_ours)
    except StoppedError:
        ending = work.run.not_tried
    work.run.end(record, ending)
    return ending


async def _edit(
    work: TargetWork, record: EditRecord, edit: BlockPublicAccessEdit, *, even_if_shown: bool, not_ours: str
) -> Ending:
    run, opened = work.run, work.opened
    present = await run.before_stop(opened.reader.read_block_public_access)
    if isinstance(present, Unreadable):
        reason = f"image block public access could not be read: {present.reason}"
        return Ending(ChangeStatus.FAILED, reason, present.hint)
    if present.state is edit.after and (present.by_declarative_policy or not even_if_shown):
        return Ending(ChangeStatus.ALREADY_DONE)
    if not_ours:
        return Ending(ChangeStatus.DRIFTED, f"image block public access is {present.state.value}: {not_ours}")
    if present.by_declarative_policy:
        return Ending(
            ChangeStatus.FAILED,
            f"image block public access is {present.state.value}, and a declarative policy holds it",
            "change the declarative policy of the organization, or detach it from the account",
        )
    run.raise_if_stopped()
    if run.options.dry_run:
        return await _rehearse(work, edit.after)
    return await _set(work, record, edit.after, even_if_shown=even_if_shown)


async def _rehearse(work: TargetWork, state: BlockPublicAccess) -> Ending:
    why = ""
    for _ in range(_MOST_TRIES):
        reply = await work.opened.writer.set_block_public_access(state, dry_run=True)
        match reply:
            case Accepted():
                return Ending(ChangeStatus.WOULD_APPLY)
            case Refused(reason, hint):
                return Ending(ChangeStatus.FAILED, reason, hint)
            case NoAnswer(why):
                await asyncio.sleep(_FIRST_PAUSE)
            case _:
                assert_never(reply)
    return Ending(ChangeStatus.FAILED, f"no usable reply came {_MOST_TRIES} times: {why}")


async def _set(work: TargetWork, record: EditRecord, state: BlockPublicAccess, *, even_if_shown: bool) -> Ending:
    tries, accepted = 0, False
    while True:
        try:
            record.intend(None)
        except OutputError as error:
            work.run.stop("the journal cannot be written")
            called = "nothing more was called" if record.intended else "nothing was called"
            reason = f"the journal cannot be written: {called}: {error.message}"
            return Ending(ChangeStatus.FAILED, reason, error.hint)
        reply = await work.opened.writer.set_block_public_access(state)
        if not isinstance(reply, Refused):
            record.note_effect()
        tries += 1
        last = True
        match reply:
            case Accepted():
                replied, accepted = "EC2 accepted the call", True
            case Refused(reason, hint):
                return Ending(ChangeStatus.FAILED, reason, hint)
            case NoAnswer(reason):
                replied = f"no usable reply came ({reason})"
                last = tries == _MOST_TRIES
            case _:
                assert_never(reply)
        seconds = SECONDS_TO_TAKE_EFFECT if last else _SECONDS_AFTER_NO_ANSWER
        not_shown = await _read_back(work.opened.reader, state, seconds)
        if not_shown is None and even_if_shown and not accepted:
            not_shown = "what shows may be what was there before a call of an earlier run took effect"
        if not_shown is None:
            return Ending(ChangeStatus.APPLIED)
        if last:
            return Ending(ChangeStatus.UNVERIFIED, f"{replied}, and {not_shown}")


async def _read_back(reader: ImageReader, state: BlockPublicAccess, seconds: float) -> str | None:
    """Wait until the switch shows a state; else why it does not."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    pause = _FIRST_PAUSE
    while True:
        present = await reader.read_block_public_access()
        if not isinstance(present, Unreadable) and present.state is state:
            return None
        if clock() + pause > until:
            break
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)
    if isinstance(present, Unreadable):
        return f"image block public access could not be read back: {present.reason}"
    return f"image block public access is still {present.state.value} after {seconds:.0f} s"
