"""What a program used: wall time, CPU time and peak memory."""

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_HELPER: Final = Path(__file__).with_name("rusage_of.py")


class ProgramFailedError(Exception):
    """A measured program did not do what it was asked; the message ends with what it wrote."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run used.

    Attributes:
        wall_seconds: until the program ended.
        cpu_seconds: user and system time of the program and all its descendants.
        peak_mib: the highest RSS of a single process of them.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    exit_code: int


def measure(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    *,
    expected: Collection[int] = (0,),
    product: Path | None = None,
    reader: Callable[[IO[bytes]], None] | None = None,
) -> Usage:
    """Run a command in a folder with this environment and nothing else of it, and return what it used.

    Args:
        command: the program and its arguments.
        folder: where it runs, and where its messages are kept.
        environment: all of it.
        expected: the exit codes that are no failure.
        product: a file that must be there at the end.
        reader: reads the standard output to its end while the program runs.

    Raises:
        ProgramFailedError: it ended with an exit code that is not expected, or without the file that it was to write.
    """
    result, log = folder / "usage.json", folder / "output.log"
    with log.open("wb") as output:
        helper = [sys.executable, "-S", "-E", _HELPER, result, *command]
        with subprocess.Popen(
            helper,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if reader else output,
            stderr=output,
        ) as process:
            if reader and process.stdout:
                reader(process.stdout)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, helper)
    usage = Usage(**json.loads(result.read_text(encoding="utf-8")))
    if usage.exit_code not in expected or (product is not None and not product.exists()):
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise ProgramFailedError(f"{Path(command[0]).name} ended with {usage.exit_code}:\n{tail}")
    return usage
