"""The audit agrees, image by image, with the manual procedure: list the images, ask each for its launch permission.

The manual procedure is done with the AWS CLI on one estate that only the AWS CLI made, and with boto3 over random ones.
"""

import json
import random
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from amiguard.demo.server import running_server
from tests.conftest import RunAmiguard, scrubbed_environment
from tests.fakes.aws_cli import aws_cli

ACCOUNT, TRUSTED, STRANGER = "123456789012", "111122223333", "999988887777"
REGIONS = ["ap-southeast-2", "eu-central-1", "us-east-1"]
ORGANIZATION = "arn:aws:organizations::123123123123:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::123123123123:ou/o-abcdefghij/ou-ab12-cdefghij"
Grants = dict[tuple[str, str], set[str]]
"""(region, image id) -> who may launch it, as the manual procedure sees it."""


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server(REGIONS) as url:
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=10).close()
        yield url


def environment(url: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1"}


def audited(run_amiguard: RunAmiguard, url: str) -> tuple[int, list[dict[str, Any]]]:
    run = run_amiguard("audit", "--trust", TRUSTED, "--format", "json", env=environment(url))
    assert run.err == ""
    results: list[dict[str, Any]] = json.loads(run.out)["results"]
    return run.code, results


def agree(results: list[dict[str, Any]], manual: Grants) -> None:
    """Same images, same grantees, and the rule's verdict: fail where any other than the trusted is named."""
    ours = {
        (result["region"], result["image"]["id"]): {grant["grantee"] for grant in result["grants"]}
        for result in results
    }
    assert ours == manual
    for result in results:
        untrusted = manual[result["region"], result["image"]["id"]] - {TRUSTED, ACCOUNT}
        assert (result["status"] == "fail") == bool(untrusted), result
        assert {grant["grantee"] for grant in result["grants"] if grant["decision"] == "untrusted"} == untrusted


def grantee(permission: dict[str, str]) -> str:
    (value,) = permission.values()
    return value


def test_the_aws_cli_sees_what_we_see(moto: str, run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    def aws(region: str, *arguments: str) -> Any:
        scrubbed = scrubbed_environment(tmp_path, environment(moto))
        return aws_cli("ec2", *arguments, "--region", region, environment=scrubbed)

    def register(region: str, name: str, *grants: str) -> None:
        image = aws(region, "register-image", "--name", name, "--root-device-name", "/dev/sda1")
        for grant in grants:
            aws(
                region,
                *("modify-image-attribute", "--image-id", image["ImageId"]),
                *("--launch-permission", f"Add=[{{{grant}}}]"),
            )

    with ThreadPoolExecutor(2) as pool:
        made = [
            pool.submit(register, "us-east-1", "private"),
            pool.submit(register, "us-east-1", "trusted", f"UserId={TRUSTED}"),
            pool.submit(register, "eu-central-1", "stranger", f"UserId={STRANGER}"),
            pool.submit(register, "eu-central-1", "public", "Group=all"),
            pool.submit(register, "eu-central-1", "organization", f"OrganizationArn={ORGANIZATION}"),
        ]
        for one in made:
            one.result()
        manual: Grants = {}
        listings = dict(
            zip(
                REGIONS,
                pool.map(lambda region: aws(region, "describe-images", "--owners", "self"), REGIONS),
                strict=True,
            )
        )
        for region, listing in listings.items():
            ids = [image["ImageId"] for image in listing["Images"]]
            attributes = pool.map(
                lambda image_id, region=region: aws(
                    region, "describe-image-attribute", "--attribute", "launchPermission", "--image-id", image_id
                ),
                ids,
            )
            for image_id, attribute in zip(ids, attributes, strict=True):
                manual[region, image_id] = {grantee(one) for one in attribute["LaunchPermissions"]}
    assert len(manual) == 5
    code, results = audited(run_amiguard, moto)
    assert code == 1
    agree(results, manual)


def make_estate(ec2: Callable[[str], Any], chance: random.Random) -> None:
    everyone: list[dict[str, str]] = [
        {"UserId": TRUSTED},
        {"UserId": ACCOUNT},
        {"UserId": STRANGER},
        {"UserId": "000000000001"},
        {"Group": "all"},
        {"OrganizationArn": ORGANIZATION},
        {"OrganizationalUnitArn": UNIT},
    ]
    for number in range(chance.randrange(25)):
        client = ec2(chance.choice(REGIONS))
        image_id = client.register_image(Name=f"image-{number}", RootDeviceName="/dev/sda1")["ImageId"]
        grants = chance.sample(everyone, chance.choice([0, 0, 1, 1, 2, 7]))
        if grants:
            client.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": grants})
        if grants and chance.random() < 0.3:
            client.modify_image_attribute(ImageId=image_id, LaunchPermission={"Remove": grants[:1]})


@pytest.mark.parametrize("seed", range(6))
def test_boto3_sees_what_we_see_on_random_estates(moto: str, run_amiguard: RunAmiguard, seed: int) -> None:
    clients = {region: boto3.client("ec2", endpoint_url=moto, region_name=region) for region in REGIONS}
    try:
        make_estate(clients.__getitem__, random.Random(seed))
        manual: Grants = {}
        for region, client in clients.items():
            for image in client.describe_images(Owners=["self"])["Images"]:
                attribute = client.describe_image_attribute(ImageId=image["ImageId"], Attribute="launchPermission")
                manual[region, image["ImageId"]] = {grantee(one) for one in attribute["LaunchPermissions"]}
    finally:
        for client in clients.values():
            client.close()
    code, results = audited(run_amiguard, moto)
    agree(results, manual)
    assert code == (1 if any(result["status"] == "fail" for result in results) else 0)
