"""The format `ocsf`, read back by the schema that OCSF publishes and by Prowler's models."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from amiguard.core.result import CheckResult, Status
from amiguard.report.interface import ALL, NEEDS_ATTENTION, StatusFilter
from amiguard.report.ocsf import render_ocsf
from amiguard.report.sanitize import printable
from tests.unit.report_samples import HEADER, RESULTS, SWITCHES, sample_report

FINISHED = 1781512265000  # 2026-06-15T08:31:05Z


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    return Draft202012Validator(published.get_class_schema(class_name="compliance_finding", profiles=["cloud"]))


def events(shown: StatusFilter = ALL, more: tuple[CheckResult, ...] = SWITCHES) -> list[dict[str, Any]]:
    stream = io.StringIO()
    with sample_report(more) as report:
        render_ocsf(report, shown, stream)
    assert stream.getvalue().isascii()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def by_image(number: int) -> dict[str, Any]:
    wanted = f"ami-{number:017x}"
    return next(one for one in events() if one["resources"][0].get("data", {}).get("image_id") == wanted)


def test_every_event_is_valid_for_the_published_schema_and_for_the_models(schema: Draft202012Validator) -> None:
    found = events()
    assert len(found) == len(RESULTS) + len(SWITCHES)
    for event in found:
        assert not [f"{error.json_path}: {error.message}" for error in schema.iter_errors(event)]
        ComplianceFinding.model_validate(event)


def test_the_schema_would_notice(schema: Draft202012Validator) -> None:
    event = events()[0]
    assert list(schema.iter_errors({**event, "severity_id": 42}))
    assert list(schema.iter_errors({**event, "invented": 1}))
    assert list(schema.iter_errors({key: value for key, value in event.items() if key != "cloud"}))


def test_a_public_image_as_a_whole() -> None:
    event = by_image(0x05)
    result = next(one for one in RESULTS if one.image and one.image.image_id == f"ami-{5:017x}")
    reasons = [decision.reason for decision in result.decisions]
    check = "Images can be launched by trusted AWS accounts only"
    assert event.pop("remediation")["references"][0].startswith("https://docs.aws.amazon.com/")
    assert event["finding_info"].pop("desc").startswith("An image carries")
    assert event == {
        "activity_id": 1,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Compliance Finding",
        "class_uid": 2003,
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "time": FINISHED,
        "severity_id": 5,
        "severity": "Critical",
        "status_id": 1,
        "status": "New",
        "message": result.message,
        "metadata": {
            "version": "1.5.0",
            "product": {"name": "amiguard", "vendor_name": "amiguard", "version": "0.1.0"},
            "profiles": ["cloud"],
            "uid": f"{HEADER.audit_id}/{result.fingerprint}",
            "correlation_uid": HEADER.audit_id,
            "event_code": "ami-cross-account-access",
        },
        "finding_info": {
            "uid": result.fingerprint,
            "title": check,
            "types": ["Software and Configuration Checks/AWS Security Best Practices"],
            "analytic": {"uid": "ami-cross-account-access", "name": check, "type_id": 1, "type": "Rule"},
            "modified_time": FINISHED,
            "last_seen_time": FINISHED,
        },
        "compliance": {
            "control": "ami-cross-account-access",
            "status_id": 3,
            "status": "Fail",
            "status_details": [result.message],
            "requirements": [check],
            "standards": ["Trend Cloud One Conformity: AMI Cross-Account Access"],
        },
        "resources": [
            {
                "uid": f"arn:aws:ec2:eu-central-1::image/ami-{5:017x}",
                "name": "golden-2026.05",
                "type": "ec2:image",
                "cloud_partition": "aws",
                "region": "eu-central-1",
                "labels": [],
                "tags": [],
                "data": {
                    "image_id": f"ami-{5:017x}",
                    "creation_date": "2026-05-06T10:00:00.000Z",
                    "state": "available",
                    "public": True,
                    "grants": [
                        {"kind": "everyone", "grantee": "all", "decision": "untrusted", "reason": reasons[0]},
                        {"kind": "account", "grantee": "222233334444", "decision": "trusted", "reason": reasons[1]},
                        {"kind": "account", "grantee": "999988887777", "decision": "untrusted", "reason": reasons[2]},
                    ],
                },
            }
        ],
        "cloud": {
            "provider": "AWS",
            "account": {"uid": "111122223333", "name": "111122223333", "type_id": 10, "type": "AWS Account"},
            "cloud_partition": "aws",
            "region": "eu-central-1",
        },
    }


@pytest.mark.parametrize(
    ("number", "activity", "status", "compliance", "remediation"),
    [
        (0x05, (1, "Create"), (1, "New"), (3, "Fail"), True),
        (0x04, (1, "Create"), (1, "New"), (2, "Warning"), True),
        (0x40, (1, "Create"), (3, "Suppressed"), (3, "Fail"), True),
        (0xA0, (3, "Close"), (4, "Resolved"), (1, "Pass"), False),
    ],
)
def test_what_a_status_is_called(
    number: int,
    activity: tuple[int, str],
    status: tuple[int, str],
    compliance: tuple[int, str],
    remediation: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    event = by_image(number)
    assert (event["activity_id"], event["activity_name"]) == activity
    assert event["type_uid"] == 200300 + activity[0]
    assert (event["status_id"], event["status"]) == status
    assert (event["compliance"]["status_id"], event["compliance"]["status"]) == compliance
    assert ("remediation" in event) is remediation


def test_a_target_that_could_not_be_read_and_one_whose_switch_is_off() -> None:
    found = [one for one in events() if one["resources"][0]["type"] == "AwsAccount"]
    switch = next(one for one in found if one["compliance"]["status"] == "Fail")
    assert switch["severity_id"] == 3
    assert "standards" not in switch["compliance"]
    assert switch["resources"] == [
        {
            "uid": "AWS::::Account:111122223333",
            "type": "AwsAccount",
            "data": {"block_public_access": {"state": "unblocked", "managed_by": "account"}},
            "cloud_partition": "aws",
            "region": "eu-central-1",
        }
    ]
    unread = next(one for one in found if one["metadata"]["event_code"] == "ami-cross-account-access")
    assert unread["compliance"]["status"] == "Warning"


def test_what_is_shown_is_all_unless_told_otherwise() -> None:
    assert {one["compliance"]["status"] for one in events(NEEDS_ATTENTION)} == {"Fail", "Warning"}
    assert events(StatusFilter.of(()), ()) == []


def test_texts_of_others_are_neutralised_and_tags_are_kept() -> None:
    event = by_image(0x30)
    name = event["resources"][0]["name"]
    assert name == printable(name)
    assert "\\x1b" in name
    tagged = by_image(0xA0)["resources"][0]
    assert tagged["labels"] == ["Name=base", "Team=plätform"]
    assert tagged["tags"] == [{"name": "Name", "value": "base"}, {"name": "Team", "value": "plätform"}]


def test_a_check_that_this_version_does_not_know_is_still_valid(schema: Draft202012Validator) -> None:
    (event,) = (one for one in events(more=(replace(SWITCHES[0], check_id="new"),)) if _code(one) == "new")
    assert not list(schema.iter_errors(event))
    assert event["finding_info"]["title"] == "new"
    assert "remediation" not in event


def test_an_account_with_a_name() -> None:
    stream = io.StringIO()
    with sample_report() as report:
        named = replace(report, targets=[{**one, "account_name": "Build"} for one in report.targets])
        render_ocsf(named, StatusFilter.of((Status.FAIL,)), stream)
    assert json.loads(stream.getvalue().splitlines()[0])["cloud"]["account"]["name"] == "Build"


def _code(event: dict[str, Any]) -> str:
    return str(event["metadata"]["event_code"])
