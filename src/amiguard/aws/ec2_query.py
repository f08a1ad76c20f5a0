"""The lean client of EC2's Query protocol: sign, send, parse, and try again where that is right.

For the hot reads only. It costs a fifth of botocore's CPU a call, and never gives up on a throttled call: botocore's
standard mode lost 700 of 1,000 images when its retry quota ran out. What could not be had is a value with a reason.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
from botocore.credentials import ReadOnlyCredentials
from lxml import etree

from amiguard.aws.credentials import CredentialSource
from amiguard.aws.denials import Denials
from amiguard.aws.ec2_xml import MalformedReplyError, parse_error, parse_reply
from amiguard.aws.errors import EXPIRED, THROTTLING, ApiError, unserved
from amiguard.aws.http import Http
from amiguard.aws.pacing import TokenBucket
from amiguard.aws.retry import Retries, RetryLimits
from amiguard.aws.sigv4 import Signer
from amiguard.core.image import Unreadable

_LOG = logging.getLogger("amiguard.aws")
API_VERSION = "2016-11-15"
_RETRY = RetryLimits()
Parameters = Sequence[tuple[str, str]]
_T = TypeVar("_T")


@dataclass(slots=True)
class CallStats:
    """What was sent: requests by action, tries again included, and how many AWS throttled.

    Attributes:
        whole: what these are a part of; it counts them too.
    """

    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    whole: "CallStats | None" = None

    def count(self, action: str, calls: int = 1) -> None:
        """Count requests."""
        self.calls[action] += calls
        if self.whole is not None:
            self.whole.count(action, calls)

    def count_throttled(self, calls: int = 1) -> None:
        """Count throttled replies."""
        self.throttled += calls
        if self.whole is not None:
            self.whole.count_throttled(calls)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service answers: its URL, and the HTTP proxy on the way if there is one."""

    url: str
    region: str
    service: str = "ec2"
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class _Throttled:
    """AWS asked to slow down."""


@dataclass(frozen=True, slots=True)
class _Broken:
    """No reply, or none that can be used: worth another try."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Expired:
    """The credentials are no longer good."""

    refused: ReadOnlyCredentials
    error: ApiError


class Ec2QueryClient:
    """Calls one endpoint with one set of credentials.

    Args:
        http: what carries the requests.
        endpoint: where to.
        credentials: who asks.
        stats: where the requests are counted.
        retry: how long to try.
        denials: decodes refusals that come in code; None to leave them so.
    """

    def __init__(
        self,
        http: Http,
        endpoint: Endpoint,
        credentials: CredentialSource,
        stats: CallStats,
        retry: RetryLimits = _RETRY,
        *,
        denials: Denials | None = None,
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._credentials = credentials
        self._stats = stats
        self._retry = retry
        self._denials = denials
        self._signer = Signer(endpoint.url, service=endpoint.service, region=endpoint.region)

    async def call(
        self, action: str, parameters: Parameters, parse: Callable[[etree._Element], _T], bucket: TokenBucket
    ) -> _T | ApiError | Unreadable:
        """Make one call and see it through.

        Args:
            action: the API's name (`DescribeImages`).
            parameters: its parameters as the Query protocol writes them.
            parse: turns the root element into a value; raises `MalformedReplyError` if it is not what was asked for.
            bucket: paces the call.

        Returns:
            The parsed reply; AWS's error if it is final; `Unreadable` if no usable reply came.
        """
        body = urlencode([("Action", action), ("Version", API_VERSION), *parameters]).encode()
        retries = Retries(self._retry, asyncio.get_running_loop().time)
        renewed = False
        while True:
            credentials = await self._credentials.current()
            if isinstance(credentials, Unreadable):
                return credentials
            granted_at = await bucket.take()
            match await self._attempt(action, body, credentials, parse):
                case _Throttled():
                    renewed = False
                    self._stats.count_throttled()
                    bucket.throttled(granted_at)
                    self._log("throttled", action, rate=bucket.rate)
                case _Broken(reason):
                    renewed = False
                    pause = retries.pause()
                    if pause is None:
                        self._log("given up", action, reason=reason, tries=retries.broken)
                        return Unreadable(retries.told(reason))
                    self._log("trying again", action, reason=reason, pause=round(pause, 3))
                    await asyncio.sleep(pause)
                case _Expired(refused, error):
                    # Whoever refuses new ones at once refuses all of them: this machine's clock may be wrong, say.
                    renewed = not renewed and await self._credentials.renew(refused)
                    self._log("credentials expired", action, renewed=renewed)
                    if not renewed:
                        return error
                case ApiError() as refusal if self._denials is not None:
                    return await self._denials.explained(
                        refusal, f"{self._endpoint.service}:{action}", credentials, self._endpoint.region
                    )
                case outcome:
                    return outcome

    def _log(self, event: str, action: str, **details: object) -> None:
        _LOG.debug(event, extra={"action": action, "region": self._endpoint.region, **details})

    async def _attempt(
        self, action: str, body: bytes, credentials: ReadOnlyCredentials, parse: Callable[[etree._Element], _T]
    ) -> _T | ApiError | _Throttled | _Broken | _Expired:
        self._stats.count(action)
        try:
            async with (
                self._http.slots,
                self._http.session.post(
                    self._endpoint.url,
                    data=body,
                    headers=self._signer.headers(body, credentials, time.time()),
                    proxy=self._endpoint.proxy,
                    allow_redirects=False,
                ) as response,
            ):
                status = response.status
                content = await response.read()
        except aiohttp.ClientConnectorCertificateError as error:
            return ApiError("CertificateError", f"the certificate of {error.host} is not trusted; see AWS_CA_BUNDLE")
        except TimeoutError:
            return _Broken("no reply in time")
        except (aiohttp.ClientError, OSError) as error:
            return _Broken(f"the connection failed: {str(error) or type(error).__name__}")
        try:
            if status == 200:  # noqa: PLR2004 - HTTP
                return parse(parse_reply(content, f"{action}Response"))
            return _read_error(status, parse_error(content), credentials)
        except MalformedReplyError as error:
            return _Broken(f"HTTP {status}: {error}")


def _read_error(
    status: int, error: ApiError, credentials: ReadOnlyCredentials
) -> ApiError | _Throttled | _Broken | _Expired:
    if error.code in THROTTLING:
        return _Throttled()
    if error.code in EXPIRED:
        return _Expired(credentials, error)
    reason = unserved(status, error)
    return error if reason is None else _Broken(reason)
