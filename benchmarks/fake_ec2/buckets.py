"""Token buckets, the way EC2 throttles: one per account, region and action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .calls import Call


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that holds `capacity` tokens at first and at most, and gains `refill` of them per second."""

    capacity: float
    refill: float

    @classmethod
    def parse(cls, text: str) -> "Buckets":
        """Return the bucket written as `100+20`, `DOCUMENTED` for `documented`, or `None` for `none`.

        Anything else is a `ValueError`.
        """
        if text == "documented":
            return DOCUMENTED
        if text == "none":
            return None
        capacity, _, refill = text.partition("+")
        return cls(float(capacity), float(refill))


Buckets = Bucket | Mapping[str, Bucket] | None
"""One bucket for the actions of EC2, one for each action named, of any service, or none.

Of the actions that are not named, those of EC2 have the bucket of `OTHERS`, if there is one.
"""

OTHERS: Final = "*"
UNPAGED_SNAPSHOTS: Final = "DescribeSnapshots, neither filtered nor paginated"
DOCUMENTED: Final[Mapping[str, Bucket]] = {
    OTHERS: Bucket(100, 20),
    UNPAGED_SNAPSHOTS: Bucket(50, 10),
    "CreateImageUsageReport": Bucket(50, 5),
    "DeleteImageUsageReport": Bucket(50, 5),
    "LookupEvents": Bucket(2, 2),
    "ModifyImageAttribute": Bucket(100, 5),
    "ModifySnapshotAttribute": Bucket(100, 5),
    "EnableImageBlockPublicAccess": Bucket(1, 0.1),
    "DisableImageBlockPublicAccess": Bucket(1, 0.1),
}
"""By the EC2 Developer Guide ("Request throttling for the Amazon EC2 API") and the CloudTrail API Reference."""


class Throttle:
    """The state of all buckets; `clock` gives seconds."""

    def __init__(self, buckets: Buckets, clock: Callable[[], float]) -> None:
        self._buckets, self._clock = buckets, clock
        self._levels: dict[tuple[str, str, str], tuple[float, float]] = {}

    def admits(self, call: Call) -> bool:
        """Take a token and return whether there was one; a call that is refused takes none."""
        action = _bucket_of(call)
        if (bucket := self._find(call, action)) is None:
            return True
        key = (call.account_id, call.region, action)
        now = self._clock()
        level, then = self._levels.get(key, (bucket.capacity, now))
        level = min(bucket.capacity, level + (now - then) * bucket.refill)
        admitted = level >= 1
        self._levels[key] = (level - 1 if admitted else level, now)
        return admitted

    def _find(self, call: Call, action: str) -> Bucket | None:
        buckets = self._buckets
        if isinstance(buckets, Mapping) and (found := buckets.get(action)) is not None:
            return found
        if call.service != "ec2":
            return None
        return buckets.get(OTHERS) if isinstance(buckets, Mapping) else buckets

    def reset(self) -> None:
        """Fill all buckets."""
        self._levels.clear()


def _bucket_of(call: Call) -> str:
    narrowed = any(name in call.parameters for name in ("MaxResults", "Filter.1.Name"))
    if call.action == "DescribeSnapshots" and not narrowed:
        return UNPAGED_SNAPSHOTS
    return call.action
