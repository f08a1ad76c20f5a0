"""Clients of the embedded AWS: boto3, and the AWS CLI."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import scrubbed_environment
from tests.fakes.aws_cli import run_aws_cli

REGION = "us-east-1"
ACCOUNT = "123456789012"
"""Whose credentials everybody has whom moto does not know."""


@cache
def session() -> Any:
    """One for all tests: it reads the description of a service only once."""
    return boto3.Session()


@contextmanager
def opened(url: str, service: str, region: str = REGION, **credentials: str) -> Iterator[Any]:
    keys = credentials or {"aws_access_key_id": "demo", "aws_secret_access_key": "demo"}
    with closing(session().client(service, region_name=region, endpoint_url=url, **keys)) as client:
        yield client


def aws_cli(url: str, home: Path, *arguments: str, region: str = REGION) -> tuple[int, Any]:
    """The AWS CLI's exit code and answer."""
    environment = scrubbed_environment(home, {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": region})
    return run_aws_cli(*arguments, environment=environment)


def code_of(failure: "pytest.ExceptionInfo[ClientError]") -> str:
    """The code of the error that AWS answered."""
    return str(failure.value.response["Error"]["Code"])
