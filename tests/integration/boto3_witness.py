"""boto3 and the AWS CLI as witnesses of what the fake EC2 answers: each call is tried once."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.fake_ec2 import FakeEc2
from tests.conftest import scrubbed_environment
from tests.fakes.aws_cli import aws_cli

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


def aws_cli_of(fake: FakeEc2, account_id: str, home: Path, *arguments: str) -> Any:
    """What the AWS CLI reads from the fake."""
    return aws_cli(*arguments, environment=scrubbed_environment(home, fake.environment(account_id)))
