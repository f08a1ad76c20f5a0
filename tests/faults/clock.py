"""Virtual time beside real sockets: the clock jumps only while everything real has come to rest.

`tests/fakes/virtual_time.py` serves loops without input or output. Here a real HTTP client talks to a real server: as
long as a reply is under way, or a thread is at work, time stands still; once all that is awaited is a reply that the
server will never give, or a pause, the clock moves on to the next timer. A timeout of 60 s costs milliseconds.
"""

import asyncio
import selectors
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace, TracebackType
from typing import Any, TypeVar, TypeVarTuple, cast

import aiohttp
import pytest

from amiguard.aws.assume_role import RoleCalls
from amiguard.aws.http import Http, open_http

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
NUMBER = "x-test-number"
"""The header by which the server tells which request it will never answer."""
_STUCK_AFTER = 30.0
_POLL = 0.001


@dataclass
class UnderWay:
    """What is real and not over: requests by number, those of them that get no answer, and threads at work."""

    sent: int = 0
    requests: set[int] = field(default_factory=set)
    unanswered: set[int] = field(default_factory=set)
    jobs: int = 0
    asleep: int = 0
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def busy(self) -> bool:
        return self.jobs > self.asleep or bool(self.requests - self.unanswered)

    def sleep(self, seconds: float, woken: Callable[[], bool]) -> None:
        """Sleep in a thread until the loop's clock says so, or until `woken` does."""
        loop = self.loop
        if loop is None or loop.is_closed():
            return
        over = threading.Event()
        changing = threading.Lock()

        def wake() -> None:
            # At once, by whoever comes first: a thread that is about to wake is at work.
            with changing:
                if not over.is_set():
                    self.asleep -= 1
                    over.set()

        self.asleep += 1
        try:
            loop.call_soon_threadsafe(loop.call_later, seconds, wake)
            while not over.wait(_POLL) and not woken():
                pass
        except RuntimeError:  # the loop was closed meanwhile
            pass
        wake()


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, under_way: UnderWay) -> None:
        super().__init__()
        self._under_way = under_way
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        until = time.monotonic() + _STUCK_AFTER
        while self._under_way.busy or timeout is None:
            ready = super().select(_POLL)
            if ready:
                return ready
            if time.monotonic() > until:
                raise RuntimeError("nothing goes on: a reply or a thread is awaited that never comes")
        ready = super().select(0)
        if not ready and timeout is not None:
            self.now += max(0.0, timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, under_way: UnderWay) -> None:
        self._under_way = under_way
        self._jumping = _JumpingSelector(under_way)
        super().__init__(self._jumping)
        under_way.loop = self

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> "asyncio.Future[_T]":
        self._under_way.jobs += 1
        job = super().run_in_executor(executor, func, *args)
        job.add_done_callback(self._job_done)
        return job

    def _job_done(self, job: object) -> None:
        self._under_way.jobs -= 1


class _Request:
    """A request that is counted for as long as it is under way."""

    def __init__(self, under_way: UnderWay, number: int, inner: Any) -> None:
        self._under_way, self._number, self._inner = under_way, number, inner

    async def __aenter__(self) -> aiohttp.ClientResponse:
        self._under_way.requests.add(self._number)
        try:
            return cast("aiohttp.ClientResponse", await self._inner.__aenter__())
        except BaseException:
            self._under_way.requests.discard(self._number)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._inner.__aexit__(kind, error, trace)
        finally:
            self._under_way.requests.discard(self._number)


class _Session:
    """As much of aiohttp's session as the lean client uses."""

    def __init__(self, under_way: UnderWay, session: aiohttp.ClientSession) -> None:
        self._under_way, self._session = under_way, session

    def post(self, url: str, *, headers: dict[str, str], **options: Any) -> _Request:
        self._under_way.sent += 1
        number = self._under_way.sent
        return _Request(
            self._under_way, number, self._session.post(url, headers={**headers, NUMBER: str(number)}, **options)
        )


@contextmanager
def virtual_time(patch: pytest.MonkeyPatch) -> Iterator[UnderWay]:
    """Let the program run in virtual time: its event loop, its timeouts, and the pauses of its threads."""
    under_way = UnderWay()

    def run(main: Coroutine[Any, Any, _T], **options: Any) -> _T:
        with asyncio.Runner(loop_factory=lambda: _Loop(under_way)) as runner:
            return runner.run(main)

    @asynccontextmanager
    async def opened(*arguments: Any, **options: Any) -> AsyncIterator[Http]:
        async with open_http(*arguments, **options) as http:
            yield Http(cast("aiohttp.ClientSession", _Session(under_way, http.session)), http.slots)

    whole_pause = RoleCalls._pause

    def pause(calls: RoleCalls, seconds: float) -> None:
        if seconds > 0:
            under_way.sleep(seconds, calls._closed.is_set)
        whole_pause(calls, 0.0)

    patch.setattr(asyncio, "run", run)
    patch.setattr("amiguard.cli.audit_work.open_http", opened)
    patch.setattr(RoleCalls, "_pause", pause)
    patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    yield under_way
