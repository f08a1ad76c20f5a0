"""createVolumePermission read over HTTP, from the embedded AWS and from the fake, and judged by the program."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from amiguard.core.grantee import Account, Everyone
from amiguard.core.image import Image, Unreadable
from amiguard.core.snapshot import SnapshotPermission
from amiguard.demo.server import running_server
from benchmarks.fake_ec2 import (
    AwsError,
    Disconnect,
    Effect,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeRegion,
    FakeSnapshot,
    Fault,
    Rewrite,
    account_grant,
    by_snapshot_id,
    environment,
)
from tests.conftest import RunAmiguard
from tests.integration.aws_reader import ACCOUNT, REGION, Reading, botocore_credentials, read
from tests.integration.aws_writer import connect_to

STRANGER = "999988887777"
SNAPSHOT = "snap-0123456789abcdef0"
SHARED = SnapshotPermission(SNAPSHOT, (Account(STRANGER),))
ESTATE = Estate(
    {
        ACCOUNT: FakeAccount(
            {REGION: FakeRegion(snapshots=by_snapshot_id(FakeSnapshot(SNAPSHOT, grants=(account_grant(STRANGER),))))}
        )
    }
)


async def permission(reading: Reading) -> SnapshotPermission:
    return await reading.reader.read_snapshot_permission(SNAPSHOT)


class Moto:
    """The embedded AWS, and boto3's view of it."""

    def __init__(self, url: str) -> None:
        self.endpoint_url = url
        self.ec2: Any = connect_to(url)(botocore_credentials())

    def make_image(self, name: str, *changes: dict[str, Any]) -> tuple[str, str]:
        """An image, and the snapshot that moto puts under it, shared by these calls of `modify_snapshot_attribute`."""
        image_id = self.ec2.register_image(Name=name)["ImageId"]
        (image,) = self.ec2.describe_images(ImageIds=[image_id])["Images"]
        snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        for change in changes:
            self.ec2.modify_snapshot_attribute(
                SnapshotId=snapshot_id, Attribute="createVolumePermission", OperationType="add", **change
            )
        return image_id, snapshot_id


@pytest.fixture
def moto() -> Iterator[Moto]:
    with running_server([REGION]) as url:
        # moto keeps what earlier tests made in this process.
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=10).close()
        server = Moto(url)
        yield server
        server.ec2.close()


def test_what_boto3_shared_is_read(moto: Moto) -> None:
    made = dict(
        [
            moto.make_image("private"),
            moto.make_image("shared", {"UserIds": [STRANGER, ACCOUNT]}),
            moto.make_image("public", {"GroupNames": ["all"]}, {"UserIds": [STRANGER]}),
        ]
    )

    async def work(reading: Reading) -> dict[str, tuple[Image, SnapshotPermission]]:
        images = [one async for page in reading.reader.list_images() if isinstance(page, tuple) for one in page]
        return {one.name: (one, await reading.reader.read_snapshot_permission(one.snapshot_ids[0])) for one in images}

    found = read(moto, work)  # type: ignore[arg-type]  # only its URL is used
    assert {image.image_id: image.snapshot_ids for image, _ in found.values()} == {
        image_id: (snapshot_id,) for image_id, snapshot_id in made.items()
    }
    grantees = {name: set(one.permission) for name, (_, one) in found.items() if isinstance(one.permission, tuple)}
    assert grantees == {
        "private": set(),
        "shared": {Account(STRANGER), Account(ACCOUNT)},
        "public": {Everyone(), Account(STRANGER)},
    }


def test_a_snapshot_that_is_gone_is_unreadable(moto: Moto) -> None:
    reply = read(moto, permission)  # type: ignore[arg-type]  # only its URL is used
    assert reply == SnapshotPermission(
        SNAPSHOT,
        Unreadable(
            "EC2 does not know a snapshot that the image names",
            "look for it in the Recycle Bin; if it was deleted, the image can be deregistered",
        ),
        gone=True,
    )


def test_the_program_fails_the_image_whose_snapshot_is_still_shared(moto: Moto, run_amiguard: RunAmiguard) -> None:
    image_id, _ = moto.make_image("golden", {"UserIds": [STRANGER]})
    run = run_amiguard(
        *("audit", "--trust", "444455556666", "--region", REGION, "--check", "ami-snapshot-cross-account"),
        *("--format", "json"),
        env=environment(moto.endpoint_url, ACCOUNT),
    )
    assert run.code == 1, run.err
    report = json.loads(run.out)
    found = {one["check_id"]: (one["status"], one["message"]) for one in report["results"]}
    assert found == {
        "ami-cross-account-access": ("pass", "It is not shared."),
        "ami-snapshot-cross-account": (
            "fail",
            "Not trusted, and may create volumes from its snapshot: 1 account.",
        ),
    }
    assert {one["image"]["id"] for one in report["results"]} == {image_id}
    assert report["summary"]["images"] == 1
    assert report["summary"]["api_calls"]["DescribeSnapshotAttribute"] == 1


def test_a_throttled_or_broken_reading_is_asked_for_again() -> None:
    faults = [Fault(AwsError("RequestLimitExceeded", status=503), times=1), Fault(Disconnect(), times=2)]
    with FakeEc2(ESTATE, faults=faults) as fake:
        assert read(fake, permission) == SHARED
        assert fake.stats.calls == {"DescribeSnapshotAttribute": 3}


@pytest.mark.parametrize(
    "effect",
    [
        Rewrite(lambda body: body.replace(SNAPSHOT.encode(), b"snap-0ddba11000000000f")),
        Rewrite(lambda body: body.replace(b"createVolumePermission", b"somethingElse")),
    ],
    ids=["of another snapshot", "without the permission"],
)
def test_a_reply_about_something_else_is_unreadable_and_never_private(effect: Effect) -> None:
    with FakeEc2(ESTATE, faults=[Fault(effect)]) as fake:
        reply = read(fake, permission)
    assert isinstance(reply.permission, Unreadable)
    assert reply.permission.reason.endswith("(tried 6 times)")


def test_a_permission_that_may_not_be_read_is_awss_final_word() -> None:
    with FakeEc2(ESTATE, faults=[Fault(AwsError("UnauthorizedOperation", status=403))]) as fake:
        assert read(fake, permission) == SnapshotPermission(
            SNAPSHOT,
            Unreadable(
                "not permitted: ec2:DescribeSnapshotAttribute", "grant ec2:DescribeSnapshotAttribute to the caller"
            ),
        )
        assert fake.stats.calls == {"DescribeSnapshotAttribute": 1}
