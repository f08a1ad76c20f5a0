"""What a program used: wall time, CPU time and peak memory."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HELPER: Final = Path(__file__).with_name("rusage_of.py")


class ProgramFailedError(Exception):
    """A measured program did not do what it was asked; the message ends with what it wrote."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run used; CPU is user and system time of the program and its children, memory its highest RSS."""

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
) -> Usage:
    """Run a command in a folder with this environment and nothing else of it, and return what it used.

    Raises:
        ProgramFailedError: it ended with an exit code that is not expected, or without the file that it was to write.
    """
    result, log = folder / "usage.json", folder / "output.log"
    with log.open("wb") as output:
        subprocess.run(
            [sys.executable, "-S", "-E", _HELPER, result, *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )
    usage = Usage(**json.loads(result.read_text(encoding="utf-8")))
    if usage.exit_code not in expected or (product is not None and not product.exists()):
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise ProgramFailedError(f"{Path(command[0]).name} ended with {usage.exit_code}:\n{tail}")
    return usage
