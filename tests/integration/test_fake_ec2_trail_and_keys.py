"""CloudTrail and KMS of the fake as boto3 and the AWS CLI see them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    DOCUMENTED,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeRegion,
    by_id,
    image_event,
)
from tests.integration.boto3_witness import Connect, aws_cli_of, boto3_clients, error_of
from tests.integration.evidence_estate import (
    ARN,
    DAY,
    ESTATE,
    IMAGE,
    KEY,
    LEAVING,
    MANAGED,
    MOVED,
    NOW,
    ORGANIZATION,
    OTHER,
    OWNER,
    QUIET,
    REGION,
    about,
    ids,
)


@pytest.fixture
def connect() -> Iterator[Connect]:
    with boto3_clients(OWNER) as make:
        yield make


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    with FakeEc2(ESTATE) as running:
        yield running
    assert running.stats.signature_failures == 0


def test_events_of_an_image_come_newest_first_and_no_older_than_90_days(fake: FakeEc2, connect: Connect) -> None:
    trail = connect(fake, "cloudtrail")
    reply = trail.lookup_events(**about(IMAGE))
    _, newest, shared, _ = reply["Events"]

    assert ids(reply) == ["4", "3", "2", "1"]
    assert ids(trail.lookup_events(**about(QUIET))) == []
    assert (newest["EventTime"], newest["Username"], newest["EventSource"]) == (MOVED.at, "b", "ec2.amazonaws.com")
    assert newest["Resources"] == [{"ResourceType": "AWS::EC2::Ami", "ResourceName": IMAGE.id}]
    record = json.loads(shared["CloudTrailEvent"])
    assert (record["eventName"], record["eventID"]) == ("ModifyImageAttribute", "2")
    assert record["requestParameters"] == {
        "attributeType": "launchPermission",
        "imageId": IMAGE.id,
        "launchPermission": {"add": {"items": [{"userId": OTHER}, {"group": "all"}]}},
    }
    assert record["userIdentity"]["arn"].endswith(":assumed-role/image-pipeline/nightly")


def test_records_are_what_they_were_made(fake: FakeEc2, connect: Connect) -> None:
    odd, moved, _, created = connect(fake, "cloudtrail").lookup_events(**about(IMAGE))["Events"]

    assert odd["CloudTrailEvent"] == "{not JSON"
    assert json.loads(created["CloudTrailEvent"])["errorCode"] == "Client.DryRunOperation"
    assert json.loads(moved["CloudTrailEvent"])["requestParameters"]["launchPermission"] == {
        "add": {"items": [{"organizationArn": ORGANIZATION}]},
        "remove": {"items": [{"userId": OTHER}]},
    }


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateImage"}]}, ["1"]),
        ({"LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": "b"}]}, ["3"]),
        ({"StartTime": NOW - 10 * DAY, "EndTime": NOW - 2 * DAY}, ["3", "2"]),
        ({}, ["4", "3", "2", "1"]),
    ],
)
def test_other_ways_to_look_up(fake: FakeEc2, connect: Connect, arguments: dict[str, Any], found: list[str]) -> None:
    assert ids(connect(fake, "cloudtrail").lookup_events(**arguments)) == found


def test_events_come_in_pages_of_50(connect: Connect) -> None:
    events = tuple(image_event("CopyImage", IMAGE.id, at=NOW - n * DAY / 24, event_id=f"{n:03}") for n in range(120))
    region = FakeRegion(by_id(IMAGE), events=events)
    with FakeEc2(Estate({OWNER: FakeAccount({REGION: region})})) as fake:
        pages = connect(fake, "cloudtrail").get_paginator("lookup_events").paginate(**about(IMAGE))
        found = [ids(page) for page in pages]

    assert [len(page) for page in found] == [50, 50, 20]
    assert [event_id for page in found for event_id in page] == [event.id for event in events]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"LookupAttributes": about(IMAGE)["LookupAttributes"] * 2}, "InvalidLookupAttributesException"),
        ({"NextToken": "made-up"}, "InvalidNextTokenException"),
        ({"StartTime": NOW, "EndTime": NOW - DAY}, "InvalidTimeRangeException"),
        ({"EventCategory": "insight"}, "InvalidEventCategoryException"),
    ],
)
def test_look_ups_that_are_refused(fake: FakeEc2, connect: Connect, arguments: dict[str, Any], code: str) -> None:
    assert error_of(lambda: connect(fake, "cloudtrail").lookup_events(**arguments)) == (code, 400)


def test_two_look_ups_a_second_in_an_account_and_region(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(ESTATE, bucket=DOCUMENTED, clock=lambda: now) as fake:
        trail = connect(fake, "cloudtrail")
        kms = connect(fake, "kms")
        for _ in range(2):
            trail.lookup_events()
        assert error_of(trail.lookup_events) == ("ThrottlingException", 400)
        for _ in range(3):
            kms.describe_key(KeyId=KEY.id)
        connect(fake, "cloudtrail", account=OTHER).lookup_events()
        now = 0.5
        trail.lookup_events()
        assert error_of(trail.lookup_events) == ("ThrottlingException", 400)
        assert fake.stats.throttled == {"LookupEvents": 2}


@pytest.mark.parametrize("name", [KEY.id, ARN + KEY.id, "alias/images", f"arn:aws:kms:{REGION}:{OWNER}:alias/images"])
def test_a_key_has_many_names(fake: FakeEc2, connect: Connect, name: str) -> None:
    described = connect(fake, "kms").describe_key(KeyId=name)["KeyMetadata"]

    assert (described["Arn"], described["AWSAccountId"]) == (ARN + KEY.id, OWNER)
    assert (described["KeyManager"], described["KeyState"], described["Enabled"]) == ("CUSTOMER", "Enabled", True)


def test_keys_that_are_not_like_the_others(fake: FakeEc2, connect: Connect) -> None:
    kms = connect(fake, "kms")
    leaving = kms.describe_key(KeyId=LEAVING.id)["KeyMetadata"]

    assert (leaving["KeyState"], leaving["Enabled"]) == ("PendingDeletion", False)
    assert "DeletionDate" in leaving
    assert kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["KeyManager"] == "AWS"


def test_the_policy_of_a_key(fake: FakeEc2, connect: Connect) -> None:
    policy = connect(fake, "kms").get_key_policy(KeyId=ARN + KEY.id)["Policy"]

    assert json.loads(policy)["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{OWNER}:root"}


def test_grants_come_in_pages(fake: FakeEc2, connect: Connect) -> None:
    kms = connect(fake, "kms")
    pages = list(kms.get_paginator("list_grants").paginate(KeyId=KEY.id))

    assert [(len(page["Grants"]), page["Truncated"]) for page in pages] == [(50, True), (50, True), (20, False)]
    assert [grant["GrantId"] for page in pages for grant in page["Grants"]] == [grant.id for grant in KEY.grants]
    assert pages[0]["Grants"][0]["GranteePrincipal"] == f"arn:aws:iam::{OTHER}:role/r0"
    assert "Constraints" not in pages[0]["Grants"][0]
    assert len(kms.list_grants(KeyId=KEY.id, Limit=100)["Grants"]) == 100
    assert len(kms.list_grants(KeyId=KEY.id, GranteePrincipal=f"arn:aws:iam::{OTHER}:role/r7")["Grants"]) == 1
    (constrained,) = kms.list_grants(KeyId=MANAGED.id)["Grants"]
    assert constrained["Constraints"] == {"EncryptionContextEquals": {"aws:ebs:id": "vol-1"}}


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("describe_key", {"KeyId": "9234abcd-12ab-34cd-56ef-1234567890ab"}, "NotFoundException"),
        ("describe_key", {"KeyId": "my-key"}, "NotFoundException"),
        ("describe_key", {"KeyId": f"arn:aws:kms:eu-west-1:{OWNER}:key/{KEY.id}"}, "NotFoundException"),
        ("get_key_policy", {"KeyId": "alias/images"}, "NotFoundException"),
        ("get_key_policy", {"KeyId": KEY.id, "PolicyName": "other"}, "NotFoundException"),
        ("list_grants", {"KeyId": KEY.id, "Marker": "made-up"}, "InvalidMarkerException"),
        ("list_grants", {"KeyId": KEY.id, "Limit": 101}, "ValidationException"),
    ],
)
def test_questions_about_keys_that_are_refused(
    fake: FakeEc2, connect: Connect, method: str, arguments: dict[str, Any], code: str
) -> None:
    assert error_of(lambda: getattr(connect(fake, "kms"), method)(**arguments)) == (code, 400)


def test_a_key_of_another_account(fake: FakeEc2, connect: Connect) -> None:
    kms = connect(fake, "kms", account=OTHER)
    denied = ("AccessDeniedException", 400)

    assert kms.describe_key(KeyId=ARN + KEY.id)["KeyMetadata"]["AWSAccountId"] == OWNER
    assert len(kms.list_grants(KeyId=ARN + KEY.id)["Grants"]) == 50
    assert error_of(lambda: kms.get_key_policy(KeyId=ARN + KEY.id)) == denied
    assert error_of(lambda: kms.describe_key(KeyId=ARN + LEAVING.id)) == denied


def test_the_aws_cli_reads_what_boto3_reads(fake: FakeEc2, connect: Connect, tmp_path: Path) -> None:
    def aws(*arguments: str) -> Any:
        return aws_cli_of(fake, OWNER, tmp_path, *arguments)

    report_id = aws(
        *("ec2", "create-image-usage-report", "--image-id", IMAGE.id, "--resource-types", "ResourceType=ec2:Instance")
    )["ReportId"]
    (report,) = aws("ec2", "describe-image-usage-reports", "--report-ids", report_id)["ImageUsageReports"]
    (entry,) = aws("ec2", "describe-image-usage-report-entries", "--report-ids", report_id)["ImageUsageReportEntries"]
    (binned,) = aws("ec2", "list-images-in-recycle-bin")["Images"]
    attribute = f"AttributeKey=ResourceName,AttributeValue={IMAGE.id}"
    events = aws("cloudtrail", "lookup-events", "--lookup-attributes", attribute)
    grants = aws("kms", "list-grants", "--key-id", KEY.id)["Grants"]

    assert report["State"] == "available"
    assert (entry["AccountId"], entry["UsageCount"]) == (OTHER, 14)
    assert binned["Name"] == "old"
    assert ids(events) == ["4", "3", "2", "1"]
    assert len(grants) == len(KEY.grants)
