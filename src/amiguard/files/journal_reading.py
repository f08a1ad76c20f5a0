"""Reading a journal: every record counts, and only what a killed run leaves behind is passed over.

The digests find what was edited, removed or moved; a journal that ends too early looks like one of a killed run. They
are no signature: whoever computes them anew can write any journal.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, assert_never

from pydantic import ValidationError

from amiguard.core.edit import Edit
from amiguard.core.errors import InputError
from amiguard.core.remediation import DONE, ChangeStatus, JournaledChange
from amiguard.core.scope import RoleOptions
from amiguard.core.selection import Access
from amiguard.files.journal_record import JournalHeader
from amiguard.files.journal_v1 import (
    RECORD,
    SCHEMA_VERSION,
    TYPES,
    HeaderV1,
    IntentV1,
    OutcomeV1,
    RecordV1,
    ResumedV1,
    chained,
)
from amiguard.files.strict_json import NotJsonError, UnfitJsonError, canonical, read_object, told

_LONGEST_LINE = 1 << 24
_BEGINNING = b'{"type":"journal"'
_GOING_ON = b'{"type":"resumed"'


class _DamagedError(Exception):
    pass


class _ChangedError(Exception):
    pass


@dataclass(slots=True)
class JournalContent:
    """What stands in a journal.

    Attributes:
        header: of all runs together.
        digest: over the file, once it was read.
        last_digest: of the last whole record: the next one goes on from it. Empty before the first.
        changes: by key, in the order of the last intent of each.
        ends_with_line: whether the next record can follow without a line break before it.
        done: keys of the edits that were made since what the journal is of has last changed.
    """

    header: JournalHeader
    digest: str = ""
    last_digest: str = ""
    changes: dict[str, JournaledChange] = field(default_factory=dict)
    ends_with_line: bool = True
    done: set[str] = field(default_factory=set)

    def intend(self, edit: Edit) -> None:
        """A call is to be made.

        Raises:
            ValueError: there was another edit of the same.
        """
        known = self.changes.get(edit.key)
        if known is not None and known.edit != edit:
            raise ValueError("the edit differs from the earlier one of the same")
        self.changes.pop(edit.key, None)
        self.changes[edit.key] = JournaledChange(edit, None)
        self.done.discard(edit.key)

    def resume(
        self, caller_arn: str, accounts: Mapping[str, Access], roles: RoleOptions, of_digest: str | None
    ) -> None:
        """A later run goes on."""
        if of_digest not in {None, self.header.of_digest}:
            self.done.clear()
        self.header = replace(
            self.header,
            caller_arn=caller_arn,
            accounts={**self.header.accounts, **accounts},
            roles=roles,
            of_digest=of_digest or self.header.of_digest,
        )

    def conclude(self, key: str, status: ChangeStatus, reason: str, *, may_have_effect: bool) -> None:
        """What became of it.

        Raises:
            ValueError: no call was made for it.
        """
        if key not in self.changes:
            raise ValueError("the outcome has no intent")
        self.changes[key] = replace(self.changes[key], status=status, reason=reason, may_have_effect=may_have_effect)
        if status in DONE:
            self.done.add(key)


def read_content(path: Path, file: BinaryIO) -> JournalContent | None:
    """Read a journal from its beginning, line by line.

    Returns:
        None if nothing is there but, at most, the beginning of a header: a run that ended before it did anything.

    Raises:
        InputError: it is no journal, of another version, damaged, or changed since; the message names the line.
    """
    lines = _Lines(file)
    try:
        content = _read_header(path, next(lines, b""))
        if content is None:
            return None
        _read_records(lines, content)
    except _DamagedError as error:
        raise InputError(
            f"the journal {path} is damaged: {error}", hint="it was not touched; restore it from a copy"
        ) from error
    except _ChangedError as error:
        raise InputError(
            f"the journal {path} was changed after it was written: line {lines.number}",
            hint="it was not touched; use an unchanged copy, or read the images to see what is there now",
        ) from error
    except OSError as error:
        raise InputError(f"the journal {path} cannot be read: {error.strerror}") from error
    content.digest = f"sha256:{lines.hashed.hexdigest()}"
    content.ends_with_line = lines.last.endswith(b"\n")
    return content


class _Lines:
    """The lines of a file, counted and hashed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0
        self.last = b""
        self.hashed = hashlib.sha256()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> bytes:
        line = self._file.readline(_LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.last = line
        self.hashed.update(line)
        return line


def _read_header(path: Path, line: bytes) -> JournalContent | None:
    try:
        found = read_object(line)
    except NotJsonError:
        if not line.endswith(b"\n") and _begins_like(line, _BEGINNING):
            return None
        found = {}
    except UnfitJsonError:
        found = {}
    if found.get("type") != "journal":
        raise InputError(f"{path} is not a journal of amiguard", hint="name another file; it was not touched")
    if found.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"the journal {path} is of another version: this amiguard reads journals of version {SCHEMA_VERSION}",
            hint="use the amiguard that wrote it",
        )
    digest = _take_digest(found, "")
    try:
        return JournalContent(HeaderV1.model_validate_json(canonical(found)).value(), last_digest=digest)
    except ValidationError as error:
        raise _DamagedError(f"line 1: {told(error)}") from error


def _read_records(lines: _Lines, content: JournalContent) -> None:
    torn = 0  # the first of the lines that are no JSON, since the last one that is
    for line in lines:
        try:
            found = read_object(line)
        except NotJsonError as error:
            # A run that went on after a torn line may itself have ended within its first record.
            # A file system may leave zeros in place of what was not on disk yet.
            if torn and line.strip(b"\0\n") and not _begins_like(line, _GOING_ON):
                raise _DamagedError(f"line {torn} is not JSON") from error
            torn = torn or lines.number
            continue
        except UnfitJsonError as error:
            raise _DamagedError(f"line {lines.number}: {error}") from error
        if torn and found.get("type") != "resumed":
            raise _DamagedError(f"line {torn} is not JSON")
        torn = 0
        content.last_digest = _take_digest(found, content.last_digest)
        try:
            _take(content, _record(found))
        except ValidationError as error:
            raise _DamagedError(f"line {lines.number}: {told(error)}") from error
        except (UnfitJsonError, ValueError) as error:
            raise _DamagedError(f"line {lines.number}: {error}") from error


def _take_digest(found: dict[str, Any], last: str) -> str:
    """Take the digest out of a record, if it fits the record and the ones before it."""
    digest = chained({name: value for name, value in found.items() if name != "digest"}, last)
    if found.pop("digest", None) != digest:
        raise _ChangedError
    return digest


def _record(found: dict[str, Any]) -> RecordV1:
    if found.get("type") not in TYPES:
        raise UnfitJsonError("a record of an unknown type")
    return RECORD.validate_json(canonical(found))


def _take(content: JournalContent, record: RecordV1) -> None:
    match record:
        case HeaderV1():
            raise ValueError("a second header")
        case ResumedV1():
            content.resume(record.caller_arn, record.ways(), record.roles(), record.of_digest)
        case IntentV1():
            content.intend(record.edit.value())
        case OutcomeV1():
            content.conclude(record.key, record.status, record.reason, may_have_effect=record.may_have_effect)
        case _:
            assert_never(record)


def _begins_like(line: bytes, beginning: bytes) -> bool:
    """Whether a line that was cut is a part of what begins so."""
    piece = line.rstrip(b"\n")
    return piece.startswith(beginning) or beginning.startswith(piece)
