"""Calls of Security Hub CSPM: paced at its own limits, tried again until they are served.

AWS documents 3 a second and a burst of 6 for GetFindings, and 10 and 30 for BatchImportFindings (Security Hub API
Reference, "Welcome"), in each account and region. Importing a finding twice is one import: every call may be repeated.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from amiguard.aws.botocore_calls import BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.errors import (
    EXPIRED,
    THROTTLING,
    TRANSIENT,
    api_error,
    explain,
    explain_botocore,
    has_no_reply,
    unserved,
)
from amiguard.aws.pacing import BucketSize, TokenBucket
from amiguard.aws.retry import Retries, RetryLimits
from amiguard.aws.session import CALL_ERRORS
from amiguard.core.image import Unreadable

AT_ONCE = 8
"""Targets that are worked on at once."""
INVALID = "InvalidInputException"
"""The code of a call that Security Hub, or botocore on its behalf, finds malformed."""
# 95 %: others in the account spend from the same bucket.
_BUCKETS = {"GetFindings": BucketSize(5.7, 2.85), "BatchImportFindings": BucketSize(28.5, 9.5)}
_THROTTLING = THROTTLING | {"LimitExceededException"}
_MOST_THROTTLED = 30
"""Some five minutes at the slowest pace: the results are known by then, and must not wait for ever."""
_TRANSIENT = TRANSIENT | {"InternalException"}
_ENABLE = "enable Security Hub CSPM there (`aws securityhub enable-security-hub --region R`), and run the audit again"
_LONGEST_MESSAGE = 300


class SecurityHubError(Exception):
    """Security Hub's final word on a call, or that there was none: its code, empty if it sent none, and why."""

    def __init__(self, code: str, why: Unreadable) -> None:
        super().__init__(code, why)
        self.code = code
        self.why = why


class SecurityHubCalls:
    """Calls Security Hub of one account in one region, and sees each call through.

    Args:
        clients: make the calls.
        region: where.
        credentials: of the account.
        stats: where the calls are counted.
        retry: how long to try when a reply was broken, or none came.
    """

    def __init__(
        self,
        clients: BotocoreClients,
        region: str,
        credentials: CredentialSource,
        stats: CallStats,
        retry: RetryLimits,
    ) -> None:
        self._clients = clients
        self._region = region
        self._credentials = credentials
        self._stats = stats
        self._retry = retry
        self._buckets = {operation: TokenBucket(size) for operation, size in _BUCKETS.items()}

    async def call(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        """Make one call.

        Args:
            operation: the API's name (`GetFindings`).
            parameters: as botocore takes them.

        Raises:
            SecurityHubError: the final word is an error, or no usable reply came.
        """
        bucket = self._buckets[operation]
        throttled = 0
        renewed = False
        retries = Retries(self._retry, asyncio.get_running_loop().time)
        while True:
            credentials = await self._credentials.current()
            if isinstance(credentials, Unreadable):
                raise SecurityHubError("", credentials)
            granted_at = await bucket.take()
            self._stats.count(operation)
            try:
                return await self._clients.send("securityhub", self._region, credentials, operation, parameters)
            except CALL_ERRORS as error:
                failure = _failure(operation, error)
            if failure.code in _THROTTLING and throttled < _MOST_THROTTLED:
                throttled += 1
                self._stats.count_throttled()
                bucket.throttled(granted_at)
                continue
            if failure.code in EXPIRED and not renewed and await self._credentials.renew(credentials):
                renewed = True
                continue
            if not isinstance(failure, _BrokenError):
                raise failure
            pause = retries.pause()
            if pause is None:
                raise SecurityHubError(failure.code, Unreadable(retries.told(failure.why.reason)))
            await asyncio.sleep(pause)


class _BrokenError(SecurityHubError):
    """A reply that was broken, or that did not come: worth another try."""


def _failure(operation: str, error: Exception) -> SecurityHubError:
    if isinstance(error, ClientError):
        return _refusal(operation, error)
    if isinstance(error, ParamValidationError):
        return SecurityHubError(INVALID, Unreadable(" ".join(str(error).split())[:_LONGEST_MESSAGE]))
    if has_no_reply(error):
        return _BrokenError("", Unreadable(f"the connection to Security Hub failed: {error}"[:_LONGEST_MESSAGE]))
    told = explain_botocore(error, doing="ask Security Hub", iam_action=f"securityhub:{operation}")
    return SecurityHubError("", Unreadable(told.message, told.hint))


def _refusal(operation: str, error: ClientError) -> SecurityHubError:
    status, whole = api_error(error)
    said = replace(whole, message=whole.message[:_LONGEST_MESSAGE])
    reason = unserved(status, said, _TRANSIENT)
    if reason is not None and said.code not in _THROTTLING:
        return _BrokenError(said.code, Unreadable(reason))
    if said.code == "InvalidAccessException":
        if "not subscribed" in whole.message:
            return SecurityHubError(said.code, Unreadable("Security Hub is not enabled here", _ENABLE))
        return SecurityHubError(said.code, Unreadable(f"Security Hub refused the account: {said.message}", _ENABLE))
    return SecurityHubError(said.code, explain(said, f"securityhub:{operation}"))
