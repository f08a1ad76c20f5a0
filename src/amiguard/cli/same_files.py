"""No file that is written may be another one that is written or read: one of them would be lost."""

import os
from collections.abc import Iterable
from pathlib import Path

from amiguard.core.errors import OutputError


def refuse_same(files: Iterable[tuple[str, Path | None]]) -> None:
    """Refuse files that are one, whatever they are called and whatever links there are.

    Args:
        files: what each is for the user, and where; None is no file.

    Raises:
        OutputError: two are one; the message names the first such two, and the path of the later.
    """
    seen: dict[str, str] = {}
    for name, path in files:
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise OutputError(f"{seen[real]} and {name} are one file: {path}", hint="name another one")
        seen[real] = name
