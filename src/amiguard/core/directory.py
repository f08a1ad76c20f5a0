"""The directory of an organization: its accounts and units, read completely."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from amiguard.core.organization import Members, OwnOrganization


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """One account of the organization.

    Attributes:
        name: written by someone else: neutralise it before it is shown.
        state: AWS Organizations' word: `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `PENDING_ACTIVATION`, `CLOSED`; empty
            if it gave none.
        units: ids of the units above it, outermost first; empty directly under the root.
    """

    account_id: str
    name: str
    state: str
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """One organizational unit; `above` are ids of the units above it, outermost first."""

    unit_id: str
    name: str = ""
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """An organization as it was at one moment.

    Attributes:
        accounts: by account id.
        units: by unit id, those without accounts included.
        read_at: when it was read from AWS (UTC).
        saved: whether it comes from a file, and not from AWS in this run.
    """

    organization_id: str
    management_account_id: str
    accounts: Mapping[str, MemberAccount]
    units: Mapping[str, Unit]
    read_at: datetime
    saved: bool = field(default=False, compare=False)

    @property
    def members(self) -> Members:
        """What trust decisions need of it."""
        return Members(
            accounts={account.account_id: account.units for account in self.accounts.values()},
            units={unit.unit_id: unit.above for unit in self.units.values()},
            just_read=not self.saved,
        )

    @property
    def as_own(self) -> OwnOrganization:
        """What trust decisions take: the organization with its members."""
        return OwnOrganization(self.organization_id, self.management_account_id, self.members)
