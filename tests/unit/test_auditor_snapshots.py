"""The auditor with the check of snapshots: each snapshot once, one result an image, and nothing held back."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.auditor import AuditEvent, ImagesListed, audit
from amiguard.cli.progress import Progress
from amiguard.core.decision import rules_in_force
from amiguard.core.grantee import Account, Everyone
from amiguard.core.image import Image, ImageNotFound, ImageUnavailable, LaunchPermission, PermissionReply, Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.result import CheckResult, Status, Target, TargetReport, TargetStatus
from amiguard.core.snapshot import SnapshotPermission
from amiguard.core.trust import TrustPolicy
from tests.fakes.image_reader import FakeAccountReader, FakeImageReader
from tests.fakes.images import OWNER, image
from tests.fakes.virtual_time import run_in_virtual_time

TARGET = Target(OWNER, "eu-central-1", "aws")
RULES = rules_in_force(TrustPolicy(), (), today=date(2026, 6, 15), organization=NoOrganization())
IMAGES, SNAPSHOTS = "ami-cross-account-access", "ami-snapshot-cross-account"
ON = frozenset({SNAPSHOTS})
PRIVATE = LaunchPermission(())
STRANGER = Account("999988887777")
SHARED = LaunchPermission((STRANGER,))
BROKEN = Unreadable("HTTP 500")


async def events_of(reader: FakeImageReader, checks: frozenset[str] = ON) -> list[AuditEvent]:
    return [event async for event in audit([FakeAccountReader({TARGET: reader})], RULES, checks=checks)]


def told(events: Sequence[AuditEvent]) -> tuple[dict[tuple[str, str | None], CheckResult], TargetReport]:
    """The results by check and image, and the end of the target."""
    results = [event for event in events if isinstance(event, CheckResult)]
    found = {(one.check_id, one.image.image_id if one.image else None): one for one in results}
    assert len(found) == len(results)
    report = events[-1]
    assert isinstance(report, TargetReport)
    return found, report


def audit_one(reader: FakeImageReader) -> tuple[dict[tuple[str, str | None], CheckResult], TargetReport]:
    return told(asyncio.run(events_of(reader)))


def with_snapshots(number: int, *snapshot_ids: str, **changes: object) -> Image:
    return image(f"ami-{number}", snapshot_ids=snapshot_ids, **changes)


def test_an_image_that_is_shared_no_more_fails_for_its_shared_snapshot() -> None:
    reader = FakeImageReader(
        [(with_snapshots(1, "snap-1", "snap-2"),)], {"ami-1": (PRIVATE,)}, snapshots={"snap-2": (STRANGER,)}
    )
    results, report = audit_one(reader)
    assert {key: one.status for key, one in results.items()} == {
        (IMAGES, "ami-1"): Status.PASS,
        (SNAPSHOTS, "ami-1"): Status.FAIL,
    }
    assert results[SNAPSHOTS, "ami-1"].snapshots == (
        SnapshotPermission("snap-1", ()),
        SnapshotPermission("snap-2", (STRANGER,)),
    )
    assert report == TargetReport(TARGET, TargetStatus.AUDITED, images=1)


@pytest.mark.parametrize("checks", [frozenset[str](), frozenset({IMAGES, "ami-block-public-access"})])
def test_it_is_off_by_default_and_then_no_snapshot_is_read(checks: frozenset[str]) -> None:
    reader = FakeImageReader([(with_snapshots(1, "snap-1"),)], {"ami-1": (PRIVATE,)})
    results, _ = told(asyncio.run(events_of(reader, checks)))
    assert SNAPSHOTS not in {check_id for check_id, _ in results}
    assert reader.snapshots_asked == []


def test_a_snapshot_is_read_once_however_many_images_have_it() -> None:
    """In one page, in a later one, and while its reading is under way."""

    class Slow(FakeImageReader):
        async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
            reply = await super().read_snapshot_permission(snapshot_id)
            await asyncio.sleep(0.1)
            return reply

    pages = [
        tuple(with_snapshots(number, "snap-base", f"snap-{number}") for number in range(start, start + 100))
        for start in (0, 100)
    ]
    replies = {one.image_id: (PRIVATE,) for page in pages for one in page}
    reader = Slow(pages, replies, snapshots={"snap-base": (STRANGER,)})
    events, _ = run_in_virtual_time(events_of(reader))
    results, report = told(events)
    assert set(Counter(reader.snapshots_asked).values()) == {1}
    assert len(reader.snapshots_asked) == 201
    assert [one.status for (check_id, _), one in results.items() if check_id == SNAPSHOTS] == [Status.FAIL] * 200
    assert report.images == 200


def test_no_launch_permission_waits_for_a_snapshot() -> None:
    """Three pages; each permission takes 0.1 s, each snapshot an hour."""

    class Slow(FakeImageReader):
        async def read_launch_permission(self, image_id: str) -> PermissionReply:
            await asyncio.sleep(0.1)
            return await super().read_launch_permission(image_id)

        async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
            await asyncio.sleep(3600)
            return await super().read_snapshot_permission(snapshot_id)

    disabled = with_snapshots(1000, "snap-1000", state="disabled")
    pages = [tuple(with_snapshots(number, f"snap-{number}") for number in range(p, p + 40)) for p in (0, 40, 80)]
    replies: dict[str, Sequence[PermissionReply]] = {one.image_id: (SHARED,) for page in pages for one in page}
    replies["ami-1000"] = (ImageUnavailable("disabled"),)
    reader = Slow([(disabled,), *pages], replies)

    async def main() -> tuple[float, float, list[AuditEvent]]:
        loop = asyncio.get_running_loop()
        start, permissions_at, events = loop.time(), 0.0, list[AuditEvent]()
        async for event in audit([FakeAccountReader({TARGET: reader})], RULES, checks=ON):
            events.append(event)
            if isinstance(event, CheckResult) and event.check_id == IMAGES:
                permissions_at = loop.time() - start
        return permissions_at, loop.time() - start, events

    (permissions_at, all_at, events), _ = run_in_virtual_time(main())
    results, _ = told(events)
    assert len(results) == 242
    assert permissions_at < 2
    # 121 snapshots, 32 at once.
    assert 4 * 3600 - 1 < all_at < 4 * 3600 + 10


def test_snapshots_are_read_while_launch_permissions_are() -> None:
    class Slow(FakeImageReader):
        async def read_launch_permission(self, image_id: str) -> PermissionReply:
            await asyncio.sleep(1)
            return await super().read_launch_permission(image_id)

        async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
            await asyncio.sleep(1)
            return await super().read_snapshot_permission(snapshot_id)

    page = tuple(with_snapshots(number, f"snap-{number}") for number in range(320))
    _, seconds = run_in_virtual_time(events_of(Slow([page], {one.image_id: (PRIVATE,) for one in page})))
    # Ten rounds of 32 launch permissions, and the snapshots of the last round.
    assert seconds < 12


def test_pages_whose_snapshots_wait_give_their_room_back() -> None:
    """More pages than may be in memory at once: they are listed to the end, and each image has both results."""
    pages = [(with_snapshots(number, f"snap-{number}"),) for number in range(600)]
    # In virtual time, where waiting for ever is an error.
    events, _ = run_in_virtual_time(events_of(FakeImageReader(pages, {one.image_id: (PRIVATE,) for (one,) in pages})))
    results, report = told(events)
    assert (len(results), report.images) == (1200, 600)


def test_memory_is_bounded_by_the_pages_whose_snapshots_wait() -> None:
    """No snapshot is ever read: so many pages are taken, and no more."""

    class Stuck(FakeImageReader):
        async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
            await asyncio.sleep(1e9)
            return await super().read_snapshot_permission(snapshot_id)

    pages = [(with_snapshots(number, f"snap-{number}"),) for number in range(600)]
    reader = Stuck(pages, {one.image_id: (PRIVATE,) for (one,) in pages})

    async def main() -> int:
        listed = 0
        events = audit([FakeAccountReader({TARGET: reader})], RULES, checks=ON)
        try:
            async with asyncio.timeout(60):
                async for event in events:
                    listed += isinstance(event, ImagesListed)
        except TimeoutError:
            pass
        await events.aclose()
        return listed

    listed, _ = run_in_virtual_time(main())
    assert listed == 256


def test_a_disabled_image_keeps_its_snapshots_and_they_are_judged() -> None:
    disabled = with_snapshots(1, "snap-1", state="disabled")
    reader = FakeImageReader(
        [(disabled,)], {"ami-1": (ImageUnavailable("disabled"),)}, snapshots={"snap-1": (Everyone(),)}
    )
    results, report = audit_one(reader)
    assert (results[IMAGES, "ami-1"].status, results[SNAPSHOTS, "ami-1"].status) == (Status.PASS, Status.FAIL)
    assert reader.snapshots_asked == ["snap-1"]
    assert report.images == 1


def test_an_image_that_vanished_is_dropped_from_both_and_its_snapshots_are_not_asked_for() -> None:
    reader = FakeImageReader([(with_snapshots(1, "snap-1"),)], {"ami-1": (ImageNotFound(),)}, listed_again={})
    results, report = audit_one(reader)
    assert results == {}
    assert reader.snapshots_asked == []
    assert report == TargetReport(TARGET, TargetStatus.AUDITED, vanished=1)


def test_the_second_look_judges_the_snapshots_that_are_listed_then() -> None:
    pending, made = with_snapshots(1, state="pending"), with_snapshots(1, "snap-1")
    reader = FakeImageReader(
        [(pending,)],
        {"ami-1": (ImageUnavailable("pending"), PRIVATE)},
        {"ami-1": made},
        snapshots={"snap-1": (STRANGER,)},
    )
    results, _ = audit_one(reader)
    assert results[SNAPSHOTS, "ami-1"].status is Status.FAIL
    assert results[SNAPSHOTS, "ami-1"].image == made


def test_an_image_whose_state_cannot_be_confirmed_is_still_judged_by_its_snapshots() -> None:
    reader = FakeImageReader(
        [(with_snapshots(1, "snap-1"),)], {"ami-1": (ImageNotFound(),)}, BROKEN, snapshots={"snap-1": (STRANGER,)}
    )
    results, _ = audit_one(reader)
    assert (results[IMAGES, "ami-1"].status, results[SNAPSHOTS, "ami-1"].status) == (Status.UNKNOWN, Status.FAIL)


def test_a_snapshot_that_cannot_be_read_makes_the_image_unknown_and_leaves_its_permission() -> None:
    reader = FakeImageReader(
        [(with_snapshots(1, "snap-1"),)], {"ami-1": (PRIVATE,)}, snapshots={"snap-1": Unreadable("not permitted")}
    )
    results, report = audit_one(reader)
    assert (results[IMAGES, "ami-1"].status, results[SNAPSHOTS, "ami-1"].status) == (Status.PASS, Status.UNKNOWN)
    assert report.status is TargetStatus.AUDITED


def test_a_listing_that_breaks_off_is_unknown_to_both_checks() -> None:
    reader = FakeImageReader([(with_snapshots(1, "snap-1"),), BROKEN], {"ami-1": (PRIVATE,)})
    results, report = audit_one(reader)
    assert {key: one.status for key, one in results.items()} == {
        (IMAGES, "ami-1"): Status.PASS,
        (SNAPSHOTS, "ami-1"): Status.PASS,
        (IMAGES, None): Status.UNKNOWN,
        (SNAPSHOTS, None): Status.UNKNOWN,
    }
    assert report == TargetReport(TARGET, TargetStatus.FAILED, "HTTP 500", images=1)


def test_an_account_that_cannot_be_opened_is_unknown_to_both_checks() -> None:
    closed = FakeAccountReader({TARGET: FakeImageReader([])}, problem=Unreadable("the role is missing"))

    async def collect() -> list[AuditEvent]:
        return [event async for event in audit([closed], RULES, checks=ON)]

    results, _ = told(asyncio.run(collect()))
    assert {key: one.status for key, one in results.items()} == {
        (IMAGES, None): Status.UNKNOWN,
        (SNAPSHOTS, None): Status.UNKNOWN,
    }


def test_a_programming_error_in_reading_snapshots_is_raised() -> None:
    class Buggy(FakeImageReader):
        async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
            raise KeyError(snapshot_id)

    page = tuple(with_snapshots(number, "snap-1") for number in range(40))
    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        asyncio.run(events_of(Buggy([page], {one.image_id: (PRIVATE,) for one in page})))


def test_closing_the_audit_stops_the_reading_of_snapshots() -> None:
    async def main() -> int:
        page = tuple(with_snapshots(number, f"snap-{number}") for number in range(5000))
        reader = FakeImageReader([page], {one.image_id: (PRIVATE,) for one in page})
        events = audit([FakeAccountReader({TARGET: reader})], RULES, checks=ON)
        async for event in events:
            if isinstance(event, CheckResult) and event.check_id == SNAPSHOTS:
                break
        await events.aclose()
        return len(asyncio.all_tasks())

    tasks, _ = run_in_virtual_time(main())
    assert tasks == 1


def test_the_live_line_counts_an_image_once() -> None:
    page = tuple(with_snapshots(number, f"snap-{number}") for number in range(3))
    progress = Progress.silent()
    for event in asyncio.run(events_of(FakeImageReader([page], {one.image_id: (PRIVATE,) for one in page}))):
        if isinstance(event, TargetReport):
            assert progress.waiting[TARGET] == 0
        progress.note(event)
    assert (progress.done, progress.listed) == (3, 3)


replies = st.sampled_from([PRIVATE, SHARED, BROKEN, ImageNotFound(), ImageUnavailable("x")])
listed = st.sampled_from(["available", "pending", "disabled", "gone"])
under = st.lists(st.sampled_from(["snap-private", "snap-shared", "snap-unread"]), max_size=3, unique=True)


@given(st.lists(st.tuples(listed, st.lists(replies, min_size=1, max_size=2), listed, under), max_size=30))
def test_every_image_has_one_result_of_each_check_or_none_of_both(
    cases: list[tuple[str, list[PermissionReply], str, list[str]]],
) -> None:
    page = tuple(with_snapshots(number, *case[3], state=case[0]) for number, case in enumerate(cases))
    again = {
        one.image_id: replace(one, state=case[2]) for one, case in zip(page, cases, strict=True) if case[2] != "gone"
    }
    reader = FakeImageReader(
        [page],
        {one.image_id: case[1] for one, case in zip(page, cases, strict=True)},
        again,
        snapshots={"snap-shared": (STRANGER,), "snap-unread": BROKEN},
    )
    results, report = audit_one(reader)
    by_check = {check: {image_id for found, image_id in results if found == check} for check in (IMAGES, SNAPSHOTS)}
    assert by_check[IMAGES] == by_check[SNAPSHOTS]
    assert report.images == len(by_check[IMAGES])
    assert len(reader.snapshots_asked) == len(set(reader.snapshots_asked))
    for (check_id, image_id), result in results.items():
        if check_id == SNAPSHOTS:
            ids = {one.snapshot_id for one in result.snapshots}
            assert ids == set(cases[int(str(image_id).removeprefix("ami-"))][3])
            assert (result.status is Status.FAIL) == ("snap-shared" in ids)
            assert (result.status is Status.PASS) <= ("snap-unread" not in ids)
