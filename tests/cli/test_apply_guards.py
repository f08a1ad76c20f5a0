"""`amiguard apply` asks, guards and rehearses before it changes anything."""

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import AwsError, FakeEc2, Fault
from tests.cli.apply_runs import APPLIED, apply, counts
from tests.cli.remediation_estate import (
    AFTER,
    BEFORE,
    CHANGED,
    OWNER,
    PLAN,
    TRUST,
    changing_calls,
    estate,
    image_id,
    made_plan,
    state_of,
)
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of the estate; plans name no endpoint, so that one does for all servers."""
    return made_plan(tmp_path_factory.mktemp("plan"), estate())[1]


@pytest.fixture
def plan(made: Path, tmp_path: Path) -> Path:
    """A copy of the plan, where the program runs."""
    return Path(shutil.copy(made, tmp_path / PLAN))


def test_a_guard_refuses_with_the_counts_and_force_goes_on(run_amiguard: RunAmiguard, plan: Path) -> None:
    with FakeEc2(estate()) as fake:
        refused = apply(run_amiguard, fake, "--yes", "--max-images", "4")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == (
            "amiguard: error: amiguard-plan.json is refused: it changes 5 images, and at most 4 (--max-images) need no "
            "--force\n  hint: read the plan again; if it is right, say --force\n"
        )
        assert state_of(fake) == BEFORE
        forced = apply(run_amiguard, fake, "--yes", "--max-images", "4", "--force")
        assert (forced.code, forced.out) == (0, APPLIED)
        assert forced.err.startswith("amiguard: warning: it changes 5 images, and at most 4 (--max-images)")


def test_who_trusts_nobody_or_takes_most_grants_away_must_say_force(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text("version: 1\ntrust: nobody\n")
    most = "it removes 17 of 17 grants of the audited images, and more than half needs --force"
    nobody = "it removes 17 grants by a trust policy that trusts nobody, which needs --force"
    with FakeEc2(estate()) as fake:
        planned = run_amiguard("plan", env=fake.environment(OWNER))
        assert planned.code == 0
        assert planned.err.splitlines()[:2] == [
            f"amiguard: warning: the plan needs --force to be applied: {message}" for message in (most, nobody)
        ]
        refused = apply(run_amiguard, fake, "--yes", trust=())
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"amiguard: error: amiguard-plan.json is refused: {most}; {nobody}\n")
        assert changing_calls(fake) == 0


def test_without_a_terminal_and_without_yes_nothing_is_called(
    run_amiguard: RunAmiguard, plan: Path, tmp_path: Path
) -> None:
    with FakeEc2(estate()) as fake:
        run = apply(run_amiguard, fake)
        assert not fake.stats.calls
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "amiguard: error: there is no terminal to ask on: nothing was done\n"
        "  hint: say --yes to go on without being asked\n"
    )


def on_a_terminal(home: Path, answer: str, *arguments: str, env: dict[str, str]) -> tuple[int, str]:
    """Run the program on a terminal of its own, and answer its question; exit code and all that it showed."""
    main, terminal = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env=scrubbed_environment(home, {**env, "TERM": "xterm"}),
        cwd=home,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as program:
        os.close(terminal)
        shown, answered, deadline = b"", False, time.monotonic() + 60
        while time.monotonic() < deadline:
            if not select.select([main], [], [], 1)[0]:
                continue
            try:
                shown += os.read(main, 65536)
            except OSError:  # Linux says so that the other side is closed
                break
            if not answered and b"[y/N]: " in shown:
                os.write(main, answer.encode() + b"\n")
                answered = True
        os.close(main)
        code = program.wait(timeout=30)
    return code, shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_the_plan_is_shown_and_asked_about(plan: Path, tmp_path: Path, answer: str) -> None:
    with FakeEc2(estate()) as fake:
        code, shown = on_a_terminal(tmp_path, answer, "apply", PLAN, *TRUST, env=fake.environment(OWNER))
        assert state_of(fake) == (AFTER if answer == "y" else BEFORE)
        assert changing_calls(fake) == (5 if answer == "y" else 0)
    before, question, after = shown.partition("Make 5 changes? [y/N]: ")
    assert question, shown
    assert "account 999988887777: not in the trust policy" in before
    assert "\x9b" not in shown
    assert code == (0 if answer == "y" else 2)
    assert ("5 applied." if answer == "y" else "you did not agree: nothing was done") in after


def test_a_dry_run_changes_nothing_and_tells_what_would_be_refused(
    run_amiguard: RunAmiguard, plan: Path, tmp_path: Path
) -> None:
    denied = Fault(
        AwsError("UnauthorizedOperation", "You are not authorized to perform this operation.", status=403),
        action="ModifyImageAttribute",
        image_id=image_id(3),
    )
    with FakeEc2(estate(), faults=[denied]) as fake:
        # No --yes: nothing is asked. A guard that stops an apply stops its rehearsal as well.
        assert apply(run_amiguard, fake, "--dry-run", "--max-images", "1").code == 2
        assert not fake.stats.calls["ModifyImageAttribute"]
        run = apply(run_amiguard, fake, "--dry-run", "--max-images", "1", "--force")
        calls = [call for call in fake.stats.recent if call.action == "ModifyImageAttribute"]
        assert len(calls) == len(CHANGED)
        assert all(call.flag("DryRun") for call in calls)
        assert state_of(fake) == BEFORE
    assert run.code == 4
    assert not (tmp_path / ".local").exists()
    assert "Not done (1)\n" in run.out
    assert (
        "\n  failed  ami-00000000000000003  - everyone  web-3\n      not permitted: ec2:ModifyImageAttribute" in run.out
    )
    assert counts(run) == "Nothing was changed, this was a dry run: 4 would be applied, 1 failed."
