"""The trust policy in force, as a page shows it: what has lapsed and what soon will comes to the eye."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from amiguard.report.json_v1 import AuditV1, ExceptionV1, SelectorV1, TrustPolicyV1
from amiguard.report.verdict import number_of

_SOON = 30
"""Days."""

Force = Literal["lapsed", "soon", "dated", "good"]


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when something counts, as of the day of the audit."""

    force: Force
    text: str
    day: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of the policy."""

    id: str
    name: str
    reason: str
    expiry: Expiry


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One exception; `images` are its selectors, each with its values."""

    images: tuple[tuple[str, tuple[str, ...]], ...]
    grantees: tuple[str, ...]
    reason: str
    owner: str
    expiry: Expiry


@dataclass(frozen=True, slots=True)
class PolicyPart:
    """What the page says of the policy.

    Attributes:
        notice: what lapsed and what will soon, in one sentence; empty if nothing.
    """

    entries: tuple[EntryRow, ...]
    exceptions: tuple[ExceptionRow, ...]
    notice: str


def policy_part(audit: AuditV1) -> PolicyPart | None:
    """The policy with what lapses first on top; None if the report does not hold it."""
    policy = audit.get("trust_policy")
    if policy is None:
        return None
    today = date.fromisoformat(audit["started_at"][:10])
    entries = [
        EntryRow(one["id"], one.get("name") or "", one.get("reason") or "", _expiry(one.get("expires"), today))
        for one in policy["entries"]
    ]
    exceptions = [_exception_row(one, today) for one in policy["exceptions"]]
    return PolicyPart(
        entries=tuple(sorted(entries, key=lambda row: row.expiry.day)),
        exceptions=tuple(sorted(exceptions, key=lambda row: row.expiry.day)),
        notice=_notice([*(row.expiry for row in entries), *(row.expiry for row in exceptions)]),
    )


def party_names(policy: TrustPolicyV1 | None) -> dict[str, str]:
    """The names that the policy gives to grantees, by id."""
    return {one["id"]: name for one in (policy["entries"] if policy else ()) if (name := one.get("name"))}


def _exception_row(exception: ExceptionV1, today: date) -> ExceptionRow:
    grantees = exception["grantees"]
    return ExceptionRow(
        images=tuple(_selectors(exception["images"])),
        grantees=("any",) if isinstance(grantees, str) else tuple(grantees),
        reason=exception["reason"],
        owner=exception["owner"],
        expiry=_expiry(exception.get("expires"), today),
    )


def _selectors(images: SelectorV1) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (
        (word, tuple(values))
        for word, values in (
            ("id", images.get("ids")),
            ("name", images.get("names")),
            ("tag", images.get("tags")),
            ("account", images.get("accounts")),
            ("region", images.get("regions")),
        )
        if values
    )


def _expiry(expires: str | None, today: date) -> Expiry:
    if expires is None:
        return Expiry("good", "no end", "9999")
    try:
        days = (date.fromisoformat(expires) - today).days
    except ValueError:
        # A report may have been edited: what it says is shown, and nothing is made of it.
        return Expiry("dated", expires, expires)
    if days < 0:
        return Expiry("lapsed", f"lapsed after {expires}", expires)
    if days > _SOON:
        return Expiry("dated", f"until {expires}", expires)
    left = "its last day" if days == 0 else f"{number_of(days, 'day', 'days')} left"
    return Expiry("soon", f"until {expires}, {left}", expires)


def _notice(all_of_it: Sequence[Expiry]) -> str:
    lapsed = sum(one.force == "lapsed" for one in all_of_it)
    soon = sum(one.force == "soon" for one in all_of_it)
    parts = ["1 has lapsed and no longer counts"] if lapsed == 1 else []
    parts += [f"{lapsed:,} have lapsed and no longer count"] if lapsed > 1 else []
    parts += [f"{number_of(soon, 'ends', 'end')} within {_SOON} days"] if soon else []
    return f"Of these, {' and '.join(parts)}." if parts else ""
