"""The filters that the fake knows."""

import re
from collections.abc import Iterator
from functools import cache

from .calls import Call
from .estate import FakeImage
from .replies import AwsProblem

Filter = tuple[str, tuple[str, ...]]
"""A name and the values of which one must fit."""


def read_filters(call: Call) -> tuple[Filter, ...]:
    """Return the filters of a call, or raise `AwsProblem` for one that the fake does not know."""
    found = []
    number = 1
    while (name := call.parameters.get(f"Filter.{number}.Name")) is not None:
        if name not in _FIELDS and not name.startswith("tag:"):
            raise AwsProblem("InvalidParameterValue", f"The filter '{name}' is invalid")
        found.append((name, tuple(call.listed(f"Filter.{number}.Value"))))
        number += 1
    return tuple(found)


def values_of(call: Call, name: str) -> frozenset[str]:
    """Return the values of one filter of a call, none if it is not there; wildcards mean themselves."""
    return frozenset(
        value
        for prefix in call.numbered("Filter", "Name")
        if call.parameters[f"{prefix}.Name"] == name
        for value in call.listed(f"{prefix}.Value")
    )


def refuse_filters(call: Call, *known: str) -> None:
    """Raise `AwsProblem` if the call has a filter other than these."""
    for prefix in call.numbered("Filter", "Name"):
        if (name := call.parameters[f"{prefix}.Name"]) not in known:
            raise AwsProblem("InvalidParameterValue", f"The filter '{name}' is invalid")


def fits(image: FakeImage, owner: str, filters: tuple[Filter, ...]) -> bool:
    """Return whether the image fits every filter."""
    return all(
        any(_pattern(wanted).fullmatch(value) for value in _values(image, owner, name) for wanted in values)
        for name, values in filters
    )


def _values(image: FakeImage, owner: str, name: str) -> Iterator[str]:
    match name:
        case "image-id":
            yield image.id
        case "name":
            yield image.name or ""
        case "state":
            yield image.state
        case "is-public":
            yield "true" if image.is_public else "false"
        case "owner-id":
            yield owner
        case "block-device-mapping.snapshot-id":
            yield from (one.snapshot_id for one in image.block_devices)
        case "tag-key":
            yield from (key for key, _ in image.tags)
        case _:
            key = name.removeprefix("tag:")
            yield from (value for tag, value in image.tags if tag == key)


_FIELDS = frozenset(
    {"image-id", "name", "state", "is-public", "owner-id", "tag-key", "block-device-mapping.snapshot-id"}
)


@cache
def _pattern(wanted: str) -> re.Pattern[str]:
    """EC2's wildcards: `*` is any text, `?` any one character, and a backslash takes their meaning away."""
    parts = re.findall(r"\\.|.", wanted, re.DOTALL)
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)
