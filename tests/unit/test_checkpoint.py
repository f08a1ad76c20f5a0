"""The checkpoint: what was written whole is there, whatever the last moment looked like."""

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.errors import OutputError, SettingsError
from amiguard.files.checkpoint import AuditIdentity, Checkpoint, SavedAccount, SavedTarget

WANTED = AuditIdentity("digest", "id-1", "2026-06-15T10:00:00Z")
LATER = AuditIdentity("digest", "id-2", "2026-06-16T10:00:00Z")
ACCOUNT = SavedAccount(
    "111122223333", "aws", ("eu-central-1", "us-east-1"), {"af-south-1": "r"}, {"DescribeRegions": 1}, 0
)


def target(number: int) -> SavedTarget:
    return SavedTarget("111122223333", f"region-{number}", "aws", number, 0, {"DescribeImages": 1}, number)


def segment(number: int) -> list[bytes]:
    return [f"ami-{number} line {piece}\n".encode() for piece in range(number)]


def fill(path: Path, targets: Iterable[int]) -> None:
    with Checkpoint(path, WANTED) as checkpoint:
        checkpoint.add_account(ACCOUNT)
        for number in targets:
            checkpoint.add_target(target(number), lambda number=number: segment(number))  # type: ignore[misc]


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    fill(path, range(4))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Checkpoint(path, LATER) as checkpoint:
        assert checkpoint.identity == WANTED
        assert checkpoint.accounts == {ACCOUNT.account_id: ACCOUNT}
        assert checkpoint.targets == {("111122223333", f"region-{number}"): target(number) for number in range(4)}
        for number in range(4):
            assert list(
                b"".join(checkpoint.results("111122223333", f"region-{number}")).splitlines(keepends=True)
            ) == segment(number)
        checkpoint.add_target(target(7), lambda: segment(7))
    with Checkpoint(path, LATER) as checkpoint:
        assert len(checkpoint.targets) == 5
        checkpoint.remove()
    assert not path.exists()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_that_was_cut_anywhere_loses_only_what_was_not_whole(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "cut"
    path.unlink(missing_ok=True)
    ends = []
    for number in range(4):
        path.unlink(missing_ok=True)
        fill(path, range(number + 1))
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    length = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:length])
    with Checkpoint(path, LATER) as checkpoint:
        assert len(checkpoint.targets) == sum(end <= length for end in ends)
        checkpoint.add_target(target(9), lambda: segment(9))
    with Checkpoint(path, LATER) as checkpoint:
        assert b"".join(checkpoint.results("111122223333", "region-9")) == b"".join(segment(9))


def test_a_record_whose_bytes_changed_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    fill(path, [1, 2])
    path.write_bytes(path.read_bytes().replace(b"ami-1 line 0", b"ami-1 line X"))
    with Checkpoint(path, LATER) as checkpoint:
        assert checkpoint.targets == {}
        assert checkpoint.accounts == {ACCOUNT.account_id: ACCOUNT}


def test_a_checkpoint_of_another_audit_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    fill(path, [1])
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="belongs to another audit"):
        Checkpoint(path, AuditIdentity("other", "id", "now"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"version: 1\n", b"{}\n", b"\x00\x01", json.dumps({"type": "header", "schema_version": "2"}).encode() + b"\n"],
)
def test_another_file_is_refused_and_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="is no checkpoint of this version"):
        Checkpoint(path, WANTED)
    assert path.read_bytes() == content


def test_two_audits_cannot_share_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    with Checkpoint(path, WANTED), pytest.raises(SettingsError, match="is in use by another audit"):
        Checkpoint(path, WANTED)


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "file"):
        with pytest.raises(OutputError, match="cannot be written"):
            Checkpoint(path, WANTED)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="cannot be written"):
        Checkpoint(link, WANTED)
    assert not (tmp_path / "elsewhere").exists()


def test_records_reach_the_disk_at_least_every_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced = [0.0], []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(now[0]))
    with Checkpoint(tmp_path / "checkpoint", WANTED, clock=lambda: now[0]) as checkpoint:
        for tenth in range(1, 31):
            now[0] = tenth / 10
            checkpoint.add_target(target(tenth), lambda: segment(1))
    assert synced == [0.0, 1.0, 2.0, 3.0]
