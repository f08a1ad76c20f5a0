"""Reading permissions: whether a call shows yet, which states an edit passes through, and in which words two differ."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from amiguard.core.edit import PermissionEdit, in_order, most_grants_a_call, states_between
from amiguard.core.grantee import Grantee, grantee_id
from amiguard.remediator.permission import EditedPermission, State, Unread

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_MOST_NAMED = 3
_MOST_LETTERS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """The expected state is there."""


@dataclass(frozen=True, slots=True)
class Late:
    """The state before still shows."""


@dataclass(frozen=True, slots=True)
class Other:
    """A state that nothing here leads to: someone else has changed it meanwhile."""

    seen: State


ReadBack = Shown | Late | Other | Unread


async def read_back(
    permission: EditedPermission, *, expected: State, earlier: Collection[State], seconds: float
) -> ReadBack:
    """Read a permission until it shows what is expected.

    Args:
        permission: what is read.
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
        found = _compare(await permission.read(), expected, earlier)
        if isinstance(found, Shown | Other) or clock() + pause > until:
            return found
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)


def _compare(seen: State | Unread, expected: State, earlier: Collection[State]) -> ReadBack:
    if isinstance(seen, Unread):
        return seen
    if seen == expected:
        return Shown()
    return Late() if seen in earlier else Other(seen)


def states_of_doing(edit: PermissionEdit) -> tuple[State, ...]:
    """Every state that a permission is in while an edit is made, in order."""
    return states_between(edit.before, edit.after, most=most_grants_a_call(edit))


def states_of_undoing(edit: PermissionEdit) -> frozenset[State]:
    """Every state that a permission can be in while an edit that was begun, and perhaps not ended, is undone."""
    most = most_grants_a_call(edit)
    return frozenset(
        state for start in states_of_doing(edit) for state in states_between(start, edit.before, most=most)
    )


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
