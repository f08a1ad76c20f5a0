"""Waits for usage reports: all that are waited for in a target are asked about in the same calls.

botocore's waiter is of no use: it waits for a state `failed`, and EC2 documents `error`.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from amiguard.aws.evidence.once import MOST_IDS
from amiguard.aws.evidence.usage_reports import PENDING, Report
from amiguard.core.image import Unreadable

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
"""Seconds between two questions about a report; between two calls there are never less than the first."""
_LONGER = 1.5
_MOST_MISSING = 3
"""So many times in a row EC2 may leave out a report, for a new one is not listed everywhere at once."""


_Settled = Report | Unreadable | None


@dataclass(slots=True, eq=False)
class _Waited:
    """Someone who waits for a report: when it is to be asked about, and how long after that again."""

    report_id: str
    due: float
    settled: "asyncio.Future[_Settled]"
    pause: float = FIRST_PAUSE
    missing: int = 0


class Polling:
    """The reports of one target that are waited for.

    Args:
        ask: tells how so many reports are now, at most `MOST_IDS`; those that are gone are absent.
    """

    def __init__(
        self, ask: Callable[[tuple[str, ...]], Coroutine[Any, Any, Mapping[str, Report] | Unreadable]]
    ) -> None:
        self._ask = ask
        self._waited: dict[_Waited, None] = {}
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._not_before = float("-inf")

    async def settled(self, report_id: str, *, at_once: bool = False) -> _Settled:
        """Wait until a report is no longer pending.

        Args:
            report_id: an id that EC2 gave.
            at_once: without the first pause: it is not a new one.

        Returns:
            The report; None if EC2 no longer lists it; why it cannot be known.
        """
        loop = asyncio.get_running_loop()
        waited = _Waited(report_id, loop.time() + (0 if at_once else FIRST_PAUSE), loop.create_future())
        self._waited[waited] = None
        self._joined.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
            self._task.add_done_callback(self._tell_failure)
        try:
            return await waited.settled
        finally:
            self._waited.pop(waited, None)
            if not self._waited and self._task is not None:
                task, self._task = self._task, None  # who comes now begins another one
                task.cancel()
                await asyncio.wait([task])

    async def _poll(self) -> None:
        """Ask about what is waited for, round by round, while anybody waits."""
        loop = asyncio.get_running_loop()
        while self._waited:
            while (left := max(self._not_before, min(one.due for one in self._waited)) - loop.time()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._joined.wait()  # one that is due earlier may come
                self._joined.clear()
            self._not_before = loop.time() + FIRST_PAUSE
            asked = sorted(self._waited, key=lambda one: one.due)[:MOST_IDS]
            replies = await self._ask(tuple(dict.fromkeys(one.report_id for one in asked)))
            for waited in asked:
                self._note(waited, replies if isinstance(replies, Unreadable) else replies.get(waited.report_id))

    def _note(self, waited: _Waited, reply: _Settled) -> None:
        """Take what a round says of one report."""
        waited.missing = waited.missing + 1 if reply is None else 0
        if (isinstance(reply, Report) and reply.state == PENDING) or 0 < waited.missing < _MOST_MISSING:
            waited.due = asyncio.get_running_loop().time() + waited.pause
            waited.pause = min(LONGEST_PAUSE, waited.pause * _LONGER)
        elif not waited.settled.done():
            waited.settled.set_result(reply)
            self._waited.pop(waited, None)

    def _tell_failure(self, task: "asyncio.Task[None]") -> None:
        """A programming error is everybody's: nobody must wait for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            for waited in self._waited:
                if not waited.settled.done():
                    waited.settled.set_exception(error)
