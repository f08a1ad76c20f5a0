"""The pace of AssumeRole calls, without STS and without waiting."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amiguard.aws.assume_role import Role, RoleCalls
from amiguard.aws.credentials import CredentialsUnreadableError
from amiguard.aws.ec2_query import CallStats

ROLE = Role("arn:aws:iam::222233334444:role/Audit")


class Pauses(threading.Event):
    """An event on which nobody waits really."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


class Sts:
    """An STS client that throttles its first calls."""

    def __init__(self, throttled: int = 0) -> None:
        self.throttled = throttled

    def assume_role(self, **parameters: object) -> dict[str, Any]:
        if self.throttled:
            self.throttled -= 1
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "AssumeRole")
        return dict(parameters)


def paced(**options: Any) -> tuple[RoleCalls, CallStats, Pauses]:
    stats = CallStats()
    calls = RoleCalls(stats, **options)
    calls._closed = pauses = Pauses()
    return calls, stats, pauses


def test_throttled_calls_are_tried_until_they_are_served() -> None:
    calls, stats, pauses = paced()
    assert calls.assume(Sts(throttled=12), ROLE, {"RoleArn": ROLE.arn}) == {"RoleArn": ROLE.arn}
    assert (stats.calls["AssumeRole"], stats.throttled) == (13, 12)
    # The pauses grow, but not without end.
    assert 10 < max(pauses.seconds) <= 20.1


def test_calls_are_paced_below_the_limit() -> None:
    calls, _, pauses = paced(a_second=0.5)
    for _ in range(3):
        calls.assume(Sts(), ROLE, {})
    assert pauses.seconds == pytest.approx([0, 2, 4], abs=0.5)


def test_closing_ends_what_waits() -> None:
    calls, _, _ = paced()
    calls.close()
    with pytest.raises(CredentialsUnreadableError, match="interrupted"):
        calls.assume(Sts(), ROLE, {})
