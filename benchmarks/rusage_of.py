"""Runs one program and writes what it used as JSON: `python -S rusage_of.py RESULT.json PROGRAM ARGUMENT...`.

On Linux a child begins its life with the peak memory of the process that started it. This one imports next to nothing,
so that what is measured is the program. What the kernel reports for a program has that of the children which it waited
for; those that outlive it come to this process on Linux, and are added.
"""

import ctypes
import json
import os
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Run the program of the command line, with this process's own environment, input and output."""
    result, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - started
    usages = [usage]
    try:
        while True:
            usages.append(os.wait4(-1, 0)[2])
    except ChildProcessError:
        pass
    # Linux counts in KiB, macOS in bytes.
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    record = {
        "wall_seconds": wall,
        "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in usages),
        "peak_mib": max(one.ru_maxrss for one in usages) / unit,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be memory of its own
        json.dump(record, file)


if __name__ == "__main__":
    main()
