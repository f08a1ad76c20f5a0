"""Edits of one file, one after the other: two at once must not lose what the other wrote."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def edited_alone(path: Path) -> Iterator[None]:
    """Wait until nobody else edits the file, and let nobody else edit it meanwhile.

    The lock is on the file itself. An edit replaces the file, and so whoever waited for the old one waits again for the
    new. A file that cannot be opened is not locked: reading it will say why.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            yield
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:
            os.close(descriptor)
