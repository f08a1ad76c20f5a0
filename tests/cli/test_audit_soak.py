"""The soak in small: the installed program in its weather, watched and judged as `make soak` does it."""

import sys

import pytest

from benchmarks.soak_faults import Weather
from benchmarks.soak_run import Plan, soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the samples are read from /proc")


def test_a_small_soak_accounts_for_every_image_and_samples_the_program() -> None:
    weather = Weather(every=10, listing_every=2, expired_every=75, silent_every=0)
    one = soak(Plan(0.01, 2, 200, unreadable_every=0, weather=weather, sample_every=0.05))
    account = one.account
    assert account.statuses.total() == 200
    assert account.statuses["fail"]
    assert not account.statuses["unknown"]
    assert (account.missing, account.twice, account.strange, account.wrong, account.silent) == (0, 0, 0, 0, 0)
    assert account.disagreements == []
    assert one.faults.total() >= 200 // 10
    assert max(sample.descriptors for sample in one.samples) > 5
    assert all(sample.resident > 1_000_000 for sample in one.samples[len(one.samples) // 2 :])
