"""The lean client against a fake EC2, without pauses between tries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from botocore.credentials import Credentials as BotocoreCredentials
from botocore.httpsession import get_cert_path

from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats, Ec2QueryClient, Endpoint
from amiguard.aws.http import open_http
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import BucketSize, Pacer
from amiguard.aws.reader import Ec2ImageReader
from amiguard.aws.retry import RetryLimits
from amiguard.core.result import Target
from benchmarks.fake_ec2 import FakeEc2, credentials_for

ACCOUNT = "111122223333"
REGION = "us-east-1"
TARGET = Target(ACCOUNT, REGION, "aws")
_T = TypeVar("_T")
AT_ONCE = RetryLimits(first_pause=0.0)


@dataclass(frozen=True)
class Reading:
    """A reader, and what it sent."""

    reader: Ec2ImageReader
    client: Ec2QueryClient
    stats: CallStats


def botocore_credentials(*, session: bool = False) -> BotocoreCredentials:
    keys = credentials_for(ACCOUNT, session=0 if session else None)
    return BotocoreCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token)


@asynccontextmanager
async def open_reading(
    url: str,
    *,
    query: ImageQuery = ImageQuery(),
    load: Callable[[], BotocoreCredentials | None] = botocore_credentials,
    bucket: BucketSize | None = None,
    reply_within: float = 60.0,
) -> AsyncIterator[Reading]:
    stats = CallStats()
    pacer = Pacer({"DescribeImages": bucket, "DescribeImageAttribute": bucket})
    async with open_http(get_cert_path(True), "amiguard/test", reply_within=reply_within) as http:
        client = Ec2QueryClient(http, Endpoint(url, REGION), CredentialSource(load), stats, AT_ONCE)
        yield Reading(Ec2ImageReader(client, TARGET, query, pacer), client, stats)


def read(fake: FakeEc2, work: Callable[[Reading], Awaitable[_T]], **options: object) -> _T:
    """Run one piece of work with a reader of the fake."""

    async def main() -> _T:
        async with open_reading(fake.endpoint_url, **options) as reading:  # type: ignore[arg-type]  # passed through
            return await work(reading)

    return asyncio.run(main())
