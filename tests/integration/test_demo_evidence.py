"""The past of the demo's images, as an AWS client sees it: use, authors, snapshots, keys, and the Recycle Bin."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from amiguard.demo import ESTATE, DemoAws, Image, demo_aws, parties
from amiguard.demo.model import account
from amiguard.demo.moto_methods import state_at
from amiguard.demo.private_images import UNSHARED_IMAGE_NAME
from amiguard.demo.usage_state import ImageUsage
from tests.integration.moto_clients import opened

NOW = datetime.now(UTC)
VENDOR, CONTRACTOR = account(parties.VENDOR), account(parties.CONTRACTOR)
DOCUMENT = Path(__file__).parents[2] / "docs" / "migrating.md"
EVENT_AGE = timedelta(days=90)


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoAws]:
    with demo_aws() as aws, aws.environment_applied():
        yield aws


def keys_of(demo: DemoAws, owner: str) -> dict[str, str]:
    if owner == ESTATE.caller:
        return {}
    with opened(demo.endpoint_url, "sts") as sts:
        role_arn = f"arn:aws:iam::{demo.seeded.ids[owner]}:role/{ESTATE.roles[-1]}"
        reply = sts.assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": reply["AccessKeyId"],
        "aws_secret_access_key": reply["SecretAccessKey"],
        "aws_session_token": reply["SessionToken"],
    }


def client(demo: DemoAws, service: str, image: Image) -> Any:
    return opened(demo.endpoint_url, service, image.region, **keys_of(demo, image.account))


def the_image(name: str, region: str = "") -> Image:
    (image,) = (one for one in ESTATE.images if one.name == name and one.region.startswith(region))
    return image


def use_of(demo: DemoAws, image: Image) -> dict[tuple[str, str], int]:
    image_id = demo.seeded.image_ids[image]
    state_at(ec2_backends[demo.seeded.ids[image.account]][image.region], ImageUsage).pending_for = timedelta(0)
    kinds = [{"ResourceType": kind} for kind in ("ec2:Instance", "ec2:LaunchTemplate")]
    with client(demo, "ec2", image) as ec2:
        report_id = ec2.create_image_usage_report(ImageId=image_id, ResourceTypes=kinds)["ReportId"]
        found = ec2.describe_image_usage_report_entries(ReportIds=[report_id])["ImageUsageReportEntries"]
    return {(one["AccountId"], one["ResourceType"]): one["UsageCount"] for one in found}


def events_of(demo: DemoAws, image: Image) -> list[dict[str, Any]]:
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": demo.seeded.image_ids[image]}]
    with client(demo, "cloudtrail", image) as trail:
        return [json.loads(one["CloudTrailEvent"]) for one in trail.lookup_events(LookupAttributes=by_name)["Events"]]


def snapshot_of(demo: DemoAws, image: Image) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The snapshot under an image, and who may create volumes from it."""
    with client(demo, "ec2", image) as ec2:
        (listed,) = ec2.describe_images(ImageIds=[demo.seeded.image_ids[image]])["Images"]
        snapshot_id = listed["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        (snapshot,) = ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
        reply = ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
    return snapshot, reply["CreateVolumePermissions"]


def test_an_account_that_is_not_trusted_runs_14_instances_of_a_shared_image(demo: DemoAws) -> None:
    image = the_image("erp-windows-2022-20260811")
    assert VENDOR in image.grants
    assert use_of(demo, image) == {
        (parties.VENDOR, "ec2:Instance"): 14,
        (parties.VENDOR, "ec2:LaunchTemplate"): 1,
        (parties.STAGING, "ec2:Instance"): 3,
        (demo.account_id, "ec2:Instance"): 2,
    }
    with client(demo, "ec2", image) as ec2:
        (listed,) = ec2.describe_images(ImageIds=[demo.seeded.image_ids[image]])["Images"]
    last = datetime.fromisoformat(listed["LastLaunchedTime"])
    assert timedelta(hours=23) < datetime.now(UTC) - last < timedelta(hours=25)


def test_another_one_has_a_grant_and_no_instance(demo: DemoAws) -> None:
    image = the_image("monitoring-collector-20260210")
    assert image.grants == (CONTRACTOR,)
    assert use_of(demo, image) == {}


def test_an_unshared_image_has_a_shared_snapshot(demo: DemoAws) -> None:
    image = the_image(UNSHARED_IMAGE_NAME, "us-")
    assert image.grants == ()
    _, permission = snapshot_of(demo, image)
    assert permission == [CONTRACTOR.resolved({})]
    removed, added = (one["requestParameters"]["launchPermission"] for one in events_of(demo, image))
    assert removed == {"remove": {"items": [{"userId": parties.CONTRACTOR}]}}
    assert added == {"add": {"items": [{"userId": parties.CONTRACTOR}]}}


def test_no_other_snapshot_is_shared_and_no_other_is_encrypted(demo: DemoAws) -> None:
    shared, encrypted = set(), set()
    for owner in {image.account for image in ESTATE.images}:
        for region in ESTATE.regions:
            with opened(demo.endpoint_url, "ec2", region, **keys_of(demo, owner)) as ec2:
                for snapshot in ec2.describe_snapshots()["Snapshots"]:
                    reply = ec2.describe_snapshot_attribute(
                        SnapshotId=snapshot["SnapshotId"], Attribute="createVolumePermission"
                    )
                    shared |= {snapshot["SnapshotId"]} if reply["CreateVolumePermissions"] else set()
                    encrypted |= {snapshot["SnapshotId"]} if snapshot["Encrypted"] else set()
    assert shared == {snapshot_of(demo, the_image(UNSHARED_IMAGE_NAME, "us-"))[0]["SnapshotId"]}
    assert encrypted == {snapshot_of(demo, the_image("card-settlement-1.9"))[0]["SnapshotId"]}


def test_a_key_does_not_admit_the_account_with_which_its_image_is_shared(demo: DemoAws) -> None:
    image = the_image("card-settlement-1.9")
    assert image.grants == (VENDOR,)
    snapshot, permission = snapshot_of(demo, image)
    assert permission == []
    with client(demo, "kms", image) as kms:
        key = kms.describe_key(KeyId=snapshot["KmsKeyId"])["KeyMetadata"]
        policy = kms.get_key_policy(KeyId=snapshot["KmsKeyId"], PolicyName="default")["Policy"]
        grants = kms.list_grants(KeyId=snapshot["KmsKeyId"])["Grants"]
    owner = demo.seeded.ids[image.account]
    assert key["Arn"] == snapshot["KmsKeyId"]
    assert key["Arn"].startswith(f"arn:aws:kms:{image.region}:{owner}:key/")
    assert (key["KeyManager"], key["KeyState"]) == ("CUSTOMER", "Enabled")
    assert grants == []
    named = [arn for one in json.loads(policy)["Statement"] for arn in one["Principal"]["AWS"]]
    assert parties.VENDOR not in policy
    assert "*" not in named
    assert owner in policy


def test_a_session_of_an_engineers_role_shared_an_image(demo: DemoAws) -> None:
    events = events_of(demo, the_image("erp-windows-2022-20260811"))
    assert [(one["eventName"], one.get("errorCode")) for one in events] == [
        ("ModifyImageAttribute", None),
        ("ModifyImageAttribute", "Client.UnauthorizedOperation"),
        ("ModifyImageAttribute", None),
        ("CreateImage", None),
    ]
    arn = f"arn:aws:sts::{demo.account_id}:assumed-role/ImageEngineer/dana.kim@example.com"
    assert events[0]["userIdentity"]["arn"] == arn
    assert events[0]["requestParameters"]["launchPermission"] == {"add": {"items": [{"userId": parties.VENDOR}]}}


def test_one_image_is_older_than_what_cloudtrail_keeps(demo: DemoAws) -> None:
    image = the_image("legacy-webshop-2019")
    assert image.public
    assert events_of(demo, image) == []
    with client(demo, "ec2", image) as ec2:
        (listed,) = ec2.describe_images(ImageIds=[demo.seeded.image_ids[image]])["Images"]
    assert NOW - datetime.fromisoformat(listed["CreationDate"]) > timedelta(days=365)


def test_every_shared_image_has_the_events_it_says_and_none_of_the_seeding(demo: DemoAws) -> None:
    for image in ESTATE.images:
        if image.grants or image.calls:
            events = events_of(demo, image)
            assert sorted(one["eventName"] for one in events) == sorted(call.name for call in image.calls)
            assert all(NOW - datetime.fromisoformat(one["eventTime"]) < EVENT_AGE for one in events)
            assert all(call.days_ago <= image.age_days for call in image.calls)


def test_the_recycle_bin_holds_one_image_that_comes_back_shared(demo: DemoAws) -> None:
    (image,) = ESTATE.binned
    assert image.grants == (VENDOR,)
    with client(demo, "ec2", image) as ec2:
        (listed,) = ec2.list_images_in_recycle_bin()["Images"]
        assert listed["Name"] == image.name
        assert listed["RecycleBinEnterTime"] < NOW < listed["RecycleBinExitTime"]
        assert image.name not in {one["Name"] for one in ec2.describe_images(Owners=["self"])["Images"]}


def test_every_other_bin_is_empty(demo: DemoAws) -> None:
    (binned,) = ESTATE.binned
    for owner in {image.account for image in ESTATE.images}:
        for region in ESTATE.regions:
            with opened(demo.endpoint_url, "ec2", region, **keys_of(demo, owner)) as ec2:
                found = ec2.list_images_in_recycle_bin()["Images"]
            assert len(found) == ((owner, region) == (binned.account, binned.region))


def test_the_past_leaves_the_ids_of_the_images_as_the_documents_show_them(demo: DemoAws) -> None:
    shown = set(re.findall(r"ami-[1-9a-f][0-9a-f]{16}", DOCUMENT.read_text(encoding="utf-8")))
    assert len(shown) > 1
    assert shown <= set(demo.seeded.image_ids.values())


def test_it_can_be_remediated_and_the_trail_tells_by_whom(demo: DemoAws) -> None:
    """Last: it changes the estate."""
    image = the_image(UNSHARED_IMAGE_NAME, "us-")
    snapshot, _ = snapshot_of(demo, image)
    with client(demo, "ec2", image) as ec2:
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot["SnapshotId"], CreateVolumePermission={"Remove": [CONTRACTOR.resolved({})]}
        )
    assert snapshot_of(demo, image)[1] == []
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": snapshot["SnapshotId"]}]
    with client(demo, "cloudtrail", image) as trail:
        (event,) = trail.lookup_events(LookupAttributes=by_name)["Events"]
    record = json.loads(event["CloudTrailEvent"])
    role = f"arn:aws:sts::{demo.seeded.ids[image.account]}:assumed-role/{ESTATE.roles[-1]}/test"
    assert record["userIdentity"]["arn"] == role
