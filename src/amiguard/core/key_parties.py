"""Which accounts a grantee of an image stands for, and what KMS learns of them when they launch or copy it.

Source: IAM User Guide, "AWS global condition context keys"; KMS Developer Guide, "AWS KMS condition keys".
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.organization import Members, OrganizationView, OwnOrganization
from amiguard.core.policy_patterns import ANYTHING, Truth, Value, account_of_arn, organization_of_path

# AWS Organizations, OrganizationalUnit: a unit's id holds the id of its root.
_ROOT_IN_UNIT = re.compile(r"ou-([0-9a-z]{4,32})-[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Party:
    """An account that a grantee stands for.

    Attributes:
        account_id: empty for any account that is not in `other_than`.
        belongs: whether the grantee surely stands for it.
        label: how a reason names it.
        context: what its requests hold, by condition key in lower case.
    """

    account_id: str
    belongs: Truth
    label: str
    context: Mapping[str, Value]
    other_than: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the key and the image are."""

    partition: str
    region: str
    owner_account: str
    organization: OrganizationView


def parties_of(grantee: Grantee, mentioned: Collection[str], place: Place) -> Iterator[Party]:
    """The accounts that a grantee stands for; none if it is not understood.

    Those that a policy or a grant lets in by their ids are told apart; all others are alike, and so are one party. The
    owner of the image is none of them.
    """
    if isinstance(grantee, Account):
        # Most grantees: what follows costs as much as there are accounts that grants name.
        organization = _organization_of(grantee.account_id, place.organization)
        yield _party(grantee.account_id, Truth.YES, f"account {grantee.account_id}", organization, place)
        return
    told_apart = sorted(set(mentioned) - {place.owner_account})
    others = frozenset(told_apart) | {place.owner_account}
    match grantee:
        case Everyone():
            unknown = _of_some_organization(frozenset())
            yield _party("", Truth.YES, "any account", unknown, place, other_than=others)
            for account_id in told_apart:
                organization = _organization_of(account_id, place.organization)
                yield _party(account_id, Truth.YES, f"account {account_id}", organization, place)
        case Organization(organization_id=organization_id):
            members = _of_organization(organization_id, f"{organization_id}/{ANYTHING}")
            yield _party("", Truth.YES, f"any account of {organization_id}", members, place, other_than=others)
            for account_id in told_apart:
                belongs = _is_member(account_id, organization_id, place.organization)
                if account_id == grantee.management_account_id:
                    belongs = Truth.YES
                yield from _member(account_id, belongs, members, place)
        case OrganizationalUnit(organization_id=organization_id, unit_id=unit_id):
            members = _of_organization(organization_id, _path_below(grantee, place.organization))
            yield _party("", Truth.YES, f"any account of {unit_id}", members, place, other_than=others)
            for account_id in told_apart:
                yield from _member(account_id, _is_below(account_id, grantee, place.organization), members, place)
        case Unrecognized():
            return
        case _:
            assert_never(grantee)


def _member(account_id: str, belongs: Truth, context: Mapping[str, Value], place: Place) -> Iterator[Party]:
    if belongs is not Truth.NO:
        known = _organization_of(account_id, place.organization)
        context = known if known["aws:principalorgid"].present is Truth.YES else context
        yield _party(account_id, belongs, f"account {account_id}", context, place)


def _party(
    account_id: str,
    belongs: Truth,
    label: str,
    organization: Mapping[str, Value],
    place: Place,
    *,
    other_than: frozenset[str] = frozenset(),
) -> Party:
    account = Value(account_id or ANYTHING, but_not=other_than)
    anyone = f"arn:{place.partition}:{ANYTHING}::{account_id or ANYTHING}:{ANYTHING}"
    context = {
        "aws:principalaccount": account,
        "kms:calleraccount": account,
        "aws:principalarn": Value(anyone, but_not=other_than, part=account_of_arn),
        # EC2 calls KMS for the principal that launches, with its identity (forward access sessions).
        "aws:principalisawsservice": Value("false"),
        # Only there when a service calls as itself, and then about a resource of the account.
        "aws:sourceaccount": Value(account_id or ANYTHING, Truth.MAYBE, other_than),
    }
    return Party(account_id, belongs, label, {**context, **organization}, other_than)


def launch_context(place: Place) -> dict[str, Value]:
    """What KMS learns of a launch in the region of the image: EC2 calls it."""
    domain = "amazonaws.com" if place.partition in ("aws", "aws-us-gov") else ANYTHING
    return {
        "kms:viaservice": Value(f"ec2.{place.region}.{domain}"),
        "aws:requestedregion": Value(place.region),
    }


def copy_context() -> dict[str, Value]:
    """What KMS learns of a copy to another region: which one EC2 then names is not documented."""
    return {"kms:viaservice": Value(f"ec2.{ANYTHING}"), "aws:requestedregion": Value(ANYTHING)}


def direct_context(place: Place) -> dict[str, Value]:
    """What KMS learns of a call that no service makes: the key is asked in its own region."""
    return {"kms:viaservice": Value("", Truth.NO), "aws:requestedregion": Value(place.region)}


def _of_organization(organization_id: str, path: str) -> dict[str, Value]:
    return {"aws:principalorgid": Value(organization_id), "aws:principalorgpaths": Value(path, several=True)}


def _of_some_organization(but_not: frozenset[str]) -> dict[str, Value]:
    """An account may be a member of an organization that is not known, or of none."""
    path = Value(ANYTHING, Truth.MAYBE, but_not, organization_of_path, several=True)
    return {"aws:principalorgid": Value(ANYTHING, Truth.MAYBE, but_not), "aws:principalorgpaths": path}


def _organization_of(account_id: str, view: OrganizationView) -> dict[str, Value]:
    match view:
        case OwnOrganization(own, members=Members(accounts, units) as members):
            if account_id not in accounts:
                return _of_some_organization(frozenset({own}) if members.just_read else frozenset())
            return _of_organization(own, _path(own, accounts[account_id], units))
        case OwnOrganization(own, management_account_id) if account_id == management_account_id:
            return _of_organization(own, f"{own}/{ANYTHING}")
        case _:
            return _of_some_organization(frozenset())


def _path(organization_id: str, above: tuple[str, ...], units: Collection[str]) -> str:
    """The path of what lies in these units, outermost first (aws:PrincipalOrgPaths: `o-.../r-.../ou-.../`)."""
    found = _ROOT_IN_UNIT.fullmatch(next(iter(above or units), ""))
    root = f"r-{found[1]}" if found else ANYTHING
    return "/".join((organization_id, root, *above, ""))


def _path_below(unit: OrganizationalUnit, view: OrganizationView) -> str:
    match view:
        case OwnOrganization(unit.organization_id, members=Members(units=units)) if unit.unit_id in units:
            return _path(unit.organization_id, (*units[unit.unit_id], unit.unit_id), units) + ANYTHING
        case _:
            return f"{unit.organization_id}/{ANYTHING}/{unit.unit_id}/{ANYTHING}"


def _is_member(account_id: str, organization_id: str, view: OrganizationView) -> Truth:
    """An account is a member of one organization at most."""
    match view:
        case OwnOrganization(own, members=Members(accounts) as members):
            if account_id in accounts:
                return Truth.YES if organization_id == own else Truth.NO
            return Truth.NO if organization_id == own and members.just_read else Truth.MAYBE
        case OwnOrganization(own, management_account_id) if account_id == management_account_id:
            return Truth.YES if organization_id == own else Truth.NO
        case _:
            return Truth.MAYBE


def _is_below(account_id: str, unit: OrganizationalUnit, view: OrganizationView) -> Truth:
    belongs = _is_member(account_id, unit.organization_id, view)
    match view:
        case OwnOrganization(members=Members(accounts)) if belongs is Truth.YES:
            return Truth.YES if unit.unit_id in accounts[account_id] else Truth.NO
        case _:
            return min(belongs, Truth.MAYBE)
