"""`amiguard plan --evidence usage` as installed: what is in use is left out, unless it is asked for."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import AwsError, Estate, FakeAccount, FakeEc2, FakeRegion, FakeUsage, FakeUse, Fault, by_id
from tests.cli.remediation_estate import FRIEND, OWNER, PARTNER, PLAN, STRANGER, US, image, image_id, read_json
from tests.conftest import Run, RunAmiguard

USAGE = {
    image_id(1): FakeUsage((FakeUse(STRANGER, count=14), FakeUse(STRANGER, "ec2:LaunchTemplate")), seconds=0),
    image_id(2): FakeUsage((FakeUse(OWNER, count=3), FakeUse(FRIEND, count=2)), seconds=0),
    image_id(3): FakeUsage((FakeUse(PARTNER, count=1),), seconds=0),
}
IMAGES = by_id(image(1, {STRANGER, PARTNER, FRIEND}), image(2, {"all", FRIEND, STRANGER}), image(3, {"all"}))
AS_OF = r"EC2's usage report of \d{4}-\d\d-\d\d \d\d:\d\d UTC"


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    with FakeEc2(Estate({OWNER: FakeAccount({US: FakeRegion(IMAGES, usage=USAGE)})})) as server:
        yield server


def plan(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str) -> Run:
    return run_amiguard("plan", "--trust", FRIEND, *arguments, env=fake.environment(OWNER))


def document(folder: Path) -> Any:
    return read_json(folder / PLAN)


def removed(folder: Path) -> dict[str, dict[str, str]]:
    """By image id whom the plan removes, and what is known of its use."""
    return {
        one["image"]["id"]: {grant["grantee"]: grant.get("use", {}).get("state", "") for grant in one["remove"]}
        for one in document(folder)["changes"]
    }


def test_what_is_in_use_is_left_out(run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path) -> None:
    run = plan(run_amiguard, fake, "--evidence", "usage")
    assert run.code == 0
    assert removed(tmp_path) == {
        image_id(1): {PARTNER: "not_in_use"},
        image_id(2): {"all": "not_in_use", STRANGER: "not_in_use"},
    }
    text = re.sub(r"\n +", " ", run.out)
    left_out = text[text.index("Left out on purpose (2)") : text.index("Summary")]
    assert re.search(
        rf"{image_id(1)}: {STRANGER} uses it: 14 instances, 1 launch template, by {AS_OF}; --revoke-in-use takes it "
        "back all the same",
        left_out,
    )
    assert re.search(rf"{image_id(3)}: everyone stays: {PARTNER} uses it: 1 instance, by {AS_OF}", left_out)
    assert "In use, and left out: 2 grants. --revoke-in-use takes them back all the same.\n" in run.out
    assert "Use unknown" not in run.out
    entries = [one["removal"]["use"]["entries"] for one in document(tmp_path)["left_out"]]
    assert [{one["account_id"] for one in each} for each in entries] == [{STRANGER}, {PARTNER}]


def test_it_is_taken_back_if_that_is_asked_for(run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path) -> None:
    run = plan(run_amiguard, fake, "--evidence", "usage", "--revoke-in-use")
    assert run.code == 0
    assert removed(tmp_path) == {
        image_id(1): {PARTNER: "not_in_use", STRANGER: "in_use"},
        image_id(2): {"all": "not_in_use", STRANGER: "not_in_use"},
        image_id(3): {"all": "in_use"},
    }
    assert "Left out" not in run.out
    assert "In use, and removed all the same: 2 grants.\n" in run.out
    applied = run_amiguard("apply", PLAN, "--yes", "--force", "--trust", FRIEND, env=fake.environment(OWNER))
    assert (applied.code, applied.out.splitlines()[-1]) == (0, "3 applied.")


def test_the_evidence_of_a_report_counts(run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path) -> None:
    audit = ("audit", "--trust", FRIEND, "--evidence", "usage")
    for form in ("json", "jsonl"):
        run_amiguard(*audit, "--format", f"{form}=report", env=fake.environment(OWNER))
        run = plan(run_amiguard, fake, "--from", "report")
        assert run.code == 0
        assert removed(tmp_path).keys() == {image_id(1), image_id(2)}
        assert "In use, and left out: 2 grants." in run.out


def test_use_that_cannot_be_had_is_said_and_holds_nothing_back(
    run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path
) -> None:
    fake.set_faults(Fault(AwsError("UnauthorizedOperation", status=403), action="CreateImageUsageReport"))
    run = plan(run_amiguard, fake, "--evidence", "usage")
    assert run.code == 0
    assert {use for uses in removed(tmp_path).values() for use in uses.values()} == {"unknown"}
    text = re.sub(r"\n *", " ", run.out)
    assert "use unknown: not permitted: ec2:CreateImageUsageReport" in text
    assert "Use unknown of 5 grants: not permitted: ec2:CreateImageUsageReport" in text
    assert "--evidence usage" not in run.out
