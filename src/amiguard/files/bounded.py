"""Files that somebody else may have written are read up to a size, and not without end."""

from pathlib import Path


class TooLargeError(Exception):
    """A file is larger than its reader takes."""


def read_bounded(path: Path, most: int) -> bytes:
    """All bytes of a file.

    Args:
        path: the file.
        most: how many bytes are read at most.

    Raises:
        TooLargeError: it has more.
        OSError: it cannot be read.
        ValueError: no file can have that name (a NUL in it).
    """
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLargeError
    return data
