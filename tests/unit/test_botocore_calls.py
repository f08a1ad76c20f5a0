"""The calls that botocore makes for one target: what is made again, what is final, and who signs."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError, ParamValidationError, ReadTimeoutError, SSLError
from botocore.parsers import ResponseParserError

from amiguard.aws.botocore_calls import AT_ONCE, THREADS, BotocoreCalls, BotocoreClients, DaemonThreads
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


class HangingThreads(InlineThreads):
    """Calls of one service in one region never end."""

    def __init__(self, service: str, region: str) -> None:
        self._hangs = (service, region)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        making_a_client = len(args) == 2
        if args[:2] == self._hangs and not making_a_client:
            return Future()
        return super().submit(fn, *args, **kwargs)


def hanging(aws: PlayedAws, pacer: Pacer, targets: int) -> list[BotocoreCalls]:
    """Calls of so many accounts in one region, where KMS hangs."""
    clients = BotocoreClients(aws.connect, HangingThreads("kms", TARGET.region))
    accounts = [replace(TARGET, account_id=f"{number:012}") for number in range(targets)]
    return [BotocoreCalls(clients, one, aws.keys, aws.stats, pacer) for one in accounts]


def begin(calls: BotocoreCalls, number: int = 20) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(calls.call("kms", "GetState", {}, state)) for _ in range(number)]


def test_a_service_that_hangs_in_a_region_holds_up_no_other_call() -> None:
    aws = answered(GOOD)

    async def main() -> None:
        *stuck, last = hanging(aws, Pacer({"GetState": None}), 9)
        tasks = [task for calls in stuck for task in begin(calls)]
        await asyncio.sleep(1)
        for calls in (stuck[0], last):
            async with asyncio.timeout(1):
                assert await calls.call("cloudtrail", "GetState", {}, state) == "good"
                assert await calls.call("kms", "GetState", {}, state, region="eu-west-1") == "good"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_in_virtual_time(main())


def test_calls_that_wait_for_others_spend_no_turns() -> None:
    aws = answered(GOOD)

    async def main() -> None:
        pacer = Pacer({"GetState": BucketSize(8, 1)})
        (calls,) = hanging(aws, pacer, 1)
        tasks = begin(calls)
        await asyncio.sleep(8)
        bucket = pacer.bucket("000000000000", TARGET.region, "GetState")
        async with asyncio.timeout(0.1):
            for _ in range(8):
                await bucket.take()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_in_virtual_time(main())


def test_one_account_leaves_threads_for_the_others_of_its_region() -> None:
    aws = answered(GOOD)
    arrived, go_on = threading.Semaphore(0), threading.Event()

    class Client:
        def __init__(self, credentials: Credentials) -> None:
            self._credentials = credentials

        def get_state(self, **_: Any) -> Any:
            arrived.release()
            assert go_on.wait(30)
            return GOOD

        def close(self) -> None:
            pass

    async def main() -> None:
        clients = BotocoreClients(lambda _service, _region, credentials: Client(credentials))
        targets = [replace(TARGET, account_id=f"{number:012}") for number in range(6)]
        pacer = Pacer({"GetState": None})
        tasks = [task for one in targets for task in begin(BotocoreCalls(clients, one, aws.keys, aws.stats, pacer))]
        assert await asyncio.to_thread(lambda: all(arrived.acquire(timeout=20) for _ in range(THREADS)))
        assert aws.stats.calls["GetState"] == 6 * AT_ONCE
        assert not arrived.acquire(blocking=False)
        go_on.set()
        assert set(await asyncio.gather(*tasks)) == {"good"}
        clients.close()

    asyncio.run(main())


def test_a_thread_that_hangs_does_not_keep_the_program_from_its_end() -> None:
    hung = threading.Event()
    waiting = DaemonThreads().submit(hung.wait)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "amiguard-call")
    hung.set()
    assert waiting.result(10) is True


def test_what_a_call_raises_is_not_lost_in_its_thread() -> None:
    with pytest.raises(ZeroDivisionError):
        DaemonThreads().submit(lambda: 1 // 0).result(10)
