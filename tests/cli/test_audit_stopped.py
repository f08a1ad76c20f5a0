"""`amiguard audit` that is interrupted, hung up on, or watched on a terminal."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    Fault,
    Hang,
    Rewrite,
    account_grant,
    by_id,
)
from tests.cli.audit_runs import ACCOUNT, ORGANIZATION, PRIVATE, SHARED_BADLY, STRANGER, TRUSTED, regions
from tests.conftest import PROGRAM, scrubbed_environment


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_audit_that_is_stopped_before_it_began_is_no_traceback(tmp_path: Path, number: signal.Signals) -> None:
    organization = FakeOrganization(ORGANIZATION, ACCOUNT)
    stopper = Stopper(number)
    fault = Fault(Rewrite(stopper), action="DescribeOrganization")
    with (
        FakeEc2(Estate(regions(PRIVATE).accounts, organization), faults=[fault]) as fake,
        subprocess.Popen(
            [PROGRAM, "audit", "--trust", "own"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        stopper.watch(program)
        out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (130, "", "")


class Stopper:
    """Sends a signal to a program in the middle of a call."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        self._started = threading.Event()

    def watch(self, program: "subprocess.Popen[str]") -> None:
        self._program = program
        self._started.set()

    def __call__(self, body: bytes) -> bytes:
        self._started.wait(60)
        self._program.send_signal(self._number)
        return body


def test_an_interrupted_audit_writes_what_it_knows(tmp_path: Path) -> None:
    """SIGINT while one region hangs: the other's results are there, the hanging one is failed, and it ends 130."""
    fault = Fault(Hang(), action="DescribeImageAttribute", region="eu-central-1")
    account = {"us-east-1": FakeRegion(by_id(SHARED_BADLY)), "eu-central-1": FakeRegion(by_id(PRIVATE))}
    with FakeEc2(Estate({ACCOUNT: FakeAccount(account)}), faults=[fault]) as fake:
        program = subprocess.Popen(
            [PROGRAM, "audit", "--trust", TRUSTED, "--format", "jsonl"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with program:
            assert program.stdout is not None
            assert program.stderr is not None
            lines = [program.stdout.readline(), program.stdout.readline()]  # the header, and us-east-1 has ended
            program.send_signal(signal.SIGINT)
            lines += program.stdout.readlines()
            err = program.stderr.read()
    header, leaked, unread, summary = map(json.loads, lines)
    assert program.returncode == 130
    assert err == ""
    assert header["type"] == "header"
    assert leaked["status"] == "fail"
    assert (unread["image"], unread["status"], unread["region"]) == (None, "unknown", "eu-central-1")
    assert unread["message"] == "The images could not be listed: interrupted"
    assert summary["complete"] is False
    assert {target["region"]: target["status"] for target in summary["targets"]} == {
        "eu-central-1": "failed",
        "us-east-1": "audited",
    }


def test_a_reader_that_went_away_is_no_traceback(tmp_path: Path) -> None:
    images = tuple(FakeImage(f"ami-{number:017x}", grants=(account_grant(STRANGER),)) for number in range(2000))
    with FakeEc2(regions(*images)) as fake:
        environment = scrubbed_environment(tmp_path, fake.environment(ACCOUNT))
        command = f"'{PROGRAM}' audit --trust {TRUSTED} --read-bucket none | head -n 1"
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.stdout, done.stderr) == ("Shared with grantees that are not trusted\n", "")


def test_no_progress_where_nobody_watches_and_progress_on_a_terminal(tmp_path: Path) -> None:
    with FakeEc2(regions(PRIVATE)) as fake:
        controller, terminal = os.openpty()
        environment = scrubbed_environment(tmp_path, {**fake.environment(ACCOUNT), "TERM": "xterm"})
        shown: list[bytes] = []

        def watch() -> None:
            try:
                while chunk := os.read(controller, 4096):
                    shown.append(chunk)
            except OSError:  # the other side has closed the terminal
                pass

        watcher = threading.Thread(target=watch)
        watcher.start()
        done = subprocess.run(
            [PROGRAM, "audit", "--trust", TRUSTED],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=False,
        )
        os.close(terminal)
        watcher.join()
        os.close(controller)
    assert done.returncode == 0
    assert b"auditing: targets" in b"".join(shown)
    assert b"auditing" not in done.stdout
