"""What is wrong in a file, and where: all of it in one error."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from amiguard.core.errors import SettingsError
from amiguard.files.yaml_tree import KeyPath, Mark

_SHOWN = 50
"""A file of another kind can be wrong in every line; nobody mends more than this from one run."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, with its mend, or one warning."""

    mark: Mark
    path: KeyPath
    message: str


def place(file: Path, mark: Mark, path: KeyPath) -> str:
    """Where something is written: `amiguard.yaml:7:9: trust.accounts[2].id`."""
    where = f"{file}:{mark.line}:{mark.column}"
    return f"{where}: {written_path(path)}" if path else where


def written_path(path: KeyPath) -> str:
    """A key path as people write it: `trust.accounts[2].id`. A key that is a URL may be secret: it is not shown."""
    text = ""
    for step in path:
        if isinstance(step, str) and "://" in step:
            step = "(a URL)"  # noqa: PLW2901 - what is shown of it
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{on_one_line(step)}" if text else on_one_line(step)
    return text


def on_one_line(text: str) -> str:
    """Text of the file as a part of a message: it may hold line breaks, and must not look like a message of its own."""
    return text if text.isprintable() and text.strip() else json.dumps(text)


def written(file: Path, problem: Problem) -> str:
    """One problem as one line."""
    return f"{place(file, problem.mark, problem.path)}: {problem.message}"


def as_error(file: Path, problems: Iterable[Problem]) -> SettingsError:
    """All problems as one error, a line each, in the order of the file."""
    lines = [written(file, one) for one in sorted(problems, key=lambda one: (one.mark.line, one.mark.column))]
    count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return SettingsError("\n".join([f"{file} cannot be used: {count}", *lines[:_SHOWN], *more]))
