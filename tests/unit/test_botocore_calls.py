"""The calls that botocore makes for one target: what is made again, what is final, and who signs."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError, ParamValidationError, ReadTimeoutError, SSLError
from botocore.parsers import ResponseParserError

from amiguard.aws.botocore_calls import BotocoreCalls, BotocoreClients
from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.errors import ApiError
from amiguard.aws.pacing import BucketSize, Pacer
from amiguard.core.image import Unreadable
from tests.fakes.played_aws import TARGET, InlineThreads, PlayedAws, in_turn, refused
from tests.fakes.virtual_time import run_in_virtual_time

UNREACHABLE = EndpointConnectionError(endpoint_url="https://kms")


def state(reply: Mapping[str, Any]) -> str:
    if "State" not in reply:
        raise MalformedReplyError("the reply has no state")
    return str(reply["State"])


def ask(aws: PlayedAws) -> Any:
    async def main() -> Any:
        return await aws.botocore_calls().call("kms", "GetState", {"KeyId": "k"}, state)

    return run_in_virtual_time(main())[0]


def answered(*answers: Any) -> PlayedAws:
    return PlayedAws({"GetState": in_turn(*answers)})


GOOD = {"State": "good"}


@pytest.mark.parametrize(
    "broken",
    [
        refused("InternalFailure", status=500),
        refused("KMSInternalException", status=500),
        refused("502", "Bad Gateway", 502),
        refused("403", "Forbidden", 403),
        UNREACHABLE,
        ReadTimeoutError(endpoint_url="https://kms"),
        ResponseParserError("no JSON"),
        KeyError("ResponseMetadata"),
        {},
    ],
)
def test_what_is_broken_is_asked_again_at_most_six_times(broken: Any) -> None:
    aws = answered(broken, broken, GOOD)
    assert ask(aws) == "good"
    assert aws.stats.calls == {"GetState": 3}
    aws = answered(broken)
    found = ask(aws)
    assert isinstance(found, Unreadable)
    assert found.reason.endswith("(tried 6 times)")
    assert len(aws.calls) == 6


@pytest.mark.parametrize("code", ["ThrottlingException", "RequestLimitExceeded"])
def test_throttled_calls_are_made_until_they_are_served(code: str) -> None:
    aws = answered(*[refused(code, status=503)] * 50, GOOD)
    assert ask(aws) == "good"
    assert aws.stats.throttled == 50


def test_a_refusal_is_final_at_once() -> None:
    aws = answered(refused("AccessDeniedException", "no"))
    assert ask(aws) == ApiError("AccessDeniedException", "no")
    assert len(aws.calls) == 1


@pytest.mark.parametrize("error", [ParamValidationError(report="bad"), SSLError(endpoint_url="https://kms", error="x")])
def test_what_no_other_try_would_mend_is_final_at_once(error: Exception) -> None:
    aws = answered(error)
    found = ask(aws)
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("could not call kms:GetState: ")
    assert len(aws.calls) == 1


def test_credentials_that_expire_are_renewed_once() -> None:
    aws = answered(refused("ExpiredTokenException"), GOOD)
    assert ask(aws) == "good"
    assert [key for _, _, key in aws.places] == ["KEY0", "KEY1"]
    aws = answered(refused("ExpiredTokenException"))
    assert ask(aws) == ApiError("ExpiredTokenException", "m")
    assert len(aws.calls) == 2


def test_a_client_that_cannot_be_made_is_a_reason() -> None:
    def connect(service: str, region: str, credentials: Credentials) -> Any:
        raise ValueError("Invalid endpoint: nonsense")

    aws = PlayedAws()

    async def main() -> Any:
        clients = BotocoreClients(connect, InlineThreads())
        calls = BotocoreCalls(clients, TARGET, aws.keys, aws.stats, Pacer({}))
        return await calls.call("kms", "GetState", {}, state)

    assert isinstance(run_in_virtual_time(main())[0], Unreadable)


def test_a_client_serves_all_accounts_of_its_region_and_is_closed() -> None:
    made: list[tuple[str, str]] = []
    aws = answered(GOOD)

    def connect(service: str, region: str, credentials: Credentials) -> Any:
        made.append((service, region))
        return aws.connect(service, region, credentials)

    async def main() -> None:
        clients = BotocoreClients(connect)
        for _ in range(2):
            calls = BotocoreCalls(clients, TARGET, aws.keys, aws.stats, Pacer({}))
            await calls.call("kms", "GetState", {}, state)
            await calls.call("kms", "GetState", {}, state, region="eu-west-1")
        clients.close()

    asyncio.run(main())
    assert made == [("kms", "us-east-1"), ("kms", "eu-west-1")]
    assert aws.closed == 2


def test_the_bucket_is_that_of_the_account_and_region_whoever_calls() -> None:
    aws = answered(GOOD)

    async def main() -> None:
        pacer = Pacer({"GetState": BucketSize(1, 1)})
        first, second = aws.botocore_calls(pacer), aws.botocore_calls(pacer)
        for _ in range(5):
            await first.call("kms", "GetState", {}, state)
            await second.call("kms", "GetState", {}, state)

    assert run_in_virtual_time(main())[1] == pytest.approx(9)
