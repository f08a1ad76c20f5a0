"""The token buckets, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from amiguard.aws.pacing import READS, BucketSize, Pacer, TokenBucket
from tests.fakes.virtual_time import run_in_virtual_time


class Server:
    """AWS's side: a token bucket that refuses what is over it, and takes nothing for it."""

    def __init__(self, capacity: float, refill: float) -> None:
        self.capacity, self.refill = capacity, refill
        self.tokens, self.at = capacity, 0.0
        self.throttled = 0

    async def serve(self) -> bool:
        await asyncio.sleep(0.03)
        now = asyncio.get_running_loop().time()
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.refill)
        self.at = now
        if self.tokens < 1:
            self.throttled += 1
            return False
        self.tokens -= 1
        return True


async def call_until_served(bucket: TokenBucket, serve: Callable[[], Awaitable[bool]]) -> None:
    while True:
        granted_at = await bucket.take()
        if await serve():
            return
        bucket.throttled(granted_at)


def serve_all(bucket: TokenBucket, server: Server, calls: int) -> float:
    async def main() -> None:
        remaining = iter(range(calls))

        async def worker() -> None:
            for _ in remaining:
                await call_until_served(bucket, server.serve)

        await asyncio.gather(*(worker() for _ in range(32)))

    return run_in_virtual_time(main())[1]


def test_the_documented_bucket_is_never_exceeded() -> None:
    server = Server(100, 20)
    seconds = serve_all(TokenBucket(READS), server, 1000)
    assert server.throttled == 0
    assert seconds <= 1.05 * 45


@pytest.mark.parametrize(("capacity", "refill"), [(50, 10), (20, 4), (100, 15)])
def test_a_less_generous_bucket_is_found_out(capacity: float, refill: float) -> None:
    server = Server(capacity, refill)
    floor = (1000 - capacity) / refill
    assert serve_all(TokenBucket(READS), server, 1000) <= 1.10 * floor
    assert server.throttled < 150


def test_a_bucket_without_limit_learns_it_from_aws() -> None:
    server = Server(100, 20)
    assert serve_all(TokenBucket(None), server, 1000) <= 1.15 * 45


def test_a_bucket_without_limit_does_not_wait() -> None:
    assert serve_all(TokenBucket(None), Server(1e9, 1e9), 1000) == pytest.approx(1000 / 32 * 0.03, rel=0.05)


def test_the_burst_comes_at_once_and_then_one_by_one_in_order() -> None:
    async def main() -> list[tuple[int, float]]:
        bucket = TokenBucket(BucketSize(2, 4))
        served: list[tuple[int, float]] = []

        async def take(number: int) -> None:
            served.append((number, await bucket.take()))

        await asyncio.gather(*(take(number) for number in range(5)))
        return served

    assert run_in_virtual_time(main())[0] == [
        (0, 0.0),
        (1, 0.0),
        (2, pytest.approx(0.25)),
        (3, pytest.approx(0.5)),
        (4, pytest.approx(0.75)),
    ]


def test_calls_that_were_under_way_slow_the_bucket_down_once() -> None:
    async def main() -> float | None:
        bucket = TokenBucket(BucketSize(10, 10))
        moments = [await bucket.take() for _ in range(5)]
        for moment in moments:
            bucket.throttled(moment)
        return bucket.rate

    assert run_in_virtual_time(main())[0] == pytest.approx(7)


def test_a_caller_that_went_away_takes_no_token() -> None:
    async def main() -> float:
        bucket = TokenBucket(BucketSize(1, 1))
        await bucket.take()
        gone = asyncio.ensure_future(bucket.take())
        waiting = asyncio.ensure_future(bucket.take())
        await asyncio.sleep(0)
        gone.cancel()
        return await waiting

    assert run_in_virtual_time(main())[0] == pytest.approx(1)


def test_the_pacer_keeps_one_bucket_for_each_account_region_and_action() -> None:
    pacer = Pacer({"DescribeImages": None})
    one = pacer.bucket("1", "r", "DescribeImageAttribute")
    assert pacer.bucket("1", "r", "DescribeImageAttribute") is one
    assert pacer.bucket("2", "r", "DescribeImageAttribute") is not one
    assert one.rate == READS.refill
    assert pacer.bucket("1", "r", "DescribeImages").rate is None
    assert pacer.seconds_for(
        {("1", "r", "DescribeImageAttribute"): 198, ("1", "r", "DescribeImages"): 9}
    ) == pytest.approx(10)
