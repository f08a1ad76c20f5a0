"""The events that a fake CloudTrail has, in the shapes of real records."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .grants import Grant

_ITEMS: Final[Mapping[str, str]] = {
    "UserId": "userId",
    "Group": "group",
    # No sample of these two was found: they are written like the other two.
    "OrganizationArn": "organizationArn",
    "OrganizationalUnitArn": "organizationalUnitArn",
}
_ROLE: Final = "arn:aws:sts::{}:assumed-role/image-pipeline/{}"
IMAGE_TYPE: Final = "AWS::EC2::Ami"


@dataclass(frozen=True, slots=True)
class FakeEvent:
    """One event as LookupEvents gives it.

    Attributes:
        record: the text of `CloudTrailEvent`, whatever it is.
        resources: types and names; LookupEvents finds the event by these.
    """

    id: str
    name: str
    at: datetime
    record: str
    resources: tuple[tuple[str, str], ...] = ()
    username: str = "nightly"
    source: str = "ec2.amazonaws.com"
    access_key_id: str = "ASIAEXAMPLE000000000"
    read_only: str = "false"


def image_event(
    name: str,
    image_id: str,
    *,
    at: datetime,
    event_id: str = "00000000-0000-4000-8000-000000000000",
    request: object = None,
    account_id: str = "111122223333",
    session: str = "nightly",
    source_address: str = "192.0.2.10",
    **members: Any,
) -> FakeEvent:
    """Return an event about an image, called by a session of a role; `members` come into the record as they are.

    Args:
        name: of the API call.
        image_id: the image by which the event is found.
        at: when it was.
        event_id: its id.
        request: its `requestParameters`; by default what names the image.
        account_id: whose role it was.
        session: the name of the role session.
        source_address: where the call came from.
        members: further members of the record, or others in the place of these (`errorCode`, `userIdentity`).
    """
    identity = {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": _ROLE.format(account_id, session),
        "accountId": account_id,
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account_id}:role/image-pipeline"},
        },
    }
    record = {
        "eventVersion": "1.10",
        "userIdentity": identity,
        "eventTime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "sourceIPAddress": source_address,
        "requestParameters": {"imageId": image_id} if request is None else request,
        "responseElements": {"_return": True},
        "eventID": event_id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "recipientAccountId": account_id,
        **members,
    }
    return FakeEvent(event_id, name, at, json.dumps(record), ((IMAGE_TYPE, image_id),), session)


def share_event(
    image_id: str, added: Iterable[Grant] = (), removed: Iterable[Grant] = (), *, at: datetime, **event: Any
) -> FakeEvent:
    """Return the event of a ModifyImageAttribute that changed a launch permission; for `event` see `image_event`."""
    changes = {"add": _items(added), "remove": _items(removed)}
    request = {
        "attributeType": "launchPermission",
        "imageId": image_id,
        "launchPermission": {side: items for side, items in changes.items() if items["items"]},
    }
    return image_event("ModifyImageAttribute", image_id, at=at, request=request, **event)


def _items(grants: Iterable[Grant]) -> dict[str, list[dict[str, str]]]:
    return {"items": [{_ITEMS[grant.member]: grant.value} for grant in grants]}
