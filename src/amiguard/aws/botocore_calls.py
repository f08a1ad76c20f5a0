"""Calls that botocore makes for one target: paced, in threads of their own, each seen through.

A service that answers slowly, or not at all, holds up its own calls only: those of each service and region have bounds
of their own. Nor does it hold up the end of the program: nobody waits for its threads then.

For calls that may be made again: those that read, and those with a client token. A throttled call is made until it is
served; its user decides how long that may take.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore import xform_name
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError

from amiguard.aws.credentials import CredentialSource, LentCredentials
from amiguard.aws.denials import Denials
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.errors import (
    EXPIRED,
    THROTTLING,
    TRANSIENT,
    ApiError,
    api_error,
    explain_botocore,
    has_no_reply,
    unserved,
)
from amiguard.aws.pacing import Pacer, TokenBucket
from amiguard.aws.retry import Retries, RetryLimits
from amiguard.aws.session import CALL_ERRORS
from amiguard.core.image import Unreadable
from amiguard.core.result import Target

_LOG = logging.getLogger("amiguard.aws")
_T = TypeVar("_T")
THREADS = 32
"""Calls of one service in one region under way at once."""
AT_ONCE = 8
"""As many of them for one target: one account leaves threads for the others."""
_RETRY = RetryLimits()
_TRANSIENT = TRANSIENT | {"KMSInternalException", "DependencyTimeoutException"}
_LONGEST_REASON = 300


class DaemonThreads(Executor):
    """A thread for each call, for which the end of the program does not wait. The user bounds how many there are."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Begin a call at once."""
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - as executors do
                    future.set_exception(error)

        threading.Thread(target=run, name="amiguard-call", daemon=True).start()
        return future


class BotocoreClients:
    """One botocore client for each service and region, which serves every account there, and the threads that use them.

    Used in one event loop.

    Args:
        connect: makes a client of a service in a region, which signs with the given credentials and tries each call
            once.
        threads: run the calls; None for daemon threads.
    """

    def __init__(self, connect: Callable[[str, str, Credentials], Any], threads: Executor | None = None) -> None:
        self._connect = connect
        self._lent = LentCredentials()
        self._clients: dict[tuple[str, str], Any] = {}
        self._connecting = threading.Lock()
        self._threads = threads or DaemonThreads()
        self._rooms: dict[tuple[str, str], asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(THREADS))

    async def connect(self, service: str, region: str) -> None:
        """Make the client if it is not there; raises what is in `CALL_ERRORS`."""
        if (service, region) not in self._clients:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._client, service, region)

    def _client(self, service: str, region: str) -> Any:
        """The client, made when it is first needed; it blocks, and raises what is in `CALL_ERRORS`."""
        with self._connecting:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._connect(service, region, self._lent)
            return self._clients[service, region]

    async def send(
        self,
        service: str,
        region: str,
        credentials: ReadOnlyCredentials,
        operation: str,
        parameters: Mapping[str, object],
    ) -> Mapping[str, Any]:
        """Make one call, once; raises what is in `CALL_ERRORS`."""
        async with self._rooms[service, region]:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._send, service, region, credentials, operation, parameters
            )

    def _send(
        self,
        service: str,
        region: str,
        credentials: ReadOnlyCredentials,
        operation: str,
        parameters: Mapping[str, object],
    ) -> Mapping[str, Any]:
        client = self._client(service, region)
        self._lent.lend(credentials)
        reply: Mapping[str, Any] = getattr(client, xform_name(operation))(**parameters)
        return reply

    def close(self) -> None:
        """Close the connections; calls that are under way come to their ends with nobody waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in tuple(self._clients.values()):
            client.close()


class BotocoreCalls:
    """Calls services as the account of one target.

    Args:
        clients: make the calls.
        target: the account, and the region that is called unless a call says otherwise.
        credentials: of the account.
        stats: where the calls are counted.
        pacer: holds the buckets.
        retry: how long to try when a reply was broken, or none came.
        denials: decodes refusals that come in code; None to leave them so.
    """

    def __init__(
        self,
        clients: BotocoreClients,
        target: Target,
        credentials: CredentialSource,
        stats: CallStats,
        pacer: Pacer,
        *,
        retry: RetryLimits = _RETRY,
        denials: Denials | None = None,
    ) -> None:
        self._clients = clients
        self._target = target
        self._credentials = credentials
        self._stats = stats
        self._pacer = pacer
        self._retry = retry
        self._denials = denials
        # The pacer forgets a bucket that nobody holds, and would give its burst anew.
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._slots: dict[tuple[str, str], asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    async def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, object],
        read: Callable[[Mapping[str, Any]], _T],
        *,
        region: str | None = None,
    ) -> _T | ApiError | Unreadable:
        """Make one call and see it through.

        Args:
            service: botocore's name of it, which is IAM's too (`kms`).
            operation: the API's name (`DescribeKey`).
            parameters: as botocore takes them.
            read: turns the reply into a value; raises `MalformedReplyError` if it is not what was asked for.
            region: None for the target's.

        Returns:
            What was read; AWS's error if it is final; `Unreadable` if no usable reply came.
        """
        where = region or self._target.region
        retries = Retries(self._retry, asyncio.get_running_loop().time)
        renewed = False
        while True:
            made = await self._try(service, where, operation, parameters, read)
            if not isinstance(made, _Failed):
                return made
            failure, credentials = made.failure, made.credentials
            if isinstance(failure, ApiError) and failure.code in THROTTLING:
                continue
            if isinstance(failure, ApiError) and failure.code in EXPIRED and not renewed:
                renewed = True
                if not await self._credentials.renew(credentials):
                    return failure
            elif isinstance(failure, _Broken):
                pause = retries.pause()
                if pause is None:
                    return Unreadable(retries.told(failure.reason))
                _LOG.debug("trying again", extra={"action": operation, "region": where, "reason": failure.reason})
                await asyncio.sleep(pause)
            elif isinstance(failure, ApiError) and self._denials is not None:
                return await self._denials.explained(failure, f"{service}:{operation}", credentials, where)
            else:
                return failure

    async def _try(
        self,
        service: str,
        region: str,
        operation: str,
        parameters: Mapping[str, object],
        read: Callable[[Mapping[str, Any]], _T],
    ) -> "_T | Unreadable | ApiError | _Failed":
        """Make a call once; what keeps it from being made at all is final."""
        # A slot first: a turn that is had while others are waited for would be used in a burst with theirs.
        async with self._slots[service, region]:
            credentials = await self._credentials.current()
            if isinstance(credentials, Unreadable):
                return credentials
            try:
                # Before the turn, too: it takes a second.
                await self._clients.connect(service, region)
            except CALL_ERRORS as error:
                return _failure(error, service)
            bucket = self._bucket(region, operation)
            granted_at = await bucket.take()
            self._stats.count(operation)
            try:
                return read(await self._clients.send(service, region, credentials, operation, parameters))
            except (*CALL_ERRORS, KeyError, MalformedReplyError) as error:
                failure = _failure(error, f"{service}:{operation}")
        if isinstance(failure, ApiError) and failure.code in THROTTLING:
            self._stats.count_throttled()
            bucket.throttled(granted_at)
        return _Failed(failure, credentials)

    def _bucket(self, region: str, operation: str) -> TokenBucket:
        key = region, operation
        if key not in self._buckets:
            self._buckets[key] = self._pacer.bucket(self._target.account_id, region, operation)
        return self._buckets[key]


class _Broken(Unreadable):
    """A reply that was broken, or that did not come: worth another try."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """A call that was made, and brought nothing.

    Attributes:
        credentials: that signed it.
    """

    failure: ApiError | Unreadable
    credentials: ReadOnlyCredentials


def _failure(error: Exception, iam_action: str) -> ApiError | Unreadable:
    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, MalformedReplyError):
        return _Broken(str(error))
    # KeyError is what botocore makes of a page of HTML.
    if has_no_reply(error) or isinstance(error, KeyError):
        return _Broken(f"no usable reply came: {type(error).__name__}: {error}"[:_LONGEST_REASON])
    told = explain_botocore(error, doing=f"call {iam_action}", iam_action=iam_action)
    return Unreadable(told.message, told.hint)


def _refusal(error: ClientError) -> ApiError | _Broken:
    status, said = api_error(error)
    if said.code in THROTTLING:
        return said
    reason = unserved(status, said, _TRANSIENT)
    return said if reason is None else _Broken(reason[:_LONGEST_REASON])
