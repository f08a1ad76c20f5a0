"""An apply that EC2 never serves: it ends when it is stopped, and says so."""

import signal
import subprocess
from pathlib import Path

from benchmarks.fake_ec2 import AwsError, FakeEc2, FakeImage, Fault, account_grant, single_account
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment

OWN, TRUSTED, STRANGER = "111122223333", "222233334444", "999900000001"
SHARED = FakeImage("ami-00000000000000001", grants=(account_grant(STRANGER), account_grant(TRUSTED)))
THROTTLED = Fault(AwsError("RequestLimitExceeded", status=503), action="ModifyImageAttribute")
ARGUMENTS = ("apply", "amiguard-plan.json", "--trust", TRUSTED, "--yes", "--force")


def test_the_deadline_ends_calls_that_are_always_throttled(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(single_account(SHARED, account_id=OWN), faults=[THROTTLED]) as fake:
        environment = fake.environment(OWN)
        assert run_amiguard("plan", "--trust", TRUSTED, env=environment).code == 0
        run = run_amiguard(*ARGUMENTS, "--deadline", "1s", env=environment)
        assert run.code == 4, run.out + run.err
        assert "EC2 throttled the call until the run was stopped" in " ".join(run.out.split())
        assert "the deadline has passed" in run.err
        fake.set_faults()
        assert run_amiguard(*ARGUMENTS, env=environment).code == 0


def test_one_sigterm_ends_it(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(single_account(SHARED, account_id=OWN), faults=[THROTTLED]) as fake:
        environment = fake.environment(OWN)
        assert run_amiguard("plan", "--trust", TRUSTED, env=environment).code == 0
        with subprocess.Popen(
            [PROGRAM, *ARGUMENTS],
            cwd=tmp_path,
            env=scrubbed_environment(tmp_path, environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stderr is not None
            # The path of the journal is told before the first call.
            told = program.stderr.readline()
            while fake.stats.calls["ModifyImageAttribute"] == 0 and program.poll() is None:
                pass
            program.send_signal(signal.SIGTERM)
            try:
                out, _ = program.communicate(timeout=60)
            finally:
                program.kill()
        assert program.returncode == 130
        assert told.startswith("journal: ")
        assert "not tried" in out or "EC2 throttled the call" in " ".join(out.split())
