"""What fails now, against what failed when it was last told of."""

from collections.abc import Mapping
from dataclasses import dataclass

from amiguard.notify.survey import Survey

Failing = Mapping[str, str]
"""Severities by fingerprint."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is other than before.

    Attributes:
        first: nothing was told before.
        new: how many fail that did not.
        changed: how many fail with another severity.
        resolved: how many fail no more. An incomplete audit resolves nothing.
    """

    first: bool
    new: int
    changed: int
    resolved: int

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.resolved)


def compare(before: Failing | None, found: Survey) -> Change:
    """What has changed; what an incomplete audit does not find may not have been read, and is no change.

    Args:
        before: what `to_remember` gave when it was last told of; None if it never was.
        found: what the audit comes to.
    """
    known = before or {}
    return Change(
        first=before is None,
        new=sum(one not in known for one in found.failing),
        changed=sum(one in known and known[one] != severity for one, severity in found.failing.items()),
        resolved=sum(one not in found.failing for one in known) if found.complete else 0,
    )


def to_remember(before: Failing | None, found: Survey) -> dict[str, str]:
    """What fails as far as people were told; what an incomplete audit did not find still counts."""
    kept = {} if found.complete else dict(before or {})
    return kept | dict(found.failing)
