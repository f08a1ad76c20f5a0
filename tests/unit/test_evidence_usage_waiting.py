"""Waiting for usage reports: what is shared, how often EC2 is asked, and what a deadline leaves behind."""

import asyncio
from typing import Any

import pytest

from amiguard.aws.evidence import usage
from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.core.evidence import Usage
from tests.fakes.played_aws import listed
from tests.fakes.played_usage import CREATE, ENTRIES, IMAGE, OTHER, REPORTS, Made, World, use


def test_many_images_share_calls_and_keep_to_the_buckets() -> None:
    world = World(following=lambda image_id: Made(image_id, ["pending"] * 3 + ["available"]))
    images = [f"ami-{number:017x}" for number in range(500)]

    async def work(reader: Ec2EvidenceReader) -> list[Any]:
        return await asyncio.gather(*map(reader.read_usage, images))

    found, seconds = use(world, work)
    assert {one.report_id for one in found} == set(world.reports)
    floor = (500 - 50) / 5
    assert seconds < 1.1 * floor + 30
    assert world.aws.counted[CREATE] == world.aws.counted[ENTRIES] == 500
    assert world.aws.counted[REPORTS] <= 3 + seconds / 2
    assert world.aws.stats.throttled == 0


def test_a_report_that_is_slow_is_asked_about_ever_more_seldom() -> None:
    world = World(following=lambda image_id: Made(image_id, ["pending"]))

    async def work(reader: Ec2EvidenceReader) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await reader.read_usage(IMAGE)

    _, seconds = use(world, work)
    assert seconds == pytest.approx(3600)
    assert 3600 / 30 <= world.aws.counted[REPORTS] <= 3600 / 30 + 10


def test_a_new_report_does_not_wait_for_an_old_one() -> None:
    world = World(following=lambda image_id: Made(image_id, ["pending"] if image_id == IMAGE else ["available"]))

    async def work(reader: Ec2EvidenceReader) -> float:
        slow = asyncio.create_task(reader.read_usage(IMAGE))
        await asyncio.sleep(600)
        begun = asyncio.get_running_loop().time()
        assert isinstance(await reader.read_usage(OTHER), Usage)
        slow.cancel()
        return asyncio.get_running_loop().time() - begun

    assert use(world, work)[0] < 5


def test_at_most_2000_are_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usage.MOST_PENDING == 2000
    monkeypatch.setattr(usage, "MOST_PENDING", 20)
    world = World(following=lambda image_id: Made(image_id, ["pending"]))
    images = [f"ami-{number:017x}" for number in range(30)]

    async def work(reader: Ec2EvidenceReader) -> int:
        tasks = [asyncio.create_task(reader.read_usage(one)) for one in images]
        await asyncio.sleep(600)
        made = len(world.reports)
        for one in world.reports.values():
            one.states = ["available"]
        world.following = lambda image_id: Made(image_id, ["available"])
        await asyncio.gather(*tasks)
        return made

    assert use(world, work)[0] == 20
    assert len(world.reports) == 30


def test_who_stops_waiting_stops_nobody_else_and_leaves_nothing_behind() -> None:
    world = World(following=lambda image_id: Made(image_id, ["pending"]))

    async def work(reader: Ec2EvidenceReader) -> None:
        tasks = [asyncio.create_task(reader.read_usage(one)) for one in (IMAGE, IMAGE, OTHER)]
        await asyncio.sleep(60)
        tasks[0].cancel()
        await asyncio.sleep(60)
        assert [task.done() for task in tasks] == [True, False, False]
        tasks[2].cancel()
        await asyncio.sleep(60)
        asked = world.aws.asked(REPORTS)[-1]
        assert listed(asked, "ReportId") == ("amiur-0",)
        world.reports["amiur-0"].states = ["available"]
        assert isinstance(await tasks[1], Usage)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        # What was given up is read anew: the report is still there.
        world.reports["amiur-1"].states = ["available"]
        again = await reader.read_usage(OTHER)
        assert isinstance(again, Usage)
        assert again.reused

    use(world, work)


def test_a_deadline_in_the_middle_of_anything_leaves_nothing_behind() -> None:
    async def work(reader: Ec2EvidenceReader, seconds: float) -> None:
        tasks = [asyncio.create_task(reader.read_usage(one)) for one in (IMAGE, OTHER, IMAGE)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    for tenths in range(0, 120, 3):
        world = World(following=lambda image_id: Made(image_id, ["pending"] * 2 + ["available"]))
        use(world, lambda reader, seconds=tenths / 10: work(reader, seconds))  # type: ignore[misc]
