"""The reader of evidence against a fake EC2: aiohttp and botocore as in the program."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from botocore.credentials import Credentials
from botocore.httpsession import get_cert_path

from amiguard.aws.botocore_calls import BotocoreCalls, BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats, Ec2QueryClient, Endpoint
from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.aws.http import open_http
from amiguard.aws.pacing import Pacer
from amiguard.aws.session import AwsSession
from amiguard.core.result import Target
from benchmarks.fake_ec2 import FakeEc2, credentials_for

_T = TypeVar("_T")


@contextmanager
def botocore_clients(url: str) -> Iterator[BotocoreClients]:
    """Clients of every service as the program makes them."""
    session = AwsSession(profile=None, home_region=None, endpoint_url=url, stats=CallStats())

    def connect(service: str, region: str, credentials: Credentials) -> Any:
        return session.client(service, credentials=credentials, region=region, quick=True)

    clients = BotocoreClients(connect)
    try:
        yield clients
    finally:
        clients.close()


def read_evidence(
    fake: FakeEc2,
    account_id: str,
    region: str,
    work: Callable[[Ec2EvidenceReader], Awaitable[_T]],
    *,
    unpaced: tuple[str, ...] = (),
) -> tuple[_T, CallStats]:
    """Run one piece of work with a reader of the fake; what came of it, and the calls."""
    keys = credentials_for(account_id)
    credentials = CredentialSource(lambda: Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token))
    target, stats, pacer = Target(account_id, region, "aws"), CallStats(), Pacer(dict.fromkeys(unpaced))

    async def main() -> _T:
        async with open_http(get_cert_path(True), "amiguard/test", reply_within=60.0) as http:
            with botocore_clients(fake.endpoint_url) as clients:
                reader = Ec2EvidenceReader(
                    Ec2QueryClient(http, Endpoint(fake.endpoint_url, region), credentials, stats),
                    BotocoreCalls(clients, target, credentials, stats, pacer),
                    target,
                    pacer,
                    usage_max_age=timedelta(hours=24),
                )
                return await work(reader)

    return asyncio.run(main()), stats
