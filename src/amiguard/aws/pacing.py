"""Token buckets that keep below AWS's request limits, and slow down when AWS says that they did not.

EC2 throttles each API per account and region by a token bucket (EC2 Developer Guide, "Request throttling for the Amazon
EC2 API"): 100 tokens, 20 a second for describe calls, 5 a second for the modify calls of images and snapshots. The
account's real limits may differ, and others spend from the same bucket, so a throttled reply lowers the rate to 70 %,
and time raises it again, by 1 % of the documented rate a second: the rate swings around the real one, and the server's
own bucket evens the swing out.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

_SLOW_DOWN = 0.7
_SPEED_UP_A_SECOND = 0.01
_SLOWEST = 0.2
"""Requests a second below which no bucket falls: a call every five seconds is no burden to anyone."""


@dataclass(frozen=True, slots=True)
class BucketSize:
    """A token bucket: how many calls at once, and how many a second for good."""

    burst: float
    refill: float


# 95 % and 99 % of the documented 100 + 20/s and 100 + 5/s: below the limit, bursts of others' calls included.
READS = BucketSize(95, 19.8)
MODIFICATIONS = BucketSize(95, 4.95)
# EnableImageBlockPublicAccess and its opposite have 1 + 0.1/s: there is nothing to keep below in a burst of one.
BLOCK_PUBLIC_ACCESS = BucketSize(1, 0.099)
# 95 % and 99 % of the 50 + 5/s of the modifications that have no bucket of their own.
OTHER_MODIFICATIONS = BucketSize(47.5, 4.95)
# CloudTrail API Reference, LookupEvents: two a second, in each account and region. 95 %: others look things up, too.
LOOK_UPS = BucketSize(1.9, 1.9)
# KMS Developer Guide, "Request quotas": 2,000 DescribeKey, 1,000 GetKeyPolicy and 100 ListGrants a second, shared with
# all that runs in the account. The keys of failing images are few: there is no hurry.
KEY_READS = BucketSize(10, 10)
_DOCUMENTED: Mapping[str, BucketSize] = {
    "ModifyImageAttribute": MODIFICATIONS,
    "ModifySnapshotAttribute": MODIFICATIONS,
    "CreateImageUsageReport": OTHER_MODIFICATIONS,
    "LookupEvents": LOOK_UPS,
    "DescribeKey": KEY_READS,
    "GetKeyPolicy": KEY_READS,
    "ListGrants": KEY_READS,
    "EnableImageBlockPublicAccess": BLOCK_PUBLIC_ACCESS,
    "DisableImageBlockPublicAccess": BLOCK_PUBLIC_ACCESS,
}
"""The actions whose bucket is not that of reads."""


class TokenBucket:
    """One bucket, of one account, region and action. Callers are served in the order in which they came.

    Args:
        size: where the bucket starts, and the most that it gives; None gives without limit until AWS throttles.
    """

    def __init__(self, size: BucketSize | None) -> None:
        self._ceiling = size
        self._rate = size.refill if size else 0.0
        self._tokens = size.burst if size else 0.0
        self._refilled_at: float | None = None
        self._slowed_at = float("-inf")
        self._given: deque[float] = deque(maxlen=256)
        self._waiting: deque[asyncio.Future[float]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def rate(self) -> float | None:
        """Calls a second that the bucket gives for good at present; None without limit."""
        return self._rate if self._ceiling else None

    async def take(self) -> float:
        """Wait for a token.

        Returns:
            The moment of the grant (the event loop's clock), which `throttled` wants back.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._ceiling is None:
            self._given.append(now)
            return now
        self._refill(now)
        if not self._waiting and self._tokens >= 1:
            self._tokens -= 1
            return now
        place: asyncio.Future[float] = loop.create_future()
        self._waiting.append(place)
        self._set_alarm(loop)
        return await place

    def throttled(self, granted_at: float) -> None:
        """Tell that AWS throttled a call that was granted at this moment.

        Calls that were under way when the rate was lowered say nothing new: only the first of them counts.
        """
        if granted_at <= self._slowed_at:
            return
        now = asyncio.get_running_loop().time()
        if self._ceiling is None:
            self._limit_at(now)
        else:
            self._refill(now)
            self._rate = max(_SLOWEST, self._rate * _SLOW_DOWN)
        self._tokens = min(self._tokens, 0)
        self._slowed_at = now

    def _limit_at(self, now: float) -> None:
        """A bucket without limit met one: take what it gave in the last second as the rate to come back to."""
        lately = max(1, sum(1 for moment in self._given if moment > now - 1))
        self._given.clear()
        self._ceiling = BucketSize(burst=lately, refill=lately)
        self._rate = lately * _SLOW_DOWN
        self._refilled_at = now

    def _refill(self, now: float) -> None:
        if self._ceiling is None:
            return
        if self._refilled_at is not None:
            passed = now - self._refilled_at
            self._tokens = min(self._ceiling.burst, self._tokens + passed * self._rate)
            faster = self._rate + passed * self._ceiling.refill * _SPEED_UP_A_SECOND
            self._rate = min(self._ceiling.refill, faster)
        self._refilled_at = now

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is None:
            self._alarm = loop.call_later(max(0.0, (1 - self._tokens) / self._rate), self._serve, loop)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        self._alarm = None
        now = loop.time()
        self._refill(now)
        while self._waiting and self._tokens >= 1 - 1e-9:
            place = self._waiting.popleft()
            if not place.cancelled():
                self._tokens -= 1
                place.set_result(now)
        if self._waiting:
            self._set_alarm(loop)


class Pacer:
    """The buckets of a run: one for each account, region and action.

    Args:
        sizes: the bucket of each action that is not to have the documented one; None for one without limit.
    """

    def __init__(self, sizes: Mapping[str, BucketSize | None]) -> None:
        self._sizes = sizes
        # A bucket goes when the last reader that draws from it goes: thousands of targets come and go in a run.
        self._buckets: WeakValueDictionary[tuple[str, str, str], TokenBucket] = WeakValueDictionary()

    def bucket(self, account_id: str, region: str, action: str) -> TokenBucket:
        """The bucket of this action; the same one as long as someone holds it."""
        key = (account_id, region, action)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._size_of(action))
        return bucket

    def _size_of(self, action: str) -> BucketSize | None:
        return self._sizes[action] if action in self._sizes else _DOCUMENTED.get(action, READS)

    def seconds_for(self, waiting: Mapping[tuple[str, str, str], int]) -> float:
        """How long the buckets need, at their present rates, for so many more calls each: the slowest decides."""
        return max(
            (
                calls / rate
                for key, calls in waiting.items()
                if (bucket := self._buckets.get(key)) and (rate := bucket.rate)
            ),
            default=0.0,
        )
