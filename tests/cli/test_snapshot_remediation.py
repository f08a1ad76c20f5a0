"""Snapshots from plan to rollback, as installed: killed in the middle, gone on with, looked up, undone."""

import subprocess
from pathlib import Path

from benchmarks.fake_ec2 import (
    AwsError,
    Estate,
    FakeAccount,
    FakeBlockDevice,
    FakeEc2,
    FakeRegion,
    FakeSnapshot,
    Fault,
    Rewrite,
    by_id,
    by_snapshot_id,
)
from tests.cli.remediation_estate import FRIEND, OWNER, PLAN, STRANGER, TRUST, US, amiguard, grant, image
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment
from tests.fakes.killer import Killer

NUMBERS = range(1, 6)
BEFORE = frozenset({"all", FRIEND, STRANGER})
AFTER = frozenset({FRIEND})
MODIFY = "ModifySnapshotAttribute"


def snapshot_id(number: int) -> str:
    return f"snap-{number:017x}"


def estate() -> Estate:
    """Images that are shared with a friend only, and whose snapshots are shared with everyone."""
    images = by_id(
        *(
            image(number, {FRIEND}, block_devices=(FakeBlockDevice("/dev/xvda", snapshot_id(number)),))
            for number in NUMBERS
        )
    )
    shared = by_snapshot_id(*(FakeSnapshot(snapshot_id(one), tuple(map(grant, sorted(BEFORE)))) for one in NUMBERS))
    return Estate({OWNER: FakeAccount({US: FakeRegion(images, snapshots=shared)})})


def shares(fake: FakeEc2) -> list[frozenset[str]]:
    found = [fake.snapshot(OWNER, US, snapshot_id(number)) for number in NUMBERS]
    return [frozenset(grant.value for grant in one.grants) for one in found if one is not None]


def kill_at_a_call(fake: FakeEc2, home: Path, command: list[str]) -> None:
    """The program dies when EC2 has served a change, and before it has read the reply."""
    killer = Killer()
    fake.set_faults(Fault(Rewrite(killer), action=MODIFY, skip=2, times=1))
    program = subprocess.Popen(
        command,
        cwd=home,
        env=scrubbed_environment(home, fake.environment(OWNER)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with killer.watch(program):
        program.wait()
    fake.set_faults()
    assert killer.killed


def test_a_killed_apply_of_snapshots_is_gone_on_with_and_undone(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(estate()) as fake:
        environment = fake.environment(OWNER)
        planned = run_amiguard("plan", "--snapshots", *TRUST, "--quiet", env=environment)
        assert planned.code == 0, planned.err
        assert shares(fake) == [BEFORE] * 5

        apply = ("apply", PLAN, *TRUST, "--yes", "--force", "--quiet", "--journal", "journal")
        dry = run_amiguard("apply", PLAN, *TRUST, "--dry-run", "--force", "--quiet", env=environment)
        assert dry.code == 0, dry.out + dry.err
        assert dry.out.count("would be applied  snap-") == 5
        kill_at_a_call(fake, tmp_path, [str(PROGRAM), *apply])
        assert 1 <= shares(fake).count(AFTER) <= 5
        assert set(shares(fake)) <= {BEFORE, AFTER}

        again = run_amiguard(*apply, env=environment)
        assert again.code == 0, again.out + again.err
        assert shares(fake) == [AFTER] * 5

        checked = run_amiguard("rollback", "--check", "journal", env=environment)
        assert checked.code == 0, checked.err
        assert (
            "  applied  snap-00000000000000001  - everyone, 999988887777  under ami-00000000000000001\n" in checked.out
        )
        assert checked.out.endswith("5 applied.\n")
        undone = run_amiguard("rollback", "journal", "--yes", "--quiet", env=environment)
        assert undone.code == 0, undone.out + undone.err
        assert shares(fake) == [BEFORE] * 5
        assert fake.stats.calls["ModifyImageAttribute"] == 0


def test_what_may_not_be_changed_is_told_and_not_changed(tmp_path: Path) -> None:
    with FakeEc2(estate()) as fake:
        environment = fake.environment(OWNER)
        assert amiguard(tmp_path, "plan", "--snapshots", *TRUST, "--quiet", env=environment).code == 0
        fake.set_faults(Fault(AwsError("UnauthorizedOperation", status=403), action=MODIFY))
        run = amiguard(tmp_path, "apply", PLAN, *TRUST, "--yes", "--force", "--quiet", env=environment)
        assert run.code == 4
        assert run.out.count(f"not permitted: ec2:{MODIFY} (grant ec2:{MODIFY} to the caller)") == 5
        assert run.out.endswith("5 failed.\n")
        assert shares(fake) == [BEFORE] * 5
