"""The commands of a plan, run with the real AWS CLI: afterwards the AWS CLI sees what the plan says, and no more."""

import io
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit, in_order
from amiguard.core.grantee import Everyone, Grantee, parse_grant
from amiguard.core.plan import Addition, BlockPublicAccessChange, Change, ImageChange, Removal, SnapshotChange
from amiguard.core.result import Target
from amiguard.demo.server import running_server
from amiguard.report.plan_commands import render_commands
from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeRegion,
    FakeSnapshot,
    account_grant,
    by_snapshot_id,
    everyone_grant,
)
from tests.conftest import scrubbed_environment
from tests.fakes.aws_cli import AWS_CLI, aws_cli
from tests.unit.plan_samples import plan_of

REGION = "eu-central-1"
TARGET = Target("123456789012", REGION, "aws")
TRUSTED, STRANGER = parse_grant([("userId", "111122223333"), ("userId", "999988887777")])
FOREIGN, OWN = parse_grant(
    [
        ("organizationArn", "arn:aws:organizations::999988887777:organization/o-foreign1234"),
        ("organizationArn", "arn:aws:organizations::123123123123:organization/o-abcdefghij"),
    ]
)
FOREIGN_UNIT, OWN_UNIT = parse_grant(
    [
        ("organizationalUnitArn", "arn:aws:organizations::999988887777:ou/o-foreign1234/ou-ab12-foreign1"),
        ("organizationalUnitArn", "arn:aws:organizations::123123123123:ou/o-abcdefghij/ou-ab12-cdefghij"),
    ]
)
CHANGES: dict[str, tuple[list[Grantee], list[Grantee]]] = {
    "all kinds leave, all kinds come, some stay": (
        [Everyone(), STRANGER, FOREIGN, FOREIGN_UNIT],
        [TRUSTED, OWN, OWN_UNIT],
    ),
    "everyone leaves, account and organization stay": ([Everyone(), TRUSTED, OWN], [TRUSTED, OWN]),
    "only an addition": ([TRUSTED], [TRUSTED, OWN_UNIT]),
}


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server([REGION]) as url:
        yield url


def test_the_commands_lead_to_exactly_what_the_plan_says(moto: str, tmp_path: Path) -> None:
    environment = scrubbed_environment(tmp_path, {"AWS_ENDPOINT_URL": moto})
    environment["PATH"] = f"{AWS_CLI.parent}:{environment['PATH']}"

    def aws(*arguments: str) -> Any:
        return aws_cli("ec2", *arguments, "--region", REGION, environment=environment)

    def register(name: str, before: list[Grantee]) -> str:
        image = aws("register-image", "--name", name, "--root-device-name", "/dev/sda1")["ImageId"]
        words = json.dumps({"Add": [written(grantee) for grantee in before]})
        aws("modify-image-attribute", "--image-id", image, "--launch-permission", words)
        return str(image)

    def permission(image_id: str) -> list[dict[str, str]]:
        said = aws("describe-image-attribute", "--attribute", "launchPermission", "--image-id", image_id)
        return sorted(said["LaunchPermissions"], key=str)

    with ThreadPoolExecutor(2) as pool:
        ids = list(pool.map(lambda name: register(name, CHANGES[name][0]), CHANGES))
        stream = io.StringIO()
        changes = [change(one, name, *CHANGES[name]) for one, name in zip(ids, CHANGES, strict=True)]
        switch = BlockPublicAccessEdit(TARGET, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
        render_commands(plan_of(*changes, BlockPublicAccessChange(switch)), stream)
        done = subprocess.run(
            ["sh"],  # noqa: S607 - whatever sh the machine has
            input=stream.getvalue(),
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "0 changes failed\n")
        assert json.loads(done.stdout) == {"ImageBlockPublicAccessState": "block-new-sharing"}
        for seen, (_, after) in zip(pool.map(permission, ids), CHANGES.values(), strict=True):
            assert seen == sorted(map(written, after), key=str)
        state = aws("get-image-block-public-access-state")
        assert state["ImageBlockPublicAccessState"] == "block-new-sharing"


def test_the_commands_take_back_snapshots(tmp_path: Path) -> None:
    """By the fake EC2: moto does not read the lists of ModifySnapshotAttribute."""
    owner, snapshot_id = TARGET.account_id, "snap-00000000000000001"
    before, after = in_order([Everyone(), STRANGER, TRUSTED]), (TRUSTED,)
    grants = (everyone_grant(), account_grant("999988887777"), account_grant("111122223333"))
    region = FakeRegion(snapshots=by_snapshot_id(FakeSnapshot(snapshot_id, grants)))
    edit = CreateVolumePermissionEdit(TARGET, snapshot_id, ("ami-1",), before, after)
    change = SnapshotChange(edit, tuple(Removal(one, "not trusted") for one in (Everyone(), STRANGER)))
    stream = io.StringIO()
    render_commands(plan_of(change), stream)
    with FakeEc2(Estate({owner: FakeAccount({REGION: region})})) as fake:
        environment = scrubbed_environment(tmp_path, fake.environment(owner))
        environment["PATH"] = f"{AWS_CLI.parent}:{environment['PATH']}"
        done = subprocess.run(
            ["sh"],  # noqa: S607 - whatever sh the machine has
            input=stream.getvalue(),
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "0 changes failed\n")
        found = fake.snapshot(owner, REGION, snapshot_id)
    assert found is not None
    assert [grant.value for grant in found.grants] == ["111122223333"]


def change(image_id: str, name: str, before: list[Grantee], after: list[Grantee]) -> Change:
    return ImageChange(
        LaunchPermissionEdit(TARGET, image_id, name, in_order(before), in_order(after)),
        tuple(Addition(grantee, "trusted") for grantee in after if grantee not in before),
        tuple(Removal(grantee, "not trusted") for grantee in before if grantee not in after),
    )


def written(grantee: Grantee) -> dict[str, str]:
    """As the AWS CLI writes a grantee: told apart by what is in it, not by our classes."""
    if isinstance(grantee, Everyone):
        return {"Group": "all"}
    if hasattr(grantee, "account_id"):
        return {"UserId": grantee.account_id}
    arn: str = grantee.arn  # type: ignore[union-attr]  # no other kind is in this file
    return {"OrganizationalUnitArn" if ":ou/" in arn else "OrganizationArn": arn}
