"""Journals for tests, and how one that is refused is told."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.edit import steps_between
from amiguard.core.errors import InputError
from amiguard.core.remediation import ChangeStatus
from amiguard.core.scope import RoleOptions
from amiguard.core.selection import Access
from amiguard.files.journal import Journal, open_journal, read_journal
from amiguard.files.journal_record import JournalHeader, JournalKind
from tests.unit.plan_strategies import IMAGE_EDIT, NOON, PLAN, SWITCH_EDIT

HEADER = JournalHeader(
    journal_id="0c1d7a52-53f9-4a55-8d0c-b5a4f2c1a001",
    kind=JournalKind.APPLY,
    of=PLAN.plan_id,
    of_digest="sha256:" + "ab" * 32,
    tool_version="0.1.0",
    caller_arn=PLAN.caller_arn,
    account_id="123456789012",
    accounts={
        "123456789012": Access(),
        "111122223333": Access("p", ("arn:aws:iam::123456789012:role/Hub",), "arn:aws:iam::111122223333:role/R", "x1"),
    },
    roles=RoleOptions("me", "who", (("team", "a"), ("cost", "")), 900),
)
LATER = replace(
    HEADER,
    journal_id="another",
    caller_arn="arn:aws:iam::123456789012:user/other",
    accounts={"123456789012": Access("q"), "444455556666": Access()},
    roles=RoleOptions("you"),
)
ADD, REMOVE = steps_between(IMAGE_EDIT.before, IMAGE_EDIT.after)


def opened(path: Path, header: JournalHeader = HEADER) -> Journal:
    return open_journal(path, header, clock=lambda: NOON)


def fill(path: Path) -> None:
    with opened(path) as journal:
        journal.intend(IMAGE_EDIT, ADD)
        journal.intend(IMAGE_EDIT, REMOVE)
        journal.conclude(IMAGE_EDIT, ChangeStatus.APPLIED)
        journal.intend(SWITCH_EDIT, None)
        journal.conclude(SWITCH_EDIT, ChangeStatus.FAILED, "not permitted\n")


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def digest_after(last: str, line: bytes) -> str:
    """The digest of a record, by a way of its own."""
    fields = {name: value for name, value in json.loads(line).items() if name != "digest"}
    content = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((last + content).encode()).hexdigest()[:32]


def sealed(records: list[bytes]) -> bytes:
    """Records as the program would have written them: with digests that fit."""
    last, written = "", []
    for line in records:
        last = digest_after(last, line)
        written.append(json.dumps({**json.loads(line), "digest": last}).encode() + b"\n")
    return b"".join(written)


def refused(action: Callable[[], object], path: Path) -> str:
    """What is said, after the file was found to be as it was."""
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        action()
    assert path.read_bytes() == before
    assert caught.value.message.isprintable()
    return caught.value.message


def damaged(path: Path) -> str:
    """What both ways of reading say."""
    message = refused(lambda: read_journal(path), path)
    assert refused(lambda: opened(path), path) == message
    return message


def others(value: object) -> Iterator[object]:
    """What one edit can make of a value: each value in it, or each member gone, one at a time."""
    match value:
        case dict():
            for name, member in value.items():
                yield from ({**value, name: other} for other in others(member))
                yield {key: value[key] for key in value if key != name}
            yield {**value, "more": ""}
        case list():
            for at, member in enumerate(value):
                yield from ([*value[:at], other, *value[at + 1 :]] for other in others(member))
                yield [*value[:at], *value[at + 1 :]]
            yield [*value, ""]
        case str():
            yield from (value + "0", value[:-1] if value else None, None)
        case None:
            yield "x"
        case _:
            yield 7


def edited(line: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    record = json.loads(line)
    change(record)
    return json.dumps(record).encode() + b"\n"
