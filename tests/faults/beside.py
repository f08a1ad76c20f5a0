"""Faults that belong to no single call: names that do not resolve, disks that are full, signals."""

import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.fake_ec2 import FakeEc2, Fault, Rewrite
from tests.conftest import PROGRAM, scrubbed_environment
from tests.fakes.killer import Killer
from tests.faults.estate import OWNER
from tests.faults.judge import Outcome, judge
from tests.faults.matrix import ARGUMENTS, CALLS, Run
from tests.faults.play import Played, Stage, play
from tests.faults.stage import prepared

_VARIABLES: Final = {
    "cloudtrail": "AWS_ENDPOINT_URL_CLOUDTRAIL",
    "ec2": "AWS_ENDPOINT_URL_EC2",
    "kms": "AWS_ENDPOINT_URL_KMS",
    "organizations": "AWS_ENDPOINT_URL_ORGANIZATIONS",
    "sts": "AWS_ENDPOINT_URL_STS",
}
_ZONE: Final = ".amiguard.test"
NAMES: Final = (
    (Run.AUDIT, "sts"),
    (Run.AUDIT, "organizations"),
    (Run.AUDIT, "ec2"),
    (Run.EVIDENCE, "ec2"),
    (Run.EVIDENCE, "cloudtrail"),
    (Run.EVIDENCE, "kms"),
    (Run.APPLY, "sts"),
    (Run.APPLY, "ec2"),
    (Run.ROLLBACK, "ec2"),
)
ROOM: Final[Mapping[Run, tuple[int, ...]]] = {
    Run.AUDIT: (0, 500, 2_000, 8_000, 16_000, 1_000_000),
    Run.EVIDENCE: (0, 500, 8_000, 1_000_000),
    Run.APPLY: (0, 300, 900, 1_500, 2_500, 4_000, 1_000_000),
    Run.ROLLBACK: (0, 900, 2_500, 1_000_000),
}
"""Bytes after which no file grows any more."""
FILES: Final[Mapping[Run, tuple[str, ...]]] = {
    Run.AUDIT: ("--output", "report.json", "--checkpoint", "checkpoint"),
    Run.EVIDENCE: ("--output", "report.json"),
    Run.APPLY: (),
    Run.ROLLBACK: (),
}


def without_name(run: Run, service: str, failures: int | None) -> Outcome:
    """The name of a service's endpoint is not known: the first lookups, or ever."""
    begun = prepared(run)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        begun.fill(folder)
        looked_up = threading.Lock()
        left = [failures]

        def endpoints(url: str) -> dict[str, str]:
            port = url.rpartition(":")[2]
            return {variable: f"http://{one}{_ZONE}:{port}" for one, variable in _VARIABLES.items()}

        def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
            text = host.decode() if isinstance(host, bytes) else str(host)
            if not text.endswith(_ZONE):
                return whole(host, *arguments, **options)
            with looked_up:
                if text == service + _ZONE and left[0] != 0:
                    if left[0] is not None:
                        left[0] -= 1
                    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return whole("127.0.0.1", *arguments, **options)

        whole = socket.getaddrinfo
        patch.setattr(socket, "getaddrinfo", look_up)
        played = play(Stage(folder, patch, endpoints), begun.estate, ARGUMENTS[run], (), OWNER)
        return judge(run, played, begun)


def without_room(run: Run, room: int) -> Outcome:
    """No file may grow beyond so many bytes: what is written is whole, or not there, and said not to be."""
    begun = prepared(run)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        begun.fill(folder)
        with _no_file_beyond(room):
            played = play(Stage(folder, patch), begun.estate, (*ARGUMENTS[run], *FILES[run]), (), OWNER)
        if run.changes:
            return judge(run, played, begun)
        report = folder / "report.json"
        assert report.exists() == (played.code != 2), "a report that was not written, and exit code as if"
        assert not list(folder.glob(".amiguard-*")), "a part of a report is left behind"
        out = report.read_text(encoding="utf-8") if report.exists() else ""
        told = Played(played.code, out, played.err, played.served, played.fake, played.home)
        return judge(run, told, begun)


@contextmanager
def _no_file_beyond(room: int) -> Iterator[None]:
    # Python ignores SIGXFSZ: a write beyond the limit fails with EFBIG, as one on a full disk does with ENOSPC.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@dataclass(frozen=True)
class _Signalled:
    """To be put into a reply: this process gets a signal while the call is under way."""

    number: signal.Signals

    def __call__(self, body: bytes) -> bytes:
        signal.pthread_kill(threading.main_thread().ident or 0, self.number)
        return body


def signalled(run: Run, call: str, number: signal.Signals) -> Outcome:
    """A signal comes while a call is under way, in the middle of such calls."""
    begun = prepared(run)
    strike = Fault(Rewrite(_Signalled(number)), action=call, skip=begun.calls[OWNER, call] // 2, times=1)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        begun.fill(folder)
        played = play(Stage(folder, patch), begun.estate, ARGUMENTS[run], (strike,), OWNER)
        assert played.code == 130, played.err
        return judge(run, played, begun)


SIGNALLED: Final = tuple((run, call) for run in Run for call in CALLS[run] if call != "GetCallerIdentity")
"""The calls during which signals are the program's own matter: who is calling is asked before there is any to keep."""


def killed(run: Run, call: str) -> Outcome:
    """The program is killed while a call is under way; the same command then goes on, and comes to its end."""
    begun = prepared(run)
    keep = ("--output", "report.json", "--checkpoint", "checkpoint") if not run.changes else ()
    command = [str(PROGRAM), *ARGUMENTS[run], *keep]
    killer = Killer()
    strike = Fault(Rewrite(killer), action=call, skip=begun.calls[OWNER, call] // 2, times=1)
    with tempfile.TemporaryDirectory() as name, FakeEc2(begun.estate, faults=[strike]) as fake:
        folder = Path(name)
        begun.fill(folder)
        environment = scrubbed_environment(folder, fake.environment(OWNER))
        nowhere = subprocess.DEVNULL
        started = subprocess.Popen(command, cwd=folder, env=environment, stdout=nowhere, stderr=nowhere)
        with killer.watch(started) as program:
            program.wait()
        assert program.returncode == -signal.SIGKILL
        assert not (folder / "report.json").exists(), "a killed audit has left a report"
        fake.set_faults()
        fake.reset()
        again = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        out = again.stdout if run.changes else (folder / "report.json").read_text(encoding="utf-8")
        played = Played(again.returncode, out, again.stderr, (), fake, folder)
        if run.changes:
            return judge(run, played, begun)
        assert played.code == begun.played.code
        return Outcome.WHOLE


def terminated_before_the_loop() -> int:
    """SIGTERM while it is asked who is calling: nothing is there to be kept. Returns how the program ended."""
    started, ended = threading.Event(), threading.Event()

    def wait(body: bytes) -> bytes:
        started.set()
        ended.wait(30)
        return body

    strike = Fault(Rewrite(wait), action="GetCallerIdentity")
    with tempfile.TemporaryDirectory() as name, FakeEc2(prepared(Run.AUDIT).estate, faults=[strike]) as fake:
        folder = Path(name)
        environment = scrubbed_environment(folder, fake.environment(OWNER))
        with subprocess.Popen(
            [PROGRAM, *ARGUMENTS[Run.AUDIT]],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program:
            assert started.wait(60)
            os.kill(program.pid, signal.SIGTERM)
            out, err = program.communicate(timeout=60)
            ended.set()
        assert (out, err) == (b"", b"")
        return program.returncode
