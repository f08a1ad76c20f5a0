"""An event loop whose clock jumps to the next timer: what takes minutes of pacing takes milliseconds of test."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class _JumpingSelector(selectors.SelectSelector):
    """A selector that never waits: where the loop would sleep, the clock moves instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Without a timer only a thread can go on: wait for it in real time.
        ready = super().select(10 if timeout is None else 0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: nothing is scheduled, and nothing happened")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_in_virtual_time(main: Coroutine[Any, Any, _T]) -> tuple[_T, float]:
    """Run a coroutine.

    Returns:
        Its result, and the seconds that passed on the virtual clock.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(main)
        return result, runner.get_loop().time()
