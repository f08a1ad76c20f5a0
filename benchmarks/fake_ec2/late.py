"""Eventual consistency: what a call has changed is not shown at once."""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LateReads(Generic[Key, Value]):
    """Keeps what was before the changes, for as many reads of each key as `reads` says."""

    def __init__(self, reads: int) -> None:
        self._reads = reads
        self._before: dict[Key, tuple[Value, int]] = {}

    def changed(self, key: Key, before: Value) -> None:
        """Note a change: it, and those before it that are not shown yet, show after so many reads from now on."""
        if self._reads:
            shown, _ = self._before.get(key, (before, 0))
            self._before[key] = (shown, self._reads)

    def read(self, key: Key, now: Value) -> Value:
        """Return what a read shows, and count it."""
        before, left = self._before.pop(key, (now, 0))
        if left > 1:
            self._before[key] = (before, left - 1)
        return before
