"""`amiguard audit --check` and `checks:` of the settings: what is checked besides images."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import AwsError, Estate, FakeAccount, FakeEc2, FakeRegion, Fault, by_id
from tests.cli.remediation_estate import EU, FRIEND, OWNER, US, image
from tests.conftest import Run, RunAmiguard

IMAGES, SWITCH = "ami-cross-account-access", "ami-block-public-access"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeEc2]:
    """All images pass; image block public access is off in one region, on in another, off by a policy in the third."""
    regions = {
        US: FakeRegion(by_id(image(1, {FRIEND}))),
        EU: FakeRegion(block_public_access="block-new-sharing"),
        "eu-west-1": FakeRegion(block_public_access_managed_by="declarative-policy"),
    }
    with FakeEc2(Estate({OWNER: FakeAccount(regions)})) as server:
        yield server


def audit(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str) -> Run:
    return run_amiguard("audit", "--trust", FRIEND, *arguments, env=fake.environment(OWNER))


def found(run: Run) -> dict[tuple[str, str], tuple[str, str]]:
    """By check and region status and severity."""
    return {
        (one["check_id"], one["region"]): (one["status"], one["severity"]) for one in json.loads(run.out)["results"]
    }


IMAGE_PASSES = {(IMAGES, US): ("pass", "informational")}
SWITCHES = {
    (SWITCH, US): ("fail", "medium"),
    (SWITCH, EU): ("pass", "informational"),
    (SWITCH, "eu-west-1"): ("fail", "medium"),
}


def test_only_images_are_checked_unless_more_is_asked_for(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    fake.reset()
    run = audit(run_amiguard, fake, "--format", "json")
    assert (run.code, found(run)) == (0, IMAGE_PASSES)
    assert "GetImageBlockPublicAccessState" not in fake.stats.calls


@pytest.mark.parametrize("check", [SWITCH, "all"])
def test_the_switch_is_checked_when_asked_for(run_amiguard: RunAmiguard, fake: FakeEc2, check: str) -> None:
    fake.reset()
    run = audit(run_amiguard, fake, "--format", "json", "--check", check)
    assert (run.code, found(run)) == (1, IMAGE_PASSES | SWITCHES)
    assert fake.stats.calls["GetImageBlockPublicAccessState"] == 3
    messages = {one["region"]: one["message"] for one in json.loads(run.out)["results"] if one["image"] is None}
    assert "declarative policy" in messages["eu-west-1"]
    assert "declarative policy" not in messages[US]


def test_the_settings_ask_for_it_too_and_the_table_shows_it(
    run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path
) -> None:
    (tmp_path / "amiguard.yaml").write_text(f"version: 1\ntrust: {{accounts: ['{FRIEND}']}}\nchecks: [{SWITCH}]\n")
    run = run_amiguard("audit", env=fake.environment(OWNER))
    assert (run.code, run.err) == (1, "")
    assert "image block public access is off" in run.out
    assert "  fail medium" in run.out


def test_a_switch_that_cannot_be_read_is_unknown(run_amiguard: RunAmiguard) -> None:
    regions = {US: FakeRegion(by_id(image(1, {FRIEND})))}
    denied = Fault(AwsError("UnauthorizedOperation", status=403), action="GetImageBlockPublicAccessState")
    with FakeEc2(Estate({OWNER: FakeAccount(regions)}), faults=[denied]) as fake:
        run = audit(run_amiguard, fake, "--format", "json", "--check", SWITCH)
    assert run.code == 3
    assert found(run) == IMAGE_PASSES | {(SWITCH, US): ("unknown", "medium")}


def test_an_unknown_check_is_an_error_that_names_the_near_one(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    fake.reset()
    run = audit(run_amiguard, fake, "--check", "ami-block-public-acces")
    assert (run.code, run.out) == (2, "")
    near = "there is no check 'ami-block-public-acces': did you mean ami-block-public-access?"
    assert f"Invalid value for --check: {near}" in run.err
    assert not fake.stats.calls
