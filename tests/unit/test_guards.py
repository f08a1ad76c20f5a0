"""The guards: which plans need `--force`, and what is said of them."""

from datetime import UTC, date, datetime

import pytest

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit
from amiguard.core.grantee import Account
from amiguard.core.guards import guards, trusts_nobody
from amiguard.core.plan import (
    Addition,
    Audited,
    BlockPublicAccessChange,
    Change,
    ImageChange,
    Plan,
    Removal,
    SnapshotChange,
)
from amiguard.core.result import Target
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee

HERE = Target("123456789012", "eu-central-1", "aws")
THEN = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = THEN.date()
BLOCK = BlockPublicAccessChange(
    BlockPublicAccessEdit(HERE, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
)


def accounts(number: int) -> tuple[Account, ...]:
    return tuple(Account(f"{one:012}") for one in range(number))


def removal(image_id: str, number: int) -> ImageChange:
    edit = LaunchPermissionEdit(HERE, image_id, "", accounts(number), ())
    return ImageChange(edit, (), tuple(Removal(one, "not in the trust policy") for one in accounts(number)))


def addition(image_id: str) -> ImageChange:
    edit = LaunchPermissionEdit(HERE, image_id, "", (), accounts(1))
    return ImageChange(edit, tuple(Addition(one, "trusted") for one in accounts(1)), ())


def snapshot(snapshot_id: str, number: int) -> SnapshotChange:
    edit = CreateVolumePermissionEdit(HERE, snapshot_id, ("ami-1",), accounts(number), ())
    return SnapshotChange(edit, tuple(Removal(one, "not in the trust policy") for one in accounts(number)))


def plan(grants: int, *changes: Change) -> Plan:
    return Plan("id", THEN, THEN, "1", "arn", HERE.account_id, "digest", Audited(9, grants), changes)


def messages(plan: Plan, *, max_images: int = 50, nobody: bool = False) -> list[str]:
    return [guard.message for guard in guards(plan, max_images=max_images, trusts_nobody=nobody)]


@pytest.mark.parametrize("grants", [0, 20])
def test_a_plan_that_changes_no_image_trips_none(grants: int) -> None:
    assert messages(plan(grants), max_images=0, nobody=True) == []
    assert messages(plan(grants, BLOCK), max_images=0, nobody=True) == []


def test_more_images_than_allowed() -> None:
    two = plan(20, removal("ami-1", 1), addition("ami-2"), BLOCK)
    assert messages(two, max_images=2) == []
    assert messages(two, max_images=1) == ["it changes 2 images, and at most 1 (--max-images) need no --force"]


def test_snapshots_count_as_images_do() -> None:
    mixed = plan(20, removal("ami-1", 1), snapshot("snap-1", 1), snapshot("snap-2", 1))
    assert messages(mixed, max_images=3) == []
    said = "it changes 1 image and 2 snapshots, and at most 2 (--max-images) need no --force"
    assert messages(mixed, max_images=2) == [said]
    said = "it changes 1 snapshot, and at most 0 (--max-images) need no --force"
    assert messages(plan(0, snapshot("snap-1", 1)), max_images=0) == [said]
    assert messages(plan(20, snapshot("snap-1", 2)), nobody=True) == [
        "it removes 2 grants by a trust policy that trusts nobody, which needs --force"
    ]


def test_grants_of_snapshots_do_not_make_half_of_those_of_images() -> None:
    assert messages(plan(20, removal("ami-1", 6), snapshot("snap-1", 20))) == []
    assert messages(plan(0, snapshot("snap-1", 20))) == []
    assert len(messages(plan(20, removal("ami-1", 11), snapshot("snap-1", 20)))) == 1


def test_more_than_half_of_the_grants() -> None:
    assert messages(plan(20, removal("ami-1", 6), removal("ami-2", 4))) == []
    assert messages(plan(20, removal("ami-1", 6), removal("ami-2", 6))) == [
        "it removes 12 of 20 grants of the audited images, and more than half needs --force"
    ]


def test_a_policy_that_trusts_nobody() -> None:
    assert messages(plan(20, removal("ami-1", 1)), nobody=True) == [
        "it removes 1 grant by a trust policy that trusts nobody, which needs --force"
    ]
    assert messages(plan(20, addition("ami-1")), nobody=True) == []


def test_all_guards_speak() -> None:
    assert len(messages(plan(1, removal("ami-1", 1)), max_images=0, nobody=True)) == 3


@pytest.mark.parametrize(
    ("expiries", "nobody"),
    [([], True), ([None], False), ([TODAY], False), ([date(2026, 6, 14)], True), ([date(2026, 6, 14), TODAY], False)],
)
def test_who_trusts_nobody(expiries: list[date | None], nobody: bool) -> None:  # noqa: FBT001 - pytest names it
    entries = (TrustEntry(parse_trustee("111111111111"), expires=expires) for expires in expiries)
    assert trusts_nobody(TrustPolicy(tuple(entries)), TODAY) is nobody
