"""CloudTrail's LookupEvents."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .calls import Call
from .context import Context
from .pages import TRAIL, cut_page
from .replies import AwsProblem
from .trail_data import FakeEvent

_KEPT: Final = timedelta(days=90)
_ATTRIBUTES: Final[Mapping[str, Callable[[FakeEvent], tuple[str, ...]]]] = {
    "AccessKeyId": lambda event: (event.access_key_id,),
    "EventId": lambda event: (event.id,),
    "EventName": lambda event: (event.name,),
    "EventSource": lambda event: (event.source,),
    "ReadOnly": lambda event: (event.read_only,),
    "ResourceName": lambda event: tuple(name for _, name in event.resources),
    "ResourceType": lambda event: tuple(kind for kind, _ in event.resources),
    "Username": lambda event: (event.username,),
}


def lookup_events(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the events of the last 90 days that fit, the newest first."""
    region = context.store.region(call.account_id, call.region)
    fits, since, until = _wanted(call), _moment(call, "StartTime"), _moment(call, "EndTime")
    if since and until and since > until:
        raise AwsProblem("InvalidTimeRangeException", "The start time is after the end time.")
    oldest = max(since or datetime.min.replace(tzinfo=UTC), datetime.now(UTC) - _KEPT)
    found = sorted(
        (
            event
            for event in (region.events if region else ())
            if fits(event) and event.at >= oldest and (until is None or event.at <= until)
        ),
        key=lambda event: event.at,
        reverse=True,
    )
    page = context.effect.page(cut_page(call, found, TRAIL))
    following = {} if page.token is None else {"NextToken": page.token}
    return {"Events": [_looked_up(event) for event in page.items], **following}


def _wanted(call: Call) -> Callable[[FakeEvent], bool]:
    if "EventCategory" in call.parameters:
        raise AwsProblem("InvalidEventCategoryException", "The fake has no Insights events.")
    keys = call.numbered("LookupAttributes", "AttributeKey")
    if not keys:
        return lambda event: True  # noqa: ARG005 - every event fits
    read = _ATTRIBUTES.get(call.parameters[f"{keys[0]}.AttributeKey"])
    if len(keys) > 1 or read is None:
        raise AwsProblem("InvalidLookupAttributesException", "Specify one valid lookup attribute.")
    value = call.parameters.get(f"{keys[0]}.AttributeValue")
    return lambda event: value in read(event)


def _moment(call: Call, name: str) -> datetime | None:
    text = call.parameters.get(name)
    return None if text is None else datetime.fromtimestamp(float(text), UTC)


def _looked_up(event: FakeEvent) -> dict[str, Any]:
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": event.read_only,
        "AccessKeyId": event.access_key_id,
        "EventTime": event.at,
        "EventSource": event.source,
        "Username": event.username,
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in event.resources],
        "CloudTrailEvent": event.record,
    }
