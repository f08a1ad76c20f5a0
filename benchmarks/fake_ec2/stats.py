"""What a server counted."""

import time
from collections import Counter, deque
from typing import Any, Final

from .calls import Call

Target = tuple[str, str, str]
"""Account, region and action."""

REMEMBERED: Final = 10_000


class Stats:
    """Counters, read from any thread; `calls` counts every call that arrived, throttled and failed ones included.

    Args:
        remember: how many of the newest calls are kept.
    """

    def __init__(self, remember: int = REMEMBERED) -> None:
        self.calls: Counter[str] = Counter()
        """Calls by action."""
        self.by_target: Counter[Target] = Counter()
        """Calls by account, region and action."""
        self.throttled: Counter[str] = Counter()
        """Calls by action that a bucket refused."""
        self.faults: Counter[str] = Counter()
        """Faults that struck, by the name of their effect."""
        self.signatures_checked = 0
        self.signature_failures = 0
        self.connections = 0
        self.recent: deque[Call] = deque(maxlen=remember)
        """The newest calls, oldest first."""
        self.recent_at: deque[float] = deque(maxlen=remember)
        """When each of them came, on the monotonic clock."""
        self.max_in_flight: Counter[tuple[str, str]] = Counter()
        """The most requests that waited for an answer at once, by account and region."""
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._cpu_before = time.process_time()

    def reset(self) -> None:
        """Forget everything but the calls that still wait for an answer."""
        for counter in (self.calls, self.by_target, self.throttled, self.faults, self.max_in_flight):
            counter.clear()
        self.signatures_checked = self.signature_failures = self.connections = 0
        self.recent.clear()
        self.recent_at.clear()
        self._first.clear()
        self._last.clear()
        self._cpu_before = time.process_time()

    def arrived(self, call: Call) -> None:
        """Count a call that came in."""
        action, now = call.action, time.monotonic()
        self.calls[action] += 1
        self.by_target[call.account_id, call.region, action] += 1
        self.recent.append(call)
        self.recent_at.append(now)
        self._first.setdefault(action, now)
        self._last[action] = now
        place = (call.account_id, call.region)
        waiting = self._in_flight[place] = self._in_flight[place] + 1
        self.max_in_flight[place] = max(waiting, self.max_in_flight[place])

    def left(self, call: Call) -> None:
        """Count a call whose answer is out, or whose client is gone."""
        self._in_flight[call.account_id, call.region] -= 1

    def span(self, action: str) -> float:
        """Return the seconds between the first and the last call of an action, 0 if there was none."""
        return self._last.get(action, 0.0) - self._first.get(action, 0.0)

    def as_json(self) -> dict[str, Any]:
        """Return the counters as plain data; keys of several parts are joined by `/`."""
        return {
            "calls": dict(self.calls),
            "by_target": {"/".join(target): count for target, count in self.by_target.items()},
            "throttled": dict(self.throttled),
            "faults": dict(self.faults),
            "signatures_checked": self.signatures_checked,
            "signature_failures": self.signature_failures,
            "connections": self.connections,
            "max_in_flight": {"/".join(place): count for place, count in self.max_in_flight.items()},
            "span_seconds": {action: self.span(action) for action in self.calls},
            "process_cpu_seconds": time.process_time() - self._cpu_before,
        }
