"""The journal: what is about to be done is on disk before it is done, and what became of it after.

JSON lines, only ever appended to, each with one write and one fsync, and each with a digest over itself and all before
it: what was changed since is not followed. A run that is killed leaves at most one line that
is not whole; the next run of the same ends that line and goes on below it.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from amiguard.core.edit import Edit, Step
from amiguard.core.errors import InputError, OutputError
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.files.atomic_write import sync_folder
from amiguard.files.journal_reading import JournalContent, read_content
from amiguard.files.journal_record import JournalHeader, JournalKind, JournalRecord
from amiguard.files.journal_v1 import OutcomeV1, RecordV1, header_v1, intent_v1, line_of, resumed_v1

_ANOTHER = "name another file with --journal; it was not touched"
_OF = {JournalKind.APPLY: "plan", JournalKind.ROLLBACK: "journal"}


def _now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """An open journal, locked against a second run: a `core.ports.ChangeJournal`. Use it in a `with` statement.

    After a record could not be written nothing more is: every later one is refused too.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, descriptor: int, content: JournalContent, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._descriptor = descriptor
        self._content = content
        self._clock = clock
        self._broken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def header(self) -> JournalHeader:
        """Of all runs together, this one included."""
        return self._content.header

    def close(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)

    def known(self, key: str) -> JournaledChange | None:
        """What the journal says of an edit, by the edit's key."""
        return self._content.changes.get(key)

    def intend(self, edit: Edit, step: Step | None) -> None:
        """A call is about to be made for this edit; the step is None for image block public access.

        Raises:
            OutputError: that is not on disk: the call must not be made.
            ValueError: the journal has another edit of the same, or the step is not one of such an edit.
        """
        known = self._content.changes.get(edit.key)
        if known is not None and known.edit != edit:
            raise ValueError(f"the journal has another edit of {edit.key}")
        self._append(intent_v1(edit, step, self._clock()))
        self._content.intend(edit)

    @property
    def done(self) -> frozenset[str]:
        """Keys of the edits that were made since what the journal is of has last changed."""
        return frozenset(self._content.done)

    def conclude(self, edit: Edit, status: ChangeStatus, reason: str = "", *, may_have_effect: bool = True) -> None:
        """What became of an edit for which a call was made, and whether anything of it may be in force.

        Raises:
            OutputError: that is not on disk.
            ValueError: the journal has no intent of it.
        """
        if edit.key not in self._content.changes:
            raise ValueError(f"the journal has no intent of {edit.key}")
        # The words of an error may hold what is no text.
        told = reason.encode(errors="replace").decode()
        record = OutcomeV1(
            type="outcome",
            at=self._clock(),
            key=edit.key,
            status=status,
            reason=told,
            may_have_effect=may_have_effect,
        )
        self._append(record)
        self._content.conclude(edit.key, status, told, may_have_effect=may_have_effect)

    def begin(self, header: JournalHeader) -> None:
        """Write the first record, in place of one that was never finished."""
        self._guarded(lambda: os.ftruncate(self._descriptor, 0))
        self._append(header_v1(header, self._clock()))
        self._guarded(lambda: sync_folder(self.path.parent))

    def resume(self, header: JournalHeader) -> None:
        """Write that a later run goes on, on a line of its own."""
        self._append(resumed_v1(header, self._clock()), lead=b"" if self._content.ends_with_line else b"\n")
        self._content.resume(header.caller_arn, header.accounts, header.roles, header.of_digest)

    def _append(self, record: RecordV1, *, lead: bytes = b"") -> None:
        if self._broken:
            raise OutputError(f"the journal {self.path} could not be written before: nothing more is done")
        line, digest = line_of(record, self._content.last_digest)
        self._guarded(lambda: self._write(lead + line))
        self._content.last_digest = digest

    def _write(self, line: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            _check_whole(written, line)
            os.fsync(self._descriptor)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._broken = True
            raise _cannot_write(self.path, error) from error


def open_journal(path: Path, header: JournalHeader, *, clock: Callable[[], datetime] = _now) -> Journal:
    """Begin a journal, readable for its owner only, or go on with the one of an earlier run of the same.

    Args:
        path: the file.
        header: of this run; the id of a journal that is there already stays.
        clock: gives the time of each record.

    Raises:
        InputError: the file is something else, the journal of something else, damaged, or in use. It is left as it is.
        OutputError: it cannot be written.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        _lock(path, descriptor)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = read_content(path, file)
        if content is not None:
            _check_same(path, content.header, header)
        _make_private(path, descriptor)
        journal = Journal(path, descriptor, content or JournalContent(header), clock)
        if content is None:
            journal.begin(header)
        else:
            journal.resume(header)
    except BaseException:
        os.close(descriptor)
        raise
    return journal


def read_journal(path: Path) -> JournalRecord:
    """Read a journal, of a run that has ended, was killed, or still goes on.

    Raises:
        InputError: it cannot be read, is no journal, of another version, or damaged.
    """
    try:
        with path.open("rb") as file:
            content = read_content(path, file)
    except OSError as error:
        raise InputError(f"the journal {path} cannot be read: {error.strerror}") from error
    if content is None:
        raise InputError(
            f"the journal {path} ends within its first record", hint="the run that began it changed nothing"
        )
    return JournalRecord(content.header, tuple(content.changes.values()), content.digest)


def _lock(path: Path, descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise InputError(f"{path} is not a file", hint=_ANOTHER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"the journal {path} is in use by another run", hint="wait until it has ended") from error
    except OSError as error:
        raise _cannot_write(path, error) from error


def _check_same(path: Path, saved: JournalHeader, header: JournalHeader) -> None:
    if (saved.kind, saved.of) != (header.kind, header.of):
        raise InputError(
            f"{path} is the journal of another run: {saved.kind.value} of {_OF[saved.kind]} {saved.of}", hint=_ANOTHER
        )
    if saved.account_id != header.account_id:
        raise InputError(
            f"the journal {path} was begun from account {saved.account_id}, and your credentials are of "
            f"{header.account_id}",
            hint=f"use credentials of {saved.account_id}",
        )
    # A journal that is undone may have grown since; a plan never changes.
    if header.kind is JournalKind.APPLY and saved.of_digest != header.of_digest:
        raise InputError(f"{path} is the journal of another plan with the same id", hint=_ANOTHER)


def _check_whole(written: int, line: bytes) -> None:
    # The system writes a part only where there is no space for the rest.
    if written < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _make_private(path: Path, descriptor: int) -> None:
    try:
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"the journal {path} cannot be written: {error.strerror}",
        hint="nothing is changed that is not journaled: free some space, or name another file with --journal",
    )
