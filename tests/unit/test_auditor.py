"""The auditor over in-memory readers: nothing unread passes, nothing is lost."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.auditor import AccountOpened, AuditEvent, ImagesListed, audit
from amiguard.core.decision import rules_in_force
from amiguard.core.grantee import Account, Everyone
from amiguard.core.image import Image, ImageNotFound, ImageUnavailable, LaunchPermission, PermissionReply, Unreadable
from amiguard.core.organization import Members, NoOrganization, OrganizationView, OwnOrganization
from amiguard.core.result import CheckResult, Status, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.image_reader import FakeAccountReader, FakeImageReader
from tests.fakes.images import OWNER, image
from tests.fakes.virtual_time import run_in_virtual_time

TARGET = Target(OWNER, "eu-central-1", "aws")
RULES = rules_in_force(TrustPolicy(), (), today=date(2026, 6, 15), organization=NoOrganization())
PRIVATE = LaunchPermission(())
SHARED = LaunchPermission((Account("999988887777"),))
BROKEN = Unreadable("HTTP 500")


def run(readers: Mapping[Target, FakeImageReader]) -> list[AuditEvent]:
    async def collect() -> list[AuditEvent]:
        return [event async for event in audit([FakeAccountReader(readers)], RULES)]

    return asyncio.run(collect())


def audit_one(reader: FakeImageReader) -> tuple[dict[str | None, CheckResult], TargetReport]:
    events = run({TARGET: reader})
    results = [event for event in events if isinstance(event, CheckResult)]
    *_, report = events
    assert isinstance(report, TargetReport)
    return {result.image.image_id if result.image else None: result for result in results}, report


def one_image(
    listed: Image, *replies: PermissionReply, again: Image | Unreadable | None = None
) -> tuple[CheckResult | None, TargetReport]:
    listed_again = again if isinstance(again, Unreadable) else {} if again is None else {again.image_id: again}
    results, report = audit_one(FakeImageReader([(listed,)], {listed.image_id: replies}, listed_again))
    return results.get(listed.image_id), report


def test_every_image_is_asked_for_its_permission_whatever_the_listing_says() -> None:
    pages = [tuple(image(f"ami-{page}{number}") for number in range(50)) for page in range(3)]
    reader = FakeImageReader(
        pages, {one.image_id: (SHARED if one.image_id.endswith("7") else PRIVATE,) for page in pages for one in page}
    )
    results, report = audit_one(reader)
    assert sorted(reader.asked) == sorted(one.image_id for page in pages for one in page)
    assert {image_id for image_id, result in results.items() if result.status is Status.FAIL} == {
        one.image_id for page in pages for one in page if one.image_id.endswith("7")
    }
    assert report == TargetReport(TARGET, TargetStatus.AUDITED, "", images=150)


def test_what_could_not_be_read_is_unknown_with_its_reason() -> None:
    result, report = one_image(image(), Unreadable("not permitted: ec2:DescribeImageAttribute", "grant it"))
    assert result is not None
    assert result.status is Status.UNKNOWN
    assert result.message == (
        "Its launch permission could not be read: not permitted: ec2:DescribeImageAttribute (grant it)"
    )
    assert report.status is TargetStatus.AUDITED


def test_a_target_that_cannot_be_listed_is_failed_with_one_unknown_result() -> None:
    results, report = audit_one(FakeImageReader([Unreadable("a service control policy denies ec2:DescribeImages")]))
    assert list(results) == [None]
    assert results[None].status is Status.UNKNOWN
    assert report.status is TargetStatus.FAILED
    assert report.reason == "a service control policy denies ec2:DescribeImages"


def test_a_listing_that_breaks_off_keeps_what_was_read_and_says_that_there_is_more() -> None:
    reader = FakeImageReader([(image("ami-1"),), BROKEN], {"ami-1": (SHARED,)})
    results, report = audit_one(reader)
    assert {key: result.status for key, result in results.items()} == {"ami-1": Status.FAIL, None: Status.UNKNOWN}
    assert report == TargetReport(TARGET, TargetStatus.FAILED, "HTTP 500", images=1)


def test_an_image_that_vanished_is_dropped_and_counted_once_a_listing_confirms_it() -> None:
    assert one_image(image(), ImageNotFound(), again=None) == (
        None,
        TargetReport(TARGET, TargetStatus.AUDITED, vanished=1),
    )


def test_an_image_that_is_still_listed_has_not_vanished() -> None:
    result, report = one_image(image(), ImageNotFound(), SHARED, again=image())
    assert result is not None
    assert result.status is Status.FAIL
    result, report = one_image(image(), ImageNotFound(), again=image())
    assert result is not None
    assert result.status is Status.UNKNOWN
    assert report.vanished == 0


def test_a_vanished_image_that_cannot_be_confirmed_is_unknown() -> None:
    result, report = one_image(image(), ImageNotFound(), again=BROKEN)
    assert result is not None
    assert result.status is Status.UNKNOWN
    assert result.message == "Its launch permission could not be read: its state could not be confirmed: HTTP 500"
    assert report.images == 1


def test_a_disabled_image_has_lost_its_permission_by_awss_own_rule() -> None:
    disabled = image(state="disabled")
    result, _ = one_image(disabled, ImageUnavailable("disabled"), again=disabled)
    assert result is not None
    assert (result.status, result.message) == (
        Status.PASS,
        "The image is disabled: AWS has removed its launch permission.",
    )


def test_a_disabled_image_that_is_enabled_again_is_read() -> None:
    disabled = image(state="disabled")
    result, _ = one_image(disabled, ImageUnavailable("disabled"), SHARED, again=image())
    assert result is not None
    assert result.status is Status.FAIL


def test_grants_of_a_disabled_image_are_judged_if_aws_returns_them() -> None:
    result, _ = one_image(image(state="disabled"), SHARED)
    assert result is not None
    assert result.status is Status.FAIL


@pytest.mark.parametrize("state", ["pending", "failed", "transient", ""])
def test_unavailable_is_no_pass_in_any_other_state(state: str) -> None:
    odd = image(state=state)
    result, _ = one_image(odd, ImageUnavailable("x"), again=odd)
    assert result is not None
    assert result.status is Status.UNKNOWN


def test_a_pending_image_is_read_again_at_the_end() -> None:
    result, _ = one_image(image(state="pending"), ImageUnavailable("pending"), SHARED, again=image())
    assert result is not None
    assert result.status is Status.FAIL


def test_public_without_an_all_grant_is_read_again_and_then_unknown() -> None:
    public = image(public=True)
    result, _ = one_image(public, PRIVATE, again=public)
    assert result is not None
    assert result.status is Status.UNKNOWN
    result, _ = one_image(public, PRIVATE, LaunchPermission((Everyone(),)), again=public)
    assert result is not None
    assert result.status is Status.FAIL
    result, _ = one_image(public, PRIVATE, again=replace(public, public=False))
    assert result is not None
    assert result.status is Status.PASS


def test_one_target_does_not_hold_back_or_spoil_another() -> None:
    other = replace(TARGET, region="us-east-1")
    events = run(
        {
            TARGET: FakeImageReader([BROKEN]),
            other: FakeImageReader([(image("ami-1", region="us-east-1"),)], {"ami-1": (PRIVATE,)}),
        }
    )
    reports = {event.target.region: event.status.value for event in events if isinstance(event, TargetReport)}
    assert reports == {"eu-central-1": "failed", "us-east-1": "audited"}


def test_an_account_that_cannot_be_opened_fails_all_its_targets_and_no_other() -> None:
    other = replace(TARGET, account_id="222222222222")
    readers = [
        FakeAccountReader({TARGET: FakeImageReader([])}, problem=Unreadable("the role is missing", "create it")),
        FakeAccountReader(
            {other: FakeImageReader([(image("ami-1", account_id=other.account_id),)], {"ami-1": (PRIVATE,)})}
        ),
    ]

    async def collect() -> list[AuditEvent]:
        return [event async for event in audit(readers, RULES)]

    events = asyncio.run(collect())
    reports = {event.target: (event.status, event.reason) for event in events if isinstance(event, TargetReport)}
    assert reports == {TARGET: (TargetStatus.FAILED, "the role is missing"), other: (TargetStatus.AUDITED, "")}
    (unread,) = [event for event in events if isinstance(event, CheckResult) and event.image is None]
    assert (unread.status, unread.target) == (Status.UNKNOWN, TARGET)
    assert unread.message == "The images could not be listed: the role is missing (create it)"


def test_skipped_targets_are_told() -> None:
    skipped = TargetReport(replace(TARGET, region="af-south-1"), TargetStatus.SKIPPED, "the region is not enabled")

    async def collect() -> list[AuditEvent]:
        return [event async for event in audit([FakeAccountReader({TARGET: FakeImageReader([])}, (skipped,))], RULES)]

    assert asyncio.run(collect())[0] == AccountOpened(OWNER, (TARGET,), (skipped,))


def test_each_account_is_decided_by_its_own_organization() -> None:
    policy = TrustPolicy((TrustEntry(parse_trustee("own")),))
    rules = rules_in_force(policy, (), today=date(2026, 6, 15), organization=NoOrganization())
    members = Members({"999988887777": ()})
    views: dict[str, OrganizationView] = {
        OWNER: OwnOrganization("o-abcdefghij", OWNER, members),
        "222222222222": NoOrganization(),
    }
    readers = []
    for account_id, view in views.items():
        target = replace(TARGET, account_id=account_id)
        reader = FakeImageReader([(image("ami-1", account_id=account_id),)], {"ami-1": (SHARED,)})
        readers.append(FakeAccountReader({target: reader}, organization=view))

    async def collect() -> dict[str, Status]:
        return {
            one.target.account_id: one.status async for one in audit(readers, rules) if isinstance(one, CheckResult)
        }

    assert asyncio.run(collect()) == {OWNER: Status.PASS, "222222222222": Status.FAIL}


def test_a_large_target_does_not_hold_back_small_ones_of_other_accounts() -> None:
    """Sixty accounts, one of them with 5,000 images: the small ones have ended before 5 % of the large one is read."""

    def account(number: int, images: int) -> FakeAccountReader:
        target = replace(TARGET, account_id=f"{number:012}")
        page = tuple(image(f"ami-{one}", account_id=target.account_id) for one in range(images))
        return FakeAccountReader({target: SlowReader([page], {one.image_id: (PRIVATE,) for one in page})})

    class SlowReader(FakeImageReader):
        async def read_launch_permission(self, image_id: str) -> PermissionReply:
            await asyncio.sleep(0.03)
            return await super().read_launch_permission(image_id)

    async def main() -> int:
        done_of_large, small_ended = 0, 0
        async for event in audit([account(0, 5000), *(account(number, 10) for number in range(1, 60))], RULES):
            if isinstance(event, TargetReport) and event.target.account_id != f"{0:012}":
                small_ended += 1
                if small_ended == 59:
                    return done_of_large
            if isinstance(event, CheckResult) and event.target.account_id == f"{0:012}":
                done_of_large += 1
        raise AssertionError("the small ones never ended")

    assert run_in_virtual_time(main())[0] < 250


def test_a_programming_error_is_raised_and_not_taken_for_an_empty_target() -> None:
    class Buggy(FakeImageReader):
        async def read_launch_permission(self, image_id: str) -> PermissionReply:
            raise KeyError(image_id)

    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        run({TARGET: Buggy([(image(),)])})


def test_closing_the_audit_stops_the_reading() -> None:
    async def first_event() -> tuple[AuditEvent, int]:
        reader = FakeImageReader([tuple(image(f"ami-{number}") for number in range(9000))])
        events = audit([FakeAccountReader({TARGET: reader})], RULES)
        assert await anext(events) == AccountOpened(OWNER, (TARGET,))
        event = await anext(events)
        await events.aclose()
        return event, len(asyncio.all_tasks())

    assert asyncio.run(first_event()) == (ImagesListed(TARGET, 9000), 1)


replies = st.sampled_from(
    [PRIVATE, SHARED, BROKEN, ImageNotFound(), ImageUnavailable("x"), LaunchPermission((Everyone(),))]
)
listed = st.sampled_from(["available", "pending", "disabled", "gone"])


@given(st.lists(st.tuples(st.booleans(), listed, st.lists(replies, min_size=1, max_size=2), listed), max_size=40))
def test_no_image_passes_that_was_not_read(cases: Sequence[tuple[bool, str, list[PermissionReply], str]]) -> None:
    """Every listed image has a result or is counted as vanished; a pass was read, or is confirmed disabled."""
    page = tuple(image(f"ami-{number}", public=case[0], state=case[1]) for number, case in enumerate(cases))
    again = {
        one.image_id: replace(one, state=case[3]) for one, case in zip(page, cases, strict=True) if case[3] != "gone"
    }
    reader = FakeImageReader([page], {one.image_id: case[2] for one, case in zip(page, cases, strict=True)}, again)
    results, report = audit_one(reader)
    assert report.images == len(results)
    assert report.images + report.vanished == len(page)
    for one, (_, _, answers, now) in zip(page, cases, strict=True):
        result = results.get(one.image_id)
        if result is None:
            assert now == "gone"
        elif result.status is Status.PASS:
            read = answers[min(reader.asked.count(one.image_id), len(answers)) - 1]
            assert read == PRIVATE or (isinstance(read, ImageUnavailable) and now == "disabled")
