"""Snapshots of the fake EC2 as boto3 sees them: listings, permissions, and how these are changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    DOCUMENTED,
    Estate,
    FakeAccount,
    FakeBinnedImage,
    FakeBlockDevice,
    FakeEc2,
    FakeImage,
    FakeRegion,
    FakeSnapshot,
    account_grant,
    by_id,
    by_snapshot_id,
    everyone_grant,
    generate_estate,
    raw_grant,
)
from tests.integration.boto3_witness import Connect, boto3_clients, error_of

OWNER, OTHER, OUTSIDER = "012345678901", "222233334444", "999988887777"
REGION = "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"

PUBLIC = FakeSnapshot("snap-00000000000000001", (everyone_grant(),), tags=(("Team", "a & b"),))
SHARED = FakeSnapshot("snap-00000000000000002", (account_grant(OTHER), account_grant(OUTSIDER)), KEY, volume_size=20)
PRIVATE = FakeSnapshot("snap-00000000000000003", description="of <golden-1>")
FOREIGN = FakeSnapshot("snap-00000000000000004", (account_grant(OWNER),))
FOREIGN_SECRET = FakeSnapshot("snap-00000000000000005")
UNKNOWN = "snap-0123456789abcdef0"
IMAGE = FakeImage(
    "ami-00000000000000001",
    block_devices=(
        FakeBlockDevice("/dev/xvda", PUBLIC.id),
        FakeBlockDevice("/dev/{0}", SHARED.id, 20, encrypted=True),
    ),
    last_launched_time="2026-05-06T07:08:09Z",
)
BINNED = tuple(FakeBinnedImage(f"ami-000000000000000b{number}", name=f"old-{number}") for number in range(3))
ESTATE = Estate(
    {
        OWNER: FakeAccount(
            {REGION: FakeRegion(by_id(IMAGE), snapshots=by_snapshot_id(PUBLIC, SHARED, PRIVATE), recycle_bin=BINNED)}
        ),
        OTHER: FakeAccount({REGION: FakeRegion(snapshots=by_snapshot_id(FOREIGN, FOREIGN_SECRET))}),
    }
)
OWN = [PUBLIC.id, SHARED.id, PRIVATE.id]


MANY = [f"snap-{number:017x}" for number in range(201)]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with boto3_clients(OWNER) as make:
        yield make


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    with FakeEc2(ESTATE) as running:
        yield running
    assert running.stats.signature_failures == 0


@pytest.fixture
def ec2(fake: FakeEc2, connect: Connect) -> Any:
    return connect(fake)


def listed(ec2: Any, **arguments: Any) -> list[str]:
    return [snapshot["SnapshotId"] for snapshot in ec2.describe_snapshots(**arguments)["Snapshots"]]


def grants_of(ec2: Any, snapshot: FakeSnapshot) -> list[dict[str, str]]:
    reply = ec2.describe_snapshot_attribute(SnapshotId=snapshot.id, Attribute="createVolumePermission")
    assert reply["SnapshotId"] == snapshot.id
    grants: list[dict[str, str]] = reply["CreateVolumePermissions"]
    return grants


def test_an_image_names_its_snapshots_and_when_it_was_last_launched(ec2: Any) -> None:
    (image,) = ec2.describe_images(ImageIds=[IMAGE.id])["Images"]

    assert image["LastLaunchedTime"] == "2026-05-06T07:08:09Z"
    mappings = [
        (one["DeviceName"], one["Ebs"]["SnapshotId"], one["Ebs"]["Encrypted"]) for one in image["BlockDeviceMappings"]
    ]
    assert mappings == [("/dev/xvda", PUBLIC.id, False), ("/dev/{0}", SHARED.id, True)]


def test_a_snapshot_says_how_it_is_encrypted(ec2: Any) -> None:
    public, shared = ec2.describe_snapshots(SnapshotIds=[PUBLIC.id, SHARED.id])["Snapshots"]

    assert (shared["Encrypted"], shared["KmsKeyId"], shared["VolumeSize"]) == (True, KEY, 20)
    assert (public["Encrypted"], "KmsKeyId" in public, public["State"]) == (False, False, "completed")
    assert (public["OwnerId"], public["Tags"]) == (OWNER, [{"Key": "Team", "Value": "a & b"}])
    assert public["StartTime"].isoformat() == "2026-01-02T03:04:05+00:00"


def test_listings_have_what_the_caller_may_see(ec2: Any, fake: FakeEc2, connect: Connect) -> None:
    assert listed(ec2, OwnerIds=["self"]) == listed(ec2, OwnerIds=[OWNER]) == OWN
    assert listed(ec2) == [*OWN, FOREIGN.id]
    assert listed(connect(fake, account=OTHER), OwnerIds=[OWNER]) == [PUBLIC.id, SHARED.id]
    # One that exists, but not for the caller, is left out; the documentation says so.
    assert listed(ec2, SnapshotIds=[FOREIGN_SECRET.id, PRIVATE.id, FOREIGN.id]) == [PRIVATE.id, FOREIGN.id]


def test_pages_hold_all_snapshots_once_and_in_order(ec2: Any) -> None:
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig={"PageSize": 2})

    assert [[one["SnapshotId"] for one in page["Snapshots"]] for page in pages] == [OWN[:2], OWN[2:]]


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        ({"SnapshotIds": [UNKNOWN]}, "InvalidSnapshot.NotFound", 400),
        ({"SnapshotIds": ["snapshot-1"]}, "InvalidSnapshotID.Malformed", 400),
        ({"MaxResults": 0}, "InvalidParameterValue", 400),
        ({"NextToken": "made-up"}, "InvalidNextToken", 400),
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue", 400),
        ({"Filters": [{"Name": "snapshot-id", "Values": MANY}]}, "FilterLimitExceeded", 400),
        ({"DryRun": True}, "DryRunOperation", 412),
    ],
)
def test_listings_that_are_refused(ec2: Any, arguments: dict[str, Any], code: str, status: int) -> None:
    assert error_of(lambda: ec2.describe_snapshots(**arguments)) == (code, status)


def test_permissions_of_every_kind(ec2: Any, fake: FakeEc2) -> None:
    assert grants_of(ec2, PRIVATE) == []
    assert grants_of(ec2, PUBLIC) == [{"Group": "all"}]
    assert grants_of(ec2, SHARED) == [{"UserId": OTHER}, {"UserId": OUTSIDER}]
    fake.put_snapshot(OWNER, REGION, FakeSnapshot(PRIVATE.id, (raw_grant("<planet>mars</planet>"),)))
    # The unknown kind is on the wire; botocore shows an empty item.
    assert grants_of(ec2, PRIVATE) == [{}]


@pytest.mark.parametrize("method", ["describe_snapshot_attribute", "modify_snapshot_attribute"])
@pytest.mark.parametrize(
    ("snapshot_id", "code", "status"),
    [
        (UNKNOWN, "InvalidSnapshot.NotFound", 400),
        ("snapshot-1", "InvalidSnapshotID.Malformed", 400),
        (FOREIGN.id, "AuthFailure", 403),
        (FOREIGN_SECRET.id, "InvalidSnapshot.NotFound", 400),
    ],
)
def test_snapshots_that_are_not_the_callers(ec2: Any, method: str, snapshot_id: str, code: str, status: int) -> None:
    def ask() -> object:
        return getattr(ec2, method)(SnapshotId=snapshot_id, Attribute="createVolumePermission")

    assert error_of(ask) == (code, status)


def test_permissions_are_changed_in_both_forms(ec2: Any, fake: FakeEc2) -> None:
    ec2.modify_snapshot_attribute(
        SnapshotId=PRIVATE.id, CreateVolumePermission={"Add": [{"UserId": OTHER}, {"Group": "all"}, {"UserId": OTHER}]}
    )
    assert grants_of(ec2, PRIVATE) == [{"UserId": OTHER}, {"Group": "all"}]
    ec2.modify_snapshot_attribute(SnapshotId=PRIVATE.id, CreateVolumePermission={"Remove": [{"Group": "all"}]})
    flat = {"SnapshotId": PRIVATE.id, "Attribute": "createVolumePermission"}
    ec2.modify_snapshot_attribute(**flat, OperationType="add", UserIds=[OUTSIDER], GroupNames=["all"])
    ec2.modify_snapshot_attribute(**flat, OperationType="remove", UserIds=[OTHER])
    assert grants_of(ec2, PRIVATE) == [{"UserId": OUTSIDER}, {"Group": "all"}]
    after = fake.snapshot(OWNER, REGION, PRIVATE.id)
    assert after is not None
    assert after.grants == (account_grant(OUTSIDER), everyone_grant())


@pytest.mark.parametrize(
    ("snapshot", "change", "code", "status"),
    [
        (PRIVATE, {"CreateVolumePermission": {"Add": [{"UserId": "12345"}]}}, "InvalidAttributeValue", 400),
        (PRIVATE, {"CreateVolumePermission": {"Add": [{"Group": "friends"}]}}, "InvalidAttributeValue", 400),
        (PRIVATE, {}, "MissingParameter", 400),
        (SHARED, {"CreateVolumePermission": {"Add": [{"Group": "all"}]}}, "OperationNotPermitted", 400),
        (
            SHARED,
            {"CreateVolumePermission": {"Add": [{"UserId": OWNER}], "Remove": [{"UserId": OTHER}]}},
            "InvalidParameterCombination",
            400,
        ),
        (
            SHARED,
            {"CreateVolumePermission": {"Remove": [{"UserId": f"{number:012d}"} for number in range(501)]}},
            "InvalidParameterValue",
            400,
        ),
        (
            SHARED,
            {"CreateVolumePermission": {"Remove": [{"UserId": OTHER}]}, "DryRun": True},
            "DryRunOperation",
            412,
        ),
    ],
)
def test_changes_that_are_refused_change_nothing(
    ec2: Any, fake: FakeEc2, *, snapshot: FakeSnapshot, change: dict[str, Any], code: str, status: int
) -> None:
    assert error_of(lambda: ec2.modify_snapshot_attribute(SnapshotId=snapshot.id, **change)) == (code, status)
    assert fake.snapshot(OWNER, REGION, snapshot.id) == snapshot


def test_a_change_shows_late(connect: Connect) -> None:
    with FakeEc2(ESTATE, late_reads=2) as fake:
        ec2 = connect(fake)
        ec2.modify_snapshot_attribute(SnapshotId=PUBLIC.id, CreateVolumePermission={"Remove": [{"Group": "all"}]})
        assert [len(grants_of(ec2, PUBLIC)) for _ in range(3)] == [1, 1, 0]


def test_a_snapshot_that_is_deleted(ec2: Any, fake: FakeEc2) -> None:
    fake.drop_snapshot(OWNER, REGION, PUBLIC.id)

    assert listed(ec2, OwnerIds=["self"]) == OWN[1:]
    assert error_of(lambda: grants_of(ec2, PUBLIC)) == ("InvalidSnapshot.NotFound", 400)


def test_the_documented_buckets(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(ESTATE, bucket=DOCUMENTED, clock=lambda: now) as fake:
        ec2 = connect(fake)

        def modify() -> None:
            ec2.modify_snapshot_attribute(SnapshotId=SHARED.id, CreateVolumePermission={"Add": [{"UserId": OTHER}]})

        by_filter = [{"Name": "snapshot-id", "Values": [PUBLIC.id]}]
        for _ in range(25):
            ec2.describe_snapshots()
            listed(ec2, SnapshotIds=[PUBLIC.id])  # neither filtered nor in pages: ids are no filter
        for _ in range(50):
            listed(ec2, Filters=by_filter)
            listed(ec2, MaxResults=5)
            modify()
            modify()
        limited = ("RequestLimitExceeded", 503)
        assert error_of(modify) == error_of(ec2.describe_snapshots) == limited
        assert error_of(lambda: listed(ec2, SnapshotIds=[PUBLIC.id])) == limited
        assert error_of(lambda: listed(ec2, Filters=by_filter, MaxResults=5)) == limited
        now = 0.2
        modify()
        listed(ec2)
        assert error_of(modify) == limited


def test_the_recycle_bin_comes_in_pages(ec2: Any, fake: FakeEc2, connect: Connect) -> None:
    pages = list(ec2.get_paginator("list_images_in_recycle_bin").paginate(PaginationConfig={"PageSize": 2}))

    assert [[image["Name"] for image in page["Images"]] for page in pages] == [["old-0", "old-1"], ["old-2"]]
    first = pages[0]["Images"][0]
    assert (first["ImageId"], first["RecycleBinEnterTime"].isoformat()) == (BINNED[0].id, "2026-06-01T00:00:00+00:00")
    assert first["RecycleBinExitTime"].isoformat() == "2026-07-01T00:00:00+00:00"
    assert [one["Name"] for one in ec2.list_images_in_recycle_bin(ImageIds=[BINNED[2].id])["Images"]] == ["old-2"]
    assert connect(fake, account=OTHER).list_images_in_recycle_bin()["Images"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"ImageIds": [IMAGE.id]}, "InvalidAMIID.NotFound"),
        ({"ImageIds": [f"ami-{number:017x}" for number in range(21)]}, "InvalidParameterValue"),
    ],
)
def test_questions_about_the_recycle_bin_that_are_refused(ec2: Any, arguments: dict[str, Any], code: str) -> None:
    assert error_of(lambda: ec2.list_images_in_recycle_bin(**arguments)) == (code, 400)


def test_every_generated_image_has_a_snapshot_of_its_own(connect: Connect) -> None:
    estate, _ = generate_estate(accounts=1, regions=1, images_per_region=40)
    (account_id,) = estate.accounts
    with FakeEc2(estate) as fake:
        ec2 = connect(fake, account=account_id)
        images = ec2.describe_images(Owners=["self"], MaxResults=1000)["Images"]
        named = {image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]: image for image in images}
        snapshots = ec2.describe_snapshots(SnapshotIds=list(named))["Snapshots"]
        keys = {one["KmsKeyId"] for one in snapshots if one["Encrypted"]}

        assert len(named) == len(snapshots) == 40
        assert sum("LastLaunchedTime" in image for image in images) == 30
        assert {one["SnapshotId"]: one["Encrypted"] for one in snapshots} == {
            snapshot_id: image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] for snapshot_id, image in named.items()
        }
        (key,) = keys
        assert connect(fake, "kms", account=account_id).describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
        assert listed(ec2, OwnerIds=["self"]) == list(named)
