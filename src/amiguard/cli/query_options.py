"""What of the options reaches AWS: which images are asked for, and how fast. Each is read strictly."""

import re
from collections.abc import Mapping, Sequence

import typer

from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import READS, BucketSize

_BUCKET = re.compile(r"([0-9]{1,7}(?:\.[0-9]+)?)\+([0-9]{1,7}(?:\.[0-9]+)?)")
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8,40}")
# As READS: 95 % of the burst and 99 % of the refill.
_BURST_SHARE, _REFILL_SHARE = 0.95, 0.99
_READ_ACTIONS = (
    "DescribeImages",
    "DescribeImageAttribute",
    "DescribeRegions",
    "DescribeSnapshots",
    "DescribeSnapshotAttribute",
    "DescribeImageUsageReports",
    "DescribeImageUsageReportEntries",
)


def image_query(image_ids: Sequence[str], tags: Sequence[str]) -> ImageQuery:
    """What `--image` and `--tag` ask AWS for.

    Raises:
        typer.BadParameter: an id is no image id, or a tag has no key.
    """
    for image_id in image_ids:
        if not _IMAGE_ID.fullmatch(image_id):
            raise typer.BadParameter(f"{image_id!r} is no image id (ami-...)", param_hint="--image")
    pairs: list[tuple[str, str | None]] = []
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not key:
            raise typer.BadParameter(f"{tag!r} has no key: write KEY or KEY=VALUE", param_hint="--tag")
        pairs.append((key, value if equals else None))
    return ImageQuery(tuple(image_ids), tuple(pairs))


def read_buckets(text: str | None) -> Mapping[str, BucketSize | None]:
    """The token bucket of each read action, from `--read-bucket`.

    Raises:
        typer.BadParameter: the text is neither `BURST+REFILL` nor `none`.
    """
    if text is None:
        return dict.fromkeys(_READ_ACTIONS, READS)
    if text == "none":
        return dict.fromkeys(_READ_ACTIONS)
    found = _BUCKET.fullmatch(text)
    if found is None or float(found[1]) < 1 or float(found[2]) <= 0:
        raise typer.BadParameter(f"{text!r} is neither BURST+REFILL (100+20) nor none", param_hint="--read-bucket")
    burst = max(1.0, float(found[1]) * _BURST_SHARE)
    return dict.fromkeys(_READ_ACTIONS, BucketSize(burst, float(found[2]) * _REFILL_SHARE))
