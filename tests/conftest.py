"""Fixtures for all tests: the installed program in a scrubbed environment, no way out of this machine, no leak."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.fakes.warm_program import COLD, capture_warm
from tests.secret_watch import MARK, Watch, leaked_report, leaks, watching

# The same examples in every run: what fails fails again. `make fuzz` looks for others. CI tries more of them:
# --hypothesis-profile=ci
settings.register_profile("ordinary", derandomize=True, deadline=None, print_blob=True, max_examples=50)
settings.register_profile("ci", settings.get_profile("ordinary"), max_examples=100)
# For whoever writes a test, and wants others each time: --hypothesis-profile=random
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("ordinary")

TESTS = Path(__file__).parent
LONGEST_FIRST = ("cli", "browser", "faults", "integration", "fuzz", "unit")
PROGRAM = Path(sys.executable).with_name("amiguard")


@dataclass(frozen=True)
class Run:
    """One run of the program."""

    code: int
    out: str
    err: str


RunAmiguard = Callable[..., Run]


def scrubbed_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment with dummy credentials, no home of the developer's, and no instance metadata."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),  # a killed audit leaves its spool there
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "LANG": "C.UTF-8",
        "COLUMNS": "160",
        "NO_COLOR": "1",
        "AWS_ACCESS_KEY_ID": "AKIA123456789012TEST",
        "AWS_SECRET_ACCESS_KEY": f"{MARK}-dummy-for-tests",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-aws-credentials"),
        # Where coverage is measured, it is measured in the program, too.
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")},
        **(extra or {}),
    }


def pytest_collection() -> None:
    """What the tests import stays: to look for garbage in it again and again cost a third of all the time."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker of xdist begins with the longest tests: what is left for the end is short, and can be shared."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    rooms: dict[str, list[pytest.Item]] = {room: [] for room in LONGEST_FIRST}
    for item in items:
        rooms.setdefault(item.path.relative_to(TESTS).parts[0], []).append(item)
    items[:] = [
        item
        for worker in range(workers)
        for room in rooms.values()
        # Neighbours stay together: they share fixtures.
        for item in room[len(room) * worker // workers : len(room) * (worker + 1) // workers]
    ]


def pytest_collection_finish() -> None:
    """From here on there is garbage: let it be collected, but not looked for in what was imported."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In-process tests see the same scrubbed environment as the program."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AMIGUARD_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in scrubbed_environment(tmp_path).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True, scope="session")
def secret_watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Looks for dummy secrets in all that is written while the tests run; see `tests/secret_watch.py`."""
    with watching(tmp_path_factory.getbasetemp()) as watch:
        yield watch


@pytest.fixture(autouse=True)
def _no_secret_leaks(secret_watch: Watch, tmp_path: Path) -> Iterator[None]:
    """Fails a test in which a dummy secret was logged, or written to a file of its own."""
    yield
    secret_watch.look_after_test(tmp_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fails a test whose own output, as pytest caught it, holds a dummy secret."""
    report = yield
    return leaked_report(report)


def run_program(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    stdin: str = "",
    timeout: float = 120,
    cold: bool = COLD,
) -> Run:
    """Run the program as a process of its own.

    Args:
        arguments: after its name.
        folder: in which it runs.
        environment: all of it.
        stdin: what it is told.
        timeout: in seconds.
        cold: start what is installed, as a user does; by default it is forked off a process that has imported it, which
            is several times faster (`tests/fakes/warm_program.py`).
    """
    if cold:
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=environment,
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)
    code, out, err = capture_warm(list(arguments), folder, environment, stdin, timeout)
    assert not leaks(out), "a dummy secret is on stdout"
    assert not leaks(err), "a dummy secret is on stderr"
    # As `text=True` reads what a program writes.
    return Run(code, *(said.decode().replace("\r\n", "\n").replace("\r", "\n") for said in (out, err)))


@pytest.fixture
def run_amiguard(tmp_path: Path) -> RunAmiguard:
    """Run the program in an empty folder: `run_amiguard("audit", "--trust", ID, env={...}, cwd=...)`."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = "", **how: Any
    ) -> Run:
        return run_program(arguments, cwd or tmp_path, scrubbed_environment(tmp_path, env), stdin=stdin, **how)

    return run
