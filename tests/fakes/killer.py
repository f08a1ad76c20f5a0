"""Kills a program in the middle of a call."""

import subprocess
import threading


class Killer:
    """To be put into a fake's reply: the program dies before it has read it.

    Killed at a call and not at a time, a test does not depend on the machine's speed.
    """

    def __init__(self) -> None:
        self._started = threading.Event()
        self.killed = False

    def watch(self, program: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Say which program is to die."""
        self._program = program
        self._started.set()
        return program

    def __call__(self, body: bytes) -> bytes:
        """Kill it; the body stays as it is."""
        self._started.wait(60)
        self._program.kill()
        self.killed = True
        return body
