"""The estate of the evidence case tells right evidence from wrong, and calls about passing images from others."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.evidence_estate import REGION, EvidenceEstate
from benchmarks.fake_ec2 import FakeEc2
from benchmarks.fake_process import ACCOUNT
from tests.integration.boto3_witness import Connect, boto3_clients

ESTATE = EvidenceEstate(200)
FIRST, *_, LAST = ESTATE.failing


@pytest.fixture
def connect() -> Iterator[Connect]:
    with boto3_clients(ACCOUNT) as make:
        yield make


def test_every_twentieth_image_fails() -> None:
    estate = ESTATE.estate()
    images = estate.accounts[ACCOUNT].regions[REGION].images

    assert len(images) == 200
    assert list(ESTATE.failing) == list(images)[::20]
    assert len(ESTATE.snapshots) == 15
    assert all(device.snapshot_id in ESTATE.snapshots for device in images[LAST].block_devices)


RIGHT: dict[str, Any] = {
    "usage": {
        "status": "known",
        "entries": [
            {"account_id": ACCOUNT, "resource_type": "ec2:LaunchTemplate", "count": 1},
            {"account_id": "800000000020", "resource_type": "ec2:Instance", "count": 14},
        ],
    },
    "author": {
        "status": "known",
        "shares": [
            {"event_id": "00000000-0000-4000-8000-0000000000b4", "added": [{"grantee": "800000000020"}]},
        ],
    },
    "snapshots": [{"id": "snap-00000000000000169", "status": "known", "grants": []}],
    "keys": {"status": "known", "keys": [{"arn": key} for key in sorted(ESTATE.keys)[3:4]]},
}


def no_usage(evidence: dict[str, Any]) -> None:
    del evidence["usage"]


def other_count(evidence: dict[str, Any]) -> None:
    evidence["usage"]["entries"][1]["count"] = 13


def no_author(evidence: dict[str, Any]) -> None:
    evidence["author"] = {"status": "unavailable", "reason": "why"}


def other_grantee(evidence: dict[str, Any]) -> None:
    evidence["author"]["shares"][0]["added"][0]["grantee"] = "800000000021"


def unread_snapshot(evidence: dict[str, Any]) -> None:
    evidence["snapshots"][0]["status"] = "unavailable"


def other_key(evidence: dict[str, Any]) -> None:
    evidence["keys"]["keys"][0]["arn"] = min(ESTATE.keys)


def test_right_evidence_is_right() -> None:
    assert ESTATE.is_right(LAST, RIGHT)


@pytest.mark.parametrize("spoil", [no_usage, other_count, no_author, other_grantee, unread_snapshot, other_key])
def test_wrong_evidence_is_wrong(spoil: Callable[[dict[str, Any]], None]) -> None:
    evidence = copy.deepcopy(RIGHT)
    spoil(evidence)

    assert not ESTATE.is_right(LAST, evidence)


def test_calls_that_name_a_passing_image_its_snapshot_or_its_key(connect: Connect) -> None:
    estate = ESTATE.estate()
    region = estate.accounts[ACCOUNT].regions[REGION]
    failing, passing = (list(region.images.values())[number] for number in (0, 3))
    with FakeEc2(estate) as fake:
        trail, ec2, kms = (connect(fake, service) for service in ("cloudtrail", "ec2", "kms"))
        report_id = ""
        for image in (failing, passing):
            snapshot_id = image.block_devices[0].snapshot_id
            by_name = [{"AttributeKey": "ResourceName", "AttributeValue": image.id}]
            trail.lookup_events(LookupAttributes=by_name)
            report_id = ec2.create_image_usage_report(
                ImageId=image.id, ResourceTypes=[{"ResourceType": "ec2:Instance"}]
            )["ReportId"]
            ec2.describe_snapshots(SnapshotIds=[snapshot_id])
            ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
            kms.describe_key(KeyId=region.snapshots[snapshot_id].kms_key_id)
        ec2.describe_image_usage_reports(ReportIds=[report_id])
        named = [ESTATE.names_passing(call) for call in fake.stats.recent]

    assert named == [False] * 5 + [True] * 5 + [False]
