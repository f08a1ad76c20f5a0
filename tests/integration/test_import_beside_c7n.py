"""A policy of Cloud Custodian, and what `amiguard import` makes of it: both programs on the same images.

Where the two differ, docs/migrating.md says so; these tests hold it to that. They need an installed Cloud Custodian.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.responses import ActionResult
from moto.ec2.responses.amis import AmisResponse

from amiguard.demo.server import running_server
from benchmarks.fake_ec2 import FakeEc2, FakeImage, Fault, Vanish, account_grant, environment, single_account
from tests.conftest import RunAmiguard, scrubbed_environment

CUSTODIAN = Path(sys.prefix) / "bench-c7n" / "bin" / "custodian"
pytestmark = pytest.mark.skipif(
    not CUSTODIAN.exists(),
    reason="Cloud Custodian is not installed; this installs it beside the environment: "
    "python -c 'from benchmarks.programs import install_custodian; install_custodian()'",
)

ACCOUNT, REGIONS = "123456789012", ("us-east-1", "eu-central-1")
TRUSTED, LEADING_ZERO, STRANGER = "210987654321", "012345670123", "555566667777"
BY_ARN = "arn:aws:organizations::666677778888:organization/o-nq4w7kz2mv"
UNIT_BY_ARN = "arn:aws:organizations::777788889999:ou/o-unitparent1/ou-h3xd-6t9rbw1c"
BY_ID = "arn:aws:organizations::888899990000:organization/o-byidonly12"
UNIT_WITHIN = "arn:aws:organizations::666677778888:ou/o-nq4w7kz2mv/ou-ab12-cdefghij"
FOREIGN = "arn:aws:organizations::990011223344:organization/o-z8c1tq5yje"
FOREIGN_UNIT = "arn:aws:organizations::990011223344:ou/o-z8c1tq5yje/ou-p7f2-0s8ukx4n"
WHITELIST = [TRUSTED, LEADING_ZERO, BY_ARN, UNIT_BY_ARN, "o-byidonly12"]

Grants = list[dict[str, str]]
EVERYONE = {"Group": "all"}
UNTRUSTED: dict[str, Grants] = {
    "stranger": [{"UserId": STRANGER}],
    "stranger-beside-trusted": [{"UserId": TRUSTED}, {"UserId": STRANGER}],
    "everyone": [EVERYONE],
    "everyone-beside-trusted": [EVERYONE, {"UserId": TRUSTED}],
    "foreign-organization": [{"OrganizationArn": FOREIGN}],
    "foreign-unit": [{"OrganizationalUnitArn": FOREIGN_UNIT}],
}
FINE: dict[str, Grants] = {
    "private": [],
    "trusted": [{"UserId": TRUSTED}, {"UserId": LEADING_ZERO}],
    "own-account": [{"UserId": ACCOUNT}],
    "organization-by-arn": [{"OrganizationArn": BY_ARN}],
    "unit-by-arn": [{"OrganizationalUnitArn": UNIT_BY_ARN}],
}
FLAGGED_BY_CUSTODIAN_ALONE: dict[str, Grants] = {
    "organization-by-id": [{"OrganizationArn": BY_ID}],
    "unit-of-a-trusted-organization": [{"OrganizationalUnitArn": UNIT_WITHIN}],
}

Flagged = set[tuple[str, str]]
"""Region and name, or id, of images."""


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server(REGIONS) as url:
        yield url


@pytest.fixture
def custodian(tmp_path: Path) -> Callable[..., tuple[list[dict[str, Any]], str]]:
    """Run a policy; gives the images that it selected, with their region, and what it logged."""

    def run(env: Mapping[str, str], *policy_filters: object, remove: object = None) -> tuple[list[dict[str, Any]], str]:
        output = tmp_path / "output"
        command: list[str | Path] = [CUSTODIAN, "run", "--cache-period", "0", "--output-dir", output]
        regions = [part for name in REGIONS for part in ("--region", name)]
        path = policy(tmp_path, *policy_filters, remove=remove)
        done = subprocess.run(
            [*command, *regions, path],
            # Without a region it does not find out its own account, and flags what is shared with that.
            env=scrubbed_environment(tmp_path, {"AWS_DEFAULT_REGION": REGIONS[0], **env}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        found = [
            image | {"Region": name}
            for name in REGIONS
            if (selected := output / name / "shared-images" / "resources.json").exists()
            for image in json.loads(selected.read_text(encoding="utf-8"))
        ]
        return found, f"exit {done.returncode}\n{done.stderr}"

    return run


def policy(folder: Path, *filters: object, remove: object = None) -> Path:
    """Write a policy on images; JSON is YAML too."""
    written: dict[str, Any] = {"name": "shared-images", "resource": "aws.ami", "filters": list(filters)}
    if remove:
        written["actions"] = [{"type": "set-permissions", "remove": remove}]
    path = folder / "custodian.yml"
    path.write_text(json.dumps({"policies": [written]}), encoding="utf-8")
    return path


CROSS_ACCOUNT = {"type": "cross-account", "whitelist": WHITELIST}


def register(url: str, images: Mapping[str, Grants], region: str) -> dict[str, str]:
    """Register images and share them; gives their ids by name."""
    with closing(boto3.client("ec2", region_name=region, endpoint_url=url)) as ec2:
        ids = {name: str(ec2.register_image(Name=name, RootDeviceName="/dev/sda1")["ImageId"]) for name in images}
        for name, grants in images.items():
            if grants:
                ec2.modify_image_attribute(ImageId=ids[name], LaunchPermission={"Add": grants})
    return ids


def launch_permission(url: str, image_id: str) -> Grants:
    with closing(boto3.client("ec2", region_name=REGIONS[0], endpoint_url=url)) as ec2:
        reply = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
        return list(reply["LaunchPermissions"])


def audit(run_amiguard: RunAmiguard, env: Mapping[str, str]) -> tuple[Flagged, dict[str, Any]]:
    """Audit with the imported settings; gives the failing images by region and name, and the report."""
    done = run_amiguard("audit", "--format", "json", *(f"--region={name}" for name in REGIONS), env=env)
    report = json.loads(done.out)
    failing = [result for result in report["results"] if result["status"] == "fail"]
    return {(one["region"], one["image"]["name"] or one["image"]["id"]) for one in failing}, report


def test_both_flag_the_same_images_where_custodian_is_right(
    moto: str, custodian: Callable[..., Any], run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    env = {"AWS_ENDPOINT_URL": moto}
    for region in REGIONS:
        register(moto, UNTRUSTED | FINE | FLAGGED_BY_CUSTODIAN_ALONE, region)

    imported = run_amiguard("import", str(policy(tmp_path, CROSS_ACCOUNT)), "--into", "amiguard.yaml")
    ours, report = audit(run_amiguard, env)
    images, log = custodian(env, CROSS_ACCOUNT)
    theirs = {(image["Region"], image["Name"]) for image in images}

    assert imported.code == 0, imported.err
    assert report["summary"]["unknown"] == 0
    assert log.startswith("exit 0")
    assert ours == {(region, name) for region in REGIONS for name in UNTRUSTED}
    assert theirs - ours == {(region, name) for region in REGIONS for name in FLAGGED_BY_CUSTODIAN_ALONE}
    assert ours <= theirs


def test_custodian_loses_twenty_images_over_one_that_vanished(
    custodian: Callable[..., Any], run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    shared = [FakeImage(f"ami-{number:017x}", grants=(account_grant(STRANGER),)) for number in range(40)]
    gone = Fault(Vanish(), action="DescribeImageAttribute", image_id=shared[7].id)
    run_amiguard("import", str(policy(tmp_path, CROSS_ACCOUNT)), "--into", "amiguard.yaml")

    def on_a_fresh_estate(program: Callable[[Mapping[str, str]], Any]) -> Any:
        estate = single_account(*shared, account_id=ACCOUNT, region=REGIONS[0], more_regions=REGIONS[1:])
        with FakeEc2(estate, faults=[gone]) as fake:
            return program(environment(fake.endpoint_url, ACCOUNT))

    images, log = on_a_fresh_estate(lambda env: custodian(env, CROSS_ACCOUNT))
    ours, report = on_a_fresh_estate(lambda env: audit(run_amiguard, env))

    assert (len(images), log.splitlines()[0]) == (20, "exit 0")
    # The one trace of it, as the guide looks for it.
    own_log = tmp_path / "output" / REGIONS[0] / "shared-images" / "custodian-run.log"
    assert "Exception checking cross account access" in own_log.read_text(encoding="utf-8")
    assert ours == {(REGIONS[0], image.name or image.id) for image in shared if image.id != shared[7].id}
    assert (report["summary"]["images"], report["summary"]["unknown"]) == (39, 0)


def test_custodian_leaves_an_image_public_where_everyone_is_what_matched(
    moto: str, custodian: Callable[..., Any], run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    env = {"AWS_ENDPOINT_URL": moto}
    image = register(moto, {"public": [EVERYONE, {"UserId": TRUSTED}]}, REGIONS[0])["public"]
    images, log = custodian(env, CROSS_ACCOUNT, remove="matched")
    assert (len(images), log.splitlines()[0]) == (1, "exit 0")
    assert EVERYONE in launch_permission(moto, image)

    run_amiguard("import", str(policy(tmp_path, CROSS_ACCOUNT)), "--into", "amiguard.yaml")
    run_amiguard("plan", env=env)
    applied = run_amiguard("apply", "amiguard-plan.json", "--yes", "--force", env=env)
    assert applied.code == 0, applied.err
    assert launch_permission(moto, image) == [{"UserId": TRUSTED}]


def test_custodian_takes_trusted_grants_too_from_the_second_public_image_on(
    moto: str, custodian: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def reset(response: AmisResponse) -> ActionResult:
        """What EC2 does; moto does not have it."""
        (image,) = response.ec2_backend.describe_images(ami_ids=[response._get_param("ImageId")])
        image.launch_permissions.clear()
        return ActionResult({"Return": True})

    monkeypatch.setattr(AmisResponse, "reset_image_attribute", reset)
    ids = register(moto, {f"public-{number}": [EVERYONE, {"UserId": TRUSTED}] for number in range(3)}, REGIONS[0])
    custodian({"AWS_ENDPOINT_URL": moto}, CROSS_ACCOUNT, remove=["all"])
    left = sorted(len(launch_permission(moto, image)) for image in ids.values())
    assert left == [0, 0, 1]
