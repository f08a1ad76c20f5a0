"""The check `ami-block-public-access`: what it says, when it runs, and what the auditor makes of it."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest

from amiguard.auditor import AuditEvent, audit
from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.checks import ami_cross_account_access, ami_snapshot_cross_account
from amiguard.core.checks.ami_block_public_access import METADATA, evaluate
from amiguard.core.checks.registry import ADDITIONAL, CHECK_IDS, CHECKS, additional_checks
from amiguard.core.checks.unread import unread_target
from amiguard.core.decision import rules_in_force
from amiguard.core.image import LaunchPermission, Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.ports import AccountReader
from amiguard.core.result import ALL_REGIONS, CheckResult, Severity, Status, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustPolicy
from tests.fakes.image_reader import FakeAccountReader, FakeImageReader
from tests.fakes.images import OWNER, image
from tests.fakes.virtual_time import run_in_virtual_time

TARGET = Target(OWNER, "eu-central-1", "aws")
OTHER = replace(TARGET, region="us-east-1")
RULES = rules_in_force(TrustPolicy(), (), today=date(2026, 6, 15), organization=NoOrganization())
IMAGES = "ami-cross-account-access"
SWITCH = "ami-block-public-access"
SNAPSHOTS = "ami-snapshot-cross-account"
ON = frozenset({SWITCH})
DENIED = Unreadable("not permitted: ec2:GetImageBlockPublicAccessState", "grant it")


def switch(state: BlockPublicAccess, managed_by: str = "account") -> BlockPublicAccessState:
    return BlockPublicAccessState(state, managed_by)


OFF, BLOCKED = switch(BlockPublicAccess.UNBLOCKED), switch(BlockPublicAccess.BLOCK_NEW_SHARING)


@pytest.mark.parametrize(
    ("state", "status", "severity", "message"),
    [
        (
            OFF,
            Status.FAIL,
            Severity.MEDIUM,
            "Images can be made public: image block public access is off, managed by the account.",
        ),
        (
            switch(BlockPublicAccess.UNBLOCKED, "declarative-policy"),
            Status.FAIL,
            Severity.MEDIUM,
            "Images can be made public: image block public access is off, managed by a declarative policy of the "
            "organization; enable it in that policy.",
        ),
        (
            switch(BlockPublicAccess.UNBLOCKED, "a-later-word"),
            Status.FAIL,
            Severity.MEDIUM,
            "Images can be made public: image block public access is off, managed by a-later-word.",
        ),
        (
            BLOCKED,
            Status.PASS,
            Severity.INFORMATIONAL,
            "No more images can be made public: image block public access is on, managed by the account.",
        ),
        (
            switch(BlockPublicAccess.BLOCK_NEW_SHARING, "declarative-policy"),
            Status.PASS,
            Severity.INFORMATIONAL,
            "No more images can be made public: image block public access is on, managed by a declarative policy of "
            "the organization.",
        ),
    ],
)
def test_what_was_read_is_judged(
    state: BlockPublicAccessState, status: Status, severity: Severity, message: str
) -> None:
    assert evaluate(TARGET, state) == CheckResult(SWITCH, status, severity, TARGET, None, (), message, state)


@pytest.mark.parametrize(("hint", "ending"), [(None, ""), ("grant it", " (grant it)")])
def test_what_was_not_read_is_unknown(hint: str | None, ending: str) -> None:
    result = evaluate(TARGET, Unreadable("HTTP 500", hint))
    message = f"Image block public access could not be read: HTTP 500{ending}"
    assert result == CheckResult(SWITCH, Status.UNKNOWN, Severity.MEDIUM, TARGET, None, (), message, None)


def test_its_result_is_told_from_that_of_a_target_that_cannot_be_listed() -> None:
    first, second = unread_target(TARGET, DENIED, ON)
    assert (first.check_id, second.check_id) == (SWITCH, IMAGES)
    assert first.fingerprint != second.fingerprint


def test_what_it_says_of_itself() -> None:
    assert "--image-block-public-access-state block-new-sharing --region R" in METADATA.remediation
    assert "declarative policy" in METADATA.remediation
    assert "already stay public" in METADATA.remediation
    assert all(reference.startswith("https://docs.aws.amazon.com/") for reference in METADATA.references)


def test_the_registry_knows_which_checks_always_run() -> None:
    assert CHECKS == (ami_cross_account_access.METADATA, METADATA, ami_snapshot_cross_account.METADATA)
    assert CHECK_IDS == (IMAGES, SWITCH, SNAPSHOTS)
    assert set(ADDITIONAL) == {SWITCH, SNAPSHOTS}
    assert additional_checks([]) == additional_checks([IMAGES]) == frozenset()
    assert additional_checks([SWITCH, IMAGES, SWITCH]) == ON
    with pytest.raises(ValueError, match="there is no check all, ami"):
        additional_checks(["all", SWITCH, "ami"])


def test_an_unread_target_has_one_unknown_result_a_check() -> None:
    assert unread_target(TARGET, DENIED, frozenset()) == (ami_cross_account_access.target_unreadable(TARGET, DENIED),)
    results = unread_target(TARGET, DENIED, ADDITIONAL)
    assert len(results) == len(CHECK_IDS)
    assert {result.check_id for result in results} == set(CHECK_IDS)
    assert {result.status for result in results} == {Status.UNKNOWN}


async def collect(
    readers: Collection[AccountReader], checks: frozenset[str] = ON
) -> tuple[list[CheckResult], list[TargetReport]]:
    events: list[AuditEvent] = [event async for event in audit(readers, RULES, checks=checks)]
    results = [event for event in events if isinstance(event, CheckResult)]
    reports = [event for event in events if isinstance(event, TargetReport)]
    for report in reports:
        of_target = [event for event in events if getattr(event, "target", None) == report.target]
        assert of_target[-1] is report
    return results, reports


def reader(
    switch_: BlockPublicAccessState | Unreadable, *, region: str = TARGET.region, broken: bool = False
) -> FakeImageReader:
    pages = [Unreadable("HTTP 500")] if broken else [(image("ami-1", region=region),)]
    return FakeImageReader(pages, {"ami-1": (LaunchPermission(()),)}, block_public_access=switch_)


def told(results: list[CheckResult]) -> dict[tuple[str, str, str | None], Status]:
    found = {
        (one.target.region, one.check_id, one.image.image_id if one.image else None): one.status for one in results
    }
    assert len(found) == len(results)
    return found


@pytest.mark.parametrize(
    ("state", "status"), [(OFF, Status.FAIL), (BLOCKED, Status.PASS), (DENIED, Status.UNKNOWN)], ids=str
)
def test_each_target_has_one_result_more_and_no_image_more(
    state: BlockPublicAccessState | Unreadable, status: Status
) -> None:
    account = FakeAccountReader({TARGET: reader(state), OTHER: reader(BLOCKED, region=OTHER.region)})
    results, reports = asyncio.run(collect([account]))
    assert told(results) == {
        ("eu-central-1", IMAGES, "ami-1"): Status.PASS,
        ("eu-central-1", SWITCH, None): status,
        ("us-east-1", IMAGES, "ami-1"): Status.PASS,
        ("us-east-1", SWITCH, None): Status.PASS,
    }
    assert {(report.status, report.images) for report in reports} == {(TargetStatus.AUDITED, 1)}


@pytest.mark.parametrize("checks", [frozenset[str](), frozenset({IMAGES})])
def test_it_is_off_by_default_and_then_nothing_is_read(checks: frozenset[str]) -> None:
    class Silent(FakeImageReader):
        async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
            raise AssertionError("nobody asked for it")

    results, _ = asyncio.run(collect([FakeAccountReader({TARGET: Silent([(image("ami-1"),)])})], checks))
    assert {result.check_id for result in results} <= {IMAGES}


def test_a_listing_that_fails_does_not_hide_the_switch() -> None:
    results, reports = asyncio.run(collect([FakeAccountReader({TARGET: reader(OFF, broken=True)})]))
    assert told(results) == {
        ("eu-central-1", IMAGES, None): Status.UNKNOWN,
        ("eu-central-1", SWITCH, None): Status.FAIL,
    }
    assert [report.status for report in reports] == [TargetStatus.FAILED]


def test_the_targets_of_an_account_that_cannot_be_opened_are_unknown_to_every_check() -> None:
    target = replace(TARGET, region=ALL_REGIONS)
    closed = FakeAccountReader({target: reader(BLOCKED)}, problem=Unreadable("the role is missing", "create it"))
    results, reports = asyncio.run(collect([closed]))
    assert told(results) == {("*", IMAGES, None): Status.UNKNOWN, ("*", SWITCH, None): Status.UNKNOWN}
    assert "Image block public access could not be read: the role is missing (create it)" in [
        result.message for result in results
    ]
    assert reports == [TargetReport(target, TargetStatus.FAILED, "the role is missing")]


def test_the_switch_is_read_while_the_images_are() -> None:
    class Slow(FakeImageReader):
        async def read_launch_permission(self, image_id: str) -> LaunchPermission:
            await asyncio.sleep(60)
            return LaunchPermission(())

        async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
            await asyncio.sleep(90)
            return OFF

    (results, _), seconds = run_in_virtual_time(collect([FakeAccountReader({TARGET: Slow([(image("ami-1"),)])})]))
    assert len(results) == 2
    assert 89 < seconds < 100


def test_a_check_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no check ami-nothing"):
        asyncio.run(collect([], frozenset({"ami-nothing"})))
