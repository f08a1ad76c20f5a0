"""DescribeImages: which images a page holds, and their XML."""

import base64
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from .calls import Call
from .estate import FakeBlockDevice, FakeImage
from .filters import Filter, fits, read_filters
from .replies import AwsProblem
from .serialize import RawXml, StructureWriter, service_model
from .store import Store

LARGEST_PAGE: Final = 1000
_PAD: Final = "        "


@dataclass(frozen=True, slots=True)
class Page:
    """Images with their owners, from position `start` of the listing; `next` is where the next page starts."""

    images: tuple[tuple[str, FakeImage], ...]
    start: int
    next: int | None


def find_page(call: Call, store: Store) -> Page:
    """Return the page that a call asks for, or raise `AwsProblem`."""
    filters = read_filters(call)
    start = _read_token(call)
    # Without MaxResults a listing is unpaginated, even with a token.
    limit = _read_limit(call)
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


def _read_limit(call: Call) -> int | None:
    text = call.parameters.get("MaxResults")
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise AwsProblem("InvalidParameterValue", f"Value ( {text} ) for parameter maxResults is invalid.")
    return int(text)


def make_token(position: int) -> str:
    """Return an opaque token; the characters of base64 make sure that clients encode it."""
    return base64.b64encode(f"page/{position}>?".encode()).decode()


def _read_token(call: Call) -> int:
    token = call.parameters.get("NextToken")
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True).decode().removeprefix("page/").removesuffix(">?"))
    except ValueError:
        raise AwsProblem("InvalidNextToken", "The token is invalid.") from None


@cache
def _image_writer() -> StructureWriter:
    shape = service_model("ec2").shape_for("Image")
    return StructureWriter(shape, 3)


@lru_cache(maxsize=4096)
def _shared_part(
    tags: tuple[tuple[str, str], ...], devices: tuple[FakeBlockDevice, ...], members: tuple[tuple[str, object], ...]
) -> str:
    """Write what many images have in common; with one part for each image, rendering would be most of the work."""
    mappings = [
        {
            "DeviceName": device.device_name,
            "Ebs": {
                "DeleteOnTermination": True,
                "Encrypted": device.encrypted,
                "Iops": 3000,
                "SnapshotId": device.snapshot_id,
                "Throughput": 125,
                "VolumeSize": device.volume_size,
                "VolumeType": "gp3",
            },
        }
        for device in devices
    ]
    return _image_writer()(
        {
            **dict(members),
            "BlockDeviceMappings": mappings or None,
            "Tags": [{"Key": key, "Value": value} for key, value in tags] or None,
        }
    )


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
        }
    )
    return RawXml(f"{_PAD}<item>\n{own}{_shared_part(image.tags, image.block_devices, image.members)}{_PAD}</item>\n")
