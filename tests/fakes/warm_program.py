"""The program without the time that it takes to start: forked off a process that has imported it already."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PRELOADED = (
    "amiguard.cli.main",
    *(f"amiguard.cli.{name}_run" for name in ("apply", "audit", "diff", "plan", "rollback")),
    "amiguard.files.trust_edit",
    "botocore.session",
)


def run_warm(arguments: list[str], folder: Path, environment: Mapping[str, str], terminal: str, output: Path) -> int:
    """Run the program as a process of its own.

    Args:
        arguments: after the program's name.
        folder: the working folder.
        environment: all of it.
        terminal: the device on which it asks and talks.
        output: the file to which its stdout goes.

    Returns:
        The exit code.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    process = context.Process(target=_child, args=(arguments, str(folder), dict(environment), terminal, str(output)))
    process.start()
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _child(arguments: list[str], folder: str, environment: dict[str, str], terminal: str, output: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    device = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor, number in ((device, 0), (written, 1), (device, 2)):
        os.dup2(descriptor, number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - the three of this process
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    sys.argv = ["amiguard", *arguments]
    from amiguard.cli.main import main

    main()
