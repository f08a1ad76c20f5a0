"""DescribeImages: which images does the target have?"""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from amiguard.aws.ec2_query import Parameters
from amiguard.aws.ec2_xml import MalformedReplyError, child_text, items, local_name
from amiguard.core.image import Image
from amiguard.core.result import Target

PAGE = 1000
"""Images a page: the size that EC2's pagination guide uses."""
MOST_FILTER_VALUES = 200
"""EC2 API Reference, "Filter": at most 200 values a request."""
_TEXTS = frozenset({"imageId", "name", "creationDate", "imageState", "isPublic", "lastLaunchedTime"})
"""Of the thirty fields of an image those that are kept as they are: the others are not even copied out of the reply."""


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """Which images are asked for; empty asks for all.

    Attributes:
        image_ids: these only.
        tags: images that have one of these values under each of these keys: (key, value) pairs, value None for any.
        snapshot_ids: images that have one of these snapshots.
    """

    image_ids: tuple[str, ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    snapshot_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImagePage:
    """One page of a listing."""

    images: tuple[Image, ...]
    next_token: str | None


def page_parameters(query: ImageQuery, next_token: str | None, page: int = PAGE) -> Parameters:
    """The parameters of one page.

    `MaxResults` is always sent: AWS ignores NextToken without it, and an unpaginated listing of many images times out.
    Own images are listed when deprecated anyway, disabled ones only with `IncludeDisabled`.
    """
    parameters = [("Owner.1", "self"), ("IncludeDisabled", "true"), ("MaxResults", str(page))]
    filters: list[tuple[str, Sequence[str]]] = []
    if query.image_ids:
        # As a filter and not as ImageId.N: an id that is gone makes an empty listing, not an error for all of them.
        filters.append(("image-id", query.image_ids))
    if query.snapshot_ids:
        filters.append(("block-device-mapping.snapshot-id", query.snapshot_ids))
    values: dict[str, list[str]] = {}
    keys: list[str] = []
    for key, value in query.tags:
        if value is None:
            keys.append(key)
        else:
            values.setdefault(f"tag:{key}", []).append(value)
    filters += [("tag-key", [key]) for key in keys]
    filters += values.items()
    for number, (name, wanted) in enumerate(filters, 1):
        parameters.append((f"Filter.{number}.Name", name))
        parameters += [(f"Filter.{number}.Value.{place}", value) for place, value in enumerate(wanted, 1)]
    if next_token is not None:
        parameters.append(("NextToken", next_token))
    return parameters


def parse_page(root: etree._Element, target: Target) -> ImagePage:
    """Read a DescribeImagesResponse.

    Raises:
        MalformedReplyError: an image without an id, or no list of images.
    """
    images = tuple(_parse_image(item, target) for item in items(root, "imagesSet"))
    return ImagePage(images, child_text(root, "nextToken") or None)


def _parse_image(item: etree._Element, target: Target) -> Image:
    texts: dict[str, str] = {}
    tags: tuple[tuple[str, str], ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    for field in item:
        name = local_name(field)
        if name in _TEXTS:
            texts[name] = field.text or ""
        elif name == "tagSet":
            tags = tuple((child_text(tag, "key") or "", child_text(tag, "value") or "") for tag in field)
        elif name == "blockDeviceMapping":
            # item/ebs/snapshotId is the only element of that name in it, and lxml finds it faster than its path.
            found = (one.text for one in field.iter("{*}snapshotId"))
            snapshot_ids = tuple(dict.fromkeys(text for text in found if text))
    image_id = texts.get("imageId")
    if not image_id:
        raise MalformedReplyError("an image without an id is listed")
    return Image(
        image_id=image_id,
        account_id=target.account_id,
        region=target.region,
        partition=target.partition,
        name=texts.get("name", ""),
        creation_date=texts.get("creationDate", ""),
        state=texts.get("imageState", ""),
        public=texts.get("isPublic") == "true",
        tags=tags,
        snapshot_ids=snapshot_ids,
        last_launched=texts.get("lastLaunchedTime", ""),
    )
