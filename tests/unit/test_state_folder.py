"""The state folder, and the lock that lets one remediation run at a time."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from amiguard.core.errors import InputError, OutputError
from amiguard.files.journal_record import JournalKind
from amiguard.files.state_folder import journal_path, remediation_lock, state_folder
from tests.unit.plan_strategies import NOON

HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from amiguard.files.state_folder import remediation_lock
with remediation_lock(Path(sys.argv[1]), clock=lambda: datetime(2026, 6, 15, 12, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_where_the_environment_says_and_its_owners(tmp_path: Path) -> None:
    state, home = tmp_path / "a" / "state", tmp_path / "home"
    assert state_folder({"XDG_STATE_HOME": str(state), "HOME": str(home)}) == state / "amiguard"
    assert [mode(one) for one in (state.parent, state, state / "amiguard")] == [0o700] * 3
    for ignored in ({}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}):
        assert state_folder({**ignored, "HOME": str(home)}) == home / ".local" / "state" / "amiguard"
    assert mode(home / ".local" / "state" / "amiguard") == 0o700


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "amiguard").mkdir(mode=0o755)
    (tmp_path / "amiguard" / "file").touch()
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "amiguard"
    assert (tmp_path / "amiguard" / "file").exists()
    assert mode(tmp_path / "amiguard") == 0o755


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "relative"}, {"XDG_STATE_HOME": "relative"}])
def test_without_a_home_there_is_none(environment: dict[str, str]) -> None:
    with pytest.raises(OutputError, match="neither") as caught:
        state_folder(environment)
    assert "XDG_STATE_HOME" in (caught.value.hint or "")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "amiguard").touch()
    for state in (tmp_path / "file", tmp_path, tmp_path / "file" / "deeper"):
        with pytest.raises(OutputError, match="cannot be made") as caught:
            state_folder({"XDG_STATE_HOME": str(state)})
        assert "XDG_STATE_HOME" in (caught.value.hint or "")


def test_a_journal_has_its_place(tmp_path: Path) -> None:
    path = journal_path(tmp_path, JournalKind.APPLY, "6e0e5ab0-7f3b")
    assert path == tmp_path / "journals" / "apply-6e0e5ab0-7f3b.jsonl"
    assert mode(path.parent) == 0o700
    assert journal_path(tmp_path, JournalKind.ROLLBACK, "1").name == "rollback-1.jsonl"
    for other in ("", "../x", "a/b", "a\n", "."):
        with pytest.raises(ValueError, match="is not an id"):
            journal_path(tmp_path, JournalKind.APPLY, other)


def test_a_second_lock_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with remediation_lock(tmp_path, clock=lambda: NOON):
        assert mode(tmp_path / "remediation.lock") == 0o600
        with pytest.raises(InputError) as caught, remediation_lock(tmp_path):
            pass
        assert caught.value.message == (
            f"another apply or rollback of yours is under way: process {os.getpid()}, since 2026-06-15T12:00:00Z"
        )
        assert caught.value.hint
    with remediation_lock(tmp_path):
        pass


def test_what_the_lock_file_says_is_not_believed(tmp_path: Path) -> None:
    with remediation_lock(tmp_path):
        for said in ("", "\x1b[2J\n", "x" * 1000, json.dumps({"pid": "\x1b[2J", "since": "now"})):
            (tmp_path / "remediation.lock").write_text(said)
            with pytest.raises(InputError) as caught, remediation_lock(tmp_path):
                pass
            assert caught.value.message == "another apply or rollback of yours is under way"


def test_the_lock_of_another_process_ends_with_it_however_it_ends(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        held = f"process {other.pid}, since 2026-06-15T12:00:00Z"
        with pytest.raises(InputError, match=held), remediation_lock(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        with remediation_lock(tmp_path):
            pass


def test_a_lock_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "remediation.lock").symlink_to(tmp_path / "target")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(OutputError, match="cannot be written"), remediation_lock(folder):
            pass
