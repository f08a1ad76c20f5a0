"""Who spent which calls: the totals of a run, and the part of each target while it is under way."""

from amiguard.aws.ec2_query import CallStats
from amiguard.core.result import Target


class CallBook:
    """The calls of a run.

    Attributes:
        total: all of them.
    """

    def __init__(self) -> None:
        self.total = CallStats()
        self._parts: dict[Target, CallStats] = {}
        self._settled = CallStats()

    def of(self, target: Target) -> CallStats:
        """The part of one target, which counts towards the total; the same one until it is settled.

        What opening an account costs is the part of its target for `ALL_REGIONS`.
        """
        if target not in self._parts:
            self._parts[target] = CallStats(whole=self.total)
        return self._parts[target]

    def settle(self, target: Target) -> None:
        """The target has ended: its part is not kept apart any longer."""
        part = self._parts.pop(target, None)
        if part is not None:
            self._settled.calls.update(part.calls)
            self._settled.throttled += part.throttled

    def rest(self) -> CallStats:
        """What belongs to no target: AssumeRole, the directory."""
        rest = CallStats(self.total.calls.copy(), self.total.throttled)
        for part in (self._settled, *self._parts.values()):
            rest.calls.subtract(part.calls)
            rest.throttled -= part.throttled
        rest.calls = +rest.calls
        return rest
