"""The data of the organization that a fake serves: its units, who is in them, and the roles of the accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

MemberState = Literal["PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"]


@dataclass(frozen=True, slots=True)
class FakeMember:
    """An account as Organizations lists it."""

    id: str
    name: str = "member"
    state: MemberState = "ACTIVE"
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FakeUnit:
    """An organizational unit with what is in it."""

    id: str
    name: str = "unit"
    accounts: tuple[FakeMember, ...] = ()
    units: tuple["FakeUnit", ...] = ()


@dataclass(frozen=True)
class FakeTree:
    """The root of an organization.

    `listers` may list it beside the management account, as delegated administrators do. Without `paths` and `states`,
    accounts come without `Paths`, and with the old `Status` in the place of `State`.
    """

    accounts: tuple[FakeMember, ...] = ()
    units: tuple[FakeUnit, ...] = ()
    root_id: str = "r-ab12"
    listers: frozenset[str] = frozenset()
    paths: bool = True
    states: bool = True

    @cached_property
    def members(self) -> Mapping[str, tuple[FakeMember, tuple[str, ...]]]:
        """By account id the account, and the ids from the root down to the parent that it is in."""
        return {member.id: (member, path) for path, accounts, _ in self._walk() for member in accounts}

    @cached_property
    def parents(self) -> Mapping[str, tuple[tuple[FakeMember, ...], tuple[FakeUnit, ...]]]:
        """By id of the root or a unit its accounts and its units."""
        return {path[-1]: (accounts, units) for path, accounts, units in self._walk()}

    @cached_property
    def parent_of(self) -> Mapping[str, str]:
        """By id of an account or a unit the id of what it is in."""
        return {
            child_id: parent_id
            for parent_id, (accounts, units) in self.parents.items()
            for child_id in (*(account.id for account in accounts), *(unit.id for unit in units))
        }

    def _walk(self) -> Iterator[tuple[tuple[str, ...], tuple[FakeMember, ...], tuple[FakeUnit, ...]]]:
        root: tuple[str, ...] = (self.root_id,)
        waiting = [(root, self.accounts, self.units)]
        while waiting:
            path, accounts, units = waiting.pop()
            yield path, accounts, units
            waiting.extend(((*path, unit.id), unit.accounts, unit.units) for unit in units)


@dataclass(frozen=True, slots=True)
class FakeRole:
    """A role of an account.

    Attributes:
        trusts: the accounts whose callers may assume it; `None` for all.
        external_id: the one that they must name, if any.
        lifetime: seconds that its sessions last, whatever was asked; `None` for what was asked.
        longest: seconds that a session may ask for at most.
        leads_to: another account, into which it leads instead of its own.
    """

    trusts: frozenset[str] | None = None
    external_id: str | None = None
    lifetime: int | None = None
    longest: int = 43_200
    leads_to: str | None = None
