"""The watch over dummy secrets sees what it is there for: otherwise its silence would mean nothing."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.fake_ec2.credentials import credentials_for
from tests.conftest import scrubbed_environment
from tests.secret_watch import MOTO, Watch, files_with_secrets, leaked_report, leaks

SECRET = credentials_for("123456789012").secret_access_key


def report(*sections: tuple[str, str]) -> pytest.TestReport:
    return pytest.TestReport("t", ("t", 1, "t"), {}, "passed", None, "call", sections)


def test_every_dummy_secret_has_the_mark(tmp_path: Path) -> None:
    session = credentials_for("123456789012", session=1)
    environment = scrubbed_environment(tmp_path)
    assert session.session_token is not None
    for secret in (SECRET, session.secret_access_key, session.session_token, environment["AWS_SECRET_ACCESS_KEY"]):
        assert leaks(f"a {secret}"), secret
        assert leaks(secret.encode())
    assert leaks(f"{MOTO}abc")
    assert not leaks(credentials_for("123456789012").access_key_id)
    assert not leaks(None)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_the_program_says_is_read(stream: str) -> None:
    program = f"import sys, os, amiguard; sys.{stream}.write(os.environ['AWS_SECRET_ACCESS_KEY'])"
    with pytest.raises(AssertionError, match=f"a dummy secret is on {stream}"):
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)


def test_what_a_test_catches_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write(SECRET)
    with pytest.raises(AssertionError, match="a dummy secret was written"):
        capsys.readouterr()


def test_what_pytest_catches_is_read() -> None:
    assert leaked_report(report(("Captured stdout call", "a"), ("Captured log call", SECRET))).passed
    for name in ("stdout", "stderr"):
        assert leaked_report(report((f"Captured {name} call", f"a {SECRET}"))).failed


@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_what_is_logged_is_read_at_every_level(secret_watch: Watch, tmp_path: Path, level: int) -> None:
    logging.getLogger("amiguard.aws").log(level, "asked", extra={"headers": {"token": SECRET}})
    with pytest.raises(AssertionError, match="a dummy secret was logged"):
        secret_watch.look_after_test(tmp_path)
    assert secret_watch.logged == []


def test_files_are_read_but_those_that_a_test_gave(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "report.json").write_text(f'{{"url": "{SECRET}"}}')
    (tmp_path / "amiguard.yaml").write_text(SECRET)
    (tmp_path / "report.json").write_text("{}")
    assert files_with_secrets(tmp_path) == [tmp_path / "deep" / "report.json"]
    watch = Watch(tmp_path)
    for look in (watch.look_at_rest, lambda: watch.look_after_test(tmp_path / "deep")):
        with pytest.raises(AssertionError, match="a dummy secret is in files"):
            look()
    watch.look_at_rest()  # the folder was looked at
    (tmp_path / "deep" / "report.json").unlink()
