"""Which grantees an entry of the trust policy covers: by name, by membership, or perhaps."""

from dataclasses import dataclass
from typing import assert_never

from amiguard.core.grantee import Account, Grantee, Organization, OrganizationalUnit
from amiguard.core.organization import (
    Members,
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry


@dataclass(frozen=True, slots=True)
class Covered:
    """The entry covers the grantee; `how` ends the sentence "trusted: ..."."""

    how: str


@dataclass(frozen=True, slots=True)
class NotCovered:
    """The entry says nothing about the grantee."""


@dataclass(frozen=True, slots=True)
class MayCover:
    """Whether the entry covers the grantee depends on something that was not read."""

    why: str


Coverage = Covered | NotCovered | MayCover


def coverage(entry: TrustEntry, grantee: Grantee, organization: OrganizationView) -> Coverage:
    """Whether one entry of the policy covers one grantee, dates aside.

    Everyone and unrecognized grants are covered by no entry.
    """
    match entry.trustee, grantee:
        case TrustedAccount(account_id), Account(granted):
            return Covered(f"account {entry.label}") if account_id == granted else NotCovered()
        case (TrustedOrganization() | TrustedUnit()) as trustee, Account(granted):
            return _covers_member(entry, trustee, granted, organization)
        case TrustedOrganization() as trustee, (Organization() | OrganizationalUnit()):
            return _covers_by_organization(entry, trustee, grantee, organization)
        case TrustedUnit() as trustee, OrganizationalUnit():
            return _covers_unit(entry, trustee, grantee, organization)
        case _:
            return NotCovered()


def _covers_member(
    entry: TrustEntry, trustee: TrustedOrganization | TrustedUnit, account_id: str, organization: OrganizationView
) -> Coverage:
    match organization:
        case NoOrganization():
            return NotCovered()
        case OrganizationUnread(reason):
            return MayCover(f"{entry.label} is trusted, and its members are not known: {reason}")
        case OwnOrganization(members=members):
            if not _is_own(trustee, organization):
                # A foreign organization cannot be enumerated: it covers organization and unit grants only.
                return NotCovered()
            match members:
                case MembersUnread(reason):
                    return MayCover(f"{entry.label} is trusted, and its members are not known: {reason}")
                case Members(accounts):
                    above = accounts.get(account_id)
                    if above is None or (isinstance(trustee, TrustedUnit) and trustee.unit_id not in above):
                        return NotCovered()
                    return Covered(f"member of {entry.label}")
                case _:
                    assert_never(members)
        case _:
            assert_never(organization)


def _is_own(trustee: TrustedOrganization | TrustedUnit, own: OwnOrganization) -> bool:
    return trustee.organization_id in (None, own.organization_id) and trustee.management_account_id in (
        None,
        own.management_account_id,
    )


def _same_organization(
    trustee: TrustedOrganization | TrustedUnit,
    grantee: Organization | OrganizationalUnit,
    organization: OrganizationView,
) -> bool | None:
    """Whether the entry and the grant speak of one organization; None if that hangs on an unread own organization."""
    if trustee.organization_id is not None:
        return trustee.organization_id == grantee.organization_id and trustee.management_account_id in (
            None,
            grantee.management_account_id,
        )
    match organization:
        case NoOrganization():
            return False
        case OrganizationUnread():
            return None
        case OwnOrganization(organization_id, management_account_id):
            return (organization_id, management_account_id) == (
                grantee.organization_id,
                grantee.management_account_id,
            )
        case _:
            assert_never(organization)


def _covers_by_organization(
    entry: TrustEntry,
    trustee: TrustedOrganization,
    grantee: Organization | OrganizationalUnit,
    organization: OrganizationView,
) -> Coverage:
    match _same_organization(trustee, grantee, organization):
        case None:
            return MayCover(
                f"the own organization is trusted, and it is not known whether this is it: {_unread(organization)}"
            )
        case False:
            return NotCovered()
        case True if isinstance(grantee, Organization):
            return Covered(f"organization {entry.label}")
        case True:
            return Covered(f"unit of organization {entry.label}")
        case unreachable:
            assert_never(unreachable)


def _covers_unit(
    entry: TrustEntry, trustee: TrustedUnit, grantee: OrganizationalUnit, organization: OrganizationView
) -> Coverage:
    match _same_organization(trustee, grantee, organization):
        case None:
            return MayCover(
                f"unit {entry.label} of the own organization is trusted, and it is not known whether this unit is in "
                f"or below it: {_unread(organization)}"
            )
        case False:
            return NotCovered()
        case True if grantee.unit_id == trustee.unit_id:
            return Covered(f"unit {entry.label}")
        case True:
            return _covers_nested_unit(entry, trustee, grantee, organization)
        case unreachable:
            assert_never(unreachable)


def _covers_nested_unit(
    entry: TrustEntry, trustee: TrustedUnit, grantee: OrganizationalUnit, organization: OrganizationView
) -> Coverage:
    match organization:
        case OwnOrganization(members=Members(units=units)) if (
            _is_own(trustee, organization) and grantee.unit_id in units
        ):
            if trustee.unit_id in units[grantee.unit_id]:
                return Covered(f"nested in unit {entry.label}")
            return NotCovered()
        case _:
            return MayCover(f"unit {entry.label} is trusted, and the units above this one were not read")


def _unread(organization: OrganizationView) -> str:
    return organization.reason if isinstance(organization, OrganizationUnread) else "not read"
