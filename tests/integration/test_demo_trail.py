"""CloudTrail of the embedded AWS: what it is given, and what it records of calls."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse

from amiguard.demo.moto_methods import state_at
from amiguard.demo.server import running_server
from amiguard.demo.trail import Trail
from amiguard.demo.trail_events import IMAGE, SNAPSHOT, Event, permission_change
from tests.integration.moto_clients import ACCOUNT, REGION, aws_cli, code_of, opened

IMAGE_ID, OTHER = "ami-0123456789abcdef0", "ami-00000000000000001"
STRANGER = "555566667777"
NOW = datetime.now(UTC).replace(microsecond=0)
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/ImageEngineer/dana"


@pytest.fixture
def url() -> Iterator[str]:
    with running_server([REGION]) as running:
        yield running


@pytest.fixture
def trail(url: str) -> Iterator[Any]:
    with opened(url, "cloudtrail") as client:
        yield client


@pytest.fixture
def ec2(url: str) -> Iterator[Any]:
    with opened(url, "ec2") as client:
        yield client


def event(number: int, *, image_id: str = IMAGE_ID, age: timedelta | None = None, **more: Any) -> Event:
    members: dict[str, Any] = {
        "name": "ModifyImageAttribute",
        "caller_arn": ROLE,
        "access_key_id": "ASIADEMO",
        "source": "198.51.100.24",
        "request": {"imageId": image_id, "launchPermission": permission_change([{"UserId": STRANGER}], [])},
        "response": {"_return": True},
        **more,
    }
    return Event(
        event_id=f"{number:08d}-0000-4000-8000-000000000000",
        at=NOW - (timedelta(minutes=number) if age is None else age),
        account_id=ACCOUNT,
        region=REGION,
        resources=((IMAGE, image_id),),
        **members,
    )


def put(*events: Event) -> None:
    state_at(cloudtrail_backends[ACCOUNT][REGION], Trail).events.extend(events)


def ids(*events: Event) -> list[str]:
    return [one.event_id for one in events]


def found(trail: Any, key: str = "ResourceName", value: str = IMAGE_ID, **more: Any) -> list[str]:
    reply = trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)
    return [one["EventId"] for one in reply["Events"]]


def recorded(trail: Any, image_id: str) -> list[dict[str, Any]]:
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": image_id}]
    return [json.loads(one["CloudTrailEvent"]) for one in trail.lookup_events(LookupAttributes=by_name)["Events"]]


def test_an_event_names_who_did_what(trail: Any) -> None:
    put(event(1))
    (one,) = trail.lookup_events()["Events"]
    assert one["EventName"] == "ModifyImageAttribute"
    assert one["EventTime"] == NOW - timedelta(minutes=1)
    assert (one["Username"], one["AccessKeyId"], one["ReadOnly"]) == ("dana", "ASIADEMO", "false")
    assert one["Resources"] == [{"ResourceType": "AWS::EC2::Ami", "ResourceName": IMAGE_ID}]
    record = json.loads(one["CloudTrailEvent"])
    assert record["eventID"] == one["EventId"]
    assert record["eventTime"] == f"{one['EventTime']:%Y-%m-%dT%H:%M:%SZ}"
    assert (record["eventSource"], record["awsRegion"]) == ("ec2.amazonaws.com", REGION)
    assert record["sourceIPAddress"] == "198.51.100.24"
    identity = record["userIdentity"]
    assert (identity["type"], identity["arn"], identity["accountId"]) == ("AssumedRole", ROLE, ACCOUNT)
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert issuer["arn"] == f"arn:aws:iam::{ACCOUNT}:role/ImageEngineer"
    assert record["requestParameters"]["launchPermission"] == {"add": {"items": [{"userId": STRANGER}]}}
    assert record["responseElements"] == {"_return": True}
    assert "errorCode" not in record


def test_an_event_of_a_user_that_failed(trail: Any) -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/lee"
    put(event(1, caller_arn=user, response=None, error_code="Client.UnauthorizedOperation"))
    (record,) = recorded(trail, IMAGE_ID)
    assert record["errorCode"] == "Client.UnauthorizedOperation"
    assert record["responseElements"] is None
    identity = record["userIdentity"]
    assert (identity["type"], identity["arn"], identity["userName"]) == ("IAMUser", user, "lee")


def test_one_attribute_chooses_and_the_newest_comes_first(trail: Any) -> None:
    first, second = event(1), event(2, name="CreateImage", caller_arn=f"{ROLE}-kim", access_key_id="ASIAOTHER")
    elsewhere = event(3, image_id=OTHER)
    put(second, elsewhere, first)
    everything = ids(first, second, elsewhere)
    assert found(trail) == ids(first, second)
    assert found(trail, "ResourceName", "ami-nobody") == []
    assert found(trail, "EventName", "CreateImage") == ids(second)
    assert found(trail, "EventId", elsewhere.event_id) == ids(elsewhere)
    assert found(trail, "Username", "dana-kim") == ids(second)
    assert found(trail, "AccessKeyId", "ASIAOTHER") == ids(second)
    assert found(trail, "ResourceType", "AWS::EC2::Ami") == everything
    assert found(trail, "EventSource", "ec2.amazonaws.com") == everything
    assert found(trail, "ReadOnly", "true") == []
    assert [one["EventId"] for one in trail.lookup_events()["Events"]] == everything
    assert found(trail, EventCategory="insight") == []


def test_of_one_second_the_later_call_comes_first(trail: Any) -> None:
    put(event(1, age=timedelta(0)), event(2, age=timedelta(0)))
    assert found(trail) == ids(event(2), event(1))


def test_events_are_kept_for_90_days_and_found_by_time(trail: Any) -> None:
    days = [event(number, age=timedelta(days=number)) for number in (1, 10, 89, 90, 91)]
    put(*days)
    assert found(trail) == ids(*days[:3])
    assert found(trail, StartTime=NOW - timedelta(days=10)) == ids(*days[:2])
    assert found(trail, StartTime=NOW - timedelta(days=100), EndTime=NOW - timedelta(days=10)) == ids(*days[1:3])


def test_events_come_in_pages_of_50(trail: Any) -> None:
    events = [event(number) for number in range(1, 122)]
    put(*events, event(500, image_id=OTHER))
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": IMAGE_ID}]
    pages = list(trail.get_paginator("lookup_events").paginate(LookupAttributes=by_name))
    assert [len(page["Events"]) for page in pages] == [50, 50, 21]
    assert [one["EventId"] for page in pages for one in page["Events"]] == ids(*events)


def test_a_token_belongs_to_its_request(trail: Any) -> None:
    put(event(1), event(2))
    token = trail.lookup_events(MaxResults=1)["NextToken"]
    rest = trail.lookup_events(MaxResults=1, NextToken=token)
    assert [one["EventId"] for one in rest["Events"]] == ids(event(2))
    assert "NextToken" not in rest
    for given in (token, "junk", "junk.1", f"{token}0"):
        with pytest.raises(ClientError) as failure:
            found(trail, NextToken=given)
        assert code_of(failure) == "InvalidNextTokenException"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]}, "InvalidLookupAttributes"),
        (
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateImage"}] * 2},
            "InvalidLookupAttributes",
        ),
        ({"StartTime": NOW, "EndTime": NOW - timedelta(hours=1)}, "InvalidTimeRange"),
        ({"MaxResults": 51}, "InvalidMaxResults"),
    ],
)
def test_a_question_is_refused_as_cloudtrail_refuses_it(trail: Any, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as failure:
        trail.lookup_events(**parameters)
    assert code_of(failure) == f"{code}Exception"


def test_the_aws_cli_sees_the_same(url: str, tmp_path: Path) -> None:
    put(event(1), event(2), event(3, image_id=OTHER))
    asked = ("--lookup-attributes", f"AttributeKey=ResourceName,AttributeValue={IMAGE_ID}", "--page-size", "1")
    code, reply = aws_cli(url, tmp_path, "cloudtrail", "lookup-events", *asked)
    assert code == 0
    assert [one["EventId"] for one in reply["Events"]] == ids(event(1), event(2))
    assert json.loads(reply["Events"][0]["CloudTrailEvent"])["eventName"] == "ModifyImageAttribute"


def test_a_reset_of_moto_forgets_it_all(trail: Any) -> None:
    put(event(1))
    cloudtrail_backends[ACCOUNT][REGION].reset()
    assert trail.lookup_events()["Events"] == []


@pytest.mark.parametrize(
    "flat", [None, {"OperationType": "add", "UserIds": [STRANGER], "UserGroups": ["all"]}], ids=["nested", "flat"]
)
def test_what_changes_an_image_is_recorded(ec2: Any, trail: Any, flat: dict[str, Any] | None) -> None:
    made = ec2.register_image(Name="golden")["ImageId"]
    nested = {"LaunchPermission": {"Add": [{"UserId": STRANGER}, {"Group": "all"}]}}
    ec2.modify_image_attribute(ImageId=made, **(flat or nested))
    ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Remove": [{"Group": "all"}]})
    removed, added, registered = recorded(trail, made)
    assert (registered["eventName"], registered["responseElements"]) == ("RegisterImage", {"imageId": made})
    assert registered["requestParameters"] == {"name": "golden"}
    assert {record["eventName"] for record in (added, removed)} == {"ModifyImageAttribute"}
    assert {record["requestParameters"]["imageId"] for record in (added, removed)} == {made}
    (side,) = added["requestParameters"]["launchPermission"].items()
    assert side[0] == "add"
    assert sorted(side[1]["items"], key=str) == [{"group": "all"}, {"userId": STRANGER}]
    assert removed["requestParameters"]["launchPermission"] == {"remove": {"items": [{"group": "all"}]}}
    assert added["sourceIPAddress"] == "127.0.0.1"
    assert added["userIdentity"]["accountId"] == ACCOUNT


def test_what_changes_a_snapshot_is_recorded(ec2: Any, trail: Any) -> None:
    made = ec2.register_image(Name="golden")["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[made])["Images"]
    snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot_id, CreateVolumePermission={"Add": [{"UserId": STRANGER}]})
    (one,) = recorded(trail, snapshot_id)
    assert one["eventName"] == "ModifySnapshotAttribute"
    assert one["requestParameters"]["createVolumePermission"] == {"add": {"items": [{"userId": STRANGER}]}}
    (listed,) = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ModifySnapshotAttribute"}]
    )["Events"]
    assert listed["Resources"] == [{"ResourceType": SNAPSHOT, "ResourceName": snapshot_id}]


def test_copies_and_images_of_instances_are_recorded(ec2: Any, trail: Any) -> None:
    made = ec2.register_image(Name="golden")["ImageId"]
    copied = ec2.copy_image(Name="copy", SourceImageId=made, SourceRegion=REGION)["ImageId"]
    instance_id = ec2.run_instances(ImageId=made, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    created = ec2.create_image(Name="of-instance", InstanceId=instance_id)["ImageId"]
    (copy,), (creation,) = recorded(trail, copied), recorded(trail, created)
    assert copy["eventName"] == "CopyImage"
    assert copy["requestParameters"] == {"name": "copy", "sourceImageId": made, "sourceRegion": REGION}
    assert creation["eventName"] == "CreateImage"
    assert creation["requestParameters"] == {"name": "of-instance", "instanceId": instance_id}


def test_a_dry_run_and_a_failure_are_not_recorded(ec2: Any, trail: Any) -> None:
    made = ec2.register_image(Name="golden")["ImageId"]
    before = recorded(trail, made)
    for parameters in (
        {"LaunchPermission": {"Add": [{"UserId": STRANGER}]}, "DryRun": True},
        {"LaunchPermission": {"Add": [{"UserId": "nobody"}]}},
    ):
        with pytest.raises(ClientError):
            ec2.modify_image_attribute(ImageId=made, **parameters)
    assert recorded(trail, made) == before


def test_a_role_session_is_recorded_by_its_name(url: str, ec2: Any, trail: Any) -> None:
    made = ec2.register_image(Name="golden")["ImageId"]
    with opened(url, "sts") as sts:
        role = f"arn:aws:iam::{ACCOUNT}:role/Remediator"
        keys = sts.assume_role(RoleArn=role, RoleSessionName="evening-shift")["Credentials"]
    session = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    with opened(url, "ec2", **session) as remediator:
        remediator.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": STRANGER}]})
    identity = recorded(trail, made)[0]["userIdentity"]
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Remediator/evening-shift"
    assert identity["type"] == "AssumedRole"
    assert identity["accessKeyId"] == keys["AccessKeyId"]


def test_moto_is_left_as_it_was() -> None:
    before = dict(vars(CloudTrailResponse))
    with running_server([REGION]):
        assert set(vars(CloudTrailResponse)) - set(before) == {"lookup_events"}
    assert dict(vars(CloudTrailResponse)) == before
