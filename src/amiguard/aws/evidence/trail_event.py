"""One event of CloudTrail, read with suspicion: what is in it was written by whoever called, and its shape varies.

Source: CloudTrail User Guide, "CloudTrail record contents", and published records of ModifyImageAttribute. The shape of
what names organizations and units is not documented; it is taken to be that of accounts and groups.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from amiguard.core.evidence import TrailEvent
from amiguard.core.grantee import Grantee, parse_grant

_EC2 = "ec2.amazonaws.com"
# Tuples, and not sets: what is looked up in them may be anything that JSON can say.
_SHARES = ("ModifyImageAttribute", "ResetImageAttribute")
_ORIGINS = ("CreateImage", "CopyImage", "RegisterImage", "RestoreImageFromRecycleBin")
NAMES = (*_SHARES, *_ORIGINS)
_RESTORE = "RestoreImageFromRecycleBin"
_MOST_CHARACTERS = 1_000_000
"""Of one record; CloudTrail's own limit is 256 KB."""
_LONGEST_TEXT = 2048
"""As long as an ARN can be."""
_LISTS = {
    "userIds": "userId",
    "userGroups": "group",
    "organizationArns": "organizationArn",
    "organizationalUnitArns": "organizationalUnitArn",
}
"""The members of the call's older form, and which member of an item says the same."""


class EventKind(StrEnum):
    """What an event says of an image."""

    SHARE = "share"
    ORIGIN = "origin"


class MalformedEventError(Exception):
    """The record cannot be read, or not to its end."""


def read_event(event: Mapping[str, Any], image_id: str) -> tuple[EventKind, TrailEvent] | None:
    """Read one event that LookupEvents gave for an image.

    Args:
        event: as botocore gives it.
        image_id: the image that was asked about.

    Returns:
        What it says; None if it failed, or is about something else: another attribute, or the image as a source.

    Raises:
        MalformedEventError: what it says cannot be known.
    """
    if event.get("EventName") not in NAMES:
        return None
    record = _parse(event.get("CloudTrailEvent"))
    name = record.get("eventName")
    if name not in NAMES or record.get("eventSource") != _EC2 or record.get("errorCode"):
        return None
    if name in _SHARES:
        return _read_share(event, record, image_id)
    result = record.get("requestParameters" if name == _RESTORE else "responseElements")
    if _member(result, "imageId") != image_id:
        return None
    return EventKind.ORIGIN, _event(event, record)


def _read_share(
    event: Mapping[str, Any], record: Mapping[str, Any], image_id: str
) -> tuple[EventKind, TrailEvent] | None:
    request = record.get("requestParameters")
    if not isinstance(request, dict):  # CloudTrail leaves out what is too long: that it was called is known
        return EventKind.SHARE, _event(event, record)
    attribute = request.get("attributeType") or request.get("attribute")
    permission = request.get("launchPermission")
    if _member(request, "imageId") != image_id or attribute not in (None, "launchPermission"):
        return None
    if request.get("imageId") != image_id:
        raise MalformedEventError("the parameters are written in a form that is not known")
    if record.get("eventName") == "ResetImageAttribute":
        return EventKind.SHARE, _event(event, record)
    if isinstance(permission, dict):
        added, removed = (tuple(_grantees(permission.get(side))) for side in ("add", "remove"))
    elif attribute == "launchPermission" and request.get("operationType") in ("add", "remove"):
        named = tuple(_listed(request))
        added, removed = (named, ()) if request["operationType"] == "add" else ((), named)
    elif attribute == "launchPermission":
        raise MalformedEventError("the record does not say what was changed")
    else:
        return None
    return EventKind.SHARE, _event(event, record, added, removed)


def _event(
    event: Mapping[str, Any],
    record: Mapping[str, Any],
    added: tuple[Grantee, ...] = (),
    removed: tuple[Grantee, ...] = (),
) -> TrailEvent:
    principal = _principal(record.get("userIdentity"))
    return TrailEvent(
        event_id=_text(event.get("EventId") or record.get("eventID")),
        name=str(record["eventName"]),
        at=_time(event.get("EventTime"), record.get("eventTime")),
        principal=principal,
        session=principal.rpartition("/")[2] if ":assumed-role/" in principal else "",
        source=_text(record.get("sourceIPAddress")),
        added=tuple(dict.fromkeys(added)),
        removed=tuple(dict.fromkeys(removed)),
    )


def _parse(text: object) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
        raise MalformedEventError("there is no record, or one that is too long")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEventError("the record is not JSON") from error
    if not isinstance(record, dict):
        raise MalformedEventError("the record is not an object")
    return record


def _principal(identity: object) -> str:
    if not isinstance(identity, dict):
        return ""
    context = identity.get("sessionContext")
    issuer = context.get("sessionIssuer") if isinstance(context, dict) else None
    issuer_arn = issuer.get("arn") if isinstance(issuer, dict) else None
    return _text(identity.get("arn") or issuer_arn or identity.get("invokedBy") or identity.get("type"))


def _time(looked_up: object, recorded: object) -> datetime:
    try:
        if isinstance(looked_up, datetime) and looked_up.tzinfo is not None:
            return looked_up.astimezone(UTC)
        at = datetime.fromisoformat(str(recorded))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the year 1, east of Greenwich
        raise MalformedEventError("the record does not say when it was") from error


def _member(record: object, name: str) -> object:
    """A member of parameters or of a reply; newer calls wrap theirs in one more object, with a capital initial."""
    if not isinstance(record, dict):
        return None
    capital = name[0].upper() + name[1:]
    for one in (record, *(inner for inner in record.values() if isinstance(inner, dict))):
        if isinstance(found := one.get(name, one.get(capital)), str):
            return found
    return None


def _grantees(change: object) -> Iterator[Grantee]:
    """The grantees of one side of a change: `{"items": [{"userId": ...}, ...]}`."""
    if change is None:
        return
    for item in _values(change):
        if isinstance(item, dict):
            members = [(name, value) for name, values in item.items() for value in _values(values)]
            yield from parse_grant(("group" if name == "groups" else name, _text(value)) for name, value in members)
        else:
            yield from parse_grant([("item", _text(item))])


def _listed(request: Mapping[str, Any]) -> Iterator[Grantee]:
    """The grantees of the call's older form: lists of ids beside `operationType`."""
    for name, member in _LISTS.items():
        for value in _values(request.get(name, ())):
            values = value.values() if isinstance(value, dict) else (value,)
            yield from parse_grant((member, _text(one)) for one in values)


def _values(value: object) -> list[Any]:
    """What is in a list, however it is written: as `{"items": [...]}`, as a list, or as the one value that it has."""
    if isinstance(value, dict) and "items" in value:
        value = value["items"]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]


def _text(value: object) -> str:
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value))[:_LONGEST_TEXT]
