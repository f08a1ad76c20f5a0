"""CloudTrail's LookupEvents, which moto lacks. Imports moto.

Source: CloudTrail API Reference, LookupEvents: events of one region and the last 90 days, newest first, found by one
attribute.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult

from amiguard.demo.moto_methods import served, state_at
from amiguard.demo.trail_events import Event

_KEPT_FOR = timedelta(days=90)
_LONGEST_PAGE = 50
_SOURCE = "ec2.amazonaws.com"
_ATTRIBUTES: Mapping[str, Callable[[Event], tuple[str, ...]]] = {
    "AccessKeyId": lambda event: (event.access_key_id,),
    "EventId": lambda event: (event.event_id,),
    "EventName": lambda event: (event.name,),
    "EventSource": lambda _: (_SOURCE,),
    "ReadOnly": lambda _: ("false",),
    "ResourceName": lambda event: tuple(name for _, name in event.resources),
    "ResourceType": lambda event: tuple(kind for kind, _ in event.resources),
    "Username": lambda event: (event.user_name,),
}


@dataclass(slots=True)
class Trail:
    """The events of one account and region."""

    events: list[Event] = field(default_factory=list)


def _lookup_events(request: CloudTrailResponse) -> ActionResult:
    asked: dict[str, Any] = json.loads(request.body or "{}")
    size = asked.pop("MaxResults", _LONGEST_PAGE)
    if not isinstance(size, int) or not 1 <= size <= _LONGEST_PAGE:
        raise JsonRESTError(
            "InvalidMaxResultsException", f"A value between 1 and {_LONGEST_PAGE} is expected for MaxResults."
        )
    start = _start(asked)
    # Insights events are never recorded here.
    found = [] if asked.get("EventCategory") == "insight" else _found(request, asked)
    end = start + size
    return ActionResult(
        {
            "Events": [_described(event) for event in found[start:end]],
            "NextToken": _token(asked, end) if end < len(found) else None,
        }
    )


def _found(request: CloudTrailResponse, asked: Mapping[str, Any]) -> list[Event]:
    matches = _condition(asked.get("LookupAttributes") or [])
    oldest = datetime.now(UTC) - _KEPT_FOR
    first, last = (_time(asked.get(name)) for name in ("StartTime", "EndTime"))
    if first and last and first > last:
        raise JsonRESTError("InvalidTimeRangeException", "The start time is after the end time.")
    events = [
        event
        for event in list(state_at(request.cloudtrail_backend, Trail).events)
        if oldest <= event.at and (not first or first <= event.at) and (not last or event.at <= last) and matches(event)
    ]
    events.reverse()  # of one second, the later call comes first, too
    return sorted(events, key=lambda event: event.at, reverse=True)


def _condition(attributes: list[dict[str, str]]) -> Callable[[Event], bool]:
    if not attributes:
        return lambda _: True
    key, value = attributes[0].get("AttributeKey", ""), attributes[0].get("AttributeValue", "")
    if len(attributes) > 1 or key not in _ATTRIBUTES or not value:
        raise JsonRESTError(
            "InvalidLookupAttributesException", "One attribute is expected, with a key that is known and a value."
        )
    values = _ATTRIBUTES[key]
    return lambda event: value in values(event)


def _time(given: Any) -> datetime | None:
    try:
        return None if given is None else datetime.fromtimestamp(given, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise JsonRESTError("InvalidTimeRangeException", f"{given!r} is no time.") from None


def _described(event: Event) -> dict[str, Any]:
    return {
        "EventId": event.event_id,
        "EventName": event.name,
        "ReadOnly": "false",
        "AccessKeyId": event.access_key_id,
        "EventTime": event.at,
        "EventSource": _SOURCE,
        "Username": event.user_name,
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in event.resources],
        "CloudTrailEvent": event.record,
    }


def _token(asked: Mapping[str, Any], start: int) -> str:
    """A token belongs to the parameters with which it was given out."""
    same = {name: value for name, value in asked.items() if name != "NextToken"}
    digest = sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
    return f"{digest}.{start}"


def _start(asked: Mapping[str, Any]) -> int:
    if (token := asked.get("NextToken")) is None:
        return 0
    _, _, start = str(token).rpartition(".")
    if not (start.isascii() and start.isdigit()) or token != _token(asked, int(start)):
        raise JsonRESTError("InvalidNextTokenException", "The token is not valid, or belongs to another request.")
    return int(start)


def served_trail() -> AbstractContextManager[None]:
    """Lets moto's CloudTrail look up events meanwhile."""
    return served(CloudTrailResponse, {"lookup_events": _lookup_events})
