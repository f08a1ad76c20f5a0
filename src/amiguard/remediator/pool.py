"""Work that is done several at a time and told as it ends."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

TARGETS_AT_ONCE = 64
"""Targets under way at once."""
EDITS_AT_ONCE = 16
"""Images, or snapshots, of one target under way at once: at 5 calls a second, each may take 3 s to show its change."""

_Item = TypeVar("_Item")
_Event = TypeVar("_Event")


async def each(items: Iterable[_Item], work: Callable[[_Item], Awaitable[None]], *, at_once: int) -> None:
    """Do the work for every item, begun in their order, so many at once."""
    remaining = iter(items)

    async def worker() -> None:
        for item in remaining:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


async def told_by(work: Callable[[Callable[[_Event], None]], Awaitable[None]]) -> AsyncGenerator[_Event]:
    """Yield what the work tells, as it tells it.

    Args:
        work: takes the function by which it tells; an error in it is raised once all that was told is yielded.

    Yields:
        What was told. Closing the iterator cancels the work.
    """
    # Not bounded: what is told is no more than the plan or the journal, which is in memory as a whole.
    events: asyncio.Queue[_Event | None] = asyncio.Queue()

    async def main() -> None:
        try:
            await work(events.put_nowait)
        finally:
            events.put_nowait(None)

    task = asyncio.create_task(main())
    try:
        while (event := await events.get()) is not None:
            yield event
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
