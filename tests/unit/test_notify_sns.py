"""SNS: what is sent, what is tried again, and which topics are refused."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSLError

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.retry import RetryLimits
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.sns import Topic, open_topic
from amiguard.core.errors import SettingsError

ARN = "arn:aws:sns:eu-central-1:123456789012:amiguard"


def refused(code: str, status: int = 400) -> ClientError:
    reply: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "Publish")


@dataclass
class Client:
    answers: list[Exception | None]
    calls: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, **parameters: Any) -> None:
        self.calls.append(parameters)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            raise answer


def send(
    *answers: Exception | None, arn: str = ARN, title: str = "t", body: str = "b", retry: RetryLimits | None = None
) -> tuple[str | None, Client, list[float]]:
    client, pauses = Client(list(answers)), list[float]()
    now = [0.0]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    topic = Topic(client, arn, count=lambda: None, retry=retry or RetryLimits(), sleep=sleep, clock=lambda: now[0])
    return topic.send(title, body, "fail"), client, pauses


def test_what_is_published() -> None:
    reason, client, _ = send(None)
    assert reason is None
    assert client.calls == [
        {
            "TopicArn": ARN,
            "Subject": "t",
            "Message": "b",
            "MessageAttributes": {"verdict": {"DataType": "String", "StringValue": "fail"}},
        }
    ]


@pytest.mark.parametrize("title", ["x" * 200, "a\r\nb\x7f", "\u00e9\U0001f600", " ", "", "\n"])
def test_subjects_are_as_sns_takes_them(title: str) -> None:
    subject = send(None, title=title)[1].calls[0]["Subject"]
    assert 0 < len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
    assert not subject.startswith(" ")


@pytest.mark.parametrize("body", ["x" * 300_000, "\u00e9" * 200_000, "\U0001f600" * 70_000, "\ud800"])
def test_messages_are_no_longer_than_sns_takes_them(body: str) -> None:
    message = send(None, body=body)[1].calls[0]["Message"]
    assert len(message.encode()) <= 262_144
    assert message.endswith("(cut)") == (len(body) > 1)


@pytest.mark.parametrize(
    "broken",
    [refused("Throttling"), refused("InternalError", 500), EndpointConnectionError(endpoint_url="https://sns")],
)
def test_what_may_pass_is_tried_again(broken: Exception) -> None:
    reason, client, pauses = send(broken, broken, None, arn=f"{ARN}.fifo")
    assert (reason, len(client.calls), len(pauses)) == (None, 3, 2)
    assert len({call["MessageDeduplicationId"] for call in client.calls}) == 1
    reason, client, pauses = send(broken)
    assert len(client.calls) == 6
    assert (reason or "").endswith("(tried 6 times)")
    assert sum(pauses) < 30
    assert len(send(broken, retry=RetryLimits(seconds=0.1))[1].calls) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refused("AuthorizationError", 403), "could not publish: AuthorizationError: m"),
        (
            refused("AccessDenied", 403),
            "could not publish: not permitted: sns:Publish (grant sns:Publish to the caller)",
        ),
        (refused("NotFound", 404), "could not publish: NotFound: m"),
        (SSLError(endpoint_url="https://sns", error="e"), "could not publish: SSL validation failed"),
    ],
)
def test_what_is_final_is_told_at_once(error: Exception, said: str) -> None:
    reason, client, _ = send(error)
    assert (reason or "").startswith(said)
    assert len(client.calls) == 1


def session() -> AwsSession:
    return AwsSession(profile=None, home_region="us-east-1", endpoint_url=None, stats=CallStats())


@pytest.mark.parametrize(
    ("arn", "partition"),
    [
        (ARN, "aws"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:a", "aws-cn"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:a", "aws-us-gov"),
    ],
)
def test_topics_of_the_callers_partition_are_opened_in_their_region(arn: str, partition: str) -> None:
    topic = open_topic(session(), Caller("123456789012", "arn", partition), arn)
    assert topic._client.meta.region_name == arn.split(":")[3]
    topic._client.close()


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        (
            "arn:aws-cn:sns:cn-north-1:123456789012:a",
            "the topic is in the partition aws-cn, and your credentials are of aws: name a topic of that one",
        ),
        (
            "arn:aws:sns:cn-north-1:123456789012:a",
            "the partition aws has no region cn-north-1: check the ARN",
        ),
        ("arn:aws:sns:nowhere-1:123456789012:a", "the partition aws has no region nowhere-1: check the ARN"),
    ],
)
def test_topics_of_another_partition_are_refused(arn: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_topic(session(), Caller("123456789012", "arn", "aws"), arn)
    assert caught.value.message == said
