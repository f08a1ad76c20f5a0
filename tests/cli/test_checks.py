"""`amiguard audit --check` and `checks:` of the settings: what is checked besides images."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Estate,
    FakeAccount,
    FakeBlockDevice,
    FakeEc2,
    FakeRegion,
    FakeSnapshot,
    Fault,
    account_grant,
    by_id,
    by_snapshot_id,
)
from tests.cli.remediation_estate import EU, FRIEND, OWNER, STRANGER, US, image
from tests.conftest import Run, RunAmiguard

IMAGES, SWITCH = "ami-cross-account-access", "ami-block-public-access"
SNAPSHOTS = "ami-snapshot-cross-account"
BASE, DATA = "snap-0123456789abcdef0", "snap-0123456789abcdef1"


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


@pytest.mark.parametrize(
    ("check", "more"), [(SWITCH, {}), ("all", {(SNAPSHOTS, US): ("pass", "informational")})], ids=[SWITCH, "all"]
)
def test_the_switch_is_checked_when_asked_for(
    run_amiguard: RunAmiguard, fake: FakeEc2, check: str, more: dict[tuple[str, str], tuple[str, str]]
) -> None:
    fake.reset()
    run = audit(run_amiguard, fake, "--format", "json", "--check", check)
    assert (run.code, found(run)) == (1, IMAGE_PASSES | SWITCHES | more)
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


def shared_snapshots() -> Estate:
    """Images that are not shared: two over a snapshot that is, one of them with another for a friend; one over none."""
    base, data = FakeBlockDevice("/dev/xvda", BASE), FakeBlockDevice("/dev/xvdb", DATA)
    images = [image(1, (), block_devices=(base,)), image(2, (), block_devices=(base, data)), image(3, ())]
    snapshots = by_snapshot_id(
        FakeSnapshot(BASE, grants=(account_grant(STRANGER),)), FakeSnapshot(DATA, grants=(account_grant(FRIEND),))
    )
    return Estate({OWNER: FakeAccount({US: FakeRegion(by_id(*images), snapshots=snapshots)})})


SNAPSHOT_MESSAGES = {
    f"ami-{1:017x}": ("fail", "Not trusted, and may create volumes from its snapshot: 1 account."),
    f"ami-{2:017x}": ("fail", "Not trusted, and may create volumes from 1 of its 2 snapshots: 1 account."),
    f"ami-{3:017x}": ("pass", "It has no snapshots."),
}


def told_of_snapshots(run: Run) -> dict[str, tuple[str, str]]:
    results = json.loads(run.out)["results"]
    return {one["image"]["id"]: (one["status"], one["message"]) for one in results if one["check_id"] == SNAPSHOTS}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_images_fail_for_their_snapshots_and_are_counted_once(run_amiguard: RunAmiguard, workers: str) -> None:
    with FakeEc2(shared_snapshots()) as fake:
        run = audit(run_amiguard, fake, "--format", "json", "--check", SNAPSHOTS, "--workers", workers)
        assert fake.stats.calls["DescribeSnapshotAttribute"] == 2
    assert (run.code, run.err) == (1, "")
    assert told_of_snapshots(run) == SNAPSHOT_MESSAGES
    summary = json.loads(run.out)["summary"]
    assert (summary["images"], summary["pass"], summary["fail"]) == (3, 4, 2)
    assert summary["api_calls"]["DescribeSnapshotAttribute"] == 2
    assert [one["images"] for one in json.loads(run.out)["targets"]] == [3]


def test_snapshots_are_not_read_unless_asked_for(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(shared_snapshots()) as fake:
        run = audit(run_amiguard, fake, "--format", "json")
        assert "DescribeSnapshotAttribute" not in fake.stats.calls
    assert (run.code, told_of_snapshots(run)) == (0, {})


def test_the_settings_ask_for_snapshots_too_and_exceptions_accept_them(
    run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        f"version: 1\ntrust: {{accounts: ['{FRIEND}']}}\nchecks: [{SNAPSHOTS}]\n"
        "exceptions:\n  - {images: {names: ['*']}, grantees: any, reason: sold, owner: me@example.com}\n"
    )
    with FakeEc2(shared_snapshots()) as fake:
        run = run_amiguard("audit", "--format", "json", env=fake.environment(OWNER))
    assert {image_id: status for image_id, (status, _) in told_of_snapshots(run).items()} == {
        f"ami-{1:017x}": "suppressed",
        f"ami-{2:017x}": "suppressed",
        f"ami-{3:017x}": "pass",
    }
    assert run.code == 0


def test_snapshots_that_may_not_be_read_are_unknown(run_amiguard: RunAmiguard) -> None:
    denied = Fault(AwsError("UnauthorizedOperation", status=403), action="DescribeSnapshotAttribute")
    with FakeEc2(shared_snapshots(), faults=[denied]) as fake:
        run = audit(run_amiguard, fake, "--format", "json", "--check", SNAPSHOTS)
    assert run.code == 3
    why = "not permitted: ec2:DescribeSnapshotAttribute (grant ec2:DescribeSnapshotAttribute to the caller)"
    assert told_of_snapshots(run) == {
        f"ami-{1:017x}": ("unknown", f"Who may create volumes from its snapshot could not be read: {why}"),
        f"ami-{2:017x}": ("unknown", f"Who may create volumes from its 2 snapshots could not be read: {why}"),
        f"ami-{3:017x}": ("pass", "It has no snapshots."),
    }


@pytest.mark.parametrize(
    "form",
    ["table", "text", "csv", "markdown", "html", "sarif", "junit", "ocsf", "asff", "conformity", "jsonl"],
)
def test_every_format_takes_its_results(run_amiguard: RunAmiguard, form: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    with FakeEc2(shared_snapshots()) as fake:
        run = audit(run_amiguard, fake, "--format", f"{form}={report}", "--check", SNAPSHOTS)
    assert (run.code, run.err) == (1, "")
    assert "ami-00000000000000001" in report.read_text()
