"""The AWS CLI of the environment, as a witness: what it sees is what there is.

Most of what a command costs is to import the program. As in `warm_program`, one process of each pytest process has
imported it (`aws_cli_server.py`), and forks one off that runs the command: nothing but what is imported is shared.
"""

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from tests.fakes.warm_program import COLD

AWS_CLI = Path(sys.executable).with_name("aws")
_ONE_AT_A_TIME = Lock()
_SERVER = Path(__file__).with_name("aws_cli_server.py")


def run_aws_cli(*arguments: str, environment: Mapping[str, str]) -> tuple[int, Any]:
    """Run one command.

    Args:
        arguments: after `aws`; the output is JSON.
        environment: all of it.

    Returns:
        The exit code and the answer; what it wrote to stderr if there is no answer.
    """
    words = [*arguments, "--output", "json"]
    if COLD:
        done = subprocess.run(
            [AWS_CLI, *words], env=dict(environment), capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, _answer(done.stdout, done.stderr)
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="aws-cli-") as folder:
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked = {"arguments": words, "environment": dict(environment), "out": str(out), "err": str(err)}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return code, _answer(out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


def aws_cli(*arguments: str, environment: Mapping[str, str]) -> Any:
    """The answer to a command.

    Raises:
        AssertionError: it failed.
    """
    code, answer = run_aws_cli(*arguments, environment=environment)
    assert code == 0, f"`aws {' '.join(arguments)}` ended with {code}: {answer}"
    return answer


def _answer(out: str, err: str) -> Any:
    return json.loads(out) if out.strip() else err


@cache
def _server() -> "subprocess.Popen[str]":
    server = subprocess.Popen(
        [sys.executable, _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    atexit.register(_end, server)
    return server


def _end(server: "subprocess.Popen[str]") -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.close()
    server.wait()
    server.stdout.close()
