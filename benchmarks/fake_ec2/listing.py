"""DescribeImages: which images a page holds, and their XML."""

import itertools
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final
from xml.sax.saxutils import escape

from .calls import Call
from .estate import FakeBlockDevice, FakeImage
from .filters import Filter, fits, read_filters
from .pages import Page, read_limit, read_start
from .replies import AwsProblem
from .serialize import RawXml, StructureWriter, service_model
from .store import Store

_PAD: Final = "        "


def find_page(call: Call, store: Store) -> Page:
    """Return the page that a call asks for, or raise `AwsProblem`."""
    filters = read_filters(call)
    start = read_start(call)
    # Without MaxResults a listing is unpaginated, even with a token.
    limit = read_limit(call)
    images: list[tuple[str, FakeImage]] = []
    position = start
    # Positions count candidates, not matches, so that a late page does not look at the images of the early ones again.
    for owner, image_id in itertools.islice(_candidates(call, store), start, None):
        if limit is not None and len(images) == limit:
            return Page(tuple(images), start, position)
        position += 1
        image = store.image(owner, call.region, image_id)
        if image is not None and _wanted(call, owner, image, filters):
            images.append((owner, image))
    return Page(tuple(images), start, None)


def _wanted(call: Call, owner: str, image: FakeImage, filters: tuple[Filter, ...]) -> bool:
    if image.state == "disabled" and not call.flag("IncludeDisabled"):
        return False
    return sees(call.account_id, owner, image) and fits(image, owner, filters)


def _candidates(call: Call, store: Store) -> Iterator[tuple[str, str]]:
    """Yield the owners and ids of the images that a call may be about."""
    owners = _owners(call, store)
    image_ids = call.listed("ImageId")
    for image_id in image_ids:
        _require_visible(call, store, image_id)
    for owner in owners:
        for image_id in image_ids or store.ids(owner, call.region):
            yield owner, image_id


def _require_visible(call: Call, store: Store, image_id: str) -> None:
    if not image_id.startswith("ami-"):
        raise AwsProblem("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    if not any(sees(call.account_id, *pair) for pair in store.owners(call.region, image_id)):
        raise AwsProblem("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")


def _owners(call: Call, store: Store) -> list[str]:
    """Return the ids of the owners asked for, or of all."""
    named = [call.account_id if owner == "self" else owner for owner in call.listed("Owner")]
    return list(dict.fromkeys(named or store.estate.accounts))


def sees(account_id: str, owner: str, image: FakeImage) -> bool:
    """Return whether an account may see an image: its own, public ones, and those shared with it explicitly."""
    return account_id == owner or any(
        grant.member == "Group" or (grant.member == "UserId" and grant.value == account_id) for grant in image.grants
    )


@cache
def _image_writer() -> StructureWriter:
    shape = service_model("ec2").shape_for("Image")
    return StructureWriter(shape, 3)


@lru_cache(maxsize=4096)
def _shared_part(tags: tuple[tuple[str, str], ...], members: tuple[tuple[str, object], ...]) -> str:
    """Write what many images have in common; with one part for each image, rendering would be most of the work."""
    return _image_writer()({**dict(members), "Tags": [{"Key": key, "Value": value} for key, value in tags] or None})


@lru_cache(maxsize=4096)
def _mappings_around(devices: tuple[tuple[str, int, bool], ...]) -> str:
    """Write the block device mappings of such devices, with `{0}`, `{1}` and so on in the place of their snapshots."""
    mappings = [
        {
            "DeviceName": name.replace("{", "{{").replace("}", "}}"),
            "Ebs": {
                "DeleteOnTermination": True,
                "Encrypted": encrypted,
                "Iops": 3000,
                "SnapshotId": f"{{{number}}}",
                "Throughput": 125,
                "VolumeSize": size,
                "VolumeType": "gp3",
            },
        }
        for number, (name, size, encrypted) in enumerate(devices)
    ]
    return _image_writer()({"BlockDeviceMappings": mappings or None})


def _mappings(devices: tuple[FakeBlockDevice, ...]) -> str:
    """Write the block device mappings of an image: only the ids of its snapshots are its own."""
    around = _mappings_around(tuple((one.device_name, one.volume_size, one.encrypted) for one in devices))
    return around.format(*(escape(one.snapshot_id) for one in devices))


def render_image(owner: str, image: FakeImage) -> RawXml:
    """Return the `<item>` of an image in the reply to DescribeImages."""
    own = _image_writer()(
        {
            "ImageId": image.id,
            "ImageLocation": f"{owner}/{image.name or image.id}",
            "State": image.state,
            "OwnerId": owner,
            "CreationDate": image.creation_date,
            "Public": image.is_public,
            "Name": image.name,
            "Description": image.description,
            "DeprecationTime": image.deprecation_time,
            "LastLaunchedTime": image.last_launched_time,
        }
    )
    rest = _mappings(image.block_devices) + _shared_part(image.tags, image.members)
    return RawXml(f"{_PAD}<item>\n{own}{rest}{_PAD}</item>\n")
