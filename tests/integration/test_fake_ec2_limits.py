"""The fake EC2: its buckets, what it remembers, generated estates, and image block public access."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    DOCUMENTED,
    Bucket,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeRegion,
    generate_estate,
)
from tests.integration.fake_ec2_clients import (
    ESTATE,
    OTHER,
    OUTSIDER,
    OWNER,
    PRIVATE,
    PUBLIC,
    SHARED,
    Connect,
    connections,
    error_of,
    grants_of,
    ids_of,
)


@pytest.fixture
def connect() -> Iterator[Connect]:
    with connections() as make:
        yield make


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    with FakeEc2(ESTATE) as running:
        yield running
    assert running.stats.signature_failures == 0


@pytest.fixture
def ec2(fake: FakeEc2, connect: Connect) -> Any:
    return connect(fake)


def test_each_account_region_and_action_has_a_bucket_of_its_own(connect: Connect) -> None:
    now = 100.0
    with FakeEc2(ESTATE, bucket=Bucket(2, 0.5), clock=lambda: now) as fake:
        ec2 = connect(fake)
        for _ in range(2):
            grants_of(ec2, PRIVATE)
        for _ in range(3):
            assert error_of(lambda: grants_of(ec2, PRIVATE)) == ("RequestLimitExceeded", 503)
        ec2.describe_images(Owners=["self"])
        connect(fake, region="eu-west-1").describe_images(Owners=["self"])
        now = 102.0
        grants_of(ec2, PRIVATE)
        assert error_of(lambda: grants_of(ec2, PRIVATE)) == ("RequestLimitExceeded", 503)

        assert fake.stats.throttled == {"DescribeImageAttribute": 4}
        assert fake.stats.by_target[OWNER, "us-east-1", "DescribeImageAttribute"] == 7


def test_only_the_named_actions_have_buckets(connect: Connect) -> None:
    with FakeEc2(ESTATE, bucket={"DescribeRegions": Bucket(0, 0)}) as fake:
        grants_of(connect(fake), PRIVATE)
        assert error_of(connect(fake).describe_regions) == ("RequestLimitExceeded", 503)


def test_each_call_is_remembered_with_its_time(fake: FakeEc2, connect: Connect) -> None:
    ec2 = connect(fake)
    began = time.monotonic()
    for image in (PRIVATE, SHARED):
        grants_of(ec2, image)
    assert [call.image_ids for call in fake.stats.recent] == [[PRIVATE.id], [SHARED.id]]
    first, second = fake.stats.recent_at
    assert began <= first <= second <= time.monotonic()
    fake.reset()
    assert not fake.stats.recent
    assert not fake.stats.recent_at


def test_a_generated_estate_is_reproducible_and_knows_the_truth(connect: Connect) -> None:
    estate, truth = generate_estate(accounts=2, regions=3, images_per_region=5000, seed=7)
    _, again = generate_estate(accounts=2, regions=3, images_per_region=5000, seed=7)
    _, other = generate_estate(accounts=2, regions=3, images_per_region=5000, seed=8)
    assert truth == again
    assert truth.grants != other.grants
    assert (truth.images, len(truth.grants)) == (30_000, 3 * 478)
    assert 0 < len(truth.untrusted()) < len(truth.grants)

    key, grants = next(iter(truth.grants.items()))
    images = estate.accounts[key.account_id].regions[key.region].images
    assert len(set(images)) == len(images) == 5000
    assert images[key.image_id].grants == grants
    assert all(unknown not in images for unknown in ("ami-1", "ami-0123456789abcdef0", "ami-zzzzzzzzzzzzzzzzz"))
    with FakeEc2(estate) as fake:
        ec2 = connect(fake, account=key.account_id, region=key.region)
        pages = ec2.get_paginator("describe_images").paginate(
            Owners=["self"], PaginationConfig={"PageSize": 1000, "MaxItems": 2000}
        )
        assert [image_id for page in pages for image_id in ids_of(page)] == list(images)[:2000]


def test_the_documented_buckets(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(ESTATE, bucket=DOCUMENTED, clock=lambda: now) as fake:
        ec2 = connect(fake)

        def modify() -> None:
            ec2.modify_image_attribute(ImageId=PRIVATE.id, LaunchPermission={"Add": [{"UserId": OUTSIDER}]})

        def enable() -> None:
            ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")

        for _ in range(100):
            modify()
            ec2.get_image_block_public_access_state()
        enable()
        ec2.disable_image_block_public_access()
        for call in (modify, ec2.get_image_block_public_access_state, enable, ec2.disable_image_block_public_access):
            assert error_of(call) == ("RequestLimitExceeded", 503)
        now = 0.2
        modify()
        assert error_of(modify) == error_of(enable) == ("RequestLimitExceeded", 503)
        now = 10.1
        enable()
        assert fake.stats.throttled["EnableImageBlockPublicAccess"] == 2


@pytest.mark.parametrize("text", ["documented", "none", "100+5"])
def test_buckets_are_read_from_the_command_line(text: str) -> None:
    assert Bucket.parse(text) == {"documented": DOCUMENTED, "none": None, "100+5": Bucket(100, 5)}[text]


def blocked(ec2: Any) -> tuple[str, str]:
    reply = ec2.get_image_block_public_access_state()
    return reply["ImageBlockPublicAccessState"], reply["ManagedBy"]


def test_block_public_access_is_of_one_account_and_region(fake: FakeEc2, connect: Connect) -> None:
    here, there, theirs = connect(fake), connect(fake, region="eu-west-1"), connect(fake, account=OTHER)

    reply = here.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")

    assert reply["ImageBlockPublicAccessState"] == "block-new-sharing"
    assert blocked(here) == ("block-new-sharing", "account")
    assert fake.block_public_access(OWNER, "us-east-1") == "block-new-sharing"
    assert blocked(there) == blocked(theirs) == ("unblocked", "account")
    assert error_of(lambda: here.enable_image_block_public_access(ImageBlockPublicAccessState="off")) == (
        "InvalidParameterValue",
        400,
    )
    assert here.disable_image_block_public_access()["ImageBlockPublicAccessState"] == "unblocked"
    assert blocked(here) == ("unblocked", "account")


def test_what_is_public_stays_public_while_that_is_blocked(ec2: Any) -> None:
    everyone = [{"Group": "all"}]
    ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")

    ec2.modify_image_attribute(ImageId=PUBLIC.id, LaunchPermission={"Add": everyone})
    assert grants_of(ec2, PUBLIC) == everyone
    ec2.modify_image_attribute(ImageId=PRIVATE.id, LaunchPermission={"Add": [{"UserId": OUTSIDER}]})
    ec2.modify_image_attribute(ImageId=PUBLIC.id, LaunchPermission={"Remove": everyone})
    for image in (PUBLIC, PRIVATE):
        make_public = {"ImageId": image.id, "LaunchPermission": {"Add": everyone}}
        assert error_of(lambda again=make_public: ec2.modify_image_attribute(**again)) == (  # type: ignore[misc]
            "OperationNotPermitted",
            400,
        )
    assert grants_of(ec2, PUBLIC) == []


def test_a_declarative_policy_holds_the_switch(connect: Connect) -> None:
    region = FakeRegion(block_public_access="block-new-sharing", block_public_access_managed_by="declarative-policy")
    with FakeEc2(Estate({OWNER: FakeAccount({"us-east-1": region})})) as fake:
        ec2 = connect(fake)
        assert error_of(ec2.disable_image_block_public_access) == ("OperationNotPermitted", 400)
        assert blocked(ec2) == ("block-new-sharing", "declarative-policy")


def test_a_switch_shows_late(connect: Connect) -> None:
    with FakeEc2(ESTATE, late_reads=2) as fake:
        ec2 = connect(fake)
        ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
        assert [blocked(ec2)[0] for _ in range(4)] == ["unblocked"] * 2 + ["block-new-sharing"] * 2
