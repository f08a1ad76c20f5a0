"""Items of launch permissions, and of the permissions of snapshots."""

from dataclasses import dataclass
from typing import Literal

GrantMember = Literal["UserId", "Group", "OrganizationArn", "OrganizationalUnitArn", "raw"]


@dataclass(frozen=True, slots=True)
class Grant:
    """One item of a launch permission, or of the createVolumePermission of a snapshot.

    `member` is the name of the member in EC2's model, and `value` its text; with `raw`, `value` is the XML inside the
    item as it is, for kinds that the model does not know.
    """

    member: GrantMember
    value: str


def account_grant(account_id: str) -> Grant:
    """Return the grant of one account."""
    return Grant("UserId", account_id)


def everyone_grant() -> Grant:
    """Return the grant that makes an image public."""
    return Grant("Group", "all")


def organization_grant(arn: str) -> Grant:
    """Return the grant of an organization, by its full ARN."""
    return Grant("OrganizationArn", arn)


def unit_grant(arn: str) -> Grant:
    """Return the grant of an organizational unit, by its full ARN."""
    return Grant("OrganizationalUnitArn", arn)


def raw_grant(xml: str) -> Grant:
    """Return an item whose XML is `xml`, such as `<futureKind>x</futureKind>`."""
    return Grant("raw", xml)
