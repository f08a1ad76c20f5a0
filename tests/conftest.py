"""Fixtures for all tests: the installed program in a scrubbed environment, and no way out of this machine."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

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
        "AWS_SECRET_ACCESS_KEY": "dummy-secret-for-tests",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-aws-credentials"),
        **(extra or {}),
    }


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In-process tests see the same scrubbed environment as the program."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AMIGUARD_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in scrubbed_environment(tmp_path).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


@pytest.fixture
def run_amiguard(tmp_path: Path) -> RunAmiguard:
    """Run the installed program in an empty folder: `run_amiguard("audit", "--trust", ID, env={...}, cwd=...)`."""

    def run(
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: str = "",
        timeout: float = 120,
    ) -> Run:
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=scrubbed_environment(tmp_path, env),
            cwd=cwd or tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run
