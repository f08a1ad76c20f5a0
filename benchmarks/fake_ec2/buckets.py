"""Token buckets, the way EC2 throttles: one per account, region and action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


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
"""One bucket for the actions of EC2, one for each action named (others have that of `OTHERS`, or none), or none."""

OTHERS: Final = "*"
DOCUMENTED: Final[Mapping[str, Bucket]] = {
    OTHERS: Bucket(100, 20),
    "ModifyImageAttribute": Bucket(100, 5),
    "EnableImageBlockPublicAccess": Bucket(1, 0.1),
    "DisableImageBlockPublicAccess": Bucket(1, 0.1),
}
"""By the EC2 Developer Guide ("Request throttling for the Amazon EC2 API"), of the actions that the fake knows."""


class Throttle:
    """The state of all buckets; `clock` gives seconds."""

    def __init__(self, buckets: Buckets, clock: Callable[[], float]) -> None:
        self._buckets, self._clock = buckets, clock
        self._levels: dict[tuple[str, str, str], tuple[float, float]] = {}

    def admits(self, account_id: str, region: str, action: str) -> bool:
        """Take a token and return whether there was one; a call that is refused takes none."""
        buckets = self._buckets
        bucket = buckets.get(action, buckets.get(OTHERS)) if isinstance(buckets, Mapping) else buckets
        if bucket is None:
            return True
        key = (account_id, region, action)
        now = self._clock()
        level, then = self._levels.get(key, (bucket.capacity, now))
        level = min(bucket.capacity, level + (now - then) * bucket.refill)
        admitted = level >= 1
        self._levels[key] = (level - 1 if admitted else level, now)
        return admitted

    def reset(self) -> None:
        """Fill all buckets."""
        self._levels.clear()
