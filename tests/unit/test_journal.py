"""The journal: on disk before anything is done, and read whatever a killed run left at its end."""

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.edit import Edit, Step, steps_between
from amiguard.core.errors import InputError, OutputError
from amiguard.core.ports import ChangeJournal
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.core.scope import RoleOptions
from amiguard.core.selection import Access
from amiguard.files.journal import Journal, open_journal, read_journal
from amiguard.files.journal_record import JournalHeader, JournalKind
from tests.unit.plan_strategies import IMAGE_EDIT, NOON, PLAN, SWITCH_EDIT, image_changes

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    fill(path)
    return path


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


def test_it_is_the_port(path: Path) -> None:
    with opened(path) as journal:
        port: ChangeJournal = journal
        assert port.known(SWITCH_EDIT.key) == JournaledChange(SWITCH_EDIT, ChangeStatus.FAILED, "not permitted\n")


def test_what_was_written_is_read(path: Path) -> None:
    record = read_journal(path)
    assert record.header == HEADER
    assert record.changes == (
        JournaledChange(IMAGE_EDIT, ChangeStatus.APPLIED),
        JournaledChange(SWITCH_EDIT, ChangeStatus.FAILED, "not permitted\n"),
    )
    assert record.digest.startswith("sha256:")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_is_a_record(path: Path) -> None:
    records = [json.loads(line) for line in lines(path)]
    assert [one["type"] for one in records] == ["journal", "intent", "intent", "outcome", "intent", "outcome"]
    assert {one["at"] for one in records} == {"2026-06-15T12:00:00Z"}
    assert all(line.startswith(b'{"type":"') and line.isascii() for line in lines(path))
    assert records[0]["schema_version"] == "1"
    assert records[0]["accounts"][0] == {
        "account_id": "111122223333",
        "profile": "p",
        "chain": ["arn:aws:iam::123456789012:role/Hub"],
        "role_arn": "arn:aws:iam::111122223333:role/R",
        "external_id": "x1",
    }
    assert records[1]["step"]["remove"] == []
    assert records[2]["step"]["remove"][0] == {"kind": "everyone", "grantee": "all"}
    assert records[4]["step"] is None
    assert records[3] == {
        "type": "outcome",
        "at": "2026-06-15T12:00:00Z",
        "key": IMAGE_EDIT.key,
        "status": "applied",
        "reason": "",
        "may_have_effect": True,
        "digest": digest_after(records[2]["digest"], lines(path)[3]),
    }


def test_the_last_intent_gives_the_order_and_takes_the_status_back(path: Path) -> None:
    with opened(path) as journal:
        assert journal.known(IMAGE_EDIT.key) == JournaledChange(IMAGE_EDIT, ChangeStatus.APPLIED)
        assert journal.known("other") is None
        journal.intend(IMAGE_EDIT, REMOVE)
        assert journal.known(IMAGE_EDIT.key) == JournaledChange(IMAGE_EDIT, None)
    assert read_journal(path).changes == (
        JournaledChange(SWITCH_EDIT, ChangeStatus.FAILED, "not permitted\n"),
        JournaledChange(IMAGE_EDIT, None),
    )


def test_a_later_run_goes_on_and_its_accounts_are_added(path: Path) -> None:
    path.chmod(0o644)
    before = path.read_bytes()
    with opened(path, LATER) as journal:
        assert journal.header.journal_id == HEADER.journal_id
        header = journal.header
    record = read_journal(path)
    assert path.read_bytes().startswith(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert record.header == header
    assert record.header == replace(
        HEADER,
        caller_arn=LATER.caller_arn,
        accounts={**HEADER.accounts, **LATER.accounts},
        roles=LATER.roles,
    )
    assert len(record.changes) == 2
    with opened(path, LATER):
        pass
    assert read_journal(path).digest != record.digest


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick")
@given(st.lists(image_changes(), max_size=4, unique_by=lambda one: one.edit.key), st.text(st.characters(), max_size=5))
def test_any_edit_is_read_as_it_was_written(tmp_path: Path, changes: list[Any], reason: str) -> None:
    path = tmp_path / "any.jsonl"
    path.unlink(missing_ok=True)
    with opened(path) as journal:
        for change in changes:
            for step in steps_between(change.edit.before, change.edit.after):
                journal.intend(change.edit, step)
            journal.conclude(change.edit, ChangeStatus.FAILED, reason)
    told = reason.encode(errors="replace").decode()
    expected = tuple(JournaledChange(one.edit, ChangeStatus.FAILED, told) for one in changes)
    assert read_journal(path).changes == expected


def test_the_record_is_on_disk_before_the_method_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_write, real_sync = os.write, os.fsync

    def write(descriptor: int, data: bytes) -> int:
        done.append(f"write {json.loads(data)['type']}")
        return real_write(descriptor, data)

    def sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync")
        real_sync(descriptor)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    with opened(path.with_name("new.jsonl")) as journal:
        assert done == ["write journal", "sync", "folder"]
        done.clear()
        journal.intend(IMAGE_EDIT, ADD)
        assert done == ["write intent", "sync"]
        done.clear()
        journal.conclude(IMAGE_EDIT, ChangeStatus.APPLIED)
        assert done == ["write outcome", "sync"]
    done.clear()
    with opened(path):
        assert done == ["write resumed", "sync"]


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


def test_misuse_writes_nothing(path: Path) -> None:
    with opened(path) as journal:
        before = path.read_bytes()
        with pytest.raises(ValueError, match="another edit"):
            journal.intend(IMAGE_EDIT.inverse, ADD)
        with pytest.raises(ValueError, match="have a step"):
            journal.intend(IMAGE_EDIT, None)
        with pytest.raises(ValueError, match="have none"):
            journal.intend(SWITCH_EDIT, ADD)
        with pytest.raises(ValueError, match="no intent"):
            journal.conclude(replace(IMAGE_EDIT, image_id="ami-99999999"), ChangeStatus.APPLIED)
        assert path.read_bytes() == before


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of files, none of which has to outlive a power cut."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


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


def edited(line: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    record = json.loads(line)
    change(record)
    return json.dumps(record).encode() + b"\n"


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


def test_the_journal_of_a_rollback_goes_on_when_what_it_undoes_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    header = replace(HEADER, kind=JournalKind.ROLLBACK)
    for digest in ("sha256:1", "sha256:2"):
        with opened(path, replace(header, of_digest=digest)):
            pass
    assert read_journal(path).header.kind is JournalKind.ROLLBACK


def test_a_second_run_is_refused_while_the_first_goes_on(path: Path) -> None:
    with opened(path):
        assert "in use by another run" in refused(lambda: opened(path), path)
        assert len(read_journal(path).changes) == 2
    with opened(path):
        pass


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


def test_a_link_a_folder_or_a_pipe_is_no_place_for_a_journal(path: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe)
    before = path.read_bytes()
    for place in (link, tmp_path, tmp_path / "none" / "journal.jsonl"):
        with pytest.raises(OutputError, match="cannot be written"):
            opened(place)
    with pytest.raises(InputError, match="is not a file"):
        opened(pipe)
    assert path.read_bytes() == before
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="cannot be read"):
            read_journal(place)


def test_the_time_of_a_record_is_the_present_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    start = datetime.now(UTC).replace(microsecond=0)
    with open_journal(path, HEADER):
        pass
    assert start <= datetime.fromisoformat(json.loads(path.read_bytes())["at"]) <= datetime.now(UTC)


def test_the_samples_fit_each_other() -> None:
    edits: tuple[Edit, ...] = (IMAGE_EDIT, SWITCH_EDIT)
    assert len({one.key for one in edits}) == 2
    assert isinstance(ADD, Step)
    assert ADD.add
    assert REMOVE.remove


def test_what_was_done_counts_until_the_journal_that_is_undone_grows(path: Path) -> None:
    with opened(path) as journal:
        journal.intend(IMAGE_EDIT, ADD)
        assert journal.done == frozenset()
        journal.conclude(IMAGE_EDIT, ChangeStatus.APPLIED)
        journal.intend(SWITCH_EDIT, None)
        journal.conclude(SWITCH_EDIT, ChangeStatus.FAILED, "refused", may_have_effect=False)
        assert journal.done == {IMAGE_EDIT.key}
    record = read_journal(path)
    assert [one.may_have_effect for one in record.changes] == [True, False]
    with opened(path) as journal:
        assert journal.done == {IMAGE_EDIT.key}
