"""Runs commands of the AWS CLI that are asked for, a line of JSON each; started by `aws_cli.py`."""

import gc
import json
import os
import signal
import sys
from typing import Any

import awscli.clidriver

_LONGEST_SECONDS = 120
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
            _become(asked)
            sys.exit(awscli.clidriver.main())  # as the program itself ends, tracebacks included
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(asked: dict[str, Any]) -> None:
    """Make this process what a shell would have started."""
    signal.alarm(_LONGEST_SECONDS)
    os.environ.clear()
    os.environ.update(asked["environment"])
    if _DATA is not None:
        os.environ.setdefault("AWS_DATA_PATH", _DATA)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.argv = ["aws", *asked["arguments"]]


if __name__ == "__main__":
    main()
