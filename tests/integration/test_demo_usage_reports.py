"""Image usage reports of the embedded AWS, as boto3 and the AWS CLI see them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from amiguard.demo.moto_methods import state_at
from amiguard.demo.server import running_server
from amiguard.demo.usage_state import ImageUsage, ImageUse
from tests.integration.moto_clients import ACCOUNT, REGION, aws_cli, code_of, opened

STRANGER, OTHER = "555566667777", "210987654321"
INSTANCES, TEMPLATES = [{"ResourceType": "ec2:Instance"}], [{"ResourceType": "ec2:LaunchTemplate"}]
USES = (
    ImageUse(STRANGER, "ec2:Instance", 14),
    ImageUse(STRANGER, "ec2:LaunchTemplate", 2),
    ImageUse(OTHER, "ec2:Instance", 1),
)
AT_ONCE, NEVER = timedelta(0), timedelta(days=1)


@pytest.fixture
def url() -> Iterator[str]:
    with running_server([REGION]) as running:
        yield running


def usage() -> ImageUsage:
    return state_at(ec2_backends[ACCOUNT][REGION], ImageUsage)


@pytest.fixture
def ec2(url: str) -> Iterator[Any]:
    with opened(url, "ec2") as client:
        yield client


@pytest.fixture
def image_id(ec2: Any) -> str:
    made: str = ec2.register_image(Name="shared")["ImageId"]
    usage().uses[made] = USES
    usage().pending_for = AT_ONCE
    return made


def create(ec2: Any, image_id: str, resource_types: Any = INSTANCES, **more: Any) -> str:
    report_id: str = ec2.create_image_usage_report(ImageId=image_id, ResourceTypes=resource_types, **more)["ReportId"]
    return report_id


def entries(ec2: Any, report_id: str, **more: Any) -> list[tuple[str, str, int]]:
    found = ec2.describe_image_usage_report_entries(ReportIds=[report_id], **more)["ImageUsageReportEntries"]
    return [(one["AccountId"], one["ResourceType"], one["UsageCount"]) for one in found]


def refused(ec2: Any, call: str, **parameters: Any) -> str:
    with pytest.raises(ClientError) as failure:
        getattr(ec2, call)(**parameters)
    return code_of(failure)


def test_a_report_is_pending_and_then_available(ec2: Any, image_id: str) -> None:
    usage().pending_for = NEVER
    report_id = create(ec2, image_id, INSTANCES + TEMPLATES, AccountIds=[STRANGER])
    (report,) = ec2.describe_image_usage_reports(ImageIds=[image_id])["ImageUsageReports"]
    assert report["State"] == "pending"
    assert "StateReason" not in report
    assert report["ResourceTypes"] == INSTANCES + TEMPLATES
    assert report["AccountIds"] == [STRANGER]
    assert abs(datetime.now(UTC) - report["CreationTime"]) < timedelta(minutes=1)
    assert report["ExpirationTime"] - report["CreationTime"] == timedelta(days=30)
    assert entries(ec2, report_id) == []

    usage().pending_for = AT_ONCE
    (report,) = ec2.describe_image_usage_reports(ReportIds=[report_id])["ImageUsageReports"]
    assert report["State"] == "available"
    assert entries(ec2, report_id) == [(STRANGER, "ec2:Instance", 14), (STRANGER, "ec2:LaunchTemplate", 2)]


def test_a_report_is_done_before_anybody_has_polled_twice() -> None:
    assert ImageUsage().pending_for <= timedelta(seconds=2)


def test_a_report_has_what_was_asked_for_and_says_nothing_of_later_use(ec2: Any, image_id: str) -> None:
    report_id = create(ec2, image_id)
    usage().uses[image_id] = ()
    assert entries(ec2, report_id) == [(STRANGER, "ec2:Instance", 14), (OTHER, "ec2:Instance", 1)]
    assert entries(ec2, create(ec2, image_id)) == []


def test_entries_come_in_pages(ec2: Any, image_id: str) -> None:
    accounts = [f"{number:012d}" for number in range(1, 12)]
    usage().uses[image_id] = tuple(ImageUse(account_id, "ec2:Instance", 1) for account_id in accounts)
    report_id = create(ec2, image_id)
    pages = [
        [entry["AccountId"] for entry in page["ImageUsageReportEntries"]]
        for page in ec2.get_paginator("describe_image_usage_report_entries").paginate(
            ReportIds=[report_id], PaginationConfig={"PageSize": 5}
        )
    ]
    assert pages == [accounts[:5], accounts[5:10], accounts[10:]]


def test_reports_come_in_pages_and_by_filters(ec2: Any, image_id: str) -> None:
    other = ec2.register_image(Name="other")["ImageId"]
    usage().errors[other] = "internal"
    first, second = create(ec2, image_id), create(ec2, other)
    page = ec2.describe_image_usage_reports(MaxResults=1)
    assert [one["ReportId"] for one in page["ImageUsageReports"]] == [first]
    rest = ec2.describe_image_usage_reports(MaxResults=1, NextToken=page["NextToken"])
    assert [one["ReportId"] for one in rest["ImageUsageReports"]] == [second]
    assert "NextToken" not in rest
    by_state = ec2.describe_image_usage_reports(Filters=[{"Name": "state", "Values": ["err*"]}])
    assert [one["ReportId"] for one in by_state["ImageUsageReports"]] == [second]
    of_account = [{"Name": "account-id", "Values": [OTHER]}]
    assert entries(ec2, first, Filters=of_account) == [(OTHER, "ec2:Instance", 1)]
    today = [{"Name": "creation-time", "Values": [f"{datetime.now(UTC):%Y}-*"]}]
    assert len(entries(ec2, first, Filters=today)) == 2
    assert refused(ec2, "describe_image_usage_reports", Filters=[{"Name": "colour", "Values": ["red"]}]) == (
        "InvalidParameterValue"
    )


def test_a_report_can_end_in_an_error(ec2: Any, image_id: str) -> None:
    usage().errors[image_id] = "An internal error occurred."
    report_id = create(ec2, image_id)
    (report,) = ec2.describe_image_usage_reports(ReportIds=[report_id])["ImageUsageReports"]
    assert (report["State"], report["StateReason"]) == ("error", "An internal error occurred.")
    assert entries(ec2, report_id) == []


def test_an_image_has_one_pending_report(ec2: Any, image_id: str) -> None:
    usage().pending_for = NEVER
    create(ec2, image_id)
    asked = {"ImageId": image_id, "ResourceTypes": INSTANCES}
    assert refused(ec2, "create_image_usage_report", **asked) == "ResourceLimitExceeded"
    create(ec2, ec2.register_image(Name="other")["ImageId"])
    usage().pending_for = AT_ONCE
    create(ec2, image_id)
    assert len(ec2.describe_image_usage_reports(ImageIds=[image_id])["ImageUsageReports"]) == 2


def test_a_client_token_makes_one_report(ec2: Any, image_id: str) -> None:
    report_id = create(ec2, image_id, ClientToken="a")
    assert create(ec2, image_id, ClientToken="a") == report_id
    assert create(ec2, image_id, ClientToken="b") != report_id
    asked = {"ImageId": image_id, "ResourceTypes": TEMPLATES, "ClientToken": "a"}
    assert refused(ec2, "create_image_usage_report", **asked) == "IdempotentParameterMismatch"


def test_a_report_expires_and_can_be_deleted(ec2: Any, image_id: str) -> None:
    gone, kept = create(ec2, image_id), create(ec2, image_id)
    usage().reports[gone] = replace(usage().reports[gone], created_at=datetime.now(UTC) - timedelta(days=30))
    (report,) = ec2.describe_image_usage_reports()["ImageUsageReports"]
    assert report["ReportId"] == kept
    for call in ("describe_image_usage_reports", "describe_image_usage_report_entries"):
        assert refused(ec2, call, ReportIds=[gone]) == "InvalidImageUsageReportId.NotFound"
    assert ec2.delete_image_usage_report(ReportId=kept)["Return"] is True
    assert refused(ec2, "delete_image_usage_report", ReportId=kept) == "InvalidImageUsageReportId.NotFound"
    assert ec2.describe_image_usage_reports()["ImageUsageReports"] == []


def test_a_reset_of_moto_forgets_it_all(ec2: Any, image_id: str) -> None:
    create(ec2, image_id)
    ec2_backends[ACCOUNT][REGION].reset()
    assert ec2.describe_image_usage_reports()["ImageUsageReports"] == []
    assert usage().uses == {}


def test_a_region_knows_nothing_of_another(url: str, ec2: Any, image_id: str) -> None:
    report_id = create(ec2, image_id)
    with opened(url, "ec2", "eu-central-1") as elsewhere:
        assert elsewhere.describe_image_usage_reports()["ImageUsageReports"] == []
        assert refused(elsewhere, "describe_image_usage_reports", ReportIds=[report_id]) == (
            "InvalidImageUsageReportId.NotFound"
        )


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "i-0123456789abcdef0"}, "InvalidAMIID.Malformed"),
        ({"ImageId": "<script>"}, "InvalidAMIID.Malformed"),
        ({"ImageId": ""}, "MissingParameter"),
        ({"ResourceTypes": []}, "MissingParameter"),
        ({"ResourceTypes": [{"ResourceType": "ec2:Toaster"}]}, "InvalidParameterValue"),
        ({"AccountIds": ["12345"]}, "InvalidParameterValue"),
        ({"AccountIds": ["١٢٣٤٥٦٧٨٩٠١٢"]}, "InvalidParameterValue"),
        ({"AccountIds": [f"{number:012d}" for number in range(201)]}, "InvalidParameterValue"),
        ({"TagSpecifications": [{"ResourceType": "image", "Tags": []}]}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_a_report_is_refused_as_ec2_refuses_it(ec2: Any, image_id: str, parameters: dict[str, Any], code: str) -> None:
    asked = {"ImageId": image_id, "ResourceTypes": INSTANCES, **parameters}
    assert refused(ec2, "create_image_usage_report", **asked) == code
    assert usage().reports == {}


@pytest.mark.parametrize(
    ("resource_type", "name", "values", "taken"),
    [
        ("ec2:LaunchTemplate", "version-depth", ["1"], True),
        ("ec2:LaunchTemplate", "version-depth", ["10000"], True),
        ("ec2:LaunchTemplate", "version-depth", ["10001"], False),
        ("ec2:LaunchTemplate", "version-depth", ["0"], False),
        ("ec2:LaunchTemplate", "version-depth", ["deep"], False),
        ("ec2:LaunchTemplate", "width", ["1"], False),
        ("ec2:Instance", "version-depth", ["1"], False),
    ],
)
def test_the_depth_of_launch_templates(
    ec2: Any, image_id: str, resource_type: str, name: str, values: list[str], *, taken: bool
) -> None:
    wanted = [{"ResourceType": resource_type, "ResourceTypeOptions": [{"OptionName": name, "OptionValues": values}]}]
    if taken:
        report_id = create(ec2, image_id, wanted)
        (report,) = ec2.describe_image_usage_reports(ReportIds=[report_id])["ImageUsageReports"]
        assert report["ResourceTypes"] == wanted
    else:
        asked = {"ImageId": image_id, "ResourceTypes": wanted}
        assert refused(ec2, "create_image_usage_report", **asked) == "InvalidParameterValue"


@pytest.mark.parametrize("call", ["describe_image_usage_reports", "describe_image_usage_report_entries"])
@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"ReportIds": ["amiur-0123456789abcdef0"]}, "InvalidImageUsageReportId.NotFound"),
        ({"ReportIds": ["report"]}, "InvalidImageUsageReportId.Malformed"),
        ({"ReportIds": ["amiur-0"] * 201}, "InvalidParameterValue"),
        ({"ImageIds": ["ami-0"] * 201}, "InvalidParameterValue"),
        ({"NextToken": "junk"}, "InvalidNextToken"),
        ({"NextToken": "LTE="}, "InvalidNextToken"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_a_question_is_refused_as_ec2_refuses_it(ec2: Any, call: str, parameters: dict[str, Any], code: str) -> None:
    assert refused(ec2, call, **parameters) == code


def test_a_deletion_is_refused_as_ec2_refuses_it(ec2: Any, image_id: str) -> None:
    report_id = create(ec2, image_id)
    assert refused(ec2, "delete_image_usage_report", ReportId=report_id, DryRun=True) == "DryRunOperation"
    assert refused(ec2, "delete_image_usage_report", ReportId="") == "MissingParameter"
    assert refused(ec2, "delete_image_usage_report", ReportId="x") == "InvalidImageUsageReportId.Malformed"
    assert set(usage().reports) == {report_id}


def test_the_aws_cli_sees_the_same(url: str, ec2: Any, image_id: str, tmp_path: Path) -> None:
    asked = ("--image-id", image_id, "--resource-types", "ResourceType=ec2:Instance")
    code, made = aws_cli(url, tmp_path, "ec2", "create-image-usage-report", *asked)
    assert code == 0
    report_ids = ("--report-ids", made["ReportId"])
    _, reports = aws_cli(url, tmp_path, "ec2", "describe-image-usage-reports", *report_ids)
    assert [one["State"] for one in reports["ImageUsageReports"]] == ["available"]
    _, found = aws_cli(url, tmp_path, "ec2", "describe-image-usage-report-entries", *report_ids, "--page-size", "1")
    counts = {one["AccountId"]: one["UsageCount"] for one in found["ImageUsageReportEntries"]}
    assert counts == {STRANGER: 14, OTHER: 1}
    gone = aws_cli(url, tmp_path, "ec2", "delete-image-usage-report", "--report-id", made["ReportId"])
    assert gone == (0, {"Return": True})
    assert (
        "InvalidImageUsageReportId.NotFound"
        in aws_cli(url, tmp_path, "ec2", "describe-image-usage-reports", *report_ids)[1]
    )


def test_versions_of_launch_templates_are_looked_at_as_deep_as_asked(ec2: Any, image_id: str) -> None:
    usage().uses[image_id] = (ImageUse(STRANGER, "ec2:LaunchTemplate", 1, version=30),)
    options = [{"OptionName": "version-depth", "OptionValues": ["30"]}]
    deep = [TEMPLATES[0] | {"ResourceTypeOptions": options}]
    assert entries(ec2, create(ec2, image_id, TEMPLATES)) == []
    assert entries(ec2, create(ec2, image_id, deep)) == [(STRANGER, "ec2:LaunchTemplate", 1)]
