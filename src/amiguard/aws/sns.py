"""SNS: messages to a topic, in the topic's region, with the run's own credentials.

Limits are of the SNS API Reference, Publish: a subject is ASCII of less than 100 characters on one line, a message
262,144 bytes at most.
"""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from amiguard.aws.errors import THROTTLING, TRANSIENT, api_error, explain_botocore, has_no_reply, unserved
from amiguard.aws.retry import Retries, RetryLimits
from amiguard.aws.session import CALL_ERRORS, AwsSession, Caller
from amiguard.core.errors import SettingsError

_LOG = logging.getLogger("amiguard.aws")
_RETRY = RetryLimits()
_LONGEST_SUBJECT = 99
_LONGEST_MESSAGE = 262_144
_CUT = "\n(cut)"


class Topic:
    """An SNS topic that messages are published to.

    Args:
        client: botocore's, of the topic's region; it tries each call once.
        arn: the topic.
        count: is called before each call.
        retry: how long to try; throttled calls too, for nobody waits longer for a message.
        sleep: pauses.
        clock: tells seconds.
    """

    def __init__(
        self,
        client: Any,
        arn: str,
        *,
        count: Callable[[], None],
        retry: RetryLimits = _RETRY,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._arn = arn
        self._count = count
        self._retry = retry
        self._sleep = sleep
        self._clock = clock

    def send(self, title: str, body: str, verdict: str) -> str | None:
        """Publish plain text; it blocks.

        Args:
            title: the subject.
            body: the message.
            verdict: `fail`, `incomplete` or `clean`; an attribute of the message, for subscriptions that filter.

        Returns:
            Why it was not published; None if it was.
        """
        parameters = {
            "TopicArn": self._arn,
            "Subject": _subject(title),
            "Message": _fitting(body),
            "MessageAttributes": {"verdict": {"DataType": "String", "StringValue": verdict}},
        }
        if self._arn.endswith(".fifo"):
            # The same id for every try: what did arrive is not published twice.
            parameters |= {"MessageGroupId": "amiguard", "MessageDeduplicationId": str(uuid.uuid4())}
        retries = Retries(self._retry, self._clock)
        while True:
            self._count()
            try:
                self._client.publish(**parameters)
            except CALL_ERRORS as error:
                told = explain_botocore(error, doing="publish", iam_action="sns:Publish")
                said = told.message + (f" ({told.hint})" if told.hint else "")
                if not _is_worth_another_try(error):
                    return said
            else:
                return None
            pause = retries.pause()
            if pause is None:
                return retries.told(said)
            _LOG.debug("trying again", extra={"action": "Publish", "pause": round(pause, 3)})
            self._sleep(pause)


def open_topic(session: AwsSession, caller: Caller, arn: str) -> Topic:
    """Get ready to publish; asks AWS nothing.

    Args:
        session: whose credentials publish.
        caller: who that is.
        arn: the topic, which the settings have checked for its form.

    Raises:
        SettingsError: the ARN's partition is not the caller's or does not have its region.
    """
    _, partition, _, region, _, _ = arn.split(":", 5)
    if partition != caller.partition:
        raise SettingsError(
            f"the topic is in the partition {partition}, and your credentials are of {caller.partition}: name a topic "
            "of that one"
        )
    known = session.partition_of(region)
    if known != partition:
        raise SettingsError(f"the partition {partition} has no region {region}: check the ARN")
    try:
        client = session.client("sns", region=region)
    except CALL_ERRORS as error:
        told = explain_botocore(error, doing="get ready to publish", iam_action="sns:Publish")
        raise SettingsError(told.message, hint=told.hint) from error

    def count() -> None:
        session.stats.calls["Publish"] += 1

    return Topic(client, arn, count=count)


def _subject(title: str) -> str:
    ascii_line = "".join(char if " " <= char <= "~" else "?" for char in title)
    return ascii_line[:_LONGEST_SUBJECT].strip() or "amiguard"


def _fitting(body: str) -> str:
    data = body.encode(errors="replace")
    if len(data) <= _LONGEST_MESSAGE:
        return data.decode()
    return data[: _LONGEST_MESSAGE - len(_CUT)].decode(errors="ignore") + _CUT


def _is_worth_another_try(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status, said = api_error(error)
        return unserved(status, said, THROTTLING | TRANSIENT) is not None
    return has_no_reply(error)
