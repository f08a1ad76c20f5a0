"""The whole way on the estate of the demo: audit, plan, apply, audit, roll back, audit - and the first report again."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from amiguard.demo import AUDIT_ROLE, ESTATE, DemoAws, demo_aws, parties
from amiguard.demo.model import Image
from tests.cli.remediation_estate import journals, read_json
from tests.conftest import Run, RunAmiguard, scrubbed_environment

SHARED = [image for image in ESTATE.images if image.grants]
HELD = "customer-appliance-4.0"

# The AWS CLI as its own program starts it, but for many commands: each start of it costs more than the call.
AWS_CLI = """
import json, sys
from awscli.clidriver import create_clidriver
driver = create_clidriver()
for line in sys.stdin:
    for arguments in json.loads(line):
        if status := driver.main(["ec2", "describe-image-attribute", "--attribute", "launchPermission", *arguments]):
            sys.exit(status)
    print("END", flush=True)
"""


@pytest.fixture
def demo() -> Iterator[DemoAws]:
    with demo_aws() as aws:
        yield aws


def keys_of(demo: DemoAws) -> dict[str, dict[str, str]]:
    """By account key the variables that make an AWS client a caller of that account."""
    keys: dict[str, dict[str, str]] = {ESTATE.caller: {}}
    with demo.environment_applied(), closing(botocore.session.Session().create_client("sts")) as sts:
        for member in ESTATE.members:
            role = f"arn:aws:iam::{demo.seeded.ids[member.key]}:role/{AUDIT_ROLE}"
            found = sts.assume_role(RoleArn=role, RoleSessionName="eyes")["Credentials"]
            keys[member.key] = {
                "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
                "AWS_SESSION_TOKEN": found["SessionToken"],
            }
    return keys


class AwsCli:
    """The eyes of the AWS CLI, in each account of the estate."""

    def __init__(self, demo: DemoAws, home: Path) -> None:
        self._demo = demo
        self._programs = {
            owner: subprocess.Popen(
                [sys.executable, "-c", AWS_CLI],
                env=scrubbed_environment(home, {**demo.environment, **keys}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for owner, keys in keys_of(demo).items()
        }

    def close(self) -> None:
        for program in self._programs.values():
            program.communicate(timeout=30)

    def sees(self) -> dict[Image, frozenset[str]]:
        """Whom every image that was shared is shared with now."""
        return {
            image: grantees
            for owner in self._programs
            for image, grantees in self._seen_in(owner, [image for image in SHARED if image.account == owner])
        }

    def _seen_in(self, owner: str, images: list[Image]) -> Iterator[tuple[Image, frozenset[str]]]:
        program, ids = self._programs[owner], self._demo.seeded.image_ids
        assert program.stdin is not None
        assert program.stdout is not None
        commands = [["--image-id", ids[image], "--region", image.region, "--output", "json"] for image in images]
        program.stdin.write(json.dumps(commands) + "\n")
        program.stdin.flush()
        said = ""
        while (line := program.stdout.readline()) != "END\n":
            assert line, "the AWS CLI has ended"
            said += line
        for image in images:
            found, end = json.JSONDecoder().raw_decode(said)
            said = said[end:].lstrip()
            assert found["ImageId"] == ids[image]
            yield image, frozenset(value for one in found["LaunchPermissions"] for value in one.values())
        assert said == ""


def without_times_and_ids(report: str) -> str:
    """A report in JSON, byte for byte, but for the times of the audit and its id."""
    report = re.sub(r'"id":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"', '"id":"ID"', report, count=1)
    return re.sub(r'"(started_at|finished_at|read_at)":"[^"]*"', r'"\1":"TIME"', report)


def names(document: dict[str, Any], status: str) -> set[str]:
    return {one["image"]["name"] for one in document["results"] if one["status"] == status}


def test_what_is_taken_back_is_given_again_to_the_byte(
    run_amiguard: RunAmiguard, demo: DemoAws, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "amiguard.yaml").write_text(demo.settings_text)
    aws_cli = AwsCli(demo, tmp_path)
    request.addfinalizer(aws_cli.close)

    def run(*arguments: str) -> Run:
        return run_amiguard(*arguments, "--quiet", env=demo.environment)

    before = aws_cli.sees()
    json_before, table_before = run("audit", "--format", "json"), run("audit")
    assert (json_before.code, table_before.code) == (1, 1)
    failing = names(json.loads(json_before.out), "fail")
    assert len(failing) == 12

    planned = run("plan")
    assert (planned.code, planned.err) == (0, "")
    assert "Summary\n11 images would be changed (10 made private): 13 grants removed, 0 added. " in planned.out
    assert f"it has the tag amiguard:hold  {HELD}\n" in planned.out
    plan = read_json(tmp_path / "amiguard-plan.json")
    assert {one["image"]["name"] for one in plan["changes"]} == failing - {HELD}

    applied = run("apply", "amiguard-plan.json", "--yes")
    assert (applied.code, applied.out.splitlines()[-1]) == (0, "11 applied.")
    # The hold keeps its image failing; all else passes, or is an exception.
    audited = run("audit", "--format", "json")
    document = json.loads(audited.out)
    assert audited.code == 1
    assert names(document, "fail") == {HELD}
    assert len(names(document, "suppressed")) == document["summary"]["suppressed"] == 1
    assert document["summary"]["unknown"] == 0
    after = aws_cli.sees()
    removed = {one["image"]["id"]: {grant["grantee"] for grant in one["remove"]} for one in plan["changes"]}
    assert after == {
        image: grants - removed.get(demo.seeded.image_ids[image], set()) for image, grants in before.items()
    }
    assert all(
        {parties.STAGING, parties.DISASTER_RECOVERY} & before[image] <= grants for image, grants in after.items()
    )

    again = run("apply", "amiguard-plan.json", "--yes")
    assert (again.code, again.err) == (0, "")
    assert again.out.splitlines()[-1] == "Nothing was changed: all 11 changes had been made already."

    (journal,) = journals(tmp_path)
    checked = run("rollback", "--check", str(journal))
    assert (checked.code, checked.out.splitlines()[-1]) == (0, "11 applied.")
    undone = run("rollback", "--yes", str(journal))
    assert (undone.code, undone.out.splitlines()[-1]) == (0, "11 undone.")
    assert aws_cli.sees() == before
    assert without_times_and_ids(run("audit", "--format", "json").out) == without_times_and_ids(json_before.out)
    assert run("audit").out == table_before.out
