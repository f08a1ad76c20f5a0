"""The journal: on disk before anything is done, gone on with by later runs, and of one run at a time."""

import json
import os
import stat
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
from amiguard.files.journal import open_journal, read_journal
from amiguard.files.journal_record import JournalKind
from tests.unit.journals import (
    ADD,
    HEADER,
    LATER,
    REMOVE,
    digest_after,
    fill,
    lines,
    opened,
    refused,
)
from tests.unit.plan_strategies import IMAGE_EDIT, SWITCH_EDIT, image_changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    fill(path)
    return path


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
