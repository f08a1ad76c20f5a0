"""The program without the time that it takes to start: forked off a process that has imported it already.

Most of what a short run of the program costs is the importing of what it needs. A run here is a process of its own with
its own environment, folder and streams, as a run of the installed program is; only what is imported is shared, and that
before anything of a run is known. With `AMIGUARD_COLD_TESTS=1` in the environment of pytest nothing is.
"""

import gc
import multiprocessing
import os
import pkgutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import amiguard

COLD = bool(os.environ.get("AMIGUARD_COLD_TESTS"))


class WarmTimeoutError(Exception):
    """A run took longer than it was given, and was killed."""


@dataclass(frozen=True)
class Descriptor:
    """A file or device that a run opens as one of its streams."""

    path: str
    mode: int


_Stream = Connection | Descriptor


def run_warm(arguments: list[str], folder: Path, environment: Mapping[str, str], terminal: str, output: Path) -> int:
    """Run the program on a terminal.

    Args:
        arguments: after the program's name.
        folder: the working folder.
        environment: all of it.
        terminal: the device on which it asks and talks.
        output: the file to which its stdout goes.

    Returns:
        The exit code.
    """
    device = Descriptor(terminal, os.O_RDWR | os.O_NOCTTY)
    written = Descriptor(str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    process = _start(arguments, folder, environment, (device, written, device))
    return _ended(process, None)


def capture_warm(
    arguments: list[str], folder: Path, environment: Mapping[str, str], stdin: str, timeout: float
) -> tuple[int, bytes, bytes]:
    """Run the program with pipes as its streams.

    Returns:
        The exit code (negative: the signal that ended it), and what it wrote to stdout and stderr.

    Raises:
        WarmTimeoutError: it took longer than `timeout` seconds.
    """
    (reads, feed), (out_read, out_write), (err_read, err_write) = (multiprocessing.Pipe(duplex=False) for _ in range(3))
    process = _start(arguments, folder, environment, (reads, out_write, err_write))
    for theirs in (reads, out_write, err_write):
        theirs.close()
    told: tuple[list[bytes], list[bytes]] = ([], [])
    helpers = [
        Thread(target=_feed, args=(feed, stdin.encode())),
        *(Thread(target=_listen, args=pair) for pair in zip((out_read, err_read), told, strict=True)),
    ]
    for helper in helpers:
        helper.start()
    try:
        code = _ended(process, timeout)
    finally:
        for helper in helpers:
            helper.join()
        for ours in (out_read, err_read):
            ours.close()
    out, err = (b"".join(said) for said in told)
    return code, out, err


def _start(
    arguments: list[str], folder: Path, environment: Mapping[str, str], streams: tuple[_Stream, _Stream, _Stream]
) -> "multiprocessing.process.BaseProcess":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_modules()])
    process = context.Process(target=_child, args=(arguments, str(folder), dict(environment), streams))
    process.start()
    return process


def _modules() -> list[str]:
    """All of the program, and what it imports only when it is needed."""
    ours = [one.name for one in pkgutil.walk_packages(amiguard.__path__, "amiguard.")]
    return [*(name for name in ours if not name.endswith("__main__")), "botocore.session"]


def _ended(process: "multiprocessing.process.BaseProcess", timeout: float | None) -> int:
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise WarmTimeoutError(f"the program did not end within {timeout} seconds")
    code = process.exitcode
    process.close()
    return code


def _feed(pipe: Connection, text: bytes) -> None:
    try:
        while text:
            text = text[os.write(pipe.fileno(), text) :]
    except BrokenPipeError:
        pass  # it ended without reading it
    finally:
        pipe.close()


def _listen(pipe: Connection, said: list[bytes]) -> None:
    while text := os.read(pipe.fileno(), 1 << 16):
        said.append(text)


def _child(
    arguments: list[str], folder: str, environment: dict[str, str], streams: tuple[_Stream, _Stream, _Stream]
) -> None:
    gc.freeze()  # what was imported is no garbage, and stays in the memory that all runs share
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, stream in enumerate(streams):
        match stream:
            case Descriptor(path, mode):
                opened = os.open(path, mode, 0o600)
                os.dup2(opened, number)
                os.close(opened)
            case Connection():
                os.dup2(stream.fileno(), number)
                stream.close()
    # As Python itself opens the three of a process whose locale is UTF-8.
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv = ["amiguard", *arguments]
    from amiguard.cli.main import main

    main()
