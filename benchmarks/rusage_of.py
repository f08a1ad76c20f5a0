"""Runs one program and writes what it used as JSON: `python -S rusage_of.py RESULT.json PROGRAM ARGUMENT...`.

On Linux a child begins its life with the peak memory of the process that started it. This one imports next to nothing,
so that what is measured is the program.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run the program of the command line, with this process's own environment, input and output."""
    result, *command = sys.argv[1:]
    started = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - started
    # Linux counts in KiB, macOS in bytes.
    peak = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    record = {
        "wall_seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mib": peak,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be memory of its own
        json.dump(record, file)


if __name__ == "__main__":
    main()
