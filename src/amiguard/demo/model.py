"""The words in which the demo's estate is written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LaunchPermissionMember = Literal["UserId", "Group", "OrganizationArn", "OrganizationalUnitArn"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the estate's organization."""

    key: str
    """Its name inside the estate: AWS gives out the account id only when the estate is seeded."""
    name: str
    email: str
    unit: str
    """Path of its organizational unit, such as `Workloads/Production`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of a launch permission."""

    member: LaunchPermissionMember
    """What EC2 calls this kind of grantee."""
    value: str
    """The grantee; `{...}` stands for an id of the estate itself, which is known once it is seeded."""

    def resolved(self, ids: Mapping[str, str]) -> dict[str, str]:
        """The entry as EC2 takes and returns it."""
        return {self.member: self.value.format_map(ids)}


@dataclass(frozen=True, slots=True)
class Use:
    """So many resources of one type that name an image."""

    account_id: str
    """Whose they are; `{...}` as in a grant."""
    count: int
    resource_type: str = "ec2:Instance"


@dataclass(frozen=True, slots=True)
class Call:
    """A call about an image, as CloudTrail has it."""

    name: str
    days_ago: int
    caller: str
    """A role and its session, `role/session`, or the name of a user."""
    source: str
    added: tuple[Grant, ...] = ()
    removed: tuple[Grant, ...] = ()
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A customer-managed KMS key in the account and region of an image."""

    description: str
    accounts: tuple[str, ...] = ()
    """Who may use it besides its own account; `{...}` as in a grant."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of the estate; account, region and name together are unique."""

    account: str
    """Key of the account that owns it."""
    region: str
    name: str
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    grants: tuple[Grant, ...] = ()
    disabled: bool = False
    age_days: int = 0
    uses: tuple[Use, ...] = ()
    calls: tuple[Call, ...] = ()
    snapshot_grants: tuple[Grant, ...] = ()
    """Who may create volumes from its snapshot."""
    key: Key | None = None
    """Encrypts its snapshot."""
    binned_days_ago: int | None = None
    """It was deregistered, and lies in the Recycle Bin."""

    @property
    def public(self) -> bool:
        """Whether everyone may launch it."""
        return EVERYONE in self.grants


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything that the demo puts into its AWS."""

    caller: str
    """Key of the management account, which is the one whose credentials the caller holds."""
    caller_name: str
    members: tuple[Account, ...]
    roles: tuple[str, ...]
    """Roles of every member account that the caller may assume."""
    units: tuple[str, ...]
    """Paths of the organizational units, each after its parent."""
    regions: tuple[str, ...]
    images: tuple[Image, ...]
    """Those that EC2 lists."""
    binned: tuple[Image, ...] = ()
    """Those in the Recycle Bin."""

    def images_in(self, account: str, region: str) -> tuple[Image, ...]:
        """The images that an account owns in one region."""
        return tuple(image for image in self.images if (image.account, image.region) == (account, region))


EVERYONE = Grant("Group", "all")


def account(account_id: str) -> Grant:
    """A grant to one account."""
    return Grant("UserId", account_id)


def organization(arn: str) -> Grant:
    """A grant to every account of an organization."""
    return Grant("OrganizationArn", arn)


def unit(arn: str) -> Grant:
    """A grant to every account below an organizational unit."""
    return Grant("OrganizationalUnitArn", arn)
