"""Tries again: as often as the limits allow, with pauses that grow, and no longer than they say."""

from hypothesis import given
from hypothesis import strategies as st

from amiguard.aws.retry import Retries, RetryLimits


def pauses(limits: RetryLimits) -> list[float]:
    """The pauses of a call whose every reply is broken, and comes at once."""
    now = 100.0
    retries = Retries(limits, lambda: now)
    found: list[float] = []
    while (pause := retries.pause()) is not None:
        found.append(pause)
        now += pause
    assert retries.broken == len(found) + 1
    return found


@given(st.integers(1, 8), st.floats(0.01, 2))
def test_each_pause_is_between_half_and_all_of_twice_the_last(tries: int, first: float) -> None:
    found = pauses(RetryLimits(tries=tries, seconds=1e6, first_pause=first))
    assert len(found) == tries - 1
    assert all(first * 2**number / 2 <= pause <= first * 2**number for number, pause in enumerate(found))


@given(st.floats(0, 100))
def test_no_pause_goes_past_the_seconds(seconds: float) -> None:
    assert sum(pauses(RetryLimits(tries=50, seconds=seconds, first_pause=1.0))) <= seconds


def test_the_time_begins_with_the_first_broken_reply() -> None:
    now = 0.0
    retries = Retries(RetryLimits(tries=3, seconds=10), lambda: now)
    now = 1000.0
    assert retries.pause() is not None


def test_the_reason_says_how_often() -> None:
    retries = Retries(RetryLimits(), lambda: 0.0)
    retries.pause()
    retries.pause()
    assert retries.told("HTTP 500") == "HTTP 500 (tried 2 times)"
