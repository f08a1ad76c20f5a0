"""One fast fake of EC2 (with what audits need of STS, Organizations, CloudTrail and KMS), for tests and for benchmarks.

In a test, on a thread:

    estate = single_account(FakeImage("ami-0123456789abcdef0", grants=(account_grant("999988887777"),)))
    with FakeEc2(estate, faults=[Fault(AwsError("RequestLimitExceeded", status=503), times=2)]) as fake:
        ec2 = boto3.client("ec2", **fake.client_arguments("111122223333"))   # or subprocess env=fake.environment(...)
        ...
        assert fake.stats.calls["DescribeImageAttribute"] == 3
        assert fake.stats.signature_failures == 0

As a process, which ends when its standard input does: `python -m benchmarks.fake_ec2 --images 2500 --latency 0.03`.
It prints its URL in one line when it is ready; `GET /_stats` and `POST /_reset` are for whoever started it.

The account is read from the access key id, region and service from the signature; `credentials_for` gives keys for any
account. An estate is frozen data; `put_image`, `change_image`, `set_grants`, `drop_image`,
`put_snapshot` and `drop_snapshot` change what is served.
"""

from .buckets import DOCUMENTED, Bucket
from .calls import Call
from .credentials import Credentials, credentials_for
from .effects import (
    AwsError,
    Delay,
    Denied,
    Disconnect,
    DuplicateImages,
    Effect,
    EmptyPage,
    EndlessToken,
    HalfBody,
    Hang,
    HttpReply,
    ListedAs,
    ListingEffect,
    MalformedXml,
    Rewrite,
    SlowDrip,
    TruncatedXml,
    Vanish,
    WrongImageId,
)
from .estate import (
    Estate,
    FakeAccount,
    FakeBinnedImage,
    FakeBlockDevice,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    by_id,
    single_account,
)
from .faults import Fault
from .generate import ImageKey, Truth, generate_estate
from .grants import Grant, account_grant, everyone_grant, organization_grant, raw_grant, unit_grant
from .keys_data import FakeKey, FakeKeyGrant, admitting, key_policy
from .odd_replies import AboutAnother, ContentType, DeniedInCode, EmptyObject, Meanwhile, MissingItems, Stall
from .organizations_data import FakeMember, FakeRole, FakeTree, FakeUnit
from .organizations_pages import EmptyOrganizationPage, EndlessOrganizationToken
from .server import FakeEc2, environment
from .snapshots_data import FakeSnapshot, by_snapshot_id
from .stats import Stats
from .trail_data import FakeEvent, image_event, share_event
from .usage_data import NEVER_DONE, FakeReport, FakeUsage, FakeUse

__all__ = [
    "DOCUMENTED",
    "NEVER_DONE",
    "AboutAnother",
    "AwsError",
    "Bucket",
    "Call",
    "ContentType",
    "Credentials",
    "Delay",
    "Denied",
    "DeniedInCode",
    "Disconnect",
    "DuplicateImages",
    "Effect",
    "EmptyObject",
    "EmptyOrganizationPage",
    "EmptyPage",
    "EndlessOrganizationToken",
    "EndlessToken",
    "Estate",
    "FakeAccount",
    "FakeBinnedImage",
    "FakeBlockDevice",
    "FakeEc2",
    "FakeEvent",
    "FakeImage",
    "FakeKey",
    "FakeKeyGrant",
    "FakeMember",
    "FakeOrganization",
    "FakeRegion",
    "FakeReport",
    "FakeRole",
    "FakeSnapshot",
    "FakeTree",
    "FakeUnit",
    "FakeUsage",
    "FakeUse",
    "Fault",
    "Grant",
    "HalfBody",
    "Hang",
    "HttpReply",
    "ImageKey",
    "ListedAs",
    "ListingEffect",
    "MalformedXml",
    "Meanwhile",
    "MissingItems",
    "Rewrite",
    "SlowDrip",
    "Stall",
    "Stats",
    "TruncatedXml",
    "Truth",
    "Vanish",
    "WrongImageId",
    "account_grant",
    "admitting",
    "by_id",
    "by_snapshot_id",
    "credentials_for",
    "environment",
    "everyone_grant",
    "generate_estate",
    "image_event",
    "key_policy",
    "organization_grant",
    "raw_grant",
    "share_event",
    "single_account",
    "unit_grant",
]
