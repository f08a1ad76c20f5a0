"""Runs commands of the AWS CLI that are asked for, a line of JSON each; started by `aws_cli.py`."""

import gc
import json
import os
import sys
from typing import Any, Never

import awscli.clidriver

# Where the CLI finds its own data: importing it puts that into the environment.
_DATA = os.environ.get("AWS_DATA_PATH")


def main() -> None:
    """Fork for each line, wait, and say the exit code."""
    awscli.clidriver.create_clidriver()  # imports its customizations
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(asked)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(asked: dict[str, Any]) -> Never:
    code = 1
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        if _DATA is not None:
            os.environ.setdefault("AWS_DATA_PATH", _DATA)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT, 0o600), number)
        sys.argv = ["aws", *asked["arguments"]]
        code = awscli.clidriver.main()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
