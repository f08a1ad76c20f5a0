"""Faults as data: which calls a fault strikes, and with what effect."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .calls import Call
from .effects import Effect
from .stats import Stats

NO_EFFECT: Final = Effect()


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. Fields that are `None` match every call.

    Of the calls that match, the first `skip` pass, then `times` of them are struck (`None`: all), of these every
    `every`-th only; with `per_image`, each image (or whatever else the call is about) has a count of its own. So
    `times=2` strikes the first two, `skip=4, times=1` the fifth, and `times=1, per_image=True` the first one for every
    image. `names` is an id that the call names, of a snapshot, a report or a key too.
    """

    effect: Effect
    action: str | None = None
    region: str | None = None
    account_id: str | None = None
    image_id: str | None = None
    names: str | None = None
    skip: int = 0
    times: int | None = None
    every: int = 1
    per_image: bool = False

    def matches(self, call: Call) -> bool:
        """Return whether the rule is about this call."""
        return (
            self.action in (None, call.action)
            and self.region in (None, call.region)
            and self.account_id in (None, call.account_id)
            and (self.image_id is None or self.image_id in call.image_ids)
            and (self.names is None or self.names in call.parameters.values())
            and self.effect.concerns(call)
        )

    def strikes(self, occurrence: int) -> bool:
        """Return whether the matching call with this number (from 0) is struck."""
        number = occurrence - self.skip
        return (
            number >= 0 and (number + 1) % self.every == 0 and (self.times is None or number // self.every < self.times)
        )


class FaultBook:
    """The rules of a server and how often each has matched. The first rule that strikes decides."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._seen: Counter[tuple[int, str]] = Counter()

    def effect_on(self, call: Call, stats: Stats) -> Effect:
        """Return what happens to a call, and count it for every rule that it matches."""
        chosen = NO_EFFECT
        for number, fault in enumerate(self._faults):
            if not fault.matches(call):
                continue
            key = (number, ",".join(call.resource_ids) if fault.per_image else "")
            occurrence = self._seen[key]
            self._seen[key] += 1
            if chosen is NO_EFFECT and fault.strikes(occurrence):
                chosen = fault.effect
        if chosen is not NO_EFFECT:
            stats.faults[type(chosen).__name__] += 1
        return chosen

    def replace(self, faults: Sequence[Fault]) -> None:
        """Put other rules in the place of the present ones, and forget what these have seen."""
        self._seen.clear()
        self._faults = tuple(faults)

    def reset(self) -> None:
        """Start counting anew."""
        self._seen.clear()
