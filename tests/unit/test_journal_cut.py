"""Journals of runs that were killed, of full disks and power cuts: read, and gone on with."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.errors import OutputError
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.files.journal import read_journal
from tests.unit.journals import HEADER, LATER, REMOVE, fill, lines, opened, refused
from tests.unit.plan_strategies import IMAGE_EDIT, SWITCH_EDIT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    fill(path)
    return path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of files, none of which has to outlive a power cut."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def full_write(descriptor: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def short_write(descriptor: int, data: bytes, real: Callable[[int, bytes], int] = os.write) -> int:
    return real(descriptor, data[:20])


def failed_sync(descriptor: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def failed_truncate(descriptor: int, size: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize(
    ("name", "stub", "why"),
    [
        ("write", full_write, "No space left"),
        ("write", short_write, "No space left"),
        ("fsync", failed_sync, "Input/output error"),
    ],
)
@pytest.mark.parametrize("cut_back", [True, False])
def test_a_record_that_cannot_be_written_stops_the_run_and_the_journal_stays_readable(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    stub: Callable[..., Any],
    why: str,
    *,
    cut_back: bool,
) -> None:
    with opened(path) as journal:
        before = path.read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(os, name, stub)
            if not cut_back:
                patched.setattr(os, "ftruncate", failed_truncate)
            with pytest.raises(OutputError, match=why):
                journal.intend(IMAGE_EDIT, REMOVE)
        if cut_back:
            assert path.read_bytes() == before
            assert journal.known(IMAGE_EDIT.key) == JournaledChange(IMAGE_EDIT, ChangeStatus.APPLIED)
        with pytest.raises(OutputError, match="could not be written before"):
            journal.conclude(SWITCH_EDIT, ChangeStatus.APPLIED)
    assert len(read_journal(path).changes) == 2
    with opened(path) as journal:
        journal.intend(IMAGE_EDIT, REMOVE)
    assert read_journal(path).changes[-1] == JournaledChange(IMAGE_EDIT, None)


@pytest.mark.parametrize("stub", [full_write, short_write])
def test_a_journal_that_cannot_be_begun_can_be_begun_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: Callable[..., Any]
) -> None:
    path = tmp_path / "journal.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", stub)
        with pytest.raises(OutputError, match="No space left"):
            opened(path)
    fill(path)
    assert len(read_journal(path).changes) == 2


def intended(data: bytes) -> set[str]:
    """The kinds of the edits in whole records (a line break is no part of them), by a reader of its own."""
    kinds = set()
    for line in data.splitlines():
        with suppress(ValueError):
            record = json.loads(line)
            if record["type"] == "intent":
                kinds.add(record["edit"]["kind"])
    return kinds


@pytest.mark.usefixtures("quick")
def test_a_journal_cut_anywhere_is_read_and_gone_on_with(path: Path) -> None:
    whole = path.read_bytes()
    first, last = len(lines(path)[0]), len(whole) - len(lines(path)[-1])
    for size in (*range(first, last, 17), *range(last, len(whole))):
        path.write_bytes(whole[:size])
        record = read_journal(path)
        assert record.header == HEADER
        assert len(record.changes) == len(intended(whole[:size]))
        with opened(path, LATER) as journal:
            assert read_journal(path).changes == record.changes
            journal.intend(SWITCH_EDIT, None)
        again = read_journal(path)
        assert path.read_bytes().startswith(whole[:size])
        assert again.changes[-1] == JournaledChange(SWITCH_EDIT, None)
        assert again.header.caller_arn == LATER.caller_arn


@pytest.mark.usefixtures("quick")
def test_a_journal_cut_within_its_header_is_begun_anew(path: Path) -> None:
    header = lines(path)[0]
    for size in range(0, len(header) - 2, 7):
        path.write_bytes(header[:size])
        assert "ends within its first record" in refused(lambda: read_journal(path), path)
        with opened(path, LATER):
            pass
        assert read_journal(path).header == LATER
    path.write_bytes(header[:-1])
    with opened(path):
        pass
    assert read_journal(path).header == HEADER


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_killed_while_it_goes_on_can_be_gone_on_with(path: Path) -> None:
    cut = path.read_bytes()[:-20]
    path.write_bytes(cut)
    with opened(path, LATER):
        pass
    resumed = path.read_bytes()[len(cut) :]
    assert resumed.startswith(b'\n{"type":"resumed"')
    for size in range(0, len(resumed), 3):
        path.write_bytes(cut + resumed[:size])
        read_journal(path)
        with opened(path, LATER) as journal:
            journal.intend(SWITCH_EDIT, None)
        assert read_journal(path).changes[-1] == JournaledChange(SWITCH_EDIT, None)


def test_a_power_cut_may_leave_zeros(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(300))
    assert len(read_journal(path).changes) == 2
    with opened(path):
        pass
    assert len(read_journal(path).changes) == 2


def test_what_a_killed_process_has_written_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from tests.unit.test_journal import *\n"
        "journal = opened(Path(sys.argv[1]))\njournal.intend(IMAGE_EDIT, ADD)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=Path(__file__).parents[2], check=False, capture_output=True
    )
    assert done.returncode == -9, done.stderr
    assert read_journal(path).changes == (JournaledChange(IMAGE_EDIT, None),)
    with opened(path) as journal:
        assert journal.known(IMAGE_EDIT.key) == JournaledChange(IMAGE_EDIT, None)
