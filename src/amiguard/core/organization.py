"""What is known of the organization that the audited account belongs to.

Only the own organization can be enumerated (AWS Organizations: ListAccounts is answered to the management account and
delegated administrators), so what a foreign organization contains is never known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Members:
    """The members of the own organization, read completely.

    Attributes:
        accounts: account id -> ids of the units above it, outermost first.
        units: unit id -> ids of the units above it, outermost first.
        just_read: whether AWS was asked in this run. Of a saved directory nobody knows who has joined since.
    """

    accounts: Mapping[str, tuple[str, ...]]
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    just_read: bool = True


@dataclass(frozen=True, slots=True)
class MembersUnread:
    """The members were not, or not completely, read."""

    reason: str


@dataclass(frozen=True, slots=True)
class OwnOrganization:
    """The organization of the audited account, as DescribeOrganization names it."""

    organization_id: str
    management_account_id: str
    members: Members | MembersUnread


@dataclass(frozen=True, slots=True)
class NoOrganization:
    """The audited account belongs to no organization: every organization is a foreign one."""


@dataclass(frozen=True, slots=True)
class OrganizationUnread:
    """Whether the account belongs to an organization, and to which, could not be read: any may be its own."""

    reason: str


OrganizationView = OwnOrganization | NoOrganization | OrganizationUnread
