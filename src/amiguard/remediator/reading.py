"""Reading launch permissions: what one shows, whether a call shows yet, and in which words two of them differ."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from amiguard.core.edit import LaunchPermissionEdit, in_order, states_between
from amiguard.core.grantee import Grantee, grantee_id
from amiguard.core.image import ImageNotFound, ImageUnavailable, LaunchPermission, PermissionReply, Unreadable
from amiguard.core.ports import ImageReader
from amiguard.core.remediation import ChangeStatus
from amiguard.remediator.run import Ending

State = frozenset[Grantee]
"""A launch permission: who may launch; order and repetitions mean nothing."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_MOST_NAMED = 3
_MOST_LETTERS = 100
_DISABLED = "disabled"
_GONE = "the image no longer exists"


@dataclass(frozen=True, slots=True)
class Shown:
    """The expected state is there."""


@dataclass(frozen=True, slots=True)
class Late:
    """The state before still shows."""


@dataclass(frozen=True, slots=True)
class Other:
    """A state that nothing here leads to: someone else has changed the image meanwhile."""

    seen: State


@dataclass(frozen=True, slots=True)
class Unread:
    """It could not be read."""

    reason: str


ReadBack = Shown | Late | Other | Unread


async def read_back(
    reader: ImageReader, image_id: str, *, expected: State, earlier: Collection[State], seconds: float
) -> ReadBack:
    """Read an image's launch permission until it shows what is expected.

    Args:
        reader: of the image's target.
        image_id: which image.
        expected: what is to show.
        earlier: the states that it was in before: EC2 is eventually consistent; one of them is only late.
        seconds: how long to wait for it.

    Returns:
        `Shown` or `Other` at once; else what the last reading brought.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    pause = _FIRST_PAUSE
    while True:
        found = _compare(await reader.read_launch_permission(image_id), expected, earlier)
        if isinstance(found, Shown | Other) or clock() + pause > until:
            return found
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)


def _compare(reply: PermissionReply, expected: State, earlier: Collection[State]) -> ReadBack:
    match reply:
        case LaunchPermission(grantees):
            seen = frozenset(grantees)
            if seen == expected:
                return Shown()
            return Late() if seen in earlier else Other(seen)
        case ImageNotFound():
            return Unread("EC2 does not know the image any more")
        case ImageUnavailable(message):
            return Unread(f"EC2 does not give it: {message}")
        case Unreadable(reason):
            return Unread(reason)
        case _:
            assert_never(reply)


async def why_unread(
    reader: ImageReader, image_id: str, reply: ImageNotFound | ImageUnavailable | Unreadable
) -> Ending:
    """What becomes of a change whose image does not give its launch permission; nothing was called for it.

    A disabled image has lost its grants (EC2 User Guide, "Disable an Amazon EC2 AMI"), so it has drifted.
    """
    if isinstance(reply, Unreadable):
        reason = f"its launch permission could not be read: {reply.reason}"
        return Ending(ChangeStatus.FAILED, reason, reply.hint)
    listed = await reader.list_again((image_id,))
    if isinstance(listed, Unreadable):
        return Ending(ChangeStatus.FAILED, f"its state could not be confirmed: {listed.reason}", listed.hint)
    image = listed.get(image_id)
    if image is None:
        return Ending(ChangeStatus.DRIFTED, _GONE)
    if isinstance(reply, ImageNotFound):
        reason = "EC2 lists the image, and does not know it when asked for its launch permission"
        return Ending(ChangeStatus.FAILED, reason)
    if image.state == _DISABLED:
        return Ending(ChangeStatus.DRIFTED, "the image is disabled: AWS has removed its launch permission")
    state = image.state[:_MOST_LETTERS] or "so"
    return Ending(ChangeStatus.FAILED, f"EC2 does not give the launch permission of an image that is {state}")


def states_of_undoing(edit: LaunchPermissionEdit) -> frozenset[State]:
    """Every state that an image can be in while an edit that was begun, and perhaps not ended, is undone."""
    left = states_between(edit.before, edit.after)
    return frozenset(state for start in left for state in states_between(start, edit.before))


def what_differs(seen: State, expected: Collection[Grantee]) -> str:
    """Which grants appeared and which are gone, in words whose length is bounded."""
    appeared, gone = seen - set(expected), set(expected) - seen
    parts = []
    if appeared:
        parts.append(f"grants that appeared: {_named(appeared)}")
    if gone:
        parts.append(f"grants that are gone: {_named(gone)}")
    return "; ".join(parts)


def _named(grantees: Collection[Grantee]) -> str:
    names = [grantee_id(grantee)[:_MOST_LETTERS] for grantee in in_order(grantees)]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
