"""The fake EC2 as boto3 sees it: pages, filters, errors, launch permissions, identities, throttling."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.fake_ec2 import (
    DOCUMENTED,
    Bucket,
    Estate,
    FakeAccount,
    FakeBlockDevice,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    account_grant,
    by_id,
    credentials_for,
    everyone_grant,
    generate_estate,
    organization_grant,
    raw_grant,
    unit_grant,
)

OWNER, OTHER, OUTSIDER = "012345678901", "222233334444", "999988887777"
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"
ONCE = Config(retries={"total_max_attempts": 1})

PUBLIC = FakeImage("ami-00000000000000001", name="public-web", grants=(everyone_grant(),))
SHARED = FakeImage(
    "ami-00000000000000002",
    name="golden-1",
    grants=(account_grant(OUTSIDER), organization_grant(ORGANIZATION), unit_grant(UNIT)),
    tags=(("Team", "a & b"), ("Stage", "<prod>")),
    block_devices=(FakeBlockDevice("/dev/xvda", "snap-00000000000000001", 20, encrypted=True),),
    description="ends in *",
    deprecation_time="2030-01-01T00:00:00.000Z",
)
PRIVATE = FakeImage("ami-00000000000000003", name="golden-2")
PENDING = FakeImage("ami-00000000000000004", name="golden-3", state="pending")
DISABLED = FakeImage("ami-00000000000000005", name="golden-4", state="disabled")
FOREIGN = FakeImage("ami-00000000000000006", name="theirs", grants=(account_grant(OWNER),))
FOREIGN_SECRET = FakeImage("ami-00000000000000007", name="theirs-too")
OWN = (PUBLIC, SHARED, PRIVATE, PENDING, DISABLED)

ESTATE = Estate(
    {
        OWNER: FakeAccount(
            {
                "us-east-1": FakeRegion(by_id(*OWN)),
                "eu-west-1": FakeRegion(),
                "me-south-1": FakeRegion(opt_in_status="opted-in"),
                "af-south-1": FakeRegion(opt_in_status="not-opted-in"),
            }
        ),
        OTHER: FakeAccount(
            {"us-east-1": FakeRegion(by_id(FOREIGN, FOREIGN_SECRET))}, roles=frozenset({"amiguard-audit"})
        ),
    },
    FakeOrganization("o-abcdefghij", OWNER, members=frozenset({OWNER})),
)

Connect = Callable[..., Any]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make boto3 clients that try once: `connect(fake, "ec2", account=..., region=..., session=...)`."""
    clients = []

    def make(fake: FakeEc2, service: str = "ec2", account: str = OWNER, **where: Any) -> Any:
        clients.append(boto3.client(service, config=ONCE, **fake.client_arguments(account, **where)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    with FakeEc2(ESTATE) as running:
        yield running
    assert running.stats.signature_failures == 0


@pytest.fixture
def ec2(fake: FakeEc2, connect: Connect) -> Any:
    return connect(fake)


def error_of(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def ids_of(reply: Any) -> list[str]:
    return [image["ImageId"] for image in reply["Images"]]


def grants_of(ec2: Any, image: FakeImage) -> list[dict[str, str]]:
    reply = ec2.describe_image_attribute(ImageId=image.id, Attribute="launchPermission")
    assert reply["ImageId"] == image.id
    grants: list[dict[str, str]] = reply["LaunchPermissions"]
    return grants


def test_an_image_is_listed_with_all_that_it_says_about_itself(ec2: Any) -> None:
    (image,) = ec2.describe_images(ImageIds=[SHARED.id])["Images"]

    assert image["OwnerId"] == OWNER
    assert image["Name"] == "golden-1"
    assert image["Description"] == "ends in *"
    assert image["State"] == "available"
    assert image["Public"] is False
    assert image["CreationDate"] == "2026-01-02T03:04:05.000Z"
    assert image["DeprecationTime"] == "2030-01-01T00:00:00.000Z"
    assert image["Tags"] == [{"Key": "Team", "Value": "a & b"}, {"Key": "Stage", "Value": "<prod>"}]
    ebs = image["BlockDeviceMappings"][0]["Ebs"]
    assert (ebs["SnapshotId"], ebs["VolumeSize"], ebs["Encrypted"]) == ("snap-00000000000000001", 20, True)


def test_pages_hold_all_images_once_and_in_order(ec2: Any, fake: FakeEc2) -> None:
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDisabled=True, PaginationConfig={"PageSize": 2}
    )

    assert [ids_of(page) for page in pages] == [[OWN[0].id, OWN[1].id], [OWN[2].id, OWN[3].id], [OWN[4].id]]
    assert fake.stats.calls == {"DescribeImages": 3}


def test_a_listing_without_a_limit_is_one_page_and_has_no_disabled_images(ec2: Any) -> None:
    reply = ec2.describe_images(Owners=[OWNER])

    assert ids_of(reply) == [image.id for image in OWN if image is not DISABLED]
    assert "NextToken" not in reply


def test_without_owners_a_listing_shows_what_others_share(ec2: Any) -> None:
    assert FOREIGN.id in ids_of(ec2.describe_images())
    assert FOREIGN_SECRET.id not in ids_of(ec2.describe_images())


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("image-id", [PRIVATE.id, PUBLIC.id], [PUBLIC, PRIVATE]),
        ("name", ["golden-?", "nothing"], [SHARED, PRIVATE, PENDING, DISABLED]),
        ("name", ["golden-\\?"], []),
        ("state", ["pending", "disabled"], [PENDING, DISABLED]),
        ("is-public", ["true"], [PUBLIC]),
        ("tag:Stage", ["<prod>"], [SHARED]),
        ("tag-key", ["Te*"], [SHARED]),
        ("owner-id", [OTHER], []),
        ("block-device-mapping.snapshot-id", ["snap-00000000000000001", "snap-00000000"], [SHARED]),
    ],
)
def test_filters(ec2: Any, name: str, values: list[str], found: list[FakeImage]) -> None:
    filters = [{"Name": name, "Values": values}]

    reply = ec2.describe_images(Owners=["self"], IncludeDisabled=True, Filters=filters)

    assert ids_of(reply) == [image.id for image in found]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"ImageIds": ["ami-0123456789abcdef0"]}, "InvalidAMIID.NotFound"),
        ({"ImageIds": [FOREIGN_SECRET.id]}, "InvalidAMIID.NotFound"),
        ({"ImageIds": ["image-1"]}, "InvalidAMIID.Malformed"),
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"MaxResults": 5, "NextToken": "made-up"}, "InvalidNextToken"),
    ],
)
def test_listings_that_are_refused(ec2: Any, arguments: dict[str, Any], code: str) -> None:
    assert error_of(lambda: ec2.describe_images(**arguments)) == (code, 400)


def test_launch_permissions_of_every_kind(ec2: Any, fake: FakeEc2) -> None:
    assert grants_of(ec2, PRIVATE) == []
    assert grants_of(ec2, PUBLIC) == [{"Group": "all"}]
    assert grants_of(ec2, SHARED) == [
        {"UserId": OUTSIDER},
        {"OrganizationArn": ORGANIZATION},
        {"OrganizationalUnitArn": UNIT},
    ]
    fake.set_grants(OWNER, "us-east-1", PRIVATE.id, raw_grant("<planet>mars</planet>"), account_grant(OUTSIDER))
    # The unknown kind is on the wire; botocore, which knows four kinds, shows an empty item.
    assert grants_of(ec2, PRIVATE) == [{}, {"UserId": OUTSIDER}]


@pytest.mark.parametrize(
    ("image_id", "code", "status"),
    [
        ("ami-0123456789abcdef0", "InvalidAMIID.NotFound", 400),
        ("image-1", "InvalidAMIID.Malformed", 400),
        (DISABLED.id, "InvalidAMIID.Unavailable", 400),
        (PENDING.id, "InvalidAMIID.Unavailable", 400),
        (FOREIGN.id, "AuthFailure", 403),
        (FOREIGN_SECRET.id, "InvalidAMIID.NotFound", 400),
    ],
)
def test_launch_permissions_that_are_refused(ec2: Any, image_id: str, code: str, status: int) -> None:
    def read() -> object:
        return ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")

    assert error_of(read) == (code, status)


def test_disabled_images_can_be_made_to_answer(connect: Connect) -> None:
    with FakeEc2(ESTATE, unavailable_states=frozenset()) as fake:
        assert grants_of(connect(fake), DISABLED) == []


def test_grants_are_added_and_removed_in_both_forms(ec2: Any) -> None:
    ec2.modify_image_attribute(
        ImageId=SHARED.id,
        LaunchPermission={"Add": [{"UserId": OTHER}, {"Group": "all"}], "Remove": [{"OrganizationArn": ORGANIZATION}]},
    )
    assert grants_of(ec2, SHARED) == [
        {"UserId": OUTSIDER},
        {"OrganizationalUnitArn": UNIT},
        {"UserId": OTHER},
        {"Group": "all"},
    ]
    assert ec2.describe_images(ImageIds=[SHARED.id])["Images"][0]["Public"] is True

    flat = {"ImageId": SHARED.id, "Attribute": "launchPermission"}
    ec2.modify_image_attribute(**flat, OperationType="remove", UserGroups=["all"], OrganizationalUnitArns=[UNIT])
    ec2.modify_image_attribute(**flat, OperationType="add", UserIds=[OTHER], OrganizationArns=[ORGANIZATION])
    assert grants_of(ec2, SHARED) == [{"UserId": OUTSIDER}, {"UserId": OTHER}, {"OrganizationArn": ORGANIZATION}]


@pytest.mark.parametrize(
    ("image", "change", "code", "status"),
    [
        (PRIVATE, {"Add": [{"UserId": OTHER}], "DryRun": True}, "DryRunOperation", 412),
        (PRIVATE, {"Add": [{"UserId": "12345"}]}, "InvalidAMIAttributeItemValue", 400),
        (PRIVATE, {"Add": [{"Group": "friends"}]}, "InvalidAMIAttributeItemValue", 400),
        (PRIVATE, {"Add": [{"OrganizationArn": "o-abcdefghij"}]}, "InvalidAMIAttributeItemValue", 400),
        (PRIVATE, {}, "MissingParameter", 400),
        (PENDING, {"Add": [{"UserId": OTHER}]}, "InvalidAMIID.Unavailable", 400),
        (FOREIGN, {"Remove": [{"UserId": OWNER}]}, "AuthFailure", 403),
    ],
)
def test_changes_that_are_refused_change_nothing(
    ec2: Any, fake: FakeEc2, *, image: FakeImage, change: dict[str, Any], code: str, status: int
) -> None:
    dry_run = {"DryRun": True} if change.pop("DryRun", False) else {}

    def modify() -> object:
        return ec2.modify_image_attribute(ImageId=image.id, LaunchPermission=change, **dry_run)

    assert error_of(modify) == (code, status)
    owner = OTHER if image is FOREIGN else OWNER
    assert fake.image(owner, "us-east-1", image.id) == image


def test_images_can_be_changed_while_the_fake_runs(ec2: Any, fake: FakeEc2) -> None:
    fake.drop_image(OWNER, "us-east-1", PRIVATE.id)
    fake.change_image(OWNER, "us-east-1", SHARED.id, public=True, state="deregistered")
    fake.put_image(OWNER, "us-east-1", FakeImage("ami-00000000000000008"))

    listed = {image["ImageId"]: image for image in ec2.describe_images(Owners=["self"])["Images"]}

    assert PRIVATE.id not in listed
    assert "ami-00000000000000008" in listed
    assert (listed[SHARED.id]["Public"], listed[SHARED.id]["State"]) == (True, "deregistered")
    with pytest.raises(KeyError):
        fake.set_grants(OWNER, "us-east-1", PRIVATE.id)


def test_regions_and_what_is_not_enabled(ec2: Any, fake: FakeEc2, connect: Connect) -> None:
    def status_by_name(reply: Any) -> dict[str, str]:
        return {region["RegionName"]: region["OptInStatus"] for region in reply["Regions"]}

    enabled = {"us-east-1": "opt-in-not-required", "eu-west-1": "opt-in-not-required", "me-south-1": "opted-in"}
    assert status_by_name(ec2.describe_regions()) == enabled
    assert status_by_name(ec2.describe_regions(AllRegions=True)) == {**enabled, "af-south-1": "not-opted-in"}
    assert ids_of(connect(fake, region="eu-west-1").describe_images(Owners=["self"])) == []
    assert error_of(connect(fake, region="af-south-1").describe_images) == ("AuthFailure", 401)
    assert error_of(connect(fake, account=OUTSIDER).describe_images) == ("AuthFailure", 401)
    fake.reset()
    assert fake.stats.calls == {}


def test_identities_and_roles(fake: FakeEc2, connect: Connect) -> None:
    sts = connect(fake, "sts")
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{OWNER}:user/auditor"

    role = {"RoleArn": f"arn:aws:iam::{OTHER}:role/path/amiguard-audit", "RoleSessionName": "nightly"}
    given = sts.assume_role(**role)
    keys = given["Credentials"]
    member = connect(fake, "sts", account=OTHER, session=True)
    assert keys["AccessKeyId"] == credentials_for(OTHER, session=0).access_key_id
    assert member.get_caller_identity()["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/amiguard-audit/nightly"
    assert ids_of(connect(fake, account=OTHER, session=True).describe_images(Owners=["self"])) == [
        FOREIGN.id,
        FOREIGN_SECRET.id,
    ]

    denied = ("AccessDenied", 403)
    assert error_of(lambda: sts.assume_role(**{**role, "RoleArn": f"arn:aws:iam::{OTHER}:role/other"})) == denied
    assert error_of(lambda: sts.assume_role(**{**role, "RoleArn": f"arn:aws:iam::{OUTSIDER}:role/any"})) == denied


def test_the_organization_is_described_to_its_members(fake: FakeEc2, connect: Connect) -> None:
    described = connect(fake, "organizations").describe_organization()["Organization"]
    assert (described["Id"], described["MasterAccountId"]) == ("o-abcdefghij", OWNER)

    outside = connect(fake, "organizations", account=OTHER)
    assert error_of(outside.describe_organization) == ("AWSOrganizationsNotInUseException", 400)
    denied = FakeOrganization("o-abcdefghij", OTHER, denied=frozenset({OWNER}))
    with FakeEc2(Estate(ESTATE.accounts, denied)) as second:
        client = connect(second, "organizations")
        assert error_of(client.describe_organization) == ("AccessDeniedException", 400)
    with FakeEc2(Estate(ESTATE.accounts)) as third:
        client = connect(third, "organizations")
        assert error_of(client.describe_organization) == ("AWSOrganizationsNotInUseException", 400)


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
