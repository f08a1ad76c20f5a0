"""What is audited and remediated under faults, and the truth about it."""

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeBinnedImage,
    FakeBlockDevice,
    FakeImage,
    FakeKey,
    FakeKeyGrant,
    FakeMember,
    FakeOrganization,
    FakeRegion,
    FakeRole,
    FakeSnapshot,
    FakeTree,
    FakeUnit,
    FakeUsage,
    FakeUse,
    account_grant,
    admitting,
    by_id,
    by_snapshot_id,
    everyone_grant,
    image_event,
    key_policy,
    share_event,
)
from tests.integration.evidence_estate import DAY, NOW

OWNER, MEMBER, FRIEND, STRANGER = "111111111111", "222222222222", "444455556666", "999988887777"
US, EU = "us-east-1", "eu-central-1"
ORGANIZATION = "o-abcdefghij"
ROLE: Final = "AmiguardAudit"
AMI, SNAPSHOT, SWITCH = "ami-cross-account-access", "ami-snapshot-cross-account", "ami-block-public-access"
_KEY = FakeKey(
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    key_policy(admitting(f"arn:aws:iam::{OWNER}:root")),
    (FakeKeyGrant("a" * 64, f"arn:aws:iam::{STRANGER}:role/reader"),),
)


@dataclass(frozen=True)
class Subject:
    """What one result is about: a check, an account, a region, and an image or none."""

    check_id: str
    account_id: str
    region: str
    image_id: str | None


def image_id(number: int) -> str:
    return f"ami-{number:017x}"


def snapshot_id(number: int) -> str:
    return f"snap-{number:017x}"


def image(number: int, *grantees: str, **more: object) -> FakeImage:
    grants = tuple(everyone_grant() if one == "all" else account_grant(one) for one in grantees)
    devices = (FakeBlockDevice("/dev/xvda", snapshot_id(number)),)
    made = FakeImage(image_id(number), name=f"image-{number}", grants=grants, block_devices=devices)
    return replace(made, **more)  # type: ignore[arg-type]  # members of the image by name


def snapshot(number: int, *grantees: str, key: str | None = None) -> FakeSnapshot:
    grants = tuple(everyone_grant() if one == "all" else account_grant(one) for one in grantees)
    return FakeSnapshot(snapshot_id(number), grants, kms_key_id=key)


SHARED: Final = frozenset({3, 4, 7, 12, 22})
"""Images that a stranger can launch."""
SHARED_SNAPSHOTS: Final = frozenset({2, 4, 12})
APPEARED: Final = 99
_ACCOUNTS: Final = {
    OWNER: {
        US: (
            image(1),
            image(2, FRIEND),
            image(3, FRIEND, STRANGER),
            image(4, "all"),
            image(5, state="disabled"),
            image(6, MEMBER),
            image(7, STRANGER),
        ),
        EU: (image(11, FRIEND), image(12, STRANGER, FRIEND)),
    },
    MEMBER: {US: (image(21), image(22, STRANGER)), EU: ()},
}
_KEY_ARN = f"arn:aws:kms:{US}:{OWNER}:key/{_KEY.id}"


def _number(one: FakeImage) -> int:
    return int(one.id[4:], 16)


def _region(account_id: str, region: str) -> FakeRegion:
    images = _ACCOUNTS[account_id][region]
    numbers = list(map(_number, images))
    encrypted = {3, 7}
    return FakeRegion(
        by_id(*images),
        block_public_access="block-new-sharing" if region == EU else "unblocked",
        snapshots=by_snapshot_id(
            *(
                snapshot(
                    one,
                    *((STRANGER, FRIEND) if one in SHARED_SNAPSHOTS else (FRIEND,)),
                    key=_KEY_ARN if one in encrypted else None,
                )
                for one in numbers
            )
        ),
        usage={image_id(one): FakeUsage((FakeUse(STRANGER, count=one),)) for one in numbers if one in SHARED},
        recycle_bin=(FakeBinnedImage("ami-000000000000000b1"),),
        events=tuple(
            share_event(image_id(one), [account_grant(STRANGER)], at=NOW - 3 * DAY, event_id=f"s{one}")
            for one in numbers
            if one in SHARED
        )
        + tuple(image_event("CreateImage", image_id(one), at=NOW - 9 * DAY, event_id=f"c{one}") for one in numbers),
        keys=(_KEY,),
    )


_TREE = FakeTree(
    accounts=(FakeMember(OWNER, "Management"),),
    units=(FakeUnit("ou-ab12-workload", "Workloads", accounts=(FakeMember(MEMBER, "Member"),)),),
)
ESTATE: Final = Estate(
    {
        account_id: FakeAccount(
            {
                **{one: _region(account_id, one) for one in (US, EU)},
                "af-south-1": FakeRegion(opt_in_status="not-opted-in"),
            },
            {ROLE: FakeRole()},
        )
        for account_id in _ACCOUNTS
    },
    FakeOrganization(ORGANIZATION, OWNER, tree=_TREE),
)


def truth(subject: Subject) -> str:
    """The status that a result must have if it has any but `unknown`."""
    if subject.check_id == SWITCH:
        return "pass" if subject.region == EU else "fail"
    assert subject.image_id is not None
    bad = {APPEARED} | (SHARED if subject.check_id == AMI else SHARED_SNAPSHOTS)
    return "fail" if int(subject.image_id[4:], 16) in bad else "pass"
