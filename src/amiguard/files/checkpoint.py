"""The checkpoint of a long audit: what has ended is kept, so that the same command goes on where it was cut off.

The file begins with a header that says which audit it belongs to. Each record after it is a line of JSON and, for a
target, the bytes of its results. A record that is not whole is what was being written when the machine or the process
stopped: it and all after it are cut off, and those targets are audited again.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from amiguard.core.errors import OutputError, SettingsError

_SCHEMA_VERSION = "1"
_SYNC_EVERY = 1.0
"""Seconds between two fsyncs: what a crash of the machine can cost. A killed process loses nothing that was written."""
_LONGEST_LINE = 1 << 24
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class AuditIdentity:
    """Which audit a checkpoint belongs to.

    Attributes:
        digest: of all that decides what the audit finds; another one is another audit.
        audit_id: of the run that began it.
        started_at: RFC 3339, of the run that began it.
    """

    digest: str
    audit_id: str
    started_at: str


@dataclass(frozen=True, slots=True)
class SavedAccount:
    """An account that was opened: its targets by region, those that were skipped with their reasons, and its calls."""

    account_id: str
    partition: str
    regions: tuple[str, ...]
    skipped: Mapping[str, str]
    calls: Mapping[str, int]
    throttled: int


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """A target that was audited to its end, and its calls; its results follow in the file."""

    account_id: str
    region: str
    partition: str
    images: int
    vanished: int
    calls: Mapping[str, int]
    throttled: int


class Checkpoint:
    """An open checkpoint, locked against a second run. Use it in a `with` statement.

    Attributes:
        identity: of the audit: the saved one where the file was there already.
        accounts: opened before, by account id.
        targets: ended before, by account id and region.
    """

    def __init__(self, path: Path, wanted: AuditIdentity, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Open or begin a checkpoint.

        Args:
            path: the file; readable for its owner only, whatever it was before.
            wanted: the audit that is to be done.
            clock: seconds, for the time between fsyncs.

        Raises:
            SettingsError: the file is no checkpoint, belongs to another audit, or is in use.
            OutputError: it cannot be read or written.
        """
        self.path = path
        self.accounts: dict[str, SavedAccount] = {}
        self.targets: dict[tuple[str, str], SavedTarget] = {}
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        self._clock = clock
        self._synced = clock()
        try:
            self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")
        except OSError as error:
            raise _cannot(path, error) from error
        try:
            self._lock()
            self.identity = self._load(wanted)
            # Not before it is known to be a checkpoint: a file that was named by mistake is left as it is.
            self._make_private()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add_account(self, account: SavedAccount) -> None:
        """Keep that an account was opened."""
        self._append({"type": "account", **asdict(account)})

    def add_target(self, target: SavedTarget, results: Callable[[], Iterable[bytes]]) -> None:
        """Keep a target that has ended.

        Args:
            target: what became of it.
            results: gives its results in pieces, each time anew.
        """
        digest, size = hashlib.sha256(), 0
        for piece in results():
            digest.update(piece)
            size += len(piece)
        line = {"type": "target", **asdict(target), "bytes": size, "sha256": digest.hexdigest()}
        self._append(line, results())

    def results(self, account_id: str, region: str) -> Iterator[bytes]:
        """The results of a saved target, in pieces."""
        start, left = self._places[account_id, region]
        while left:
            piece = os.pread(self._file.fileno(), min(left, _PIECE), start)
            start, left = start + len(piece), left - len(piece)
            yield piece

    def remove(self) -> None:
        """The audit has come to its end: the next run begins anew."""
        self.path.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(
                f"the checkpoint {self.path} is in use by another audit", hint="wait for it, or name another file"
            ) from error

    def _make_private(self) -> None:
        try:
            os.fchmod(self._file.fileno(), 0o600)
        except OSError as error:
            raise _cannot(self.path, error) from error

    def _load(self, wanted: AuditIdentity) -> AuditIdentity:
        header = self._read_record()
        if header is None:
            if os.fstat(self._file.fileno()).st_size and not self._is_cut_header():
                raise self._no_checkpoint()
            self._cut(0)
            self._append({"type": "header", "schema_version": _SCHEMA_VERSION, **asdict(wanted)}, sync=True)
            return wanted
        if header.get("type") != "header" or header.get("schema_version") != _SCHEMA_VERSION:
            raise self._no_checkpoint()
        saved = AuditIdentity(*(str(header.get(name)) for name in ("digest", "audit_id", "started_at")))
        if not _is_moment(saved.started_at):
            raise self._no_checkpoint()
        if saved.digest != wanted.digest:
            raise SettingsError(
                f"the checkpoint {self.path} belongs to another audit: of other settings, options, credentials or of "
                "another version",
                hint="repeat the command that began it, name another file, or remove this one",
            )
        whole = self._file.tell()
        while (record := self._read_record()) is not None and self._keep(record):
            whole = self._file.tell()
        self._cut(whole)
        return saved

    def _no_checkpoint(self) -> SettingsError:
        return SettingsError(
            f"{self.path} is no checkpoint of this version", hint="name another file; it was not touched"
        )

    def _is_cut_header(self) -> bool:
        """Whether the file is the beginning of a header that was never finished."""
        self._file.seek(0)
        return b'{"type": "header"'.startswith(self._file.read(17)[:17])

    def _read_record(self) -> dict[str, Any] | None:
        """The next line, if it is whole."""
        line = self._file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            return None
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) else None

    def _keep(self, record: dict[str, Any]) -> bool:
        """Take a record of the file; False if it is not whole."""
        kind = record.pop("type", None)
        if kind == "account" and _is_made_of(record, _ACCOUNT):
            account = SavedAccount(**{**record, "regions": tuple(record["regions"])})
            self.accounts[account.account_id] = account
            return True
        if kind != "target" or not _is_made_of(record, _TARGET):
            return False
        size, digest = record.pop("bytes"), record.pop("sha256")
        target = SavedTarget(**record)
        start = self._file.tell()
        if not self._skip_whole(size, digest):
            return False
        self.targets[target.account_id, target.region] = target
        self._places[target.account_id, target.region] = (start, size)
        return True

    def _skip_whole(self, size: int, digest: object) -> bool:
        found, left = hashlib.sha256(), size
        while left:
            piece = self._file.read(min(left, _PIECE))
            if not piece:
                return False
            found.update(piece)
            left -= len(piece)
        return found.hexdigest() == digest

    def _cut(self, size: int) -> None:
        try:
            self._file.truncate(size)
            self._file.seek(size)
        except OSError as error:
            raise _cannot(self.path, error) from error

    def _append(self, line: Mapping[str, Any], pieces: Iterable[bytes] = (), *, sync: bool = False) -> None:
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.writelines(pieces)
            self._file.flush()
            if sync or self._clock() - self._synced >= _SYNC_EVERY:
                os.fsync(self._file.fileno())
                self._synced = self._clock()
        except OSError as error:
            raise _cannot(self.path, error) from error


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_counts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_texts_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


_SPENT: Mapping[str, Callable[[object], bool]] = {"calls": _is_counts, "throttled": _is_count}
_ACCOUNT = {
    "account_id": _is_text,
    "partition": _is_text,
    "regions": _is_list_of_texts,
    "skipped": _is_texts_by_name,
    **_SPENT,
}
_TARGET = {
    **dict.fromkeys(("account_id", "region", "partition", "sha256"), _is_text),
    **dict.fromkeys(("images", "vanished", "bytes"), _is_count),
    **_SPENT,
}
"""The members of the records, besides their type."""


def _is_made_of(record: Mapping[str, Any], members: Mapping[str, Callable[[object], bool]]) -> bool:
    return record.keys() == members.keys() and all(check(record[name]) for name, check in members.items())


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"the checkpoint {path} cannot be written: {error.strerror or error}",
        hint="choose another file for --checkpoint",
    )
