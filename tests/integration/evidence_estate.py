"""An estate with something for every call that evidence makes, for the tests of the fake."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeBinnedImage,
    FakeImage,
    FakeKey,
    FakeKeyGrant,
    FakeRegion,
    FakeSnapshot,
    FakeUsage,
    FakeUse,
    account_grant,
    admitting,
    by_id,
    by_snapshot_id,
    everyone_grant,
    image_event,
    key_policy,
    organization_grant,
    share_event,
)

OWNER, OTHER = "012345678901", "999988887777"
REGION = "us-east-1"
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
IMAGE, QUIET = (FakeImage(f"ami-0000000000000000{number}") for number in range(2))
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)

CREATED = image_event("CreateImage", IMAGE.id, at=NOW - 20 * DAY, event_id="1", errorCode="Client.DryRunOperation")
SHARED = share_event(IMAGE.id, [account_grant(OTHER), everyone_grant()], at=NOW - 10 * DAY, event_id="2")
MOVED = share_event(
    IMAGE.id, [organization_grant(ORGANIZATION)], [account_grant(OTHER)], at=NOW - 5 * DAY, event_id="3", session="b"
)
ODD = replace(image_event("ModifyImageAttribute", IMAGE.id, at=NOW - DAY, event_id="4"), record="{not JSON")
FORGOTTEN = image_event("RegisterImage", IMAGE.id, at=NOW - 91 * DAY, event_id="5")
EVENTS = (SHARED, CREATED, ODD, MOVED, FORGOTTEN)

KEY = FakeKey(
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    key_policy(admitting(f"arn:aws:iam::{OWNER}:root")),
    tuple(FakeKeyGrant(f"{number:064x}", f"arn:aws:iam::{OTHER}:role/r{number}") for number in range(120)),
    aliases=("alias/images",),
    readers=frozenset({OTHER}),
)
LEAVING = FakeKey("2234abcd-12ab-34cd-56ef-1234567890ab", "{}", state="PendingDeletion")
MANAGED = FakeKey(
    "3234abcd-12ab-34cd-56ef-1234567890ab",
    "{}",
    (FakeKeyGrant("a", OTHER, ("Decrypt",), (("aws:ebs:id", "vol-1"),)),),
    manager="AWS",
    aliases=("alias/aws/ebs",),
)
ARN = f"arn:aws:kms:{REGION}:{OWNER}:key/"
SNAPSHOTS = by_snapshot_id(FakeSnapshot("snap-00000000000000001", kms_key_id=ARN + KEY.id))
BINNED = FakeBinnedImage("ami-000000000000000b1", name="old")
ESTATE = Estate(
    {
        OWNER: FakeAccount(
            {
                REGION: FakeRegion(
                    by_id(IMAGE, QUIET),
                    snapshots=SNAPSHOTS,
                    usage={IMAGE.id: FakeUsage((FakeUse(OTHER, count=14),))},
                    recycle_bin=(BINNED,),
                    events=EVENTS,
                    keys=(KEY, LEAVING, MANAGED),
                )
            }
        ),
        OTHER: FakeAccount({REGION: FakeRegion()}),
    }
)


def about(image: FakeImage) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": image.id}]}


def ids(reply: Any) -> list[str]:
    return [event["EventId"] for event in reply["Events"]]
