"""Usage reports: made, read and used again, with a played EC2 in virtual time."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.core.evidence import Usage, UsageEntry
from amiguard.core.image import Unreadable
from tests.fakes.played_aws import BEGIN, in_turn, refused
from tests.fakes.played_usage import (
    CREATE,
    ENTRIES,
    IMAGE,
    OTHER,
    REPORTS,
    STRANGER,
    TYPES,
    USED,
    Made,
    World,
    read,
    use,
)

ALL_VERSIONS = {"OptionName": "version-depth", "OptionValues": ["10000"]}


def test_a_report_is_made_waited_for_and_read() -> None:
    world = World()
    assert read(world) == Usage("amiur-0", BEGIN, reused=False, entries=USED)
    ((made,), (entries,)) = world.aws.asked(CREATE), world.aws.asked(ENTRIES)
    assert made == {
        "ImageId": IMAGE,
        "ResourceTypes": [
            {"ResourceType": "ec2:Instance"},
            {"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [ALL_VERSIONS]},
            {"ResourceType": "imagebuilder:ContainerRecipe"},
            {"ResourceType": "imagebuilder:ImageRecipe"},
        ],
        "ClientToken": made["ClientToken"],
    }
    assert entries == {"Version": "2016-11-15", "ReportId.1": "amiur-0", "MaxResults": "1000"}
    assert world.aws.counted == {REPORTS: 3, CREATE: 1, ENTRIES: 1}
    assert world.aws.stats.calls == world.aws.counted


def test_what_is_asked_twice_is_read_once() -> None:
    world = World()

    async def work(reader: Ec2EvidenceReader) -> list[Any]:
        first = await asyncio.gather(*(reader.read_usage(IMAGE) for _ in range(3)))
        return [*first, await reader.read_usage(IMAGE)]

    found, _ = use(world, work)
    assert len(set(map(id, found))) == 1
    assert world.aws.counted[CREATE] == 1


@pytest.mark.parametrize("young", [0, 3600, 24 * 3600 - 10])
def test_a_young_report_is_used_again(young: float) -> None:
    world = World({"amiur-old": Made(IMAGE, ["available"], age=60 * 3600), "amiur": Made(IMAGE, ["available"], young)})
    assert read(world) == Usage("amiur", BEGIN - timedelta(seconds=young), reused=True, entries=USED)
    assert world.aws.counted == {REPORTS: 1, ENTRIES: 1}


@pytest.mark.parametrize(
    "useless",
    [
        Made(IMAGE, ["available"], age=24 * 3600 + 1),
        Made(OTHER, ["available"]),
        Made(IMAGE, ["error"]),
        Made(IMAGE, ["unheard-of"]),
        Made(IMAGE, ["available"], accounts=("123456789012",)),
        Made(IMAGE, ["available"], types=("ec2:Instance",)),
        Made(IMAGE, ["available"], depth=1),
        Made(IMAGE, ["available"], depth=9_999),
        Made(IMAGE, ["available"], depth=None),
        Made(IMAGE, ["available"], depth="many"),
        Made(IMAGE, ["available"], depth=""),
    ],
    ids=[
        "old",
        "of another image",
        "error",
        "unheard-of",
        "of one account",
        "of instances",
        "of newest versions",
        "of most versions",
        "of twenty versions",
        "of unreadable versions",
        "of no versions",
    ],
)
def test_a_report_that_does_not_say_what_is_wanted_is_not_used_again(useless: Made) -> None:
    world = World({"amiur": useless})
    told = read(world)
    assert isinstance(told, Usage)
    assert (told.report_id, told.reused) == ("amiur-1", False)


def test_how_old_a_report_may_be_is_for_the_user_to_say() -> None:
    world = World({"amiur": Made(IMAGE, ["available"], age=3600)})
    told = read(world, usage_max_age=timedelta(minutes=30))
    assert isinstance(told, Usage)
    assert not told.reused


def test_a_report_that_is_being_made_already_is_waited_for() -> None:
    world = World({"amiur": Made(IMAGE, ["pending"] * 5 + ["available"])})
    assert read(world) == Usage("amiur", BEGIN, reused=True, entries=USED)
    assert CREATE not in world.aws.counted


def test_a_pending_report_of_some_accounts_is_waited_out() -> None:
    world = World({"amiur": Made(IMAGE, ["pending"] * 3 + ["available"], accounts=("123456789012",))})
    told = read(world)
    assert isinstance(told, Usage)
    assert (told.report_id, told.reused) == ("amiur-1", False)


def test_a_report_that_somebody_else_began_meanwhile_is_looked_for() -> None:
    world = World()

    def create(parameters: Mapping[str, Any]) -> Any:
        world.reports["theirs"] = Made(IMAGE, ["pending", "available"])
        return refused("AnyCodeAtAll", "A report is pending for the image.")

    world.aws.answers[CREATE] = create
    assert read(world) == Usage("theirs", BEGIN, reused=True, entries=USED)
    assert world.aws.counted[CREATE] == 1


def test_a_quota_that_is_used_up_is_told() -> None:
    world = World()
    world.aws.answers[CREATE] = in_turn(refused("ResourceLimitExceeded", "too many"))
    assert read(world) == Unreadable(
        "EC2 takes no further usage report (ResourceLimitExceeded): too many",
        "at most 2,000 may be pending in a region: run the command again later",
    )


def test_recipes_are_left_out_where_ec2_does_not_know_them() -> None:
    world = World()
    knowing_no_recipes(world)

    async def work(reader: Ec2EvidenceReader) -> None:
        assert isinstance(await reader.read_usage(IMAGE), Usage)
        assert isinstance(await reader.read_usage(OTHER), Usage)

    use(world, work)
    assert [len(one["ResourceTypes"]) for one in world.aws.asked(CREATE)] == [4, 2, 2]


def knowing_no_recipes(world: World) -> None:
    """EC2 of a region that has not come to know recipes."""
    create = world.aws.answers[CREATE]

    def strict(parameters: Mapping[str, Any]) -> Any:
        if len(parameters["ResourceTypes"]) > 2:
            return refused("InvalidParameterValue", "Invalid value (imagebuilder:ImageRecipe)")
        return create(parameters)

    world.aws.answers[CREATE] = strict
    world.following = lambda image_id: Made(image_id, ["available"], types=TYPES[:2])


def test_many_images_at_once_cost_one_refusal_where_ec2_does_not_know_recipes() -> None:
    world = World()
    knowing_no_recipes(world)

    async def work(reader: Ec2EvidenceReader) -> None:
        found = await asyncio.gather(*(reader.read_usage(f"ami-{number:017x}") for number in range(300)))
        assert all(isinstance(one, Usage) for one in found)

    use(world, work)
    assert sorted(len(one["ResourceTypes"]) for one in world.aws.asked(CREATE)) == [2] * 300 + [4]


def test_a_first_report_that_gets_no_answer_holds_up_no_other_one() -> None:
    world = World()
    create = world.aws.answers[CREATE]
    world.aws.answers[CREATE] = lambda parameters: (
        refused("InternalError", status=500) if parameters["ImageId"] == IMAGE else create(parameters)
    )

    async def work(reader: Ec2EvidenceReader) -> list[Any]:
        first = asyncio.create_task(reader.read_usage(IMAGE))
        others = [asyncio.create_task(reader.read_usage(f"ami-{number:017x}")) for number in range(5)]
        await asyncio.sleep(1)
        given_up = asyncio.create_task(reader.read_usage(OTHER))
        await asyncio.sleep(0.6)
        given_up.cancel()
        return [await first, *await asyncio.gather(*others)]

    (first, *others), _ = use(world, work)
    assert isinstance(first, Unreadable)
    assert all(isinstance(one, Usage) for one in others)


def test_reports_of_earlier_runs_are_used_again_where_ec2_does_not_know_recipes() -> None:
    world = World({f"amiur-{image}": Made(image, ["available"], 3600, types=TYPES[:2]) for image in (IMAGE, OTHER)})
    knowing_no_recipes(world)

    async def work(reader: Ec2EvidenceReader) -> list[Any]:
        return list(await asyncio.gather(*map(reader.read_usage, (IMAGE, OTHER))))

    found, _ = use(world, work)
    assert [one.reused for one in found] == [True, True]
    assert CREATE not in world.aws.counted


def test_a_report_without_recipes_is_not_used_again_where_another_one_has_them() -> None:
    world = World(
        {"narrow": Made(IMAGE, ["available"], 3600, types=TYPES[:2]), "full": Made(OTHER, ["available"], 7 * 24 * 3600)}
    )

    async def work(reader: Ec2EvidenceReader) -> list[Any]:
        return list(await asyncio.gather(*map(reader.read_usage, (IMAGE, OTHER))))

    found, _ = use(world, work)
    assert [one.reused for one in found] == [False, False]


def test_a_new_report_that_has_recipes_ends_the_use_of_those_without() -> None:
    world = World({"narrow": Made(IMAGE, ["available"], 3600, types=TYPES[:2])})

    async def work(reader: Ec2EvidenceReader) -> None:
        assert (await reader.read_usage(IMAGE)).reused  # type: ignore[union-attr]
        assert isinstance(await reader.read_usage(OTHER), Usage)
        world.reports["theirs"] = Made("ami-2", ["available"], 3600, types=TYPES[:2])
        told = await reader.read_usage("ami-2")
        assert isinstance(told, Usage)
        assert not told.reused

    use(world, work)
    assert [len(one["ResourceTypes"]) for one in world.aws.asked(CREATE)] == [4, 4]


def test_of_two_entries_about_the_same_the_greater_one_counts() -> None:
    world = World()
    twice = [(STRANGER, "ec2:Instance", 14), *[(f"{one:012}", "ec2:Instance", 1) for one in range(1000)]]
    entries = [*twice, (STRANGER, "ec2:Instance", 0)]
    world.following = lambda image_id: Made(image_id, ["available"], entries=entries)
    told = read(world)
    assert isinstance(told, Usage)
    assert world.aws.counted[ENTRIES] == 2
    assert UsageEntry(STRANGER, "ec2:Instance", 14) in told.entries
    assert len(told.entries) == 1001
