"""An estate, and boto3 clients that ask a fake EC2 about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeBlockDevice,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    account_grant,
    by_id,
    everyone_grant,
    organization_grant,
    unit_grant,
)

OWNER, OTHER, OUTSIDER = "012345678901", "222233334444", "999988887777"
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"
ONCE = Config(retries={"total_max_attempts": 1})

PUBLIC = FakeImage("ami-00000000000000001", name="public-web", grants=(everyone_grant(),))
SHARED = FakeImage(
    "ami-00000000000000002",
    name="golden-1",
    grants=(account_grant(OUTSIDER), organization_grant(ORGANIZATION), unit_grant(UNIT)),
    tags=(("Team", "a & b"), ("Stage", "<prod>")),
    block_devices=(FakeBlockDevice("/dev/xvda", "snap-00000000000000001", 20, encrypted=True),),
    description="ends in *",
    deprecation_time="2030-01-01T00:00:00.000Z",
)
PRIVATE = FakeImage("ami-00000000000000003", name="golden-2")
PENDING = FakeImage("ami-00000000000000004", name="golden-3", state="pending")
DISABLED = FakeImage("ami-00000000000000005", name="golden-4", state="disabled")
FOREIGN = FakeImage("ami-00000000000000006", name="theirs", grants=(account_grant(OWNER),))
FOREIGN_SECRET = FakeImage("ami-00000000000000007", name="theirs-too")
OWN = (PUBLIC, SHARED, PRIVATE, PENDING, DISABLED)

ESTATE = Estate(
    {
        OWNER: FakeAccount(
            {
                "us-east-1": FakeRegion(by_id(*OWN)),
                "eu-west-1": FakeRegion(),
                "me-south-1": FakeRegion(opt_in_status="opted-in"),
                "af-south-1": FakeRegion(opt_in_status="not-opted-in"),
            }
        ),
        OTHER: FakeAccount(
            {"us-east-1": FakeRegion(by_id(FOREIGN, FOREIGN_SECRET))}, roles=frozenset({"amiguard-audit"})
        ),
    },
    FakeOrganization("o-abcdefghij", OWNER, members=frozenset({OWNER})),
)

Connect = Callable[..., Any]


@contextmanager
def connections() -> Iterator[Connect]:
    """Make boto3 clients that try once: `connect(fake, "ec2", account=..., region=..., session=...)`."""
    clients = []

    def make(fake: FakeEc2, service: str = "ec2", account: str = OWNER, **where: Any) -> Any:
        clients.append(boto3.client(service, config=ONCE, **fake.client_arguments(account, **where)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def error_of(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def ids_of(reply: Any) -> list[str]:
    return [image["ImageId"] for image in reply["Images"]]


def grants_of(ec2: Any, image: FakeImage) -> list[dict[str, str]]:
    reply = ec2.describe_image_attribute(ImageId=image.id, Attribute="launchPermission")
    assert reply["ImageId"] == image.id
    grants: list[dict[str, str]] = reply["LaunchPermissions"]
    return grants
