"""Write a file so that a reader, or a crash, finds the old or the new content and never a part."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from amiguard.core.errors import OutputError


def replace_file(path: Path, data: bytes) -> None:
    """Replace the content of an existing file; its mode stays, and a link stays a link to the file it names.

    Raises:
        OutputError: it cannot be written; its content is the old one.
    """
    try:
        target = path.resolve(strict=True)
        mode = stat.S_IMODE(target.stat().st_mode)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        sync_folder(target.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def create_file(path: Path, data: bytes) -> None:
    """Write a new file that nobody but its owner may change, whatever the umask.

    Raises:
        OutputError: it cannot be written, or something of that name is there: that is left as it is.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                path.unlink()
                raise
    except FileExistsError as error:
        raise OutputError(
            f"{path} is there already: it stays as it is", hint="name another file, or move it"
        ) from error
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Put a folder on disk: only then does the name of a new file in it outlive a power cut.

    Raises:
        OSError: it cannot be.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
