"""The writer with a real botocore client, against a server that plays EC2."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials

from amiguard.aws.botocore_calls import BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.image_writer import Ec2ImageWriter
from amiguard.aws.pacing import BucketSize, Pacer
from amiguard.aws.session import AwsSession
from amiguard.core.edit import Step
from amiguard.core.ports import WriteReply
from tests.integration.aws_reader import TARGET, botocore_credentials

_T = TypeVar("_T")


def connect_to(url: str, *, reply_within: float | None = None) -> Callable[[Credentials], Any]:
    """As the program makes its clients; with `reply_within`, one that loses patience sooner."""
    session = AwsSession(profile=None, home_region="eu-north-1", endpoint_url=url, stats=CallStats())
    if reply_within is None:
        return lambda credentials: session.client("ec2", credentials=credentials, region=TARGET.region)

    def connect(credentials: Credentials) -> Any:
        impatient = botocore.session.Session()
        impatient.set_default_client_config(Config(read_timeout=reply_within, retries={"total_max_attempts": 1}))
        impatient._credentials = credentials  # what `client` does by a provider
        return impatient.create_client("ec2", region_name=TARGET.region, endpoint_url=url)

    return connect


@asynccontextmanager
async def open_writer(
    url: str,
    *,
    load: Callable[[], Credentials | None] = botocore_credentials,
    stats: CallStats | None = None,
    bucket: BucketSize | None = None,
    reply_within: float | None = None,
) -> AsyncIterator[Ec2ImageWriter]:
    actions = ("ModifyImageAttribute", "EnableImageBlockPublicAccess", "DisableImageBlockPublicAccess")
    pacer = Pacer(dict.fromkeys(actions, bucket))
    connect = connect_to(url, reply_within=reply_within)
    clients = BotocoreClients(lambda _service, _region, credentials: connect(credentials))
    writer = Ec2ImageWriter(clients, TARGET, CredentialSource(load), stats or CallStats(), pacer)
    try:
        yield writer
    finally:
        clients.close()


def write(url: str, work: Callable[[Ec2ImageWriter], Awaitable[_T]], **options: Any) -> _T:
    """Run one piece of work with a writer."""

    async def main() -> _T:
        async with open_writer(url, **options) as writer:
            return await work(writer)

    return asyncio.run(main())


async def modify(writer: Ec2ImageWriter, image_id: str, step: Step, *, dry_run: bool = False) -> WriteReply:
    await writer.wait_for_turn()
    return await writer.modify_launch_permission(image_id, step, dry_run=dry_run)
