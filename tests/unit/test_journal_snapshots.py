"""Edits of snapshots in the journal: an addition to version 1, read back as it was written, and no other way."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.edit import Step, steps_between
from amiguard.core.errors import InputError
from amiguard.core.grantee import Account, Everyone, Unrecognized
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.files.journal import read_journal
from tests.unit.journals import ADD, edited, fill, lines, opened, sealed
from tests.unit.plan_strategies import FRIEND, IMAGE_EDIT, ORGANIZATION, SNAPSHOT_EDIT, STRANGER, snapshot_changes

UNSHARE = Step(remove=(Everyone(), STRANGER))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with opened(path) as journal:
        journal.intend(SNAPSHOT_EDIT, UNSHARE)
        journal.conclude(SNAPSHOT_EDIT, ChangeStatus.UNVERIFIED, "later")
    return path


def test_an_edit_of_a_snapshot_is_written_in_full(path: Path) -> None:
    record = json.loads(lines(path)[1])
    assert record["edit"] == {
        "account_id": "123456789012",
        "region": "eu-central-1",
        "partition": "aws",
        "kind": "create_volume_permission",
        "snapshot_id": "snap-0123456789abcdef0",
        "image_ids": ["ami-0123456789abcdef0", "ami-11111111"],
        "before": [
            {"kind": "everyone", "grantee": "all"},
            {"kind": "account", "grantee": FRIEND.account_id},
            {"kind": "account", "grantee": STRANGER.account_id},
        ],
        "after": [{"kind": "account", "grantee": FRIEND.account_id}],
    }
    assert record["step"] == {
        "add": [],
        "remove": [{"kind": "everyone", "grantee": "all"}, {"kind": "account", "grantee": STRANGER.account_id}],
    }
    assert json.loads(lines(path)[2])["key"] == "123456789012/eu-central-1/snap-0123456789abcdef0"


def test_it_is_read_and_gone_on_with_and_undone(path: Path) -> None:
    assert read_journal(path).changes == (JournaledChange(SNAPSHOT_EDIT, ChangeStatus.UNVERIFIED, "later"),)
    with opened(path) as journal:
        assert journal.known(SNAPSHOT_EDIT.key) == JournaledChange(SNAPSHOT_EDIT, ChangeStatus.UNVERIFIED, "later")
        journal.intend(IMAGE_EDIT, ADD)
        journal.intend(SNAPSHOT_EDIT, UNSHARE)
    assert read_journal(path).changes == (JournaledChange(IMAGE_EDIT, None), JournaledChange(SNAPSHOT_EDIT, None))
    with opened(path.with_name("undo.jsonl")) as journal:
        journal.intend(SNAPSHOT_EDIT.inverse, Step(add=UNSHARE.remove))
    (undone,) = read_journal(path.with_name("undo.jsonl")).changes
    assert undone.edit.inverse == SNAPSHOT_EDIT


def test_misuse_writes_nothing(path: Path) -> None:
    with opened(path) as journal:
        before = path.read_bytes()
        with pytest.raises(ValueError, match="another edit"):
            journal.intend(replace(SNAPSHOT_EDIT, image_ids=("ami-11111111",)), UNSHARE)
        with pytest.raises(ValueError, match="have a step"):
            journal.intend(SNAPSHOT_EDIT, None)
        other = replace(SNAPSHOT_EDIT, snapshot_id="snap-11111111")
        for grantee in (ORGANIZATION, Unrecognized("group=x")):
            with pytest.raises(ValueError, match="accounts and everyone only"):
                journal.intend(replace(other, before=(grantee,)), UNSHARE)
        with pytest.raises(ValueError, match="image_ids"):
            journal.intend(replace(other, image_ids=()), UNSHARE)
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda edit: edit.update(snapshot_id="ami-11111111"), "edit.create_volume_permission.snapshot_id"),
        (lambda edit: edit.update(snapshot_id="snap-1/../x"), "edit.create_volume_permission.snapshot_id"),
        (lambda edit: edit.update(image_ids=["ami-11111111"] * 2), "an image is listed twice"),
        (lambda edit: edit["image_ids"].append("snap-11111111"), "edit.create_volume_permission.image_ids[2]"),
        (lambda edit: edit["after"].append(edit["after"][0]), "a grantee is listed twice"),
        (
            lambda edit: edit["before"].append({"kind": "organization", "grantee": ORGANIZATION.arn}),  # type: ignore[union-attr]
            "snapshots are shared with accounts and everyone only",
        ),
        (lambda edit: edit.update(image={"id": "ami-11111111", "name": ""}), "edit.create_volume_permission.image"),
        (lambda edit: edit.pop("image_ids"), "edit.create_volume_permission.image_ids"),
        (lambda edit: edit.update(kind="launch_permission"), "edit.launch_permission.image"),
    ],
)
def test_what_no_run_writes_is_refused(path: Path, change: Callable[[dict[str, Any]], object], said: str) -> None:
    header, intent, outcome = lines(path)
    path.write_bytes(sealed([header, edited(intent, lambda record: change(record["edit"])), outcome]))
    with pytest.raises(InputError) as caught:
        read_journal(path)
    assert caught.value.message.startswith(f"the journal {path} is damaged: line 2: ")
    assert said in caught.value.message


def test_a_journal_without_snapshots_is_written_as_it_always_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    fill(path)
    intent = json.loads(lines(path)[1])
    assert list(intent) == ["type", "at", "edit", "step", "digest"]
    assert list(intent["edit"]) == ["account_id", "region", "partition", "kind", "image", "before", "after"]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(snapshot_changes(), max_size=3, unique_by=lambda one: one.edit.key))
def test_any_edit_of_a_snapshot_is_read_as_it_was_written(tmp_path: Path, changes: list[Any]) -> None:
    path = tmp_path / "any.jsonl"
    path.unlink(missing_ok=True)
    with opened(path) as journal:
        for change in changes:
            for step in steps_between(change.edit.before, change.edit.after):
                journal.intend(change.edit, step)
    assert read_journal(path).changes == tuple(JournaledChange(one.edit, None) for one in changes)


def test_an_account_is_an_account_whatever_its_digits(path: Path) -> None:
    edit = replace(SNAPSHOT_EDIT, snapshot_id="snap-22222222", before=(Account("012345670123"),), after=())
    with opened(path) as journal:
        journal.intend(edit, Step(remove=edit.before))
    assert read_journal(path).changes[-1] == JournaledChange(edit, None)
