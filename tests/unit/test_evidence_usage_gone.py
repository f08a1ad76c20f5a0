"""Usage reports that go, fail, or say too much."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.core.evidence import Usage, UsageEntry
from amiguard.core.image import Unreadable
from tests.fakes.played_aws import Ec2Error, RawError, in_turn, listed, refused
from tests.fakes.played_usage import (
    CREATE,
    ENTRIES,
    IMAGE,
    OTHER,
    REPORTS,
    STRANGER,
    TYPES,
    Made,
    World,
    read,
    use,
)


def test_a_report_that_ends_in_error_is_told_with_its_reason() -> None:
    world = World(following=lambda image_id: Made(image_id, ["pending", "error"], reason="Internal error."))
    assert read(world) == Unreadable("EC2 could not make the usage report: Internal error.")
    assert world.aws.counted[CREATE] == 1


def test_the_error_of_another_ones_report_is_not_the_end() -> None:
    world = World({"theirs": Made(IMAGE, ["pending", "error"])})
    told = read(world)
    assert isinstance(told, Usage)
    assert not told.reused


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        (["pending", None], "the usage report is gone before it was there to be read"),
        (["pending", "archived"], "EC2 says of the usage report that it is 'archived'"),
    ],
)
def test_a_report_that_vanishes_is_made_once_more(states: Sequence[str | None], reason: str) -> None:
    world = World()
    makes: Iterator[Sequence[str | None]] = iter([states, ["available"]])
    world.following = lambda image_id: Made(image_id, next(makes))
    assert isinstance(read(world), Usage)

    world = World(following=lambda image_id: Made(image_id, states))
    assert read(world) == Unreadable(reason)
    assert world.aws.counted[CREATE] == 2


def test_a_new_report_that_is_not_listed_at_once_is_not_gone() -> None:
    world = World(following=lambda image_id: Made(image_id, [None, None, "pending", "available"]))
    assert isinstance(read(world), Usage)
    assert world.aws.counted[CREATE] == 1


def test_a_report_that_expires_between_poll_and_read_is_made_once_more() -> None:
    world = World()
    entries = world.aws.answers[ENTRIES]
    gone = Ec2Error("InvalidImageUsageReportId.NotFound")
    world.aws.answers[ENTRIES] = lambda query: gone if query["ReportId.1"] == "amiur-0" else entries(query)
    told = read(world)
    assert isinstance(told, Usage)
    assert told.report_id == "amiur-1"

    world = World()
    world.aws.answers[ENTRIES] = in_turn(gone)
    told = read(world)
    assert isinstance(told, Unreadable)
    assert "NotFound" in told.reason
    assert world.aws.counted[CREATE] == 2


def test_no_entries_mean_nobody_only_while_the_report_is_there() -> None:
    world = World(following=lambda image_id: Made(image_id, ["available"], entries=[]))
    told = read(world)
    assert isinstance(told, Usage)
    assert told.entries == ()

    world = World(following=lambda image_id: Made(image_id, ["available", None], entries=[]))
    assert read(world) == Unreadable("the usage report was gone before it could be read")


def test_one_report_that_is_gone_does_not_cost_the_others() -> None:
    world = World()
    describe = world.aws.answers[REPORTS]

    def strict(query: Mapping[str, str]) -> Any:
        if "amiur-0" in listed(query, "ReportId"):
            return Ec2Error("InvalidWhatever", "The report 'amiur-0' does not exist")
        return describe(query)

    world.aws.answers[REPORTS] = strict

    async def work(reader: Ec2EvidenceReader) -> list[Any]:
        return list(await asyncio.gather(reader.read_usage(IMAGE), reader.read_usage(OTHER)))

    found, _ = use(world, work)
    assert all(isinstance(one, Usage) for one in found)
    assert {one.report_id for one in found} == {"amiur-1", "amiur-2"}


def test_entries_of_a_thousand_accounts_come_in_pages() -> None:
    world = World()
    everyone = [(f"{number:012}", kind, number + 1) for number in range(1000) for kind in TYPES]
    world.following = lambda image_id: Made(image_id, ["available"], entries=everyone[::-1])
    told = read(world)
    assert isinstance(told, Usage)
    assert told.entries == tuple(UsageEntry(*one) for one in everyone)
    assert world.aws.counted[ENTRIES] == 4


def test_entries_without_end_are_a_reason_and_not_a_hang() -> None:
    world = World()
    world.aws.answers[ENTRIES] = lambda _: {"imageUsageReportEntrySet": [], "nextToken": "again"}
    assert read(world) == Unreadable("the listing of entries of the usage report does not end: its pages repeat")

    world = World()
    world.aws.answers[ENTRIES] = lambda query: {
        "imageUsageReportEntrySet": [],
        "nextToken": f"{query.get('NextToken', '')}x"[-1500:],
    }
    told = read(world)
    assert isinstance(told, Unreadable)
    assert told.reason.startswith("there are more entries of the usage report than are read")


@pytest.mark.parametrize(
    "entry",
    [
        {"reportId": "amiur-9", "accountId": STRANGER, "resourceType": "ec2:Instance", "usageCount": 1},
        {"reportId": "amiur-0", "resourceType": "ec2:Instance", "usageCount": 1},
        {"reportId": "amiur-0", "accountId": STRANGER, "resourceType": "ec2:Instance", "usageCount": "many"},
        {"reportId": "amiur-0", "accountId": STRANGER, "resourceType": "ec2:Instance", "usageCount": -1},
    ],
)
def test_entries_that_are_not_what_was_asked_for_are_not_believed(entry: dict[str, Any]) -> None:
    world = World()
    world.aws.answers[ENTRIES] = lambda _: {"imageUsageReportEntrySet": [entry]}
    told = read(world)
    assert isinstance(told, Unreadable)
    assert "(tried 6 times)" in told.reason


@pytest.mark.parametrize("action", [REPORTS, ENTRIES])
def test_what_is_not_permitted_is_said_with_the_action(action: str) -> None:
    world = World()
    world.aws.answers[action] = in_turn(Ec2Error("UnauthorizedOperation", f"no amiur-0 of {IMAGE}", 403))
    assert read(world) == Unreadable(f"not permitted: ec2:{action}", f"grant ec2:{action} to the caller")
    assert world.aws.counted[action] == 1


def test_a_report_that_may_not_be_made_is_said_with_the_action() -> None:
    world = World()
    world.aws.answers[CREATE] = in_turn(refused("UnauthorizedOperation", "You are not authorized", 403))
    assert read(world) == Unreadable(f"not permitted: ec2:{CREATE}", f"grant ec2:{CREATE} to the caller")
    assert world.aws.counted == {REPORTS: 1, CREATE: 1}


@pytest.mark.parametrize("broken", [RawError(b"<html>", 502), Ec2Error("InternalError", status=500)])
def test_a_listing_that_breaks_is_asked_for_again(broken: Exception) -> None:
    world = World()
    describe = world.aws.answers[REPORTS]
    left = [broken, broken]
    world.aws.answers[REPORTS] = lambda query: left.pop() if left else describe(query)
    assert isinstance(read(world), Usage)


def test_a_create_without_answer_is_sent_again_with_the_same_token() -> None:
    world = World()
    create = world.aws.answers[CREATE]
    left: list[Any] = [refused("InternalError", status=500), {}, refused("RequestLimitExceeded", status=503)]
    world.aws.answers[CREATE] = lambda parameters: left.pop(0) if left else create(parameters)
    assert isinstance(read(world), Usage)
    tokens = {one["ClientToken"] for one in world.aws.asked(CREATE)}
    assert len(world.aws.asked(CREATE)) == 4
    assert len(tokens) == 1
    assert world.aws.stats.throttled == 1
