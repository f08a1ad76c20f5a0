"""The HTTP client of the hot reads: few kept-alive connections, verified TLS, botocore's notion of proxies and CAs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from amiguard.core.errors import AmiguardError

CONNECTIONS = 128
"""Requests under way at once in the whole run: past this, more concurrency bought nothing (see benchmarks)."""

REPLY_WITHIN = 60.0
"""Seconds in which a request must have its whole reply, connecting included."""


@dataclass(frozen=True, slots=True)
class Http:
    """What carries the requests of a run: the session, and how many may be under way at once."""

    session: aiohttp.ClientSession
    slots: asyncio.Semaphore


@asynccontextmanager
async def open_http(ca_file: str, user_agent: str, *, reply_within: float = REPLY_WITHIN) -> AsyncIterator[Http]:
    """An HTTP session for one run.

    Cookies, redirects, `.netrc` and environment proxies are off: AWS's APIs use none, and looking for the proxy anew
    at each request costs more than the request (the endpoint's proxy is found once, in `session`).

    Args:
        ca_file: PEM certificates of the authorities that vouch for AWS.
        user_agent: what the requests call the program.
        reply_within: seconds for one request.

    Raises:
        AmiguardError: the certificates cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        hint = "see AWS_CA_BUNDLE and ca_bundle in the AWS configuration"
        raise AmiguardError(f"the certificates in {ca_file} cannot be read: {error}", hint=hint) from error
    # The slots limit the connections, and not the connector: time spent waiting for a slot is no connection timeout.
    connector = aiohttp.TCPConnector(limit=0, ssl=context, ttl_dns_cache=300)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=reply_within),
        trust_env=False,
    ) as session:
        yield Http(session, asyncio.Semaphore(CONNECTIONS))
