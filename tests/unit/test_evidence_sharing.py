"""Tasks that several wait for: asking in the very moment in which the last one goes away."""

import asyncio
from collections.abc import Mapping

import pytest

from amiguard.aws.evidence.once import Batches, Once
from amiguard.aws.evidence.usage_polling import Polling
from amiguard.aws.evidence.usage_reports import Report
from amiguard.core.image import Unreadable
from tests.fakes.virtual_time import run_in_virtual_time


async def slow(key: str) -> str:
    await asyncio.sleep(5)
    return key


def test_what_was_just_given_up_is_read_anew() -> None:
    async def main() -> None:
        once = Once(slow)
        given_up = asyncio.create_task(once.get("a"))
        await asyncio.sleep(1)
        given_up.cancel()
        assert await asyncio.create_task(once.get("a")) == "a"
        assert asyncio.get_running_loop().time() == pytest.approx(6)

    run_in_virtual_time(main())


def test_a_batch_that_was_just_given_up_takes_nobody() -> None:
    async def ask(keys: tuple[str, ...]) -> Mapping[str, str]:
        return {key: key for key in keys}

    async def main() -> None:
        batches = Batches(ask)
        given_up = asyncio.create_task(batches.get("a"))
        await asyncio.sleep(0.1)
        given_up.cancel()
        assert await asyncio.create_task(batches.get("b")) == "b"

    run_in_virtual_time(main())


def test_a_poll_that_was_just_given_up_is_begun_anew() -> None:
    async def ask(ids: tuple[str, ...]) -> Mapping[str, Report]:
        return {one: Report(one, "ami-1", "available", "", None, frozenset(), ()) for one in ids}

    async def main() -> None:
        polling = Polling(ask)
        given_up = asyncio.create_task(polling.settled("a"))
        await asyncio.sleep(1)
        given_up.cancel()
        settled = await asyncio.create_task(polling.settled("b"))
        assert isinstance(settled, Report)
        assert settled.report_id == "b"

    run_in_virtual_time(main())


def test_an_error_in_the_program_reaches_everyone_who_waits() -> None:
    async def broken(_: tuple[str, ...]) -> Mapping[str, Report] | Unreadable:
        raise ZeroDivisionError

    async def main() -> None:
        polling, batches = Polling(broken), Batches(broken)
        waiting = [polling.settled("a"), polling.settled("b"), batches.get("a"), batches.get("b")]
        assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [ZeroDivisionError] * 4

    run_in_virtual_time(main())
