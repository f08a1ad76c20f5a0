"""The faults of the fake on every call that evidence makes: each can be denied, broken, endless."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from benchmarks.fake_ec2 import (
    AwsError,
    Denied,
    Disconnect,
    DuplicateImages,
    EmptyPage,
    EndlessToken,
    FakeEc2,
    Fault,
    MalformedXml,
    TruncatedXml,
    WrongImageId,
)
from tests.integration.boto3_witness import Connect, boto3_clients, error_of
from tests.integration.evidence_estate import (
    ESTATE,
    IMAGE,
    KEY,
    LEAVING,
    MANAGED,
    OTHER,
    OWNER,
    QUIET,
    about,
    ids,
)

Ask = Callable[[FakeEc2, Connect], Any]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with boto3_clients(OWNER) as make:
        yield make


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    with FakeEc2(ESTATE) as running:
        yield running
    assert running.stats.signature_failures == 0


CALLS: dict[str, tuple[Ask, str]] = {
    "CreateImageUsageReport": (
        lambda fake, connect: connect(fake).create_image_usage_report(
            ImageId=IMAGE.id, ResourceTypes=[{"ResourceType": "ec2:Instance"}]
        ),
        "UnauthorizedOperation",
    ),
    "DescribeImageUsageReports": (
        lambda fake, connect: connect(fake).describe_image_usage_reports(),
        "UnauthorizedOperation",
    ),
    "DescribeImageUsageReportEntries": (
        lambda fake, connect: connect(fake).describe_image_usage_report_entries(),
        "UnauthorizedOperation",
    ),
    "DescribeSnapshots": (lambda fake, connect: connect(fake).describe_snapshots(), "UnauthorizedOperation"),
    "DescribeSnapshotAttribute": (
        lambda fake, connect: connect(fake).describe_snapshot_attribute(
            SnapshotId="snap-00000000000000001", Attribute="createVolumePermission"
        ),
        "UnauthorizedOperation",
    ),
    "ListImagesInRecycleBin": (
        lambda fake, connect: connect(fake).list_images_in_recycle_bin(),
        "UnauthorizedOperation",
    ),
    "LookupEvents": (
        lambda fake, connect: connect(fake, "cloudtrail").lookup_events(**about(IMAGE)),
        "AccessDeniedException",
    ),
    "DescribeKey": (
        lambda fake, connect: connect(fake, "kms").describe_key(KeyId=KEY.id),
        "AccessDeniedException",
    ),
    "GetKeyPolicy": (
        lambda fake, connect: connect(fake, "kms").get_key_policy(KeyId=KEY.id),
        "AccessDeniedException",
    ),
    "ListGrants": (lambda fake, connect: connect(fake, "kms").list_grants(KeyId=KEY.id), "AccessDeniedException"),
}
LISTINGS = {
    "DescribeImageUsageReports": "ImageUsageReports",
    "DescribeSnapshots": "Snapshots",
    "ListImagesInRecycleBin": "Images",
    "LookupEvents": "Events",
    "ListGrants": "Grants",
}


@pytest.mark.parametrize("action", CALLS)
def test_each_call_can_be_denied_to_one_account(fake: FakeEc2, connect: Connect, action: str) -> None:
    ask, code = CALLS[action]
    fake.set_faults(Fault(Denied(), action=action, account_id=OTHER))
    ask(fake, connect)
    fake.set_faults(Fault(Denied(), action=action, account_id=OWNER))

    with pytest.raises(ClientError, match=f"{OWNER}:user/auditor is not authorized to perform: .*{action}") as caught:
        ask(fake, connect)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("action", CALLS)
def test_each_call_can_fail_in_every_way(fake: FakeEc2, connect: Connect, action: str) -> None:
    ask, code = CALLS[action]
    for effect in (TruncatedXml(), MalformedXml()):
        fake.set_faults(Fault(effect, action=action))
        if code == "UnauthorizedOperation":
            with pytest.raises(ResponseParserError):
                ask(fake, connect)
        else:
            # What is no JSON is no error for botocore, but a reply without members.
            assert set(ask(fake, connect)) <= {"ResponseMetadata", "message"}
    fake.set_faults(Fault(AwsError("InternalError", status=500), action=action))
    assert error_of(lambda: ask(fake, connect)) == ("InternalError", 500)
    fake.set_faults(Fault(Disconnect(), action=action))
    with pytest.raises(ConnectionClosedError):
        ask(fake, connect)


@pytest.mark.parametrize("action", LISTINGS)
def test_listings_can_be_odd(fake: FakeEc2, connect: Connect, action: str) -> None:
    CALLS["CreateImageUsageReport"][0](fake, connect)
    ask, items = CALLS[action][0], LISTINGS[action]
    whole = ask(fake, connect)
    token = "NextMarker" if action == "ListGrants" else "NextToken"
    fake.set_faults(Fault(EmptyPage(), action=action))
    empty = ask(fake, connect)
    fake.set_faults(Fault(EndlessToken(), action=action))
    endless = ask(fake, connect)

    assert whole[items]
    assert (empty[items], bool(empty[token])) == ([], True)
    assert (len(endless[items]), bool(endless[token])) == (len(whole[items]), True)


def test_pages_can_overlap(fake: FakeEc2, connect: Connect) -> None:
    fake.set_faults(Fault(DuplicateImages(1), action="ListGrants"))
    pages = connect(fake, "kms").get_paginator("list_grants").paginate(KeyId=KEY.id)

    first, second, *_ = ([grant["GrantId"] for grant in page["Grants"]] for page in pages)
    assert first[-1] == second[0]


def test_faults_can_be_about_one_image_snapshot_or_key(fake: FakeEc2, connect: Connect) -> None:
    trail, kms = connect(fake, "cloudtrail"), connect(fake, "kms")
    fake.set_faults(
        Fault(WrongImageId("ami-0ddba11000000000f"), action="LookupEvents", image_id=IMAGE.id),
        Fault(AwsError("KMSInternalException", status=500), names=LEAVING.id),
        Fault(AwsError("DependencyTimeoutException", status=503), action="GetKeyPolicy", times=1, per_image=True),
    )
    resources = {one["Resources"][0]["ResourceName"] for one in trail.lookup_events(**about(IMAGE))["Events"]}

    assert resources == {"ami-0ddba11000000000f"}
    assert ids(trail.lookup_events(**about(QUIET))) == []
    assert error_of(lambda: kms.describe_key(KeyId=LEAVING.id)) == ("KMSInternalException", 500)
    kms.describe_key(KeyId=KEY.id)
    for key in (KEY, MANAGED):
        assert error_of(lambda key=key: kms.get_key_policy(KeyId=key.id)) == (  # type: ignore[misc]
            "DependencyTimeoutException",
            503,
        )
        kms.get_key_policy(KeyId=key.id)
