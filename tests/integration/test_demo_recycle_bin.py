"""The Recycle Bin of the embedded AWS, and snapshot permissions in EC2's nested form."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from amiguard.demo.recycle_bin import bin_image
from amiguard.demo.server import running_server
from tests.integration.moto_clients import ACCOUNT, REGION, aws_cli, code_of, opened

STRANGER, OTHER = "555566667777", "210987654321"
ENTERED = datetime(2026, 9, 1, 12, tzinfo=UTC)
LEAVES = ENTERED + timedelta(days=14)


@pytest.fixture
def url() -> Iterator[str]:
    with running_server([REGION]) as running:
        yield running


@pytest.fixture
def ec2(url: str) -> Iterator[Any]:
    with opened(url, "ec2") as client:
        yield client


def binned(ec2: Any, name: str) -> str:
    """An image that was shared when it was deregistered."""
    made: str = ec2.register_image(Name=name, Description=f"{name} <b>")["ImageId"]
    ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": STRANGER}]})
    bin_image(ec2_backends[ACCOUNT][REGION], made, entered_at=ENTERED, leaves_at=LEAVES)
    return made


def test_the_bin_is_empty_at_first_and_takes_no_image_that_is_deregistered(ec2: Any) -> None:
    ec2.deregister_image(ImageId=ec2.register_image(Name="gone")["ImageId"])
    assert ec2.list_images_in_recycle_bin()["Images"] == []


def test_an_image_in_the_bin_is_listed_there_and_nowhere_else(ec2: Any) -> None:
    image_id = binned(ec2, "old")
    (listed,) = ec2.list_images_in_recycle_bin()["Images"]
    assert listed == {
        "ImageId": image_id,
        "Name": "old",
        "Description": "old <b>",
        "RecycleBinEnterTime": ENTERED,
        "RecycleBinExitTime": LEAVES,
    }
    assert ec2.describe_images(Owners=["self"])["Images"] == []


def test_the_bin_comes_in_pages_and_by_id(ec2: Any) -> None:
    image_ids = [binned(ec2, f"old-{number}") for number in range(5)]
    pages = list(ec2.get_paginator("list_images_in_recycle_bin").paginate(PaginationConfig={"PageSize": 2}))
    assert [[one["ImageId"] for one in page["Images"]] for page in pages] == [
        image_ids[:2],
        image_ids[2:4],
        image_ids[4:],
    ]
    (one,) = ec2.list_images_in_recycle_bin(ImageIds=[image_ids[3]])["Images"]
    assert one["Name"] == "old-3"


def test_a_restored_image_is_shared_as_it_was(ec2: Any) -> None:
    image_id = binned(ec2, "old")
    with pytest.raises(ClientError) as failure:
        ec2.restore_image_from_recycle_bin(ImageId=image_id, DryRun=True)
    assert code_of(failure) == "DryRunOperation"
    assert ec2.restore_image_from_recycle_bin(ImageId=image_id)["Return"] is True
    assert ec2.list_images_in_recycle_bin()["Images"] == []
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    assert (image["State"], image["Name"]) == ("available", "old")
    grants = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")["LaunchPermissions"]
    assert grants == [{"UserId": STRANGER}]
    assert ec2.disable_image(ImageId=image_id)["Return"] is True  # refused for what is deregistered
    with pytest.raises(ClientError) as failure:
        ec2.restore_image_from_recycle_bin(ImageId=image_id)
    assert code_of(failure) == "InvalidAMIID.NotFound"


@pytest.mark.parametrize(
    ("call", "parameters", "code"),
    [
        ("list_images_in_recycle_bin", {"ImageIds": ["ami-0123456789abcdef0"]}, "InvalidAMIID.NotFound"),
        ("list_images_in_recycle_bin", {"ImageIds": ["old"]}, "InvalidAMIID.Malformed"),
        ("list_images_in_recycle_bin", {"ImageIds": ["ami-0"] * 21}, "InvalidParameterValue"),
        ("list_images_in_recycle_bin", {"NextToken": "junk"}, "InvalidNextToken"),
        ("list_images_in_recycle_bin", {"DryRun": True}, "DryRunOperation"),
        ("restore_image_from_recycle_bin", {"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ("restore_image_from_recycle_bin", {"ImageId": "<b>"}, "InvalidAMIID.Malformed"),
        ("restore_image_from_recycle_bin", {"ImageId": ""}, "MissingParameter"),
    ],
)
def test_a_question_is_refused_as_ec2_refuses_it(ec2: Any, call: str, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as failure:
        getattr(ec2, call)(**parameters)
    assert code_of(failure) == code


def test_the_aws_cli_sees_the_same(url: str, ec2: Any, tmp_path: Path) -> None:
    image_id = binned(ec2, "old")
    code, reply = aws_cli(url, tmp_path, "ec2", "list-images-in-recycle-bin")
    assert code == 0
    assert [(one["ImageId"], one["Name"]) for one in reply["Images"]] == [(image_id, "old")]
    restore = ("ec2", "restore-image-from-recycle-bin", "--image-id", image_id)
    assert aws_cli(url, tmp_path, *restore) == (0, {"Return": True})


@pytest.fixture
def snapshot_id(ec2: Any) -> str:
    image_id = ec2.register_image(Name="golden")["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    found: str = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    return found


def permission(ec2: Any, snapshot_id: str) -> list[dict[str, str]]:
    reply = ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
    return sorted(reply["CreateVolumePermissions"], key=str)


def test_a_snapshot_is_shared_and_unshared_in_the_nested_form(ec2: Any, snapshot_id: str) -> None:
    users = [{"UserId": OTHER}, {"UserId": STRANGER}]
    everyone = [{"Group": "all"}]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot_id, CreateVolumePermission={"Add": users + everyone})
    assert permission(ec2, snapshot_id) == everyone + users
    ec2.modify_snapshot_attribute(SnapshotId=snapshot_id, CreateVolumePermission={"Remove": everyone + users[1:]})
    assert permission(ec2, snapshot_id) == users[:1]


def test_a_snapshot_is_shared_in_the_flat_form(url: str, ec2: Any, snapshot_id: str, tmp_path: Path) -> None:
    change = ("ec2", "modify-snapshot-attribute", "--snapshot-id", snapshot_id, "--attribute", "createVolumePermission")
    assert aws_cli(url, tmp_path, *change, "--operation-type", "add", "--user-ids", STRANGER)[0] == 0
    assert permission(ec2, snapshot_id) == [{"UserId": STRANGER}]
    assert aws_cli(url, tmp_path, *change, "--operation-type", "remove", "--user-ids", STRANGER)[0] == 0
    assert permission(ec2, snapshot_id) == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"DryRun": True}, "DryRunOperation"),
        ({"SnapshotId": "snap-0123456789abcdef0"}, "InvalidSnapshot.NotFound"),
        ({"CreateVolumePermission": {"Add": [{"Group": "some"}]}}, "InvalidAMIAttributeItemValue"),
        (
            {"CreateVolumePermission": {"Add": [{"UserId": OTHER}], "Remove": [{"UserId": STRANGER}]}},
            "InvalidParameterValue",
        ),
    ],
)
def test_a_change_of_a_snapshot_is_refused_as_ec2_refuses_it(
    ec2: Any, snapshot_id: str, parameters: dict[str, Any], code: str
) -> None:
    asked = {"SnapshotId": snapshot_id, "CreateVolumePermission": {"Add": [{"UserId": STRANGER}]}, **parameters}
    with pytest.raises(ClientError) as failure:
        ec2.modify_snapshot_attribute(**asked)
    assert code_of(failure) == code
    assert permission(ec2, snapshot_id) == []
