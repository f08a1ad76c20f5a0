"""boto3 and the AWS CLI as witnesses of what the fake EC2 answers: each call is tried once."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.fake_ec2 import FakeEc2
from tests.conftest import scrubbed_environment

_AWS_CLI = Path(sys.executable).with_name("aws")
_ONCE = Config(retries={"total_max_attempts": 1})

Connect = Callable[..., Any]
"""`connect(fake, "ec2", account=..., region=...)`."""


@contextlib.contextmanager
def boto3_clients(account_id: str) -> Iterator[Connect]:
    """Make boto3 clients of an account, and close them in the end."""
    clients = []

    def make(fake: FakeEc2, service: str = "ec2", account: str = account_id, **where: Any) -> Any:
        clients.append(boto3.client(service, config=_ONCE, **fake.client_arguments(account, **where)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def error_of(call: Callable[[], object]) -> tuple[str, int]:
    """The code and the HTTP status of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def aws_cli(fake: FakeEc2, account_id: str, home: Path, *arguments: str) -> Any:
    """What the AWS CLI reads from the fake."""
    done = subprocess.run(
        [_AWS_CLI, *arguments, "--output", "json"],
        env=scrubbed_environment(home, fake.environment(account_id)),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)
