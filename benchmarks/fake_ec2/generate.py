"""Estates of any size, reproducible from a seed, with the truth about them.

Images are made when they are asked for: an image id is a bijection of the image's index, so that an estate of 200,000
images holds only its few shared ones.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from .estate import (
    Estate,
    FakeAccount,
    FakeBlockDevice,
    FakeImage,
    FakeOrganization,
    FakeRegion,
)
from .grants import Grant, account_grant, everyone_grant, organization_grant, unit_grant
from .keys_data import FakeKey, admitting, key_policy
from .snapshots_data import FakeSnapshot

REGION_NAMES: Final = (
    *("us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "us-east-2", "us-west-1", "eu-west-2", "eu-west-3"),
    *("eu-north-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1"),
    *("ap-southeast-2", "ca-central-1", "sa-east-1"),
)
"""The regions that every account has without opting in; the first four are those of the measurements."""

PUBLIC, ORGANIZATION, UNIT, ACCOUNT = 9, 41, 29, 399
"""Shared images of each kind in 10,000."""

KEY_ID: Final = "1234abcd-12ab-34cd-56ef-1234567890ab"
"""The id of the key of every account and region, which admits nobody else."""

_ID_SPACE: Final = 1 << 68
_STRIDE: Final = 0x9E3779B97F4A7C15 | 1
_UNSTRIDE: Final = pow(_STRIDE, -1, _ID_SPACE)
_TEMPLATES: Final = 16
_TRUSTED, _PARTNERS = 4, 40


@dataclass(frozen=True, slots=True)
class ImageKey:
    """Where an image lives."""

    account_id: str
    region: str
    image_id: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What an audit of the estate must find: the grants of every shared image, and the accounts to be trusted."""

    images: int
    grants: Mapping[ImageKey, tuple[Grant, ...]]
    trusted_accounts: tuple[str, ...]

    def untrusted(self) -> frozenset[ImageKey]:
        """Return the images with at least one grantee other than a trusted account."""
        trusted = {account_grant(account_id) for account_id in self.trusted_accounts}
        return frozenset(key for key, grants in self.grants.items() if not trusted.issuperset(grants))


class GeneratedImages(Mapping[str, FakeImage]):
    """`count` images by id, made on demand. `grants` holds those of the shared images by index."""

    def __init__(self, count: int, offset: int, grants: Mapping[int, tuple[Grant, ...]]) -> None:
        self._count, self._offset, self._grants = count, offset, grants

    def image_id(self, index: int) -> str:
        """Return the id of the image with this index."""
        return f"ami-{(index * _STRIDE + self._offset) % _ID_SPACE:017x}"

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return map(self.image_id, range(self._count))

    def __getitem__(self, image_id: str) -> FakeImage:
        digits = image_id.removeprefix("ami-")
        if len(digits) != 17:
            raise KeyError(image_id)
        try:
            index = (int(digits, 16) - self._offset) * _UNSTRIDE % _ID_SPACE
        except ValueError:
            raise KeyError(image_id) from None
        if index >= self._count:
            raise KeyError(image_id)
        return self._make(index, image_id)

    def _make(self, index: int, image_id: str) -> FakeImage:
        family, tags, device = _TEMPLATE_PARTS[index % _TEMPLATES]
        snapshot_id = f"snap-{image_id[4:]}"
        return FakeImage(
            id=image_id,
            name=f"{family}-hvm-2026.{index % 12 + 1:02d}.{index % 28 + 1:02d}-x86_64-{index:06d}",
            description=f"{family} base image, hardened by the platform team, build {index}, patched monthly",
            creation_date=f"2026-{index % 12 + 1:02d}-{index % 28 + 1:02d}T04:{index % 60:02d}:00.000Z",
            deprecation_time=f"2028-{index % 12 + 1:02d}-{index % 28 + 1:02d}T04:{index % 60:02d}:00.000Z",
            tags=tags,
            block_devices=(FakeBlockDevice(device.device_name, snapshot_id, device.volume_size, device.encrypted),),
            # Three images in four were launched, in the month after they were made.
            last_launched_time=f"2026-{index % 12 + 1:02d}-28T23:00:00Z" if index % 4 else None,
            grants=self._grants.get(index, ()),
        )


class GeneratedSnapshots(Mapping[str, FakeSnapshot]):
    """The snapshot under each generated image, made on demand; encrypted ones have the key with this ARN."""

    def __init__(self, images: Mapping[str, FakeImage], key_arn: str) -> None:
        self._images, self._key_arn = images, key_arn

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[str]:
        return (f"snap-{image_id[4:]}" for image_id in self._images)

    def __getitem__(self, snapshot_id: str) -> FakeSnapshot:
        (device,) = self._images[f"ami-{snapshot_id.removeprefix('snap-')}"].block_devices
        key_arn = self._key_arn if device.encrypted else None
        return FakeSnapshot(snapshot_id, kms_key_id=key_arn, volume_size=device.volume_size)


def _template(number: int) -> tuple[str, tuple[tuple[str, str], ...], FakeBlockDevice]:
    family = f"golden-{('al2023', 'ubuntu-24.04', 'rhel-9', 'windows-2022')[number % 4]}-{number // 4}"
    tags = (
        ("Name", family),
        ("Team", f"platform-{number % 3}"),
        ("CostCenter", f"{4000 + number}"),
        ("Environment", ("production", "staging")[number % 2]),
    )
    return family, tags, FakeBlockDevice("/dev/xvda", "", 8 + number, encrypted=number % 3 == 0)


_TEMPLATE_PARTS: Final = tuple(map(_template, range(_TEMPLATES)))


def _draw_grants(rng: random.Random, total: int, partners: tuple[str, ...]) -> Iterator[tuple[int, tuple[Grant, ...]]]:
    """Yield the index and the grants of every shared image of `total`."""
    counts = [total * per_10000 // 10_000 for per_10000 in (PUBLIC, ORGANIZATION, UNIT, ACCOUNT)]
    indexes = iter(rng.sample(range(total), sum(counts)))
    organizations = [f"arn:aws:organizations::9{number:011d}:{{}}/o-foreign{number:03d}" for number in range(5)]
    public, organization, unit, account = counts
    for _ in range(public):
        yield next(indexes), (everyone_grant(),)
    for _ in range(organization):
        yield next(indexes), (organization_grant(rng.choice(organizations).format("organization")),)
    for _ in range(unit):
        yield next(indexes), (unit_grant(rng.choice(organizations).format("ou") + "/ou-ab12-cdefghij"),)
    for _ in range(account):
        yield next(indexes), tuple(account_grant(chosen) for chosen in rng.sample(partners, rng.randint(1, 3)))


def generate_estate(
    accounts: int = 1,
    regions: int = 4,
    images_per_region: int = 2500,
    seed: int = 1,
    *,
    first_region_images: int | None = None,
) -> tuple[Estate, Truth]:
    """Return an estate and the truth about it; the same arguments always give the same.

    Args:
        accounts: how many accounts; their ids are `100000000000` upwards.
        regions: how many regions each, at most 17, in the order of `REGION_NAMES`.
        images_per_region: how many images in every region; about 4.8 % of all images are shared.
        seed: what the draw of the shared images depends on.
        first_region_images: how many images in the first region of the first account, if not as many as elsewhere.
    """
    rng = random.Random(seed)
    ids = [f"{100_000_000_000 + number}" for number in range(accounts)]
    names = REGION_NAMES[:regions]
    partners = tuple(f"{700_000_000_000 + number}" for number in range(_PARTNERS))
    sizes = [images_per_region] * (len(ids) * len(names))
    if first_region_images is not None:
        sizes[0] = first_region_images
    ends = list(accumulate(sizes))
    drawn: list[dict[int, tuple[Grant, ...]]] = [{} for _ in sizes]
    for index, grants in _draw_grants(rng, sum(sizes), partners):
        cell = bisect_right(ends, index)
        drawn[cell][index - ends[cell] + sizes[cell]] = grants
    truth: dict[ImageKey, tuple[Grant, ...]] = {}
    built: dict[str, FakeAccount] = {}
    for row, account_id in enumerate(ids):
        built_regions: dict[str, FakeRegion] = {}
        for column, region in enumerate(names):
            cell = row * len(names) + column
            shared = drawn[cell]
            images = GeneratedImages(sizes[cell], rng.getrandbits(68), shared)
            truth.update((ImageKey(account_id, region, images.image_id(index)), shared[index]) for index in shared)
            key_arn = f"arn:aws:kms:{region}:{account_id}:key/{KEY_ID}"
            key = FakeKey(KEY_ID, key_policy(admitting(f"arn:aws:iam::{account_id}:root")))
            built_regions[region] = FakeRegion(images, snapshots=GeneratedSnapshots(images, key_arn), keys=(key,))
        built[account_id] = FakeAccount(built_regions)
    estate = Estate(built, FakeOrganization("o-generated01", ids[0]))
    return estate, Truth(sum(sizes), truth, partners[:_TRUSTED])
