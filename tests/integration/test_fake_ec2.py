"""The fake EC2 as boto3 sees it: pages, filters, errors, launch permissions, identities."""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    Estate,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    account_grant,
    credentials_for,
    raw_grant,
)
from tests.integration.fake_ec2_clients import (
    DISABLED,
    ESTATE,
    FOREIGN,
    FOREIGN_SECRET,
    ORGANIZATION,
    OTHER,
    OUTSIDER,
    OWN,
    OWNER,
    PENDING,
    PRIVATE,
    PUBLIC,
    SHARED,
    UNIT,
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
