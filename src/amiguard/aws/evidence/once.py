"""What several ask for is read once, and what is asked for within a moment is asked of AWS in one call."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from amiguard.core.image import Unreadable

_K = TypeVar("_K")
_T = TypeVar("_T")
MOST_IDS = 200
"""EC2 API Reference, DescribeImageUsageReports: at most 200 ids of images or of reports a request."""
MOMENT = 0.5
"""Seconds for which a question waits for others: nobody waits for evidence but the end of the report."""


class Shared(Generic[_T]):
    """A task of its own that several wait for: whoever goes away does not end it for the others, the last one does.

    Args:
        work: begins at once.
    """

    def __init__(self, work: Coroutine[Any, Any, _T]) -> None:
        self._task = asyncio.create_task(work)
        self._waiting = 0

    @property
    def alive(self) -> bool:
        """Whether it has its result, or will have one: nobody has cancelled it."""
        return not (self._task.cancelling() or self._task.cancelled())

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    async def join(self) -> _T:
        """Wait for the result."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task])


class Once(Generic[_K, _T]):
    """Reads what is asked for, each key once.

    Args:
        read: reads it; what could not be had is a value.
    """

    def __init__(self, read: Callable[[_K], Coroutine[Any, Any, _T]]) -> None:
        self._read = read
        self._known: dict[_K, Shared[_T]] = {}

    async def get(self, key: _K) -> _T:
        """What was, is being, or will be read of this key; what was cancelled is read anew."""
        shared = self._known.get(key)
        if shared is None or not shared.alive:
            shared = self._known[key] = Shared(self._read(key))
        return await shared.join()

    def clear(self) -> None:
        """Forget what was read; who waits for something still gets it."""
        self._known.clear()


@dataclass(slots=True)
class _Batch:
    """Questions that go together."""

    keys: dict[str, None] = field(default_factory=dict)
    full: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False


class Batches(Generic[_T]):
    """Puts what is asked for within a moment into one question.

    Args:
        ask: asks about so many ids; an id that the answer lacks is not known to AWS.
        most: ids a question.
        moment: seconds for which a question waits for others.
    """

    def __init__(
        self,
        ask: Callable[[tuple[str, ...]], Coroutine[Any, Any, Mapping[str, _T] | Unreadable]],
        *,
        most: int = MOST_IDS,
        moment: float = MOMENT,
    ) -> None:
        self._ask = ask
        self._most = most
        self._moment = moment
        self._filling: tuple[_Batch, Shared[Mapping[str, _T] | Unreadable]] | None = None

    async def get(self, key: str) -> _T | Unreadable | None:
        """The answer about this id; None if AWS does not know it."""
        if self._filling is None or self._filling[0].closed or not self._filling[1].alive:
            new = _Batch()
            self._filling = new, Shared(self._fill_and_ask(new))
        batch, shared = self._filling
        batch.keys[key] = None
        if len(batch.keys) >= self._most:
            batch.closed = True
            batch.full.set()
        answers = await shared.join()
        return answers if isinstance(answers, Unreadable) else answers.get(key)

    async def _fill_and_ask(self, batch: _Batch) -> Mapping[str, _T] | Unreadable:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._moment):
                await batch.full.wait()
        batch.closed = True
        return await self._ask(tuple(batch.keys))
