"""Where a report goes: stdout, or a file that is replaced as a whole or not at all."""

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from amiguard.core.errors import OutputError
from amiguard.core.planted_link import is_planted

_OPEN_FILES = frozenset(map(Path, ("/dev", "/dev/fd", "/proc/self/fd")))
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def check_writable(path: Path) -> None:
    """Make sure, before an audit begins, that its report can probably be written.

    Raises:
        OutputError: the path is a folder, or its folder does not exist or cannot be written to.
    """
    with _writing(path):
        file = _file_to_replace(path)
    if file is None:
        return
    if not file.parent.is_dir():
        raise OutputError(f"the folder of {path} does not exist", hint=f"create it: mkdir -p {file.parent}")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder of {path} cannot be written to", hint="choose another folder for --output")


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """A text stream for a report. Open it last, when the report is ready to be written.

    Args:
        path: the file to replace, readable for its owner only; None is stdout, which stays open. A link stays, and
            the file that it points to is replaced, unless someone else made the link in a folder like /tmp. A device or
            pipe, and what /dev/stdout stands for, is written to as it is.

    Raises:
        OutputError: the file cannot be written. What it held before is untouched, and no other file is left behind.
        BrokenPipeError: the reader of stdout has gone.
    """
    if path is None:
        with _writing_stdout() as stream:
            yield stream
        return
    with _writing(path):
        file = _file_to_replace(path)
        if file is None:
            # Neither made nor emptied: a file behind /dev/stdout may hold what others wrote before.
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
                yield stream
        else:
            with _replacing(file) as stream:
                yield stream


@contextmanager
def _writing_stdout() -> Iterator[TextIO]:
    # A terminal that cannot show a character of an image's name is no reason to lose the report.
    # Python's own value where it was closed.
    if sys.stdout is None:
        raise OutputError("stdout is closed", hint="use --output")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        # It may be open while an audit runs: what the network has to say is not stdout's.
        if error.errno not in _NO_ROOM:
            raise
        raise OutputError(f"stdout cannot be written: {error.strerror}", hint="make room, or use --output") from error


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    descriptor, name = tempfile.mkstemp(prefix=".amiguard-", dir=file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_to_replace(path: Path) -> Path | None:
    """The regular file, links followed, that is or will be there; None is a device, pipe or open file: not replaced."""
    if path.is_symlink() and is_planted(path.lstat(), path.parent.stat(), os.geteuid()):
        raise OutputError(f"{path} is a link that someone else has made: it is not followed", hint="name another file")
    if path.absolute().parent in _OPEN_FILES and path.exists():
        return None
    file = Path(os.path.realpath(path))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return file
    if stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a folder", hint="name a file in it")
    return file if stat.S_ISREG(mode) else None


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="choose another file with --output; the file is as it was before",
        ) from error
