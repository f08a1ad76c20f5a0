"""Dummy secrets wherever they have no business: in outputs, logs and files of all tests.

Every dummy secret of the tests has a mark in it: the secret keys and session tokens that tests and the fake EC2 sign
with, and the tokens and passwords in URLs of notifications. Looked at are what the program writes to stdout and stderr,
what in-process code logs at any level, what pytest catches of a test's own output, and the files that are there at the
end of a test, except those in which a test keeps such secrets for the program to read.
"""

import logging
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from amiguard.cli.log import JsonLines

MARK = "S3CRET"
"""In every dummy secret, and in nothing else."""
MOTO = "FQoGZXIvYXdzE"
"""What the session tokens of moto begin with."""
_MARKS = (MARK, MOTO)
_GIVEN = frozenset({"amiguard.yaml", "aws-credentials", "credentials"})
"""Files of tests with secrets that the program is to read: settings with URLs, and AWS's files of keys."""


def leaks(text: str | bytes | None) -> bool:
    """Whether a dummy secret is in it."""
    if text is None:
        return False
    if isinstance(text, str):
        return any(mark in text for mark in _MARKS)
    return any(mark.encode() in text for mark in _MARKS)


def files_with_secrets(folder: Path) -> list[Path]:
    """The files in a folder, at any depth, that hold a dummy secret that no test gave them."""
    return [path for path in _regular(folder) if path.name not in _GIVEN and leaks(_content(path))]


def leaked_report(report: pytest.TestReport) -> pytest.TestReport:
    """The report of a test, failed if what pytest caught on its stdout or stderr holds a dummy secret.

    The log that pytest catches has what libraries say to nobody else; what the package itself logs is heard by `Watch`.
    """
    if report.passed and (leaks(report.capstdout) or leaks(report.capstderr)):
        report.outcome = "failed"
        report.longrepr = "a dummy secret is in what was caught of this test's output"
    return report


@dataclass
class Watch:
    """What was looked at, and what was heard.

    Attributes:
        temporary: where pytest makes the folders of tests.
        logged: what was logged with a dummy secret in it.
        seen: folders of tests that were looked at.
    """

    temporary: Path
    logged: list[str] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def look_after_test(self, folder: Path) -> None:
        """Look at the log and at the folder of a test that has ended."""
        self.seen.add(folder)
        logged, self.logged[:] = list(self.logged), []
        assert not logged, f"a dummy secret was logged: {logged}"
        assert not (found := files_with_secrets(folder)), f"a dummy secret is in files: {found}"

    def look_at_rest(self) -> None:
        """Look at the folders that tests share."""
        shared = [one for one in self.temporary.iterdir() if one.is_dir() and one not in self.seen]
        found = [path for one in shared for path in files_with_secrets(one)]
        assert not found, f"a dummy secret is in files: {found}"


class _Listener(logging.Handler):
    """Hears what the package logs, as `--verbose` would write it."""

    def __init__(self, logged: list[str]) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self._logged = logged

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if leaks(line):
            self._logged.append(line)


@contextmanager
def watching(temporary: Path) -> Iterator[Watch]:
    """Watch what is written meanwhile; `temporary` is where pytest makes the folders of tests."""
    watch = Watch(temporary)
    listener, logger = _Listener(watch.logged), logging.getLogger("amiguard")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        _watch_programs(patch)
        _watch_captures(patch)
        yield watch
    logger.setLevel(level)
    logger.removeHandler(listener)
    watch.look_at_rest()


def _watch_programs(patch: pytest.MonkeyPatch) -> None:
    communicate = subprocess.Popen.communicate

    def watched(self: "subprocess.Popen[Any]", *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        out, err = communicate(self, *args, **kwargs)
        if _is_ours(self.args):
            assert not leaks(out), "a dummy secret is on stdout"
            assert not leaks(err), "a dummy secret is on stderr"
        return out, err

    patch.setattr(subprocess.Popen, "communicate", watched)


def _watch_captures(patch: pytest.MonkeyPatch) -> None:
    readouterr = pytest.CaptureFixture.readouterr

    def watched(self: pytest.CaptureFixture[Any]) -> Any:
        found = readouterr(self)
        assert not any(map(leaks, found)), "a dummy secret was written"
        return found

    patch.setattr(pytest.CaptureFixture, "readouterr", watched)


def _is_ours(args: Any) -> bool:
    """Whether a program is amiguard, or Python or a shell that runs it; the AWS CLI may print what it was given."""
    words = [str(args)] if isinstance(args, (str, bytes, Path)) else [str(word) for word in args]
    return Path(words[0]).name != "aws" and any("amiguard" in word for word in words)


def _regular(folder: Path) -> Iterable[Path]:
    """Regular files; links are not followed."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _content(path: Path) -> bytes | None:
    """What is in a file; None if it may not be read, or is gone meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return None
