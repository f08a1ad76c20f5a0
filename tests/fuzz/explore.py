"""Tries many inputs on one target, by one profile of hypothesis."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.strategies import inputs
from tests.fuzz.target import Target, accepts

_PHASES = (Phase.reuse, Phase.generate, Phase.shrink)
_UNCHECKED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


class HangError(Exception):
    """An input takes far longer than any should."""


def explore(target: Target, examples: int, *, number: int | None = None, seconds: float = 0) -> tuple[int, int]:
    """Try inputs until one is a finding, or there were enough.

    Args:
        target: what is given them.
        examples: how many.
        number: the seed of the random numbers; None leaves it to hypothesis' profile.
        seconds: that one input may take; 0 for as long as it likes.

    Returns:
        How many were tried, and how many of these were accepted.

    Raises:
        BaseException: what the smallest finding raises; a note on it has the input.
    """
    tried = accepted = 0

    @settings(max_examples=examples, phases=_PHASES, suppress_health_check=_UNCHECKED, deadline=None)
    @given(inputs(target))
    def try_one(data: bytes) -> None:
        nonlocal tried, accepted
        tried += 1
        try:
            with within(seconds):
                accepted += accepts(target, data)
        except BaseException as error:
            error.add_note(f"the input, for tests/fuzz/findings.py: ({target.name!r}, {data!r})")
            raise

    if number is not None:
        try_one = seed(number)(try_one)
    try_one()
    return tried, accepted


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `HangError` in what takes longer."""

    def stop(signal_number: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {seconds:g} s")

    if not seconds:
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
