"""AssumeRole: one call, paced, tried again where that is right, and its refusals in words.

STS serves an account 600 requests a second and region, all its APIs together (IAM User Guide, "IAM and AWS STS
quotas"); the calls go at half of that. They block: they run in threads, where botocore renews credentials.
"""

import random
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from amiguard.aws.credentials import CredentialsUnreadableError
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.errors import (
    DENIED,
    EXPIRED,
    RENEW,
    THROTTLING,
    ApiError,
    api_error,
    explain,
    explain_botocore,
    has_no_reply,
    unserved,
)
from amiguard.aws.retry import Retries, RetryLimits
from amiguard.aws.session import CALL_ERRORS
from amiguard.core.image import Unreadable

AT_ONCE = 16
"""AssumeRole calls under way at once."""
_A_SECOND = 300.0
_LONGEST_PAUSE = 20.0
_ACTION = "sts:AssumeRole"
_RETRY = RetryLimits()
_REFUSED = re.compile(r"(?:User: (?P<user>\S+) )?is not authorized to perform: (?P<action>sts:\w+)")


@dataclass(frozen=True, slots=True)
class Role:
    """A role to assume: its ARN, and the external id that its trust policy asks for, if any."""

    arn: str
    external_id: str | None = None


class RoleCalls:
    """Makes the AssumeRole calls of a run, from any thread.

    Args:
        stats: where the calls are counted.
        a_second: how many calls at most.
        retry: how long to try when a reply was broken, or none came; throttled calls are tried until they are served.
    """

    def __init__(self, stats: CallStats, *, a_second: float = _A_SECOND, retry: RetryLimits = _RETRY) -> None:
        self._stats = stats
        self._interval = 1 / a_second
        self._retry = retry
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._next = 0.0
        self._closed = threading.Event()

    def close(self) -> None:
        """Let every call that waits fail: a thread that waits for STS must not hold up the end of the program."""
        self._closed.set()

    def assume(self, client: Any, role: Role, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        """Make one call and see it through.

        Args:
            client: botocore's STS client, which says who asks.
            role: the role, for the reasons.
            parameters: as botocore takes them.

        Raises:
            CredentialsUnreadableError: the role cannot be assumed.
        """
        throttled = 0
        retries = Retries(self._retry, time.monotonic)
        while True:
            self._wait_for_turn()
            try:
                with self._slots:
                    reply: Mapping[str, Any] = client.assume_role(**parameters)
                    return reply
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in THROTTLING:
                    throttled += 1
                    self._stats.throttled += 1
                    self._hold(min(_LONGEST_PAUSE, 0.5 * 2 ** min(throttled, 6)) * random.uniform(0.5, 1))  # noqa: S311 - no secret
                    continue
                reason = _why_broken(role, error, client)
            except (*CALL_ERRORS, KeyError) as error:
                reason = _why_no_reply(role, error)
            pause = retries.pause()
            if pause is None:
                raise _unreadable(retries.told(reason), "check the network, and AWS_ENDPOINT_URL")
            self._pause(pause)

    def _wait_for_turn(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
            self._stats.calls["AssumeRole"] += 1
        self._pause(turn - now)

    def _hold(self, seconds: float) -> None:
        """Let nobody ask for a while: STS throttles the account, and not the role."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def _pause(self, seconds: float) -> None:
        if self._closed.wait(max(0.0, seconds)):
            raise _unreadable("interrupted before the role was assumed")


def _why_broken(role: Role, error: ClientError, client: Any) -> str:
    """The reason of an error that is worth another try; raises the others."""
    status, said = api_error(error)
    if (reason := unserved(status, said)) is not None:
        return reason
    raise CredentialsUnreadableError(explain_refusal(said, role, region=client.meta.region_name)) from error


def _why_no_reply(role: Role, error: Exception) -> str:
    """The reason of a failed connection or a broken reply, which are worth another try; raises the others."""
    if isinstance(error, KeyError):
        return f"the reply was not STS's: it lacks {error}"
    if isinstance(error, ResponseParserError):
        return f"the reply was not STS's: {error}"
    if has_no_reply(error):
        return f"the connection to STS failed: {error}"
    told = explain_botocore(error, doing=f"assume {role.arn}", iam_action=_ACTION)
    raise CredentialsUnreadableError(Unreadable(told.message, told.hint)) from error


def _unreadable(reason: str, hint: str | None = None) -> CredentialsUnreadableError:
    return CredentialsUnreadableError(Unreadable(reason, hint))


def explain_refusal(error: ApiError, role: Role, *, region: str) -> Unreadable:
    """What STS's refusal means, and what would mend it.

    Args:
        error: the code and message. STS says AccessDenied of a role that does not exist, too.
        role: the role that was to be assumed.
        region: where STS was asked.
    """
    if error.code in DENIED:
        return _explain_denial(error, role)
    if error.code in EXPIRED:
        return Unreadable(f"the credentials that were to assume {role.arn} have expired", RENEW)
    if error.code == "RegionDisabledException":
        return Unreadable(
            f"STS is not active in {region}", "activate it (IAM, Account settings), or set AWS_REGION to another region"
        )
    why = explain(error, _ACTION)
    hint = why.hint
    if error.code == "PackedPolicyTooLarge":
        hint = "shorten the session tags"
    elif "DurationSeconds" in error.message:
        hint = "shorten the session duration, or raise the role's maximum"
    return Unreadable(f"{role.arn} could not be assumed: {why.reason}", hint)


def _explain_denial(error: ApiError, role: Role) -> Unreadable:
    if "service control policy" in error.message or "resource control policy" in error.message:
        kind = "service" if "service control policy" in error.message else "resource"
        return Unreadable(
            f"a {kind} control policy denies {_ACTION} on {role.arn}",
            "an administrator of the organization can allow it",
        )
    found = _REFUSED.search(error.message)
    action = found["action"] if found else _ACTION
    caller = f" to {found['user']}" if found and found["user"] else ""
    external_id = "this external id" if role.external_id is not None else "no external id"
    return Unreadable(
        f"not permitted{caller}: {action} on {role.arn}",
        f"check that the role exists, that its trust policy allows {action} to the caller with {external_id}, and that "
        f"the caller is granted {action} on it",
    )
