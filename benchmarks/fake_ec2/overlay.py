"""Things of regions while a server runs: the frozen ones, and what has changed since."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Overlay(Generic[Thing]):
    """Keeps changes apart from what there was at first, which `base` gives by account and region."""

    def __init__(self, base: Callable[[str, str], Mapping[str, Thing]]) -> None:
        # Asked once a region: most calls look something up.
        self._base = cache(base)
        self._changed: dict[tuple[str, str], dict[str, Thing | None]] = {}
        self._ids: dict[tuple[str, str], list[str]] = {}

    def get(self, account_id: str, region: str, name: str) -> Thing | None:
        """Return the thing with this id as it is now, or `None`."""
        if self._changed and name in (changed := self._changed.get((account_id, region), {})):
            return changed[name]
        return self._base(account_id, region).get(name)

    def ids(self, account_id: str, region: str) -> list[str]:
        """Return the ids of all things of a region, in the order of the listing."""
        key = (account_id, region)
        known = self._ids.get(key)
        if known is None:
            changed = self._changed.get(key, {})
            order = dict.fromkeys((*self._base(account_id, region), *changed))
            known = self._ids[key] = [name for name in order if changed.get(name, True) is not None]
        return known

    def put(self, account_id: str, region: str, name: str, thing: Thing | None) -> None:
        """Put a thing in the place of the one with its id, or with `None` take that away."""
        key = (account_id, region)
        was_listed = self.get(account_id, region, name) is not None
        self._changed.setdefault(key, {})[name] = thing
        if was_listed != (thing is not None):
            self._ids.pop(key, None)
