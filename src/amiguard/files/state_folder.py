"""The user's state folder: where journals are kept, and the lock that lets one remediation run at a time."""

import fcntl
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from amiguard.core.errors import InputError, OutputError
from amiguard.files.journal_record import JournalKind

_HINT = "set XDG_STATE_HOME to a folder that can be written"
_LOCK = "remediation.lock"
_HOLDER = re.compile(rb'\{"pid": ([0-9]{1,10}), "since": "([0-9TZ:-]{20})"\}\n')


def state_folder(environment: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/amiguard`, else `~/.local/state/amiguard`; made for its owner only if it is not there.

    Who can write there can put a journal there, and a rollback does what a journal says: a folder that others may write
    to is not used.

    Source: XDG Base Directory Specification; a path that is not absolute is ignored.

    Args:
        environment: the environment variables.

    Raises:
        OutputError: there is none, and it cannot be made; or others may write to it.
    """
    configured = Path(environment.get("XDG_STATE_HOME", ""))
    home = Path(environment.get("HOME", ""))
    if configured.is_absolute():
        return _made(configured / "amiguard")
    if home.is_absolute():
        return _made(home / ".local" / "state" / "amiguard")
    raise OutputError("there is no folder for journals: neither XDG_STATE_HOME nor HOME is set", hint=_HINT)


def journal_path(folder: Path, kind: JournalKind, of_id: str) -> Path:
    """Where the journal of a plan or of a rollback is kept; makes the folder that it is in.

    Args:
        folder: from `state_folder`.
        kind: what is done.
        of_id: the id of the plan that is applied, or of the journal that is undone.

    Raises:
        OutputError: the folder cannot be made.
        ValueError: this is no id.
    """
    if not re.fullmatch("[0-9A-Za-z-]+", of_id):
        raise ValueError(f"{of_id!r} is not an id")
    return _made(folder / "journals") / f"{kind.value}-{of_id}.jsonl"


def notify_folder(folder: Path) -> Path:
    """Where it is kept what people were told; made if it is not there.

    Args:
        folder: from `state_folder`.

    Raises:
        OutputError: the folder cannot be made.
    """
    return _made(folder / "notify")


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def remediation_lock(folder: Path, *, clock: Callable[[], datetime] = _now) -> Iterator[None]:
    """Let no other apply or rollback of this user run meanwhile. The lock ends with the process, however that ends.

    Args:
        folder: from `state_folder`.
        clock: gives the time that a second run is told.

    Raises:
        InputError: another one is under way.
        OutputError: the lock cannot be written.
    """
    path = folder / _LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        _take(path, descriptor, clock())
        yield
    finally:
        os.close(descriptor)


def _take(path: Path, descriptor: int, now: datetime) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        since = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": since}).encode() + b"\n", 0)
    except BlockingIOError as error:
        found = _HOLDER.fullmatch(os.pread(descriptor, 200, 0))
        who = f": process {found[1].decode()}, since {found[2].decode()}" if found else ""
        raise InputError(
            f"another apply or rollback of yours is under way{who}", hint="wait until it has ended"
        ) from error
    except OSError as error:
        raise _cannot_write(path, error) from error


def _made(folder: Path) -> Path:
    try:
        for one in reversed((folder, *folder.parents)):
            if not one.is_dir():
                one.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {error.strerror}", hint=_HINT) from error
    _refuse_others(folder)
    return folder


def _refuse_others(folder: Path) -> None:
    found = folder.stat()
    if found.st_uid not in (0, os.geteuid()):
        raise OutputError(f"the folder {folder} belongs to somebody else", hint=_HINT)
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OutputError(f"others may write to the folder {folder}", hint=f"take that from them: chmod go-w {folder}")


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path} cannot be written: {error.strerror}", hint=_HINT)
