"""The calls that lead from one permission to another: each is journaled, made and read back."""

import asyncio
from typing import assert_never

from amiguard.core.edit import PermissionEdit, Step, most_grants_a_call, steps_between
from amiguard.core.errors import OutputError
from amiguard.core.grantee import Everyone
from amiguard.core.ports import Accepted, NoAnswer, Refused, WriteReply
from amiguard.core.remediation import ChangeStatus
from amiguard.remediator.permission import State, Unread, permission_of
from amiguard.remediator.reading import Late, Other, ReadBack, Shown, read_back, what_differs
from amiguard.remediator.run import EditRecord, Ending, TargetWork

_SECONDS_TO_SHOW = 30.0
"""How long an accepted call may take until it shows."""
_SECONDS_AFTER_NO_ANSWER = 10.0
"""How long the effect of a call without a reply is waited for, before it is made again."""
_SECONDS_BEFORE_A_CALL = 5.0
_MOST_TRIES = 3
_PAUSE_BETWEEN_TRIES = 1.0
_PAUSE_WHILE_BLOCKED = 5.0
_LONGEST_PAUSE_WHILE_BLOCKED = 30.0


class Steps:
    """The calls of one edit, for the first of which the turn was waited for and the permission was read.

    Args:
        record: the edit, and its journal.
        start: the permission as it was just read.
    """

    def __init__(self, work: TargetWork, record: EditRecord, edit: PermissionEdit, start: State) -> None:
        self._work = work
        self._record = record
        self._permission = permission_of(edit, work.opened)
        self._steps = steps_between(start, edit.after, most=most_grants_a_call(edit))
        self._passed = [start]
        self._first_call = True

    @property
    def adds_everyone(self) -> bool:
        """Whether they make it public."""
        return any(Everyone() in step.add for step in self._steps)

    async def make(self) -> Ending:
        """Make them all."""
        for step in self._steps:
            if (failed := await self._make(step)) is not None:
                return failed
        return Ending(ChangeStatus.APPLIED)

    async def rehearse(self) -> Ending:
        """Ask EC2 whether each of them would be permitted."""
        for step in self._steps:
            if (failed := await self._rehearse(step)) is not None:
                return failed
        return Ending(ChangeStatus.WOULD_APPLY)

    async def _make(self, step: Step) -> Ending | None:
        """Make one call until it shows; None once it does."""
        expected = (self._passed[-1] | set(step.add)) - set(step.remove)
        tries, pause_while_blocked = 0, _PAUSE_WHILE_BLOCKED
        found: ReadBack | Ending
        while True:
            if (settled := await self._look_again(expected)) is not None:
                found = settled
                break
            reply = await self._call(step)
            match reply:
                case Ending():
                    return reply
                case Accepted():
                    self._record.note_effect()
                    found = await self._verify(expected, _SECONDS_TO_SHOW)
                    break
                case Refused() if self._still_blocked(reply, step):
                    await asyncio.sleep(pause_while_blocked)
                    pause_while_blocked = min(_LONGEST_PAUSE_WHILE_BLOCKED, pause_while_blocked * 1.5)
                case Refused(reason, hint):
                    return self._failed(reason, hint)
                case NoAnswer(reason):
                    self._record.note_effect()
                    found = await self._verify(expected, _SECONDS_AFTER_NO_ANSWER)
                    if not isinstance(found, Late):
                        break
                    tries += 1
                    if tries == _MOST_TRIES:
                        return self._failed(f"{tries} calls had no usable reply, and no effect: {reason}")
                    await asyncio.sleep(_PAUSE_BETWEEN_TRIES * 2**tries)
                case _:
                    assert_never(reply)
        if isinstance(found, Shown):
            self._passed.append(expected)
            return None
        return found if isinstance(found, Ending) else self._unverified(found, expected)

    async def _call(self, step: Step) -> WriteReply | Ending:
        """Journal the intent, then call."""
        try:
            self._record.intend(step)
        except OutputError as error:
            self._work.run.stop("the journal cannot be written")
            called = "nothing more was called" if self._record.intended else "nothing was called"
            return self._failed(f"the journal cannot be written: {called}: {error.message}", error.hint)
        return await self._permission.modify(step)

    async def _rehearse(self, step: Step) -> Ending | None:
        why = ""
        for _ in range(_MOST_TRIES):
            if not self._first_call:
                await self._permission.wait_for_turn()
            self._first_call = False
            reply = await self._permission.modify(step, dry_run=True)
            match reply:
                case Accepted():
                    return None
                case Refused(blocked_public=True) if self._work.public_until is not None:
                    return None  # It is refused only as long as the switch is on that is switched off first.
                case Refused(refusal, hint):
                    return Ending(ChangeStatus.FAILED, refusal, hint)
                case NoAnswer(why):
                    await asyncio.sleep(_PAUSE_BETWEEN_TRIES)
                case _:
                    assert_never(reply)
        return Ending(ChangeStatus.FAILED, f"no usable reply came {_MOST_TRIES} times: {why}")

    async def _look_again(self, expected: State) -> Shown | Ending | None:
        """Before any call but the first: wait for its turn and read; None if it is as it was."""
        if self._first_call:
            self._first_call = False
            return None
        await self._permission.wait_for_turn()
        now, words = self._passed[-1], self._permission.words
        found = await read_back(
            self._permission, expected=now, earlier=self._passed[:-1], seconds=_SECONDS_BEFORE_A_CALL
        )
        match found:
            case Shown():
                return None
            case Other(seen) if seen == expected:
                return Shown()  # A call without a reply had effect after all.
            case Other(seen):
                return self._failed(f"someone else has changed the {words}: {what_differs(seen, now)}")
            case Late():
                return self._failed(f"the {words} is again as it was before the last call")
            case Unread(reason):
                return self._failed(f"the {words} could not be read before the next call: {reason}")
            case _:
                assert_never(found)

    async def _verify(self, expected: State, seconds: float) -> ReadBack:
        return await read_back(self._permission, expected=expected, earlier=self._passed, seconds=seconds)

    def _still_blocked(self, reply: Refused, step: Step) -> bool:
        """EC2 User Guide, "Block public access to your AMIs": switching it takes effect within up to 10 minutes."""
        until = self._work.public_until
        return (
            reply.blocked_public
            and Everyone() in step.add
            and until is not None
            and asyncio.get_running_loop().time() < until
        )

    def _failed(self, reason: str, hint: str | None = None) -> Ending:
        return Ending(ChangeStatus.FAILED, reason + self._how_far, hint)

    def _unverified(self, found: Late | Other | Unread, expected: State) -> Ending:
        words = self._permission.words
        match found:
            case Late():
                reason = f"EC2 accepted the call, and does not show it after {_SECONDS_TO_SHOW:.0f} s"
            case Other(seen):
                reason = f"the {words} is not what the call leads to: {what_differs(seen, expected)}"
            case Unread(why):
                reason = f"the {words} could not be read back: {why}"
            case _:
                assert_never(found)
        return Ending(ChangeStatus.UNVERIFIED, reason + self._how_far)

    @property
    def _how_far(self) -> str:
        made = len(self._passed) - 1
        return f" ({made} of {len(self._steps)} calls had been made)" if made else ""
