"""LookupEvents: who shared an image, and where does it come from? CloudTrail answers twice a second, for 90 days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amiguard.aws.botocore_calls import BotocoreCalls
from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.errors import DENIED, ApiError, explain
from amiguard.aws.evidence.trail_event import EventKind, MalformedEventError, read_event
from amiguard.core.evidence import Author, TrailEvent
from amiguard.core.image import Unreadable

_OPERATION, _ACTION = "LookupEvents", "cloudtrail:LookupEvents"
_EVENTS_A_PAGE = 50
_MOST_PAGES = 5
"""An image that is launched all day has thousands of events: at two calls a second they are not all looked at."""


@dataclass(slots=True)
class _Seen:
    """What was found in the pages so far."""

    shares: dict[str, TrailEvent] = field(default_factory=dict)
    origins: list[TrailEvent] = field(default_factory=list)
    malformed: bool = False


class Trail:
    """The events of one target.

    Args:
        calls: of the target.
    """

    def __init__(self, calls: BotocoreCalls) -> None:
        self._calls = calls
        self._denied: Unreadable | None = None

    async def look_up(self, image_id: str) -> Author | Unreadable:
        """Who shared an image, and where it comes from: one call, and at most four more while no share is found."""
        if self._denied is not None:  # the action knows no resources: it is denied for every image
            return self._denied
        seen = _Seen()
        token: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._page(image_id, token)
            if isinstance(page, Unreadable):
                return page
            events, token = page
            for event in events:
                _note(seen, event, image_id)
            if token is None or any(share.added for share in seen.shares.values()):
                break
        return Author(
            shares=tuple(sorted(seen.shares.values(), key=lambda share: share.at, reverse=True)),
            origin=max(seen.origins, key=lambda origin: origin.at, default=None),
            truncated=token is not None or seen.malformed,
        )

    async def _page(
        self, image_id: str, token: str | None
    ) -> tuple[tuple[Mapping[str, Any], ...], str | None] | Unreadable:
        parameters: dict[str, object] = {
            "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": image_id}],
            "MaxResults": _EVENTS_A_PAGE,
        }
        if token is not None:
            parameters["NextToken"] = token
        reply = await self._calls.call("cloudtrail", _OPERATION, parameters, _read_page)
        if isinstance(reply, ApiError):
            why = explain(reply, _ACTION)
            if reply.code in DENIED:
                self._denied = why
            return why
        return reply


def _read_page(reply: Mapping[str, Any]) -> tuple[tuple[Mapping[str, Any], ...], str | None]:
    # botocore leaves out a list that the reply lacks: an object of anything else would pass for no events.
    if not isinstance(reply.get("Events"), list):
        raise MalformedReplyError("the reply has no list of events")
    return tuple(event for event in reply["Events"] if isinstance(event, dict)), reply.get("NextToken") or None


def _note(seen: _Seen, event: Mapping[str, Any], image_id: str) -> None:
    try:
        found = read_event(event, image_id)
    except MalformedEventError:
        seen.malformed = True
        return
    match found:
        case (EventKind.SHARE, share):
            seen.shares.setdefault(share.event_id or str(len(seen.shares)), share)
        case (EventKind.ORIGIN, origin):
            seen.origins.append(origin)
        case None:
            pass
