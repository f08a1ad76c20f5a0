"""What moto and the fake both know, asked of both with boto3: the parsed answers must be the same."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from amiguard.demo.block_public_access import served_block_public_access
from amiguard.demo.image_filters import served_image_filters
from benchmarks.fake_ec2 import Estate, FakeAccount, FakeBlockDevice, FakeEc2, FakeImage, FakeRegion, by_id

ACCOUNT, PARTNER, MEMBER = "123456789012", "999988887777", "222233334444"
"""moto takes every key that it did not give out for its own account's."""
REGION = "us-east-1"
ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"
EVERY_KIND = [{"UserId": PARTNER}, {"Group": "all"}, {"OrganizationArn": ORGANIZATION}, {"OrganizationalUnitArn": UNIT}]
GRANTS: dict[str, list[dict[str, str]]] = {
    "shared-every-way": EVERY_KIND,
    "shared-organization": EVERY_KIND[2:3],
    "shared-partner": EVERY_KIND[:1],
    "private": [],
}
TAGS = {"shared-partner": {"Team": "platform", "Note": "a & b"}}
DISABLED = "disabled"
UNKNOWN = "ami-0123456789abcdef0"

Ask = Callable[["Side"], Any]


@dataclass(frozen=True)
class Side:
    """One of the two servers: a maker of clients, and the ids of the images by name."""

    client: Callable[..., Any]
    ids: dict[str, str]

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    def snapshot_of(self, name: str) -> str:
        """The snapshot under an image; moto makes one for each."""
        (image,) = self.ec2.describe_images(ImageIds=[self.ids[name]])["Images"]
        snapshot_id: str = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        return snapshot_id

    def named(self, images: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The images of the estate by name; moto adds images of its own."""
        names = {image_id: name for name, image_id in self.ids.items()}
        return {names[image["ImageId"]]: image for image in images if image["ImageId"] in names}


def clients_of(url: str) -> Iterator[Callable[..., Any]]:
    """Give a maker of clients that makes each once, and closes them in the end."""
    made: dict[tuple[str, ...], Any] = {}

    def client(service: str, keys: dict[str, str] | None = None, region: str = REGION) -> Any:
        arguments = keys or {"aws_access_key_id": f"AKIA{ACCOUNT}USER", "aws_secret_access_key": "not-checked"}
        name = (service, region, *arguments.values())
        if name not in made:
            once = Config(retries={"total_max_attempts": 1})
            made[name] = boto3.client(service, endpoint_url=url, region_name=region, config=once, **arguments)
        return made[name]

    yield client
    for one in made.values():
        one.close()


def register(ec2: Any) -> dict[str, str]:
    """Make the estate in moto."""
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    devices = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    ids = {}
    for name in (*GRANTS, DISABLED):
        ids[name] = ec2.register_image(Name=name, RootDeviceName="/dev/xvda", BlockDeviceMappings=devices)["ImageId"]
        if tags := TAGS.get(name):
            ec2.create_tags(Resources=[ids[name]], Tags=[{"Key": key, "Value": tags[key]} for key in tags])
    ec2.disable_image(ImageId=ids[DISABLED])
    return ids


@pytest.fixture(scope="module")
def moto() -> Iterator[Side]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with served_block_public_access(), served_image_filters():
        server.start()
        host, port = server.get_host_and_port()
        for client in clients_of(f"http://{host}:{port}"):
            yield Side(client, register(client("ec2")))
        server.stop()


@pytest.fixture
def fake(moto: Side) -> Iterator[Side]:
    """The same estate, with the ids that moto gave."""
    images = by_id(
        *(
            FakeImage(
                moto.ids[name],
                name=name,
                state="disabled" if name == DISABLED else "available",
                tags=tuple(TAGS.get(name, {}).items()),
                block_devices=(FakeBlockDevice("/dev/xvda", moto.snapshot_of(name)),),
            )
            for name in (*GRANTS, DISABLED)
        )
    )
    regions = {region["RegionName"]: region["OptInStatus"] for region in _all_regions(moto)}
    estate = Estate(
        {
            ACCOUNT: FakeAccount(
                {name: FakeRegion(images if name == REGION else {}, status) for name, status in regions.items()}
            ),
            MEMBER: FakeAccount({REGION: FakeRegion()}),
        }
    )
    # moto neither gives nor checks secrets, so both sides are asked with the same made-up one.
    with FakeEc2(estate, verify_every=0) as running:
        for client in clients_of(running.endpoint_url):
            yield Side(client, moto.ids)


def _all_regions(side: Side) -> list[dict[str, Any]]:
    regions: list[dict[str, Any]] = side.ec2.describe_regions(AllRegions=True)["Regions"]
    return [region for region in regions if not region["RegionName"].startswith("cn-")]


@pytest.fixture(autouse=True)
def shared(moto: Side, fake: Side) -> Iterator[None]:
    """Share the images on both sides through the API, in both forms, and take all of it back afterwards."""
    for side in (moto, fake):
        for name, grants in GRANTS.items():
            if grants:
                side.ec2.modify_image_attribute(ImageId=side.ids[name], LaunchPermission={"Add": grants})
    yield
    moto.ec2.disable_image_block_public_access()
    for name in GRANTS:
        left = grants_of(moto, name)
        if left:
            moto.ec2.modify_image_attribute(ImageId=moto.ids[name], LaunchPermission={"Remove": left})


def grants_of(side: Side, name: str) -> list[dict[str, str]]:
    reply = side.ec2.describe_image_attribute(ImageId=side.ids[name], Attribute="launchPermission")
    assert reply["ImageId"] == side.ids[name]
    grants: list[dict[str, str]] = reply["LaunchPermissions"]
    return grants


def read(name: str) -> Ask:
    return lambda side: grants_of(side, name)


def list_images(**arguments: Any) -> Ask:
    """What a listing says of each image of the estate, as far as it matters."""

    def ask(side: Side) -> Any:
        images = side.named(side.ec2.describe_images(**arguments)["Images"])
        return {
            name: (
                image["OwnerId"],
                image["Name"],
                image["Public"],
                image["State"],
                {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])},
            )
            for name, image in images.items()
        }

    return ask


def filtered(name: str, *values: str) -> Ask:
    return list_images(Owners=["self"], IncludeDisabled=True, Filters=[{"Name": name, "Values": list(values)}])


def over_its_snapshot(side: Side) -> Any:
    return filtered("block-device-mapping.snapshot-id", side.snapshot_of("private"))(side)


def modified(name: str, **change: Any) -> Ask:
    """The grants of an image after a change."""

    def ask(side: Side) -> Any:
        side.ec2.modify_image_attribute(ImageId=side.ids[name], **change)
        return grants_of(side, name)

    return ask


def refused(image: str, **change: Any) -> Ask:
    """The error of a change."""

    def ask(side: Side) -> Any:
        with pytest.raises(ClientError) as caught:
            side.ec2.modify_image_attribute(ImageId=side.ids.get(image, image), **change)
        return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]

    return ask


BLOCK = {"ImageBlockPublicAccessState": "block-new-sharing"}


def state_of(side: Side, region: str = REGION) -> tuple[str, str]:
    reply = side.client("ec2", region=region).get_image_block_public_access_state()
    return reply["ImageBlockPublicAccessState"], reply["ManagedBy"]


def switched(side: Side) -> Any:
    """What both switches answer, and how the state stands after each, here and in another region."""
    on = side.ec2.enable_image_block_public_access(**BLOCK)["ImageBlockPublicAccessState"]
    states = [state_of(side), state_of(side, "eu-west-1")]
    off = side.ec2.disable_image_block_public_access()["ImageBlockPublicAccessState"]
    return on, states, off, state_of(side)


def not_switched(method: str, **arguments: Any) -> Ask:
    """The error of a switch, and how the state stands after it."""

    def ask(side: Side) -> Any:
        with pytest.raises(ClientError) as caught:
            getattr(side.ec2, method)(**arguments)
        error = caught.value.response
        return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], state_of(side)

    return ask


def while_blocked(ask: Ask) -> Ask:
    def blocked(side: Side) -> Any:
        side.ec2.enable_image_block_public_access(**BLOCK)
        return ask(side)

    return blocked


def unlisted(image_id: str) -> Ask:
    """The error of a listing, with its message."""

    def ask(side: Side) -> Any:
        with pytest.raises(ClientError) as caught:
            side.ec2.describe_images(ImageIds=[image_id])
        return caught.value.response["Error"]

    return ask


def regions(**arguments: Any) -> Ask:
    def ask(side: Side) -> Any:
        found = side.ec2.describe_regions(**arguments)["Regions"]
        return {
            (region["RegionName"], region["Endpoint"], region["OptInStatus"])
            for region in found
            if not region["RegionName"].startswith("cn-")
        }

    return ask


def assumed_identity(side: Side) -> Any:
    role = {"RoleArn": f"arn:aws:iam::{MEMBER}:role/amiguard-audit", "RoleSessionName": "nightly"}
    given = side.client("sts").assume_role(**role)
    keys = given["Credentials"]
    arguments = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    identity = side.client("sts", arguments).get_caller_identity()
    assert identity["Arn"] == given["AssumedRoleUser"]["Arn"]
    return identity["Account"], identity["Arn"]


ADD, REMOVE = ({"Attribute": "launchPermission", "OperationType": operation} for operation in ("add", "remove"))
QUESTIONS: dict[str, Ask] = {
    **{f"grants of {name}": read(name) for name in GRANTS},
    "own images": list_images(Owners=["self"], IncludeDisabled=True),
    "images of the account": list_images(Owners=[ACCOUNT], IncludeDisabled=True),
    "images by tag": filtered("tag:Team", "platform"),
    "images by tag key": filtered("tag-key", "Note"),
    "images by name": filtered("name", "shared-*"),
    "public images": filtered("is-public", "true"),
    "disabled images": filtered("state", "disabled"),
    "images over a snapshot": over_its_snapshot,
    "add an account": modified("private", LaunchPermission={"Add": [{"UserId": PARTNER}]}),
    "add what is there": modified("shared-partner", LaunchPermission={"Add": [{"UserId": PARTNER}]}),
    "remove everyone": modified("shared-every-way", LaunchPermission={"Remove": [{"Group": "all"}]}),
    "remove what is not there": modified("shared-partner", LaunchPermission={"Remove": [{"Group": "all"}]}),
    "add and remove": modified(
        "shared-every-way", LaunchPermission={"Add": [{"UserId": MEMBER}], "Remove": EVERY_KIND[2:]}
    ),
    "add accounts, flat": modified("private", **ADD, UserIds=[PARTNER, MEMBER]),
    "add an organization, flat": modified("private", **ADD, OrganizationArns=[ORGANIZATION]),
    "add a unit, flat": modified("private", **ADD, OrganizationalUnitArns=[UNIT]),
    "remove everyone, flat": modified("shared-every-way", **REMOVE, UserGroups=["all"]),
    "a short account id": refused("private", LaunchPermission={"Add": [{"UserId": "12345"}]}),
    "an unknown group": refused("private", LaunchPermission={"Add": [{"Group": "friends"}]}),
    "block public access": switched,
    "its state, dry": not_switched("get_image_block_public_access_state", DryRun=True),
    "block it, dry": not_switched("enable_image_block_public_access", DryRun=True, **BLOCK),
    "unblock it, dry": while_blocked(not_switched("disable_image_block_public_access", DryRun=True)),
    "block something else": not_switched("enable_image_block_public_access", ImageBlockPublicAccessState="x"),
    "make an image public while that is blocked": while_blocked(
        refused("private", LaunchPermission={"Add": [{"UserId": PARTNER}, {"Group": "all"}]})
    ),
    "the same, flat": while_blocked(refused("private", **ADD, UserGroups=["all"])),
    "the same, dry": while_blocked(refused("private", LaunchPermission={"Add": [{"Group": "all"}]}, DryRun=True)),
    "share with an account while that is blocked": while_blocked(
        modified("private", LaunchPermission={"Add": [{"UserId": PARTNER}]})
    ),
    "a public image while that is blocked": while_blocked(
        modified("shared-every-way", LaunchPermission={"Add": [{"Group": "all"}]})
    ),
    "a dry run": refused("private", LaunchPermission={"Add": [{"UserId": PARTNER}]}, DryRun=True),
    "change an unknown image": refused(UNKNOWN, LaunchPermission={"Add": [{"UserId": PARTNER}]}),
    "list an unknown image": unlisted(UNKNOWN),
    "list a malformed id": unlisted("image-1"),
    "all regions": regions(AllRegions=True),
    "some regions": regions(RegionNames=["us-east-1", "eu-west-1"]),
    "the caller's account": lambda side: side.client("sts").get_caller_identity()["Account"],
    "an assumed role": assumed_identity,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_answer_the_same(moto: Side, fake: Side, question: str) -> None:
    expected = QUESTIONS[question](moto)

    assert QUESTIONS[question](fake) == expected
    assert expected or question == "grants of private"
