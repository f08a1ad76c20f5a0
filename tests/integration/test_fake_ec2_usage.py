"""Usage reports of the fake EC2 as boto3 sees them: how they become finished, fail, expire, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    DOCUMENTED,
    NEVER_DONE,
    FakeEc2,
    FakeImage,
    FakeRegion,
    FakeReport,
    FakeUsage,
    FakeUse,
    by_id,
)
from benchmarks.fake_ec2.estate import Estate, FakeAccount
from benchmarks.fake_ec2.report_book import MOST_PENDING
from tests.integration.boto3_witness import Connect, boto3_clients, error_of

OWNER, OTHER, OUTSIDER = "012345678901", "222233334444", "999988887777"
REGION = "us-east-1"
USED, UNUSED, REPORTED = (f"ami-0000000000000000{number}" for number in range(3))
USES = (FakeUse(OWNER, count=2), FakeUse(OTHER, "ec2:LaunchTemplate"), FakeUse(OUTSIDER, count=14))
INSTANCES, TEMPLATES = ({"ResourceType": f"ec2:{name}"} for name in ("Instance", "LaunchTemplate"))
BOTH = [INSTANCES, TEMPLATES]
OLD = FakeReport(REPORTED, uses=USES[:1], age=timedelta(hours=30))


def estate(usage: FakeUsage, *reports: FakeReport) -> Estate:
    images = by_id(*(FakeImage(image_id) for image_id in (USED, UNUSED, REPORTED)))
    region = FakeRegion(images, usage={USED: usage}, reports=reports)
    return Estate({OWNER: FakeAccount({REGION: region, "eu-west-1": FakeRegion(images)})})


@pytest.fixture
def connect() -> Iterator[Connect]:
    with boto3_clients(OWNER) as make:
        yield make


def create(ec2: Any, image_id: str = USED, **arguments: Any) -> str:
    arguments.setdefault("ResourceTypes", BOTH)
    report_id: str = ec2.create_image_usage_report(ImageId=image_id, **arguments)["ReportId"]
    return report_id


def states(ec2: Any, **arguments: Any) -> list[str]:
    return [report["State"] for report in ec2.describe_image_usage_reports(**arguments)["ImageUsageReports"]]


def entries(ec2: Any, **arguments: Any) -> list[tuple[str, str, int]]:
    found = ec2.describe_image_usage_report_entries(**arguments)["ImageUsageReportEntries"]
    return [(one["AccountId"], one["ResourceType"], one["UsageCount"]) for one in found]


def test_a_report_says_what_it_is_about_and_what_it_found(connect: Connect) -> None:
    options = [{"OptionName": "version-depth", "OptionValues": ["100"]}]
    types = [INSTANCES, TEMPLATES | {"ResourceTypeOptions": options}]
    with FakeEc2(estate(FakeUsage(USES))) as fake:
        ec2 = connect(fake)
        report_id = create(ec2, ResourceTypes=types)
        (report,) = ec2.describe_image_usage_reports(ReportIds=[report_id])["ImageUsageReports"]
        (entry, *_) = ec2.describe_image_usage_report_entries(ReportIds=[report_id])["ImageUsageReportEntries"]
        everything = entries(ec2)

    assert (report["ReportId"], report["ImageId"], report["State"]) == (report_id, USED, "available")
    assert report["ResourceTypes"] == types
    assert "StateReason" not in report
    assert report["ExpirationTime"] - report["CreationTime"] == timedelta(days=30)
    assert abs(datetime.now(UTC) - report["CreationTime"]) < timedelta(minutes=1)
    assert (entry["ReportId"], entry["ImageId"]) == (report_id, USED)
    assert entry["ReportCreationTime"] == report["CreationTime"]
    assert everything == [(OWNER, "ec2:Instance", 2), (OTHER, "ec2:LaunchTemplate", 1), (OUTSIDER, "ec2:Instance", 14)]


def test_only_what_was_asked_for_is_in_a_report(connect: Connect) -> None:
    with FakeEc2(estate(FakeUsage(USES))) as fake:
        ec2 = connect(fake)
        report_id = create(ec2, ResourceTypes=[INSTANCES], AccountIds=[OTHER, OUTSIDER])
        create(ec2, UNUSED)

        assert entries(ec2, ReportIds=[report_id]) == [(OUTSIDER, "ec2:Instance", 14)]
        assert entries(ec2, ImageIds=[UNUSED]) == []
        assert entries(ec2, Filters=[{"Name": "account-id", "Values": [OTHER]}]) == []
        assert connect(fake, region="eu-west-1").describe_image_usage_reports()["ImageUsageReports"] == []


def test_a_report_is_pending_for_a_time_and_for_some_reads(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(estate(FakeUsage(USES, reads=2)), report_seconds=60, clock=lambda: now) as fake:
        ec2 = connect(fake)
        create(ec2)
        assert [states(ec2) for _ in range(3)] == [["pending"]] * 3
        assert entries(ec2) == []
        now = 60.0
        assert [states(ec2) for _ in range(3)] == [["pending"], ["pending"], ["available"]]
        assert len(entries(ec2)) == len(USES)


def test_a_report_that_never_finishes(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(estate(FakeUsage(seconds=NEVER_DONE)), clock=lambda: now) as fake:
        ec2 = connect(fake)
        create(ec2)
        now = timedelta(days=29).total_seconds()
        assert states(ec2) == ["pending"]


def test_a_report_that_ends_in_an_error(connect: Connect) -> None:
    with FakeEc2(estate(FakeUsage(USES, error="Something & nothing."))) as fake:
        ec2 = connect(fake)
        create(ec2)
        (report,) = ec2.describe_image_usage_reports()["ImageUsageReports"]
        assert (report["State"], report["StateReason"]) == ("error", "Something & nothing.")
        assert entries(ec2) == []


def test_reports_expire(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(estate(FakeUsage(USES, lifetime=timedelta(hours=1))), clock=lambda: now) as fake:
        ec2 = connect(fake)
        report_id = create(ec2)
        assert states(ec2) == ["available"]
        now = 3601.0
        assert states(ec2) == []
        assert error_of(lambda: states(ec2, ReportIds=[report_id])) == ("InvalidImageUsageReportId.NotFound", 400)


def test_a_report_that_is_gone_between_two_calls(connect: Connect) -> None:
    with FakeEc2(estate(FakeUsage(USES, vanishes=True))) as fake:
        ec2 = connect(fake)
        report_id = create(ec2)
        assert states(ec2, ReportIds=[report_id]) == ["available"]
        assert error_of(lambda: entries(ec2, ReportIds=[report_id])) == ("InvalidImageUsageReportId.NotFound", 400)


def test_reports_that_were_there_before(connect: Connect) -> None:
    failed = FakeReport(UNUSED, "amiur-0000000000000000b", state="error", state_reason="Try again.")
    stuck = FakeReport(USED, "amiur-0000000000000000c", state="pending")
    with FakeEc2(estate(FakeUsage(), OLD, failed, stuck)) as fake:
        ec2 = connect(fake)
        reports = ec2.describe_image_usage_reports()["ImageUsageReports"]

        assert [(one["ReportId"], one["State"]) for one in reports] == [
            (OLD.id, "available"),
            (failed.id, "error"),
            (stuck.id, "pending"),
        ]
        age = datetime.now(UTC) - reports[0]["CreationTime"]
        assert timedelta(hours=30) <= age < timedelta(hours=30, minutes=1)
        assert entries(ec2) == [(OWNER, "ec2:Instance", 2)]
        assert states(ec2, Filters=[{"Name": "state", "Values": ["error", "pending"]}]) == ["error", "pending"]


def test_a_report_can_be_deleted_once(connect: Connect) -> None:
    with FakeEc2(estate(FakeUsage(), OLD)) as fake:
        ec2 = connect(fake)
        assert ec2.delete_image_usage_report(ReportId=OLD.id)["Return"] is True
        assert states(ec2) == []

        def delete() -> object:
            return ec2.delete_image_usage_report(ReportId=OLD.id)

        assert error_of(delete) == ("InvalidImageUsageReportId.NotFound", 400)


def test_reports_and_entries_come_in_pages(connect: Connect) -> None:
    with FakeEc2(estate(FakeUsage(USES), OLD)) as fake:
        ec2 = connect(fake)
        create(ec2)
        create(ec2, UNUSED)

        def pages(method: str, items: str) -> list[int]:
            paginator = ec2.get_paginator(method).paginate(PaginationConfig={"PageSize": 2})
            return [len(page[items]) for page in paginator]

        assert pages("describe_image_usage_reports", "ImageUsageReports") == [2, 1]
        assert pages("describe_image_usage_report_entries", "ImageUsageReportEntries") == [2, 2]


def test_one_pending_report_an_image(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(estate(FakeUsage()), report_seconds=60, clock=lambda: now) as fake:
        ec2 = connect(fake)
        create(ec2)
        create(ec2, UNUSED)
        assert error_of(lambda: create(ec2)) == ("ResourceLimitExceeded", 400)
        create(connect(fake, region="eu-west-1"))
        now = 60.0
        create(ec2)


def test_many_pending_reports_a_target(connect: Connect) -> None:
    pending = [FakeReport(f"ami-{n:017x}", f"amiur-{n:017x}", state="pending") for n in range(16, 16 + MOST_PENDING)]
    with FakeEc2(estate(FakeUsage(), *pending)) as fake:
        ec2 = connect(fake)
        assert error_of(lambda: create(ec2)) == ("ResourceLimitExceeded", 400)
        ec2.delete_image_usage_report(ReportId=pending[0].id)
        create(ec2)


def test_a_client_token_makes_one_report(connect: Connect) -> None:
    with FakeEc2(estate(FakeUsage(), OLD), report_seconds=60) as fake:
        ec2 = connect(fake)
        first = create(ec2, ClientToken="a")

        assert create(ec2, ClientToken="a") == first
        assert error_of(lambda: create(ec2, UNUSED, ClientToken="a")) == ("IdempotentParameterMismatch", 400)
        assert create(ec2, UNUSED, ClientToken="b") != first


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound", 400),
        ({"ImageId": "image-1"}, "InvalidAMIID.Malformed", 400),
        ({"ResourceTypes": [{"ResourceType": "ssm:Parameter"}]}, "InvalidParameterValue", 400),
        ({"ResourceTypes": []}, "MissingParameter", 400),
        ({"AccountIds": [f"{number:012d}" for number in range(201)]}, "InvalidParameterValue", 400),
        ({"DryRun": True}, "DryRunOperation", 412),
    ],
)
def test_reports_that_are_refused(connect: Connect, arguments: dict[str, Any], code: str, status: int) -> None:
    with FakeEc2(estate(FakeUsage())) as fake:
        ec2 = connect(fake)
        wanted = {"ImageId": USED, "ResourceTypes": BOTH, **arguments}
        assert error_of(lambda: ec2.create_image_usage_report(**wanted)) == (code, status)
        assert states(ec2) == []


@pytest.mark.parametrize("method", ["describe_image_usage_reports", "describe_image_usage_report_entries"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"ReportIds": ["amiur-0123456789abcdef0"]}, "InvalidImageUsageReportId.NotFound"),
        ({"ImageIds": [f"ami-{number:017x}" for number in range(201)]}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"NextToken": "made-up"}, "InvalidNextToken"),
    ],
)
def test_questions_that_are_refused(connect: Connect, method: str, arguments: dict[str, Any], code: str) -> None:
    with FakeEc2(estate(FakeUsage())) as fake:
        ec2 = connect(fake)
        assert error_of(lambda: getattr(ec2, method)(**arguments)) == (code, 400)


def test_the_documented_bucket(connect: Connect) -> None:
    now = 0.0
    with FakeEc2(estate(FakeUsage()), bucket=DOCUMENTED, clock=lambda: now) as fake:
        ec2 = connect(fake)
        for _ in range(50):
            create(ec2)
        assert error_of(lambda: create(ec2)) == ("RequestLimitExceeded", 503)
        now = 0.2
        create(ec2)
        assert error_of(lambda: create(ec2)) == ("RequestLimitExceeded", 503)
        states(ec2)


def test_versions_of_launch_templates_are_looked_at_as_deep_as_asked(connect: Connect) -> None:
    old = FakeUse(OUTSIDER, "ec2:LaunchTemplate", version=30)
    before = FakeReport(REPORTED, uses=(old,), version_depth=30)
    with FakeEc2(estate(FakeUsage((old, FakeUse(OWNER, "ec2:Instance", version=30))), before)) as fake:
        ec2 = connect(fake)
        (listed,) = ec2.describe_image_usage_reports(ReportIds=[before.id])["ImageUsageReports"]
        assert listed["ResourceTypes"] == [INSTANCES, deep(30)]
        assert entries(ec2, ReportIds=[before.id]) == [(OUTSIDER, "ec2:LaunchTemplate", 1)]
        for types, found in ((TEMPLATES, 0), (deep(29), 0), (deep(30), 1), (deep(10_000), 1)):
            assert len(entries(ec2, ReportIds=[create(ec2, ResourceTypes=[types])])) == found
        assert entries(ec2, ReportIds=[create(ec2, ResourceTypes=[INSTANCES])]) == [(OWNER, "ec2:Instance", 1)]
        for types in (deep(0), deep(10_001), deep("all"), deep(5) | INSTANCES):
            refused = error_of(lambda types=types: create(ec2, ResourceTypes=[types]))  # type: ignore[misc]
            assert refused == ("InvalidParameterValue", 400)


def deep(versions: object) -> dict[str, Any]:
    return TEMPLATES | {"ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": [str(versions)]}]}
