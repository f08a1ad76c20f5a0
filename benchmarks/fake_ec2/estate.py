"""The data a fake EC2 serves: accounts, their regions, and what is in these.

Everything here is frozen and hashable, so that an estate can be shared between servers and its rendered parts cached.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from .grants import Grant
from .keys_data import FakeKey
from .organizations_data import FakeRole, FakeTree
from .snapshots_data import FakeSnapshot
from .trail_data import FakeEvent
from .usage_data import FakeReport, FakeUsage

BlockPublicAccess = Literal["unblocked", "block-new-sharing"]

LINUX_MEMBERS: Final[tuple[tuple[str, object], ...]] = (
    ("Architecture", "x86_64"),
    ("BootMode", "uefi-preferred"),
    ("EnaSupport", True),
    ("Hypervisor", "xen"),
    ("ImageType", "machine"),
    ("ImdsSupport", "v2.0"),
    ("PlatformDetails", "Linux/UNIX"),
    ("RootDeviceName", "/dev/xvda"),
    ("RootDeviceType", "ebs"),
    ("SriovNetSupport", "simple"),
    ("UsageOperation", "RunInstances"),
    ("VirtualizationType", "hvm"),
)
"""What an ordinary Linux image says about itself, beside the members that tests care about."""


@dataclass(frozen=True, slots=True)
class FakeBlockDevice:
    """One block device mapping of an image; `volume_size` is in GiB."""

    device_name: str
    snapshot_id: str
    volume_size: int = 8
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class FakeImage:
    """One image. `public` is derived from the grants unless it is set, which makes the listing contradict them.

    `members` are further members of the model's `Image`, by name.
    """

    id: str
    name: str | None = "golden"
    grants: tuple[Grant, ...] = ()
    description: str | None = None
    creation_date: str = "2026-01-02T03:04:05.000Z"
    state: str = "available"
    public: bool | None = None
    tags: tuple[tuple[str, str], ...] = ()
    block_devices: tuple[FakeBlockDevice, ...] = ()
    deprecation_time: str | None = None
    last_launched_time: str | None = None
    members: tuple[tuple[str, object], ...] = LINUX_MEMBERS

    @property
    def is_public(self) -> bool:
        """What the listing says in `Public`."""
        return any(grant.member == "Group" for grant in self.grants) if self.public is None else self.public


def by_id(*images: FakeImage) -> dict[str, FakeImage]:
    """Return the images by their ids, in their order: the form in which a `FakeRegion` takes them."""
    return {image.id: image for image in images}


@dataclass(frozen=True, slots=True)
class FakeBinnedImage:
    """One image in the Recycle Bin; times are RFC 3339."""

    id: str
    name: str | None = "golden"
    description: str | None = None
    entered: str = "2026-06-01T00:00:00.000Z"
    leaves: str = "2026-07-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class FakeRegion:
    """One region of an account; images and snapshots keep the order of the mappings, the rest is in EC2's words.

    Attributes:
        snapshots: by id; those that images name are not there by themselves.
        usage: by image id who uses it, and how the reports about it fare; of other images, nobody.
        reports: the usage reports that there are at first.
        events: what CloudTrail has, in any order.
    """

    images: Mapping[str, FakeImage] = field(default_factory=dict)
    opt_in_status: Literal["opt-in-not-required", "opted-in", "not-opted-in"] = "opt-in-not-required"
    block_public_access: BlockPublicAccess = "unblocked"
    block_public_access_managed_by: Literal["account", "declarative-policy"] = "account"
    snapshots: Mapping[str, FakeSnapshot] = field(default_factory=dict)
    usage: Mapping[str, FakeUsage] = field(default_factory=dict)
    reports: tuple[FakeReport, ...] = ()
    recycle_bin: tuple[FakeBinnedImage, ...] = ()
    events: tuple[FakeEvent, ...] = ()
    keys: tuple[FakeKey, ...] = ()


@dataclass(frozen=True, slots=True)
class FakeAccount:
    """One account: its regions by name, and its roles by name, or the names of roles that anyone may assume.

    With `None`, there is any role.
    """

    regions: Mapping[str, FakeRegion]
    roles: Mapping[str, FakeRole] | frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class FakeOrganization:
    """The organization of the estate. `members` of `None` means all accounts; `denied` ones may not describe it.

    Without a `tree`, the members are listed as directly under the root.
    """

    id: str
    management_account: str
    members: frozenset[str] | None = None
    denied: frozenset[str] = frozenset()
    tree: FakeTree | None = None


@dataclass(frozen=True, slots=True)
class Estate:
    """Accounts by their ids, in one partition, and the organization they may belong to."""

    accounts: Mapping[str, FakeAccount]
    organization: FakeOrganization | None = None
    partition: str = "aws"


def single_account(
    *images: FakeImage, account_id: str = "111122223333", region: str = "us-east-1", more_regions: tuple[str, ...] = ()
) -> Estate:
    """Return an estate of one account with these images in `region`, and empty regions beside it."""
    regions = {region: FakeRegion(by_id(*images))} | {name: FakeRegion() for name in more_regions}
    return Estate({account_id: FakeAccount(regions)})
