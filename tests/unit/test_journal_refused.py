"""Journals that are damaged, edited, forged or something else: each is refused with its reason."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.errors import InputError
from amiguard.files.journal import read_journal
from amiguard.files.journal_record import JournalHeader, JournalKind
from tests.unit.journals import (
    HEADER,
    LATER,
    REMOVE,
    damaged,
    edited,
    fill,
    lines,
    opened,
    others,
    refused,
    sealed,
)
from tests.unit.plan_strategies import IMAGE_EDIT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    fill(path)
    return path


def test_a_damaged_line_in_the_middle_is_named(path: Path) -> None:
    whole = lines(path)
    for number in range(1, len(whole) - 1):
        for broken in (whole[number][:-10] + b"\n", b"\n", b"garbage\n", bytes(10) + b"\n"):
            path.write_bytes(b"".join([*whole[:number], broken, *whole[number + 1 :]]))
            assert damaged(path) == f"the journal {path} is damaged: line {number + 1} is not JSON"
    path.write_bytes(b"".join([*whole, b"garbage\n", b"garbage\n"]))
    assert damaged(path) == f"the journal {path} is damaged: line 7 is not JSON"


def test_a_line_that_is_gone_or_moved_is_found_where_it_matters(path: Path) -> None:
    whole = lines(path)
    path.write_bytes(sealed([*whole[:4], whole[5]]))
    assert damaged(path).endswith("line 5: the outcome has no intent")
    path.write_bytes(sealed([whole[0], whole[3]]))
    assert damaged(path).endswith("line 2: the outcome has no intent")


def test_whatever_was_changed_after_it_was_written_is_refused(path: Path) -> None:
    with opened(path, LATER) as journal:
        journal.intend(IMAGE_EDIT, REMOVE)
    whole = lines(path)
    for number, line in enumerate(whole, start=1):
        for other in others(json.loads(line)):
            path.write_bytes(b"".join([*whole[: number - 1], json.dumps(other).encode() + b"\n", *whole[number:]]))
            with pytest.raises(InputError) as caught:
                read_journal(path)
            changed = f"the journal {path} was changed after it was written: line {number}"
            told = caught.value.message
            # What is no header any more is no journal, or one of another version.
            assert told == changed or (number == 1 and ("not a journal" in told or "another version" in told))


def test_an_account_that_was_replaced_everywhere_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"210987654321", b"666677778888"))
    assert damaged(path) == f"the journal {path} was changed after it was written: line 2"
    with pytest.raises(InputError) as caught:
        read_journal(path)
    assert caught.value.hint
    assert "use an unchanged copy" in caught.value.hint


def test_a_line_that_is_gone_or_twice_there_or_moved_is_refused(path: Path) -> None:
    with opened(path, LATER) as journal:
        journal.intend(IMAGE_EDIT, REMOVE)
    whole = lines(path)
    for at in range(1, len(whole) - 1):
        changed = f"the journal {path} was changed after it was written: line {at + 1}"
        path.write_bytes(b"".join([*whole[:at], *whole[at + 1 :]]))
        assert damaged(path) == changed
        path.write_bytes(b"".join([*whole[:at], whole[at + 1], whole[at], *whole[at + 2 :]]))
        assert damaged(path) == changed
        path.write_bytes(b"".join([*whole[: at + 1], *whole[at:]]))
        assert damaged(path) == f"the journal {path} was changed after it was written: line {at + 2}"


def test_a_record_cannot_be_passed_off_as_torn(path: Path) -> None:
    with opened(path, LATER):
        pass
    whole = lines(path)
    path.write_bytes(b"".join([*whole[:-2], whole[-2][:-9] + b"\n", whole[-1]]))
    assert damaged(path) == f"the journal {path} was changed after it was written: line 7"


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        (1, lambda one: one.update(type="note"), "line 2: a record of an unknown type"),
        (1, lambda one: one.update(type=["intent"]), "line 2: a record of an unknown type"),
        (1, lambda one: one.pop("type"), "line 2: a record of an unknown type"),
        (2, lambda one: one["edit"].update(before=[]), "line 3: the edit differs from the earlier one of the same"),
        (2, lambda one: one["edit"]["image"].update(name="b"), "line 3: the edit differs"),
        (1, lambda one: one["edit"].update(kind="\x1b[2J\n"), "line 2: "),
        (1, lambda one: one["edit"].update(region="eu.example.com"), "region"),
        (1, lambda one: one["step"].update(add=[], remove=[]), "a step either adds or removes"),
        (1, lambda one: one["step"]["add"][0].update(grantee="\x1b[2J\n"), "is not how a grantee"),
        (1, lambda one: one.update(step=None), "have a step"),
        (4, lambda one: one.update(step={"add": [{"kind": "everyone", "grantee": "all"}], "remove": []}), "have none"),
        (1, lambda one: one.update(at="2026-06-15T12:00:00"), "at: expected a moment"),
        (1, lambda one: one.update(more=1), "more"),
        (3, lambda one: one.update(status="done"), "status"),
        (3, lambda one: one.pop("reason"), "reason"),
        (3, lambda one: one.update(reason="\ud800"), "half of a character"),
        (3, lambda one: one.update(reason=1.5), "the number 1.5"),
        (5, lambda one: one.update(status="done"), "line 6: "),
    ],
)
def test_a_record_that_is_not_understood_is_named(
    path: Path, place: int, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    whole = lines(path)
    whole[place] = edited(whole[place], change)
    path.write_bytes(sealed(whole))
    message = damaged(path)
    assert message.startswith(f"the journal {path} is damaged: line {place + 1}: ")
    assert said in message


def test_a_second_header_is_refused(path: Path) -> None:
    whole = lines(path)
    path.write_bytes(sealed([*whole, whole[0]]))
    assert damaged(path).endswith("line 7: a second header")


def test_another_version_is_named(path: Path) -> None:
    whole = lines(path)
    path.write_bytes(edited(whole[0], lambda one: one.update(schema_version="2")))
    assert damaged(path) == f"the journal {path} is of another version: this amiguard reads journals of version 1"


@pytest.mark.parametrize(
    "data", [b"\n", b"{}\n", b"hello", b'{"type":"amiguard-plan"}', b"\xff\x00", b"[" * 100_000, bytes(10), b"[]\n{}"]
)
def test_a_file_that_is_no_journal_stays_as_it_is(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(data)
    path.chmod(0o640)
    assert damaged(path) == f"{path} is not a journal of amiguard"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_any_bytes_are_a_journal_or_refused(path: Path, data: st.DataObject) -> None:
    fuzzed = path.with_name("fuzzed")
    whole = path.read_bytes()
    start, end = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    fuzzed.write_bytes(whole[:start] + data.draw(st.binary(max_size=6)) + whole[end:])
    try:
        read_journal(fuzzed)
    except InputError:
        return
    with opened(fuzzed):
        pass
    read_journal(fuzzed)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (replace(HEADER, of="another"), "of another run: apply of plan 6e0e5ab0"),
        (replace(HEADER, kind=JournalKind.ROLLBACK), "of another run: apply of plan"),
        (replace(HEADER, account_id="111122223333"), "was begun from account 123456789012"),
        (replace(HEADER, of_digest="sha256:" + "cd" * 32), "another plan with the same id"),
    ],
)
def test_the_journal_of_something_else_stays_as_it_is(path: Path, header: JournalHeader, said: str) -> None:
    assert said in refused(lambda: opened(path, header), path)
