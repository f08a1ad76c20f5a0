"""Who may launch an image: the kinds of grantee that a launch permission can name.

Source: EC2 API, `LaunchPermission` (UserId, Group, OrganizationArn, OrganizationalUnitArn). A grant is parsed once, at
the edge, and keeps its kind; what is not understood survives as `Unrecognized` and is never dropped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

# Lenient on purpose: these are AWS's own words, and its documentation shows ids shorter than its patterns allow.
_ORGANIZATION_ARN = re.compile(r"arn:([^:\s]+):organizations::([^:/\s]*):organization/([^:/\s]+)")
_UNIT_ARN = re.compile(r"arn:([^:\s]+):organizations::([^:/\s]*):ou/([^:/\s]+)/(ou-[^:/\s]+)")


class GranteeKind(StrEnum):
    """The kind of a grantee, as reports name it."""

    ACCOUNT = "account"
    EVERYONE = "everyone"
    ORGANIZATION = "organization"
    ORGANIZATIONAL_UNIT = "organizational_unit"
    UNRECOGNIZED = "unrecognized"


@dataclass(frozen=True, slots=True)
class Everyone:
    """`Group=all`: any AWS account may launch the image ("public")."""


@dataclass(frozen=True, slots=True)
class Account:
    """One AWS account, by the id that AWS returned (kept as a string: leading zeros count)."""

    account_id: str


@dataclass(frozen=True, slots=True)
class Organization:
    """Every account of an organization, those that join later included."""

    arn: str
    organization_id: str
    management_account_id: str


@dataclass(frozen=True, slots=True)
class OrganizationalUnit:
    """Every account below an organizational unit, nested units and later members included."""

    arn: str
    organization_id: str
    management_account_id: str
    unit_id: str


@dataclass(frozen=True, slots=True)
class Unrecognized:
    """A grant that this version does not understand, in the words of the reply (`Group=...`)."""

    text: str


Grantee = Everyone | Account | Organization | OrganizationalUnit | Unrecognized


def parse_grant(fields: Iterable[tuple[str, str]]) -> tuple[Grantee, ...]:
    """Read one item of a launch permission.

    Args:
        fields: the item's members as (name, value), names as in the API in lower camel case (`userId`, `group`,
            `organizationArn`, `organizationalUnitArn`).

    Returns:
        One grantee a member. AWS sends one member an item; an item with more is judged by each of them, so that a
        member we do not know cannot hide behind one that is trusted. An item without members is `Unrecognized`.
    """
    grantees = tuple(_parse_member(name, value) for name, value in fields)
    return grantees or (Unrecognized("an empty grant"),)


def _parse_member(name: str, value: str) -> Grantee:
    match name:
        case "userId" if value:
            return Account(value)
        case "group" if value == "all":
            return Everyone()
        case "organizationArn" if found := _ORGANIZATION_ARN.fullmatch(value):
            return Organization(value, organization_id=found[3], management_account_id=found[2])
        case "organizationalUnitArn" if found := _UNIT_ARN.fullmatch(value):
            return OrganizationalUnit(value, organization_id=found[3], management_account_id=found[2], unit_id=found[4])
        case _:
            return Unrecognized(f"{name}={value}")


def grantee_kind(grantee: Grantee) -> GranteeKind:
    """The kind of a grantee, for reports."""
    match grantee:
        case Everyone():
            return GranteeKind.EVERYONE
        case Account():
            return GranteeKind.ACCOUNT
        case Organization():
            return GranteeKind.ORGANIZATION
        case OrganizationalUnit():
            return GranteeKind.ORGANIZATIONAL_UNIT
        case Unrecognized():
            return GranteeKind.UNRECOGNIZED
        case _:
            assert_never(grantee)


def grantee_id(grantee: Grantee) -> str:
    """How a report writes a grantee: an account id, `all`, an ARN, or the words of the reply."""
    match grantee:
        case Everyone():
            return "all"
        case Account(account_id):
            return account_id
        case Organization(arn) | OrganizationalUnit(arn):
            return arn
        case Unrecognized(text):
            return text
        case _:
            assert_never(grantee)


_ARN_MEMBERS = {
    GranteeKind.ORGANIZATION: "organizationArn",
    GranteeKind.ORGANIZATIONAL_UNIT: "organizationalUnitArn",
}


def grantee_of(kind: GranteeKind, text: str) -> Grantee:
    """Read back what `grantee_kind` and `grantee_id` wrote.

    Raises:
        ValueError: no grantee of this kind is written so.
    """
    match kind:
        case GranteeKind.EVERYONE if text == "all":
            return Everyone()
        case GranteeKind.ACCOUNT if text:
            return Account(text)
        case GranteeKind.ORGANIZATION | GranteeKind.ORGANIZATIONAL_UNIT:
            grantee = _parse_member(_ARN_MEMBERS[kind], text)
            if grantee_kind(grantee) is kind:
                return grantee
        case GranteeKind.UNRECOGNIZED:
            return Unrecognized(text)
        case _:
            pass
    raise ValueError(f"{text!r} is not how a grantee of the kind {kind.value} is written")


def launch_permission_item(grantee: Grantee) -> dict[str, str]:
    """A grantee as one item of a launch permission, as EC2 takes it: its `LaunchPermission`, with one member.

    Raises:
        ValueError: it is unrecognized, and so can be neither added nor removed.
    """
    match grantee:
        case Everyone():
            return {"Group": "all"}
        case Account(account_id):
            return {"UserId": account_id}
        case Organization(arn):
            return {"OrganizationArn": arn}
        case OrganizationalUnit(arn):
            return {"OrganizationalUnitArn": arn}
        case Unrecognized(text):
            raise ValueError(f"no grant is added or removed that is not understood: {text!r}")
        case _:
            assert_never(grantee)


_REPORT_ORDER = {
    kind: place
    for place, kind in enumerate(
        (
            GranteeKind.EVERYONE,
            GranteeKind.ORGANIZATION,
            GranteeKind.ORGANIZATIONAL_UNIT,
            GranteeKind.ACCOUNT,
            GranteeKind.UNRECOGNIZED,
        )
    )
}


def report_order(grantee: Grantee) -> tuple[int, str]:
    """A sort key: the widest grants first, then by id, so that AWS's order of grants never shows."""
    return _REPORT_ORDER[grantee_kind(grantee)], grantee_id(grantee)
