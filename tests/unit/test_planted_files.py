"""Files of the program where someone else may have been before it: links, pipes, folders, and any umask."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from amiguard.core.errors import AmiguardError, OutputError
from amiguard.core.planted_link import is_planted
from amiguard.files.atomic_write import create_file
from amiguard.files.checkpoint import AuditIdentity, Checkpoint
from amiguard.files.directory_file import save_directory
from amiguard.files.journal import open_journal
from amiguard.files.notify_state import NotifyState
from amiguard.files.plan_file import write_plan
from amiguard.files.private_file import write_private_file
from amiguard.files.state_folder import journal_path, remediation_lock, state_folder
from amiguard.report.evidence_store import EvidenceStore
from amiguard.report.output import check_writable, open_output
from amiguard.report.spool import Spool
from tests.unit.directory_samples import DIRECTORY
from tests.unit.journals import HEADER
from tests.unit.plan_strategies import PLAN

IDENTITY = AuditIdentity("digest", "id-1", "2026-06-15T10:00:00Z")
ME, ROOT, SOMEONE = 1000, 0, 1001
SHARED = 0o41777
"""The mode of a folder like /tmp."""


@pytest.fixture(params=[0o000, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, text: str = "report") -> None:
    with open_output(path) as stream:
        stream.write(text)


def test_what_tells_findings_is_its_owners_under_any_umask(tmp_path: Path, umask: int) -> None:
    folder = state_folder({"XDG_STATE_HOME": str(tmp_path / "state")})
    write(tmp_path / "report.json")
    write_plan(tmp_path / "plan.json", PLAN)
    save_directory(tmp_path / "directory.json", DIRECTORY)
    NotifyState(folder, "scope").remember("key", {"f" * 64: "high"})
    with Checkpoint(tmp_path / "checkpoint", IDENTITY), remediation_lock(folder):
        open_journal(journal_path(folder, HEADER.kind, HEADER.of), HEADER).close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} > {"report.json", "plan.json", "directory.json", "checkpoint"}
    assert len(files) == 7
    assert {path.name: oct(mode(path)) for path in files if mode(path) != 0o600} == {}
    assert {mode(path) for path in tmp_path.rglob("*") if path.is_dir()} == {0o700}


def test_what_lies_in_the_temporary_folder_is_its_owners_under_any_umask(tmp_path: Path, umask: int) -> None:
    with Spool(tmp_path), EvidenceStore(tmp_path) as evidence:
        evidence.keep("f" * 64, {"usage": {"status": "unavailable", "reason": "r"}})
        (folder,) = tmp_path.iterdir()  # the evidence has no name
        assert mode(folder) == 0o700
        assert {mode(file) for file in folder.iterdir()} == {0o600}
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_write_new_settings_under_any_umask(tmp_path: Path, umask: int) -> None:
    create_file(tmp_path / "amiguard.yaml", b"version: 1\n")
    assert mode(tmp_path / "amiguard.yaml") == 0o644 & ~umask


def test_a_checkpoint_that_was_open_to_others_is_no_more(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    path.touch()
    path.chmod(0o666)
    with Checkpoint(path, IDENTITY):
        assert mode(path) == 0o600


@pytest.mark.parametrize(
    ("link", "folder", "planted"),
    [
        ((stat.S_IFLNK, SOMEONE), (SHARED, ROOT), True),
        ((stat.S_IFLNK, ME), (SHARED, ROOT), False),
        ((stat.S_IFLNK, ROOT), (SHARED, ROOT), False),  # of the folder's owner
        ((stat.S_IFLNK, SOMEONE), (SHARED, SOMEONE), False),
        ((stat.S_IFREG, SOMEONE), (SHARED, ROOT), False),
        ((stat.S_IFLNK, SOMEONE), (0o40755, ROOT), False),  # the owner of such a folder let them
        ((stat.S_IFLNK, SOMEONE), (0o40777, ROOT), False),  # here nothing helps: files can be replaced as well
        ((stat.S_IFLNK, SOMEONE), (0o41775, ROOT), False),
    ],
)
def test_which_links_are_traps(link: tuple[int, int], folder: tuple[int, int], *, planted: bool) -> None:
    link_stat, folder_stat = (SimpleNamespace(st_mode=one[0], st_uid=one[1]) for one in (link, folder))
    assert is_planted(link_stat, folder_stat, ME) is planted  # type: ignore[arg-type]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_that_someone_else_put_into_a_folder_like_tmp_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    shared, mine = tmp_path / "tmp", tmp_path / "mine"
    shared.mkdir()
    shared.chmod(0o1777)
    if there:
        mine.write_text("precious")
    link = shared / "report.json"
    link.symlink_to(mine)
    # Who made the link and the folder did so as this user: it is the program that is run by another.
    monkeypatch.setattr(os, "geteuid", lambda: link.lstat().st_uid + 1)
    monkeypatch.setattr("amiguard.report.output.is_planted", lambda *_: True)
    monkeypatch.setattr("amiguard.files.private_file.is_planted", lambda *_: True)
    for attempt in (check_writable, write, lambda path: write_private_file(path, b"plan")):
        with pytest.raises(OutputError, match="is a link that someone else has made: it is not followed"):
            attempt(link)
    assert link.is_symlink()
    assert mine.exists() is there
    assert list(shared.iterdir()) == [link]
    assert not there or mine.read_text() == "precious"


def test_a_name_that_a_temporary_file_could_have_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names are random; these are guessed all the same, and links to a file that is not to be touched."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    guessed = iter(["first", "second", "third", "fourth"] * 9)
    monkeypatch.setattr("tempfile._get_candidate_names", lambda: guessed)
    for prefix in (".amiguard-", ".plan.json."):
        for name in ("first", "second"):
            (tmp_path / f"{prefix}{name}").symlink_to(precious)
    write(tmp_path / "report.json")
    write_private_file(tmp_path / "plan.json", b"plan")
    assert precious.read_text() == "precious"
    assert (tmp_path / "report.json").read_text() == "report"
    assert (tmp_path / "plan.json").read_bytes() == b"plan"


def test_a_path_with_dots_is_the_file_that_the_system_takes_it_for(tmp_path: Path) -> None:
    """As for `cp`: above a link to a folder is the folder above the folder that it leads to."""
    deep = tmp_path / "other" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "link").symlink_to(deep)
    path = tmp_path / "link" / ".." / "report.json"
    write(path)
    write_private_file(path.with_name("plan.json"), b"plan")
    assert sorted(one.name for one in (tmp_path / "other").iterdir()) == ["deep", "plan.json", "report.json"]


def test_a_link_to_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    for attempt in (check_writable, write, lambda path: write_private_file(path, b"plan")):
        with pytest.raises(OutputError):
            attempt(tmp_path / "link")
    assert list((tmp_path / "folder").iterdir()) == []


def test_what_stands_behind_an_open_file_is_added_to_and_not_replaced(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    try:
        for name in (f"/dev/fd/{descriptor}", f"/proc/self/fd/{descriptor}"):
            check_writable(Path(name))
            write(Path(name), "report\n")
    finally:
        os.close(descriptor)
    assert log.read_text() == "before\nreport\nreport\n"


@pytest.mark.parametrize("bits", [0o020, 0o002])
def test_a_state_folder_that_others_may_write_to_is_not_used(tmp_path: Path, bits: int) -> None:
    folder = state_folder({"XDG_STATE_HOME": str(tmp_path)})
    folder.chmod(0o700 | bits)
    with pytest.raises(OutputError, match="others may write to the folder") as caught:
        state_folder({"XDG_STATE_HOME": str(tmp_path)})
    assert caught.value.hint == f"take that from them: chmod go-w {folder}"
    folder.chmod(0o755)
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == folder
    (folder / "journals").mkdir()
    (folder / "journals").chmod(0o700 | bits)
    with pytest.raises(OutputError, match="others may write to the folder"):
        journal_path(folder, HEADER.kind, HEADER.of)


def test_a_state_folder_of_someone_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = state_folder({"XDG_STATE_HOME": str(tmp_path)})
    owner = folder.stat()
    other = os.stat_result((*owner[:4], SOMEONE, *owner[5:]))
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    monkeypatch.setattr(Path, "stat", lambda self, **_: other)
    with pytest.raises(OutputError, match="belongs to somebody else"):
        state_folder({"XDG_STATE_HOME": str(tmp_path)})


def test_a_lock_is_no_link_no_pipe_and_no_folder(tmp_path: Path) -> None:
    precious, lock = tmp_path / "precious", tmp_path / "remediation.lock"
    precious.write_text("precious")

    def refused() -> None:
        with pytest.raises(AmiguardError, match="cannot be written"), remediation_lock(tmp_path):
            pytest.fail("locked")

    lock.symlink_to(precious)
    refused()
    lock.unlink()
    os.mkfifo(lock)
    refused()
    lock.unlink()
    lock.mkdir()
    refused()
    assert precious.read_text() == "precious"


def test_a_link_a_pipe_or_a_folder_is_no_place_for_a_checkpoint(tmp_path: Path) -> None:
    precious, path = tmp_path / "precious", tmp_path / "checkpoint"
    precious.write_text("")
    path.symlink_to(precious)
    with pytest.raises(OutputError, match="cannot be written"):
        Checkpoint(path, IDENTITY)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OutputError, match="cannot be written"):
        Checkpoint(path, IDENTITY)
    path.unlink()
    path.mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        Checkpoint(path, replace(IDENTITY))
    assert precious.read_text() == ""
