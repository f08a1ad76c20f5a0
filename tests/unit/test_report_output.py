"""Where a report goes: replaced as a whole, or not at all."""

import os
import stat
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from amiguard.core.errors import OutputError
from amiguard.report.output import check_writable, open_output


def write(path: Path, text: str) -> None:
    with open_output(path) as stream:
        stream.write(text)


def test_a_new_file_is_the_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    check_writable(file)
    assert not file.exists()
    write(file, "é\ud800\n")
    assert file.read_bytes() == "é\\ud800\n".encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_an_old_file_is_replaced_when_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    file.chmod(0o644)
    with open_output(file) as stream:
        stream.write("new")
        stream.flush()
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt()])
def test_what_goes_wrong_meanwhile_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")

    def fail() -> None:
        with open_output(file) as stream:
            stream.write("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")

    def fill() -> None:
        with open_output(file) as stream:
            os.dup2(os.open("/dev/full", os.O_WRONLY), stream.fileno())
            stream.write("x" * 100_000)

    with pytest.raises(OutputError, match=r"report\.json cannot be written: No space left on device") as told:
        fill()
    assert told.value.hint is not None
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(OutputError, match="is a folder"):
        write(tmp_path, "")


def test_a_missing_folder_is_told_before_and_after(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "report.json"
    with pytest.raises(OutputError, match="does not exist") as told:
        check_writable(file)
    assert told.value.hint == f"create it: mkdir -p {tmp_path / 'missing'}"
    with pytest.raises(OutputError, match="No such file or directory"):
        write(file, "")


def test_a_file_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Not a directory"):
        check_writable(tmp_path / "file" / "report.json")


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The administrator, who may run the tests, can write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="cannot be written to"):
        check_writable(tmp_path / "report.json")


def test_a_link_stays_and_the_file_it_points_to_is_replaced(tmp_path: Path) -> None:
    real = tmp_path / "reports" / "today.json"
    real.parent.mkdir()
    link = tmp_path / "latest.json"
    link.symlink_to("reports/today.json")
    check_writable(link)
    for text in ("first", "second"):  # dangling at first
        write(link, text)
        assert link.is_symlink()
        assert real.read_text() == text
    assert list(real.parent.iterdir()) == [real]


def test_a_circle_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match="cannot be written"):
        check_writable(tmp_path / "a")


def test_a_device_or_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(pipe)
    write(pipe, "report")
    assert os.read(reader, 100) == b"report"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_stdout_takes_what_its_encoding_lacks_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="ascii"))
    with open_output(None) as stream:
        stream.write("Größe")
    sys.stdout.flush()
    assert raw.getvalue() == b"Gr\\xf6\\xdfe"


def test_a_full_disk_behind_stdout_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 - unbuffered, so that closing it succeeds
        stdout = TextIOWrapper(full, encoding="utf-8", write_through=True)
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(OutputError, match="stdout cannot be written: No space left"), open_output(None) as stream:
            stream.write("report")
        stdout.detach()


def test_other_errors_while_stdout_is_open_are_not_stdouts() -> None:
    with pytest.raises(ConnectionRefusedError), open_output(None):
        raise ConnectionRefusedError
