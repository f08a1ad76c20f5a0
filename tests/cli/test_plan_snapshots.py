"""`amiguard plan --snapshots` as installed: from an audit and from a report, applied and rolled back."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from amiguard.core.checks.ami_snapshot_cross_account import METADATA
from amiguard.core.remediation import HOLD_TAG
from benchmarks.fake_ec2 import (
    AwsError,
    Estate,
    FakeAccount,
    FakeBlockDevice,
    FakeEc2,
    FakeRegion,
    FakeSnapshot,
    Fault,
    by_id,
    by_snapshot_id,
)
from tests.cli.remediation_estate import (
    FRIEND,
    OWNER,
    PLAN,
    STRANGER,
    TRUST,
    US,
    changing_calls,
    grant,
    image,
    image_id,
    journals,
    read_json,
)
from tests.conftest import Run, RunAmiguard

GRANTS = {1: {"all", FRIEND}, 2: {STRANGER, FRIEND}, 3: {STRANGER}, 4: {FRIEND}}
UNDER = {1: (1,), 2: (2, 3), 3: (2,), 4: (4, 1)}
"""By image number the snapshots under it."""
AFTER = {**GRANTS, 1: {FRIEND}, 2: {FRIEND}, 3: set()}


def snapshot_id(number: int) -> str:
    return f"snap-{number:017x}"


def estate(held: int | None = None) -> Estate:
    images = (
        image(
            number,
            {FRIEND},
            name=f"image-{number}",
            tags=((HOLD_TAG, ""),) if number == held else (),
            block_devices=tuple(FakeBlockDevice(f"/dev/sd{one}", snapshot_id(one)) for one in snapshots),
        )
        for number, snapshots in UNDER.items()
    )
    snapshots = (FakeSnapshot(snapshot_id(one), tuple(map(grant, sorted(who)))) for one, who in GRANTS.items())
    region = FakeRegion(by_id(*images), snapshots=by_snapshot_id(*snapshots))
    return Estate({OWNER: FakeAccount({US: region})})


def plan(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str) -> Run:
    return run_amiguard("plan", *TRUST, "--snapshots", *arguments, env=fake.environment(OWNER))


def removed(file: Path) -> dict[str, set[str]]:
    """By snapshot id whom the plan removes; it changes nothing else."""
    changes = read_json(file)["changes"]
    assert {one["kind"] for one in changes} <= {"create_volume_permission"}
    return {one["snapshot_id"]: {grant["grantee"] for grant in one["remove"]} for one in changes}


def shared(fake: FakeEc2) -> Mapping[int, set[str]]:
    found = {number: fake.snapshot(OWNER, US, snapshot_id(number)) for number in GRANTS}
    return {number: {grant.value for grant in one.grants} for number, one in found.items() if one is not None}


REMOVED = {snapshot_id(number): GRANTS[number] - AFTER[number] for number in (1, 2, 3)}
TABLE = f"""\
{OWNER}  {US}
  {snapshot_id(1)}  -1
      under {image_id(1)}, {image_id(4)}
    - everyone: every AWS account may create volumes from it
      stays: {FRIEND}
  {snapshot_id(2)}  -1
      under {image_id(2)}, {image_id(3)}
    - account {STRANGER}: not in the trust policy
      stays: {FRIEND}
  {snapshot_id(3)}  -1
      under {image_id(2)}
    - account {STRANGER}: not in the trust policy
      no grant stays

Summary
No image would be changed. The audit read 4 images with 4 grants.
3 snapshots would be changed: 3 grants removed.
"""


def test_evidence_is_collected_about_images_only(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate()) as fake:
        run = plan(run_amiguard, fake, "--evidence", "all")
        assert (run.code, run.out) == (0, TABLE)
        evidence = {"CreateImageUsageReport", "DescribeImageUsageReports", "LookupEvents", "ListGrants", "GetKeyPolicy"}
        assert not evidence & set(fake.stats.calls)


def test_snapshots_are_planned_applied_and_rolled_back(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(estate()) as fake:
        run = plan(run_amiguard, fake)
        assert (run.code, run.out) == (0, TABLE)
        assert removed(tmp_path / PLAN) == REMOVED
        assert changing_calls(fake) == 0
        without = run_amiguard("plan", *TRUST, "--output", "none.json", env=fake.environment(OWNER))
        assert without.out == "Summary\nNothing to change. The audit read 4 images with 4 grants.\n"

        applied = run_amiguard("apply", PLAN, "--yes", *TRUST, env=fake.environment(OWNER))
        assert (applied.code, applied.out.splitlines()[-1]) == (0, "3 applied.")
        assert shared(fake) == AFTER

        (journal,) = journals(tmp_path)
        undone = run_amiguard("rollback", "--yes", str(journal), env=fake.environment(OWNER))
        assert (undone.code, undone.out.splitlines()[-1]) == (0, "3 undone.")
        assert shared(fake) == GRANTS


@pytest.mark.parametrize("narrowed", [("--image", image_id(1)), ("--status", "fail")], ids=lambda words: words[0])
def test_a_report_of_some_images_only_plans_no_snapshot(
    run_amiguard: RunAmiguard, tmp_path: Path, narrowed: tuple[str, str]
) -> None:
    """An image that it does not hold may have the snapshot, and an exception."""
    with FakeEc2(estate()) as fake:
        audit = ("audit", *TRUST, "--check", METADATA.check_id, "--format", "json=some.json", *narrowed)
        run_amiguard(*audit, env=fake.environment(OWNER))
        run = plan(run_amiguard, fake, "--from", "some.json")
    assert run.code == 3
    assert "not all images of the target are known, and another may have this snapshot" in " ".join(run.out.split())
    assert not (tmp_path / PLAN).exists() or removed(tmp_path / PLAN) == {}


def test_a_report_is_judged_anew_and_must_hold_the_snapshots(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(estate()) as fake:
        environment = fake.environment(OWNER)
        for name, more in (("with.json", ("--check", METADATA.check_id)), ("without.json", ())):
            run_amiguard("audit", *TRUST, "--format", f"json={name}", *more, env=environment)
        fake.reset()
        run = plan(run_amiguard, fake, "--from", "with.json")
        assert (run.code, run.out) == (0, TABLE)
        assert removed(tmp_path / PLAN) == REMOVED
        assert set(fake.stats.calls) <= {"GetCallerIdentity", "DescribeRegions"}
        (tmp_path / PLAN).unlink()

        arguments = ("plan", "--trust", STRANGER, "--trust", FRIEND, "--snapshots", "--from", "with.json")
        today = run_amiguard(*arguments, env=environment)
        assert (today.code, removed(tmp_path / PLAN)) == (0, {snapshot_id(1): {"all"}})
        (tmp_path / PLAN).unlink()

        refused = plan(run_amiguard, fake, "--from", "without.json")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == (
            "amiguard: error: without.json does not say who may use the snapshots under images\n"
            f"  hint: audit with --check {METADATA.check_id}, or plan without --from\n"
        )
        assert not (tmp_path / PLAN).exists()


def test_held_images_unread_snapshots_kinds_and_named_images(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    denied = Fault(AwsError("UnauthorizedOperation", status=403), names=snapshot_id(1))
    with FakeEc2(estate(held=3), faults=[denied]) as fake:
        run = plan(run_amiguard, fake)
    assert (run.code, removed(tmp_path / PLAN)) == (3, {snapshot_id(3): {STRANGER}})
    text = re.sub(r"\n +", " ", run.out)
    held = f"{OWNER} {US}  {image_id(3)}  {snapshot_id(2)}: its image is not to be changed: it has the tag {HOLD_TAG}"
    assert held in text.replace("  us", " us")
    assert f"{snapshot_id(1)}: who may create volumes from it could not be read: not permitted: ec2:Desc" in text
    with FakeEc2(estate()) as fake:
        assert plan(run_amiguard, fake, "--only", "accounts").code == 0
        assert removed(tmp_path / PLAN) == {snapshot_id(2): {STRANGER}, snapshot_id(3): {STRANGER}}
        run = plan(run_amiguard, fake, "--image", image_id(3))
    assert removed(tmp_path / PLAN) == {snapshot_id(2): {STRANGER}}
    assert "      decided by the images that were named: others may have this snapshot, too\n" in run.out


def test_commands_for_snapshots(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate()) as fake:
        run = plan(run_amiguard, fake, "--format", "aws-cli")
    commands = [line for line in run.out.splitlines() if line.startswith("aws ")]
    assert [line.split()[2] for line in commands] == ["modify-snapshot-attribute"] * 3
    assert commands[0].split(" || ")[0] == (
        f"aws ec2 modify-snapshot-attribute --region {US} --snapshot-id {snapshot_id(1)} --attribute "
        """createVolumePermission --create-volume-permission '{"Remove":[{"Group":"all"}]}'"""
    )
