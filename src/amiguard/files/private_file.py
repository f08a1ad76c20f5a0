"""Files that only their owner may read, whatever the mode of the file that was there before."""

import os
import tempfile
from pathlib import Path

from amiguard.core.errors import OutputError
from amiguard.core.planted_link import is_planted
from amiguard.files.atomic_write import replace_file


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file with mode 0600, new or in place of another; a link stays a link to the file it names.

    Raises:
        OutputError: it cannot be written, or is a link that someone else made in a folder like /tmp; a file that was
            there is the old one.
    """
    try:
        if path.is_symlink() and is_planted(path.lstat(), path.parent.stat(), os.geteuid()):
            raise OutputError(
                f"{path} is a link that someone else has made: it is not followed", hint="name another file"
            )
        target = path.resolve()
        # Made by mkstemp, the new file is private before anything is in it.
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(descriptor)
        try:
            replace_file(Path(name), data)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
