"""Calls of AWS Organizations: paced at its own limits, tried again until they are served, their pages put together.

Organizations throttles each API by a token bucket of its own, per account and per organization (AWS Organizations User
Guide, "Quotas for AWS Organizations"), far below EC2's limits. The calls are rare, so botocore makes them, in a thread.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from amiguard.aws.errors import THROTTLING, ApiError, api_error, explain_botocore, has_no_reply, unserved
from amiguard.aws.pacing import BucketSize, TokenBucket
from amiguard.aws.retry import Retries, RetryLimits
from amiguard.aws.session import CALL_ERRORS, AwsSession
from amiguard.core.image import Unreadable

_LOG = logging.getLogger("amiguard.aws")
RETRY = RetryLimits()
_MOST_EMPTY_PAGES = 100
"""Organizations may send empty pages that go on; a listing that sends so many in a row does not end."""
_PAGE_SIZE = 20
"""The most that Organizations gives in a page."""
_NOT_SIZED = frozenset({"ListTagsForResource"})
"""Listings that take no MaxResults."""


def _below(rate: float, burst: float) -> BucketSize:
    # 95 %: others in the account spend from the same bucket.
    return BucketSize(burst * 0.95, rate * 0.95)


_BUCKETS = {
    "DescribeOrganization": _below(1, 2),
    "ListAccounts": _below(8, 12),
    "ListAccountsForParent": _below(5, 8),
    "ListOrganizationalUnitsForParent": _below(5, 8),
    "ListParents": _below(5, 8),
    "ListRoots": _below(1, 2),
    "ListTagsForResource": _below(5, 8),  # its limit was not found in the documentation: as slow as the slow listings
}


class OrganizationsCallError(Exception):
    """A call of Organizations that did not work: which one, and why."""

    def __init__(self, operation: str, why: ApiError | Unreadable) -> None:
        super().__init__(operation, why)
        self.operation = operation
        self.why = why


class OrganizationsClient:
    """Calls Organizations with a session's credentials, one call at a time.

    Args:
        session: who asks; its `stats` count the calls.
        retry: how long to try when a reply was broken, or none came.
    """

    def __init__(self, session: AwsSession, retry: RetryLimits = RETRY) -> None:
        self._session = session
        self._retry = retry
        self._buckets = {operation: TokenBucket(size) for operation, size in _BUCKETS.items()}
        self._client: Any = None

    async def call(self, operation: str, member: str, **parameters: object) -> Mapping[str, Any]:
        """Make one call and see it through; a throttled call is tried until it is served.

        Args:
            operation: the API's name (`ListAccounts`).
            member: what every whole reply has (`Accounts`).
            parameters: as botocore takes them.

        Raises:
            OrganizationsCallError: AWS's final word is an error, or no usable reply came.
        """
        bucket = self._buckets[operation]
        retries = Retries(self._retry, asyncio.get_running_loop().time)
        while True:
            granted_at = await bucket.take()
            self._session.stats.calls[operation] += 1
            try:
                reply = await asyncio.to_thread(self._call, operation, parameters)
                if member in reply:
                    return reply
                reason = f"the reply lacks {member!r}"  # botocore makes an empty one of JSON that it cannot read
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in THROTTLING:
                    self._session.stats.throttled += 1
                    bucket.throttled(granted_at)
                    _LOG.debug("throttled", extra={"action": operation, "rate": bucket.rate})
                    continue
                reason = _why_broken(operation, error)
            except CALL_ERRORS as error:
                reason = _why_no_reply(operation, error)
            pause = retries.pause()
            if pause is None:
                raise OrganizationsCallError(operation, Unreadable(retries.told(reason)))
            _LOG.debug("trying again", extra={"action": operation, "reason": reason, "pause": round(pause, 3)})
            await asyncio.sleep(pause)

    async def listed(self, operation: str, member: str, key: str = "Id", **parameters: object) -> list[dict[str, Any]]:
        """Everything that a listing gives, page by page, each item once.

        Args:
            operation: the API's name.
            member: the reply's member that holds the items (`Accounts`).
            key: what tells the items apart.
            parameters: as botocore takes them.

        Raises:
            OrganizationsCallError: a page could not be read, or the listing does not end.
        """
        found: dict[str, dict[str, Any]] = {}
        tokens: set[str] = set()
        empty_pages = 0
        following: dict[str, object] = {} if operation in _NOT_SIZED else {"MaxResults": _PAGE_SIZE}
        while True:
            reply = await self.call(operation, member, **parameters, **following)
            known = len(found)
            try:
                for item in reply[member]:
                    found.setdefault(item[key], item)
            except KeyError as error:
                raise OrganizationsCallError(operation, Unreadable(f"the reply lacks {error}")) from error
            token = reply.get("NextToken")
            if not token:
                return list(found.values())
            empty_pages = 0 if len(found) > known else empty_pages + 1
            if token in tokens or empty_pages > _MOST_EMPTY_PAGES:
                raise OrganizationsCallError(operation, Unreadable("the listing does not end: its pages repeat"))
            tokens.add(token)
            following["NextToken"] = token

    def _call(self, operation: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        if self._client is None:
            self._client = self._session.client("organizations")
        reply: Mapping[str, Any] = getattr(self._client, xform_name(operation))(**parameters)
        return reply


def _why_broken(operation: str, error: ClientError) -> str:
    """The reason of an error that is worth another try; raises the others."""
    status, said = api_error(error)
    if (reason := unserved(status, said)) is not None:
        return reason
    raise OrganizationsCallError(operation, said) from error


def _why_no_reply(operation: str, error: Exception) -> str:
    """The reason of a failed connection or a broken reply, which are worth another try; raises the others."""
    if has_no_reply(error):
        return f"the connection failed: {error}"
    told = explain_botocore(error, doing="ask AWS Organizations", iam_action=f"organizations:{operation}")
    raise OrganizationsCallError(operation, Unreadable(told.message, told.hint)) from error
