"""Snapshots and the Recycle Bin by a played EC2: batches, pages, what is gone, and what is refused."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from amiguard.core.decision import rules_in_force
from amiguard.core.evidence import BinnedImage, Evidence, EvidenceKind, Keys
from amiguard.core.evidence_ports import SnapshotEncryption
from amiguard.core.grantee import Account
from amiguard.core.image import Image, Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.result import CheckResult, Severity, Status
from amiguard.core.snapshot import SnapshotPermission
from amiguard.core.trust import TrustedAccount, TrustEntry, TrustPolicy
from amiguard.investigator import Investigator
from tests.fakes.evidence import FakeEvidenceOpener
from tests.fakes.played_aws import TARGET, Ec2Error, PlayedAws, RawError, in_turn, listed, pages
from tests.fakes.virtual_time import run_in_virtual_time

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SNAPSHOTS, VALUES = "DescribeSnapshots", "Filter.1.Value"
BIN = "ListImagesInRecycleBin"


def snapshot(snapshot_id: str, key: str | None = None, **more: Any) -> dict[str, Any]:
    return {"snapshotId": snapshot_id, "encrypted": key is not None, "kmsKeyId": key, **more}


def described(*snapshots: Mapping[str, Any], page: int = 1000) -> PlayedAws:
    known = {one["snapshotId"]: one for one in snapshots}

    def answer(query: Mapping[str, str]) -> Any:
        ids = listed(query, VALUES)
        assert len(ids) <= 200
        assert (query["Owner.1"], query["Filter.1.Name"]) == ("self", "snapshot-id")
        start = int(query.get("NextToken", 0))
        more = start + page < len(ids)
        found = [known[one] for one in ids[start : start + page] if one in known]
        return {"snapshotSet": found, "nextToken": str(start + page) if more else None}

    return PlayedAws({SNAPSHOTS: answer})


def encryptions(aws: PlayedAws, *ids: str) -> list[Any]:
    async def main() -> list[Any]:
        reader = aws.reader()
        return list(await asyncio.gather(*map(reader.read_encryption, ids)))

    return run_in_virtual_time(main())[0]


def test_how_snapshots_are_encrypted_is_asked_in_one_call() -> None:
    aws = described(snapshot("snap-1"), snapshot("snap-2", KEY))
    assert encryptions(aws, "snap-1", "snap-2", "snap-1") == [
        SnapshotEncryption(None),
        SnapshotEncryption(KEY),
        SnapshotEncryption(None),
    ]
    (asked,) = aws.asked(SNAPSHOTS)
    assert asked == {
        "Version": "2016-11-15",
        "Owner.1": "self",
        "Filter.1.Name": "snapshot-id",
        "Filter.1.Value.1": "snap-1",
        "Filter.1.Value.2": "snap-2",
        "MaxResults": "1000",
    }


def test_snapshots_that_come_in_pages_are_all_read() -> None:
    ids = [f"snap-{number:017x}" for number in range(100)]
    aws = described(*map(snapshot, ids[60:]), page=30)
    assert [one == SnapshotEncryption(None) for one in encryptions(aws, *ids)] == [False] * 60 + [True] * 40
    assert [query.get("NextToken") for query in aws.asked(SNAPSHOTS)] == [None, "30", "60", "90"], "two are empty"


def test_two_hundred_snapshots_a_call_and_those_at_once() -> None:
    ids = [f"snap-{number:017x}" for number in range(450)]
    aws = described(*map(snapshot, ids))
    assert encryptions(aws, *ids) == [SnapshotEncryption(None)] * 450
    assert sorted(len(listed(one, VALUES)) for one in aws.asked(SNAPSHOTS)) == [50, 200, 200]


def test_snapshots_that_are_gone_do_not_cost_the_others() -> None:
    ids = [f"snap-{number:017x}" for number in range(100)]
    aws = described(*map(snapshot, ids[3:]))
    found = encryptions(aws, *ids)
    gone = Unreadable("EC2 does not list the snapshot: it is gone, or belongs to another account")
    assert found == [gone] * 3 + [SnapshotEncryption(None)] * 97
    assert len(aws.calls) == 1


def test_the_keys_of_many_images_cost_as_few_calls_as_their_snapshots_need() -> None:
    images = [
        Image(
            f"ami-{image}",
            TARGET.account_id,
            TARGET.region,
            "aws",
            snapshot_ids=tuple(f"snap-{image}-{one}" for one in range(3)),
        )
        for image in range(500)
    ]
    aws = described(*(snapshot(one) for image in images for one in image.snapshot_ids))
    opener = FakeEvidenceOpener({})
    told: list[Evidence] = []

    async def main() -> None:
        opener.targets = {TARGET: aws.reader()}  # type: ignore[dict-item]
        policy = TrustPolicy((TrustEntry(TrustedAccount("210987654321")),))
        rules = rules_in_force(policy, (), today=date(2026, 8, 1), organization=NoOrganization())
        kinds = {EvidenceKind.KEYS}
        investigator = Investigator(opener, kinds, rules, tell=lambda _, evidence: told.append(evidence))
        for image in images:
            investigator.take(
                CheckResult("ami-cross-account-access", Status.FAIL, Severity.HIGH, TARGET, image, (), "")
            )
        await investigator.finish(None)

    run_in_virtual_time(main())
    assert [one.keys for one in told] == [Keys(image.snapshot_ids, (), ()) for image in images]
    assert [len(listed(one, VALUES)) for one in aws.asked(SNAPSHOTS)] == [200] * 7 + [100]


def test_a_snapshot_with_further_keys_is_not_judged_by_its_own() -> None:
    further = snapshot("snap-1", KEY, associatedKmsKeySet=[{"kmsKeyId": "arn:other"}])
    none = snapshot("snap-2", KEY, associatedKmsKeySet=[])
    found = encryptions(described(further, none), "snap-1", "snap-2")
    assert found == [
        Unreadable("further KMS keys are associated with the snapshot: each is a way in of its own"),
        SnapshotEncryption(KEY),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"snapshotId": "snap-1"},
        {"snapshotId": "snap-1", "encrypted": "perhaps"},
        {"snapshotId": "snap-1", "encrypted": True},
        {"encrypted": False},
    ],
)
def test_a_snapshot_that_is_half_described_is_not_unencrypted(odd: dict[str, Any]) -> None:
    (found,) = encryptions(PlayedAws({SNAPSHOTS: in_turn({"snapshotSet": [odd]})}), "snap-1")
    assert isinstance(found, Unreadable)
    assert "(tried 6 times)" in found.reason


def test_a_denied_snapshot_is_said_with_the_action_even_if_it_is_named() -> None:
    denied = Ec2Error("UnauthorizedOperation", "not authorized on snapshot/snap-1", 403)
    aws = PlayedAws({SNAPSHOTS: in_turn(denied)})
    assert (
        encryptions(aws, "snap-1", "snap-2")
        == [Unreadable("not permitted: ec2:DescribeSnapshots", "grant ec2:DescribeSnapshots to the caller")] * 2
    )
    assert len(aws.calls) == 1


def test_who_stops_waiting_for_a_batch_stops_nobody_else() -> None:
    aws = described(snapshot("snap-1"), snapshot("snap-2"))

    async def main() -> None:
        reader = aws.reader()
        first = asyncio.create_task(reader.read_encryption("snap-1"))
        second = asyncio.create_task(reader.read_encryption("snap-2"))
        await asyncio.sleep(0.1)
        first.cancel()
        assert await second == SnapshotEncryption(None)
        again = asyncio.create_task(reader.read_encryption("snap-1"))
        await asyncio.sleep(0.1)
        again.cancel()
        await asyncio.wait([again])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert await reader.read_encryption("snap-1") == SnapshotEncryption(None)

    run_in_virtual_time(main())


def test_the_permission_of_a_snapshot_is_read_once() -> None:
    reply = {"snapshotId": "snap-1", "createVolumePermission": [{"userId": "999988887777"}]}
    aws = PlayedAws({"DescribeSnapshotAttribute": in_turn(reply)})

    async def main() -> None:
        reader = aws.reader()
        found = await asyncio.gather(*(reader.read_snapshot_permission("snap-1") for _ in range(3)))
        assert set(found) == {SnapshotPermission("snap-1", (Account("999988887777"),))}

    run_in_virtual_time(main())
    assert len(aws.calls) == 1


def binned(number: int) -> dict[str, Any]:
    return {
        "imageId": f"ami-{number:017x}",
        "name": f"image {number}",
        "recycleBinEnterTime": "2026-06-01T00:00:00.000Z",
        "recycleBinExitTime": "2026-06-08T00:00:00.000Z",
    }


def list_bin(aws: PlayedAws) -> Any:
    async def main() -> Any:
        return await aws.reader().list_recycle_bin()

    return run_in_virtual_time(main())[0]


def test_the_recycle_bin_is_listed_to_its_end() -> None:
    aws = PlayedAws({BIN: pages([binned(number) for number in range(2500)][::-1], 1000, "imageSet")})
    found = list_bin(aws)
    assert [one.image_id for one in found] == [f"ami-{number:017x}" for number in range(2500)]
    assert found[7] == BinnedImage(
        "ami-00000000000000007", "image 7", "2026-06-01T00:00:00.000Z", "2026-06-08T00:00:00.000Z"
    )
    assert [one["MaxResults"] for one in aws.asked(BIN)] == ["1000"] * 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"imageSet": [], "nextToken": "again"}, "the listing of images in the Recycle Bin does not end"),
        ({"imageSet": [{"name": "x"}]}, "an image without an id is in the Recycle Bin"),
        ({}, "has no <imageSet>"),
        (RawError(b"<html>Welcome</html>"), "HTML"),
        (Ec2Error("UnauthorizedOperation", status=403), "not permitted: ec2:ListImagesInRecycleBin"),
        (Ec2Error("InvalidAction"), "InvalidAction"),
    ],
)
def test_a_bin_that_cannot_be_listed_is_a_reason(answer: Any, reason: str) -> None:
    found = list_bin(PlayedAws({BIN: in_turn(answer)}))
    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_times_that_ec2_does_not_give_are_empty() -> None:
    assert list_bin(PlayedAws({BIN: in_turn({"imageSet": [{"imageId": "ami-1"}]})})) == (
        BinnedImage("ami-1", "", "", ""),
    )
