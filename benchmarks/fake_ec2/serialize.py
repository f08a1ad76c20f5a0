"""Replies written from botocore's own service models, so that the fake cannot drift to what we assume of AWS.

A shape is compiled into a function once; a member that the model does not have is a `KeyError`, never silence.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

Writer = Callable[[Any], str]
_INDENT: Final = "    "


class RawXml(str):
    """XML that goes into a list as it is, its line end included."""

    __slots__ = ()


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service: `ec2`, `sts` or `organizations`."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


class StructureWriter:
    """Writes the members of one structure, at one depth of indentation; members that are `None` are left out."""

    def __init__(self, shape: StructureShape, depth: int) -> None:
        self._shape, self._depth = shape, depth
        self._writers: dict[str, Writer] = {}

    def __call__(self, values: Mapping[str, Any]) -> str:
        """Return the XML of the members, each with its line end."""
        writers = self._writers
        parts = []
        for name, value in values.items():
            if value is None:
                continue
            writer = writers.get(name)
            if writer is None:
                member = self._shape.members[name]
                writer = writers[name] = _element(member, member.serialization.get("name", name), self._depth)
            parts.append(writer(value))
        return "".join(parts)


def _element(shape: Shape, name: str, depth: int) -> Writer:
    pad = _INDENT * depth
    opening, closing = f"{pad}<{name}>", f"</{name}>\n"
    match shape:
        case StructureShape():
            inner = StructureWriter(shape, depth + 1)

            def structure(value: Mapping[str, Any]) -> str:
                return f"{opening}\n{body}{pad}{closing}" if (body := inner(value)) else f"{pad}<{name}/>\n"

            return structure
        case ListShape():
            return _list(shape, name, depth)
        case _:
            convert = _SCALARS.get(shape.type_name, _text)
            return lambda value: f"{opening}{convert(value)}{closing}"


def _list(shape: ListShape, name: str, depth: int) -> Writer:
    pad = _INDENT * depth
    if shape.serialization.get("flattened"):
        flat = _element(shape.member, shape.member.serialization.get("name", name), depth)
        return lambda values: "".join(map(flat, values))
    item = _element(shape.member, shape.member.serialization.get("name", "member"), depth + 1)

    def wrapped(values: Sequence[Any]) -> str:
        if not values:
            return f"{pad}<{name}/>\n"
        body = "".join(value if isinstance(value, RawXml) else item(value) for value in values)
        return f"{pad}<{name}>\n{body}{pad}</{name}>\n"

    return wrapped


def _text(value: object) -> str:
    return escape(str(value))


def _boolean(value: bool) -> str:  # noqa: FBT001 - the one thing it is about
    return "true" if value else "false"


def _timestamp(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_SCALARS: Final[Mapping[str, Writer]] = {"boolean": _boolean, "timestamp": _timestamp}


@cache
def _output_writer(service: str, action: str) -> tuple[StructureWriter | None, str]:
    shape = service_model(service).operation_model(action).output_shape
    wrapper = shape.serialization.get("resultWrapper", "") if shape else ""
    return StructureWriter(shape, 2 if wrapper else 1) if shape else None, wrapper


def render_xml(service: str, action: str, output: Mapping[str, Any], request_id: str) -> bytes:
    """Return the XML body of a successful reply in the protocol of the service (`ec2` or `query`)."""
    writer, wrapper = _output_writer(service, action)
    # EC2 answers calls without an output shape with a bare <return>.
    body = writer(output) if writer else f"{_INDENT}<return>true</return>\n"
    namespace = service_model(service).metadata["xmlNamespace"].rstrip("/")
    if wrapper:
        body = f"{_INDENT}<{wrapper}>\n{body}{_INDENT}</{wrapper}>\n"
        identifier = f"{_INDENT}<ResponseMetadata>\n{_INDENT * 2}<RequestId>{request_id}</RequestId>\n"
        body = f"{body}{identifier}{_INDENT}</ResponseMetadata>\n"
    else:
        body = f"{_INDENT}<requestId>{request_id}</requestId>\n{body}"
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{declaration}<{action}Response xmlns="{namespace}/">\n{body}</{action}Response>'.encode()


def check_members(shape: Shape, value: object) -> None:
    """Raise `KeyError` when a JSON value has a member that its shape does not have."""
    match shape, value:
        case StructureShape(), dict():
            for name, member in value.items():
                check_members(shape.members[name], member)
        case ListShape(), list():
            for item in value:
                check_members(shape.member, item)
        case _:
            pass
