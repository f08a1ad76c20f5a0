"""The format `asff`: what is in a finding, the limits of AWS, and what is said of each target."""

import io
import json
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from amiguard.core.grantee import Account, Everyone, Organization
from amiguard.core.result import CheckResult, Target, TargetReport, TargetStatus
from amiguard.report.asff import TargetFindings, render_asff, targets_of
from amiguard.report.interface import ALL, Report, StatusFilter
from amiguard.report.spool import Spool
from tests.unit.report_samples import (
    CAPE_TOWN,
    CROWD,
    FRANKFURT,
    HEADER,
    HONG_KONG,
    IRELAND,
    OHIO,
    OUTCOME,
    RESULTS,
    STRANGER,
    SWITCHES,
    VIRGINIA,
    image,
    judged,
    sample_report,
)

FINISHED = "2026-06-15T08:31:05Z"


def written(results: tuple[CheckResult, ...], shown: StatusFilter = ALL) -> list[dict[str, Any]]:
    stream = io.StringIO()
    with Spool() as spool:
        for result in results:
            spool.add(result)
        for target in {result.target for result in results}:
            spool.finish(TargetReport(target, TargetStatus.AUDITED, images=1))
        render_asff(spool.report(HEADER, OUTCOME), shown, stream)
    assert stream.getvalue().isascii()
    found: list[dict[str, Any]] = json.loads(stream.getvalue())
    return found


def one_finding(result: CheckResult) -> dict[str, Any]:
    (found,) = written((result,))
    return found


def test_a_finding_as_a_whole() -> None:
    result = judged(
        image(FRANKFURT, 5, "golden", public=True, tags=(("Team", "x"), ("Empty", ""))), Everyone(), STRANGER
    )
    found = one_finding(result)
    assert found.pop("Remediation")["Recommendation"]["Url"].startswith("https://docs.aws.amazon.com/")
    assert found == {
        "SchemaVersion": "2018-10-08",
        "Id": f"amiguard/{result.fingerprint}",
        "ProductArn": "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default",
        "ProductName": "amiguard",
        "GeneratorId": "amiguard/ami-cross-account-access",
        "AwsAccountId": "111122223333",
        "Region": "eu-central-1",
        "CreatedAt": FINISHED,
        "UpdatedAt": FINISHED,
        "FindingProviderFields": {
            "Severity": {"Label": "CRITICAL", "Original": "critical"},
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        },
        "Title": f"Images can be launched by trusted AWS accounts only: ami-{5:017x} (golden)",
        "Description": "Not trusted, and may launch it: everyone and 1 account. Not trusted: everyone, 999988887777.",
        "Resources": [
            {
                "Type": "Other",
                "Id": f"arn:aws:ec2:eu-central-1::image/ami-{5:017x}",
                "Region": "eu-central-1",
                "Partition": "aws",
                "Details": {
                    "Other": {
                        "ImageId": f"ami-{5:017x}",
                        "Name": "golden",
                        "State": "available",
                        "CreationDate": "2026-05-06T10:00:00.000Z",
                        "Public": "true",
                        "Grantees": "2",
                        "UntrustedGrantees": "2",
                        "Untrusted1": "everyone,999988887777",
                    }
                },
                "Tags": {"Team": "x"},
            }
        ],
        "Compliance": {"Status": "FAILED"},
        "RecordState": "ACTIVE",
        "ProductFields": {
            "amiguard/AuditId": HEADER.audit_id,
            "amiguard/TrustPolicyDigest": HEADER.trust_policy_digest,
            "amiguard/Version": "0.1.0",
        },
    }


def test_a_switch_that_is_off_is_a_finding_about_the_account() -> None:
    found = one_finding(SWITCHES[0])
    assert found["GeneratorId"] == "amiguard/ami-block-public-access"
    assert found["Title"] == "Images cannot be made public: account 111122223333"
    assert found["FindingProviderFields"]["Severity"]["Label"] == "MEDIUM"
    assert found["Resources"] == [
        {
            "Type": "AwsAccount",
            "Id": "AWS::::Account:111122223333",
            "Region": "eu-central-1",
            "Partition": "aws",
            "Details": {"Other": {"BlockPublicAccess": "unblocked", "ManagedBy": "account"}},
        }
    ]


def test_only_what_fails_is_written() -> None:
    failing = {f"amiguard/{one.fingerprint}" for one in (*RESULTS, *SWITCHES) if one.status == "fail"}
    stream = io.StringIO()
    with sample_report(SWITCHES) as report:
        render_asff(report, ALL, stream)
    found = json.loads(stream.getvalue())
    assert {one["Id"] for one in found} == failing
    assert not any("Workflow" in one for one in found)
    assert written(RESULTS, StatusFilter.of(())) == []


def test_the_findings_are_what_botocore_takes() -> None:
    shape = botocore.session.get_session().get_service_model("securityhub").shape_for("BatchImportFindingsRequest")
    found = written((*RESULTS, *SWITCHES))
    assert not ParamValidator().validate({"Findings": found}, shape).has_errors()


def test_a_partition_that_asff_does_not_know_is_left_out() -> None:
    found = one_finding(judged(image(Target("111122223333", "eusc-de-east-1", "aws-eusc"), 1, "a"), STRANGER))
    assert "Partition" not in found["Resources"][0]
    assert found["ProductArn"].startswith("arn:aws-eusc:securityhub:eusc-de-east-1:")


def test_a_thousand_grantees_are_all_listed() -> None:
    other = one_finding(judged(image(FRANKFURT, 1, "crowd"), *CROWD))["Resources"][0]["Details"]["Other"]
    listed = ",".join(value for key, value in other.items() if key.startswith("Untrusted") and key[9:].isdigit())
    assert listed.split(",") == [one.account_id for one in CROWD]
    assert "UntrustedNotListed" not in other


@pytest.mark.parametrize("char", ["a", "é", "漢", "🙂", '"', "\\", "\x00", "\u202e"])
def test_the_limits_of_aws_hold_for_the_largest(char: str) -> None:
    arn = "arn:aws:organizations::999988887777:organization/o-"
    grantees = tuple(Organization(f"{arn}{n:032}", f"o-{n:032}", "999988887777") for n in range(2000))
    tags = tuple((f"{n}{char * 126}", char * 256) for n in range(50))
    found = one_finding(judged(image(FRANKFURT, 1, char * 5000, tags=tags), *grantees, Account("9" * 12)))
    resource = found["Resources"][0]
    other = resource["Details"]["Other"]
    assert len(json.dumps(found)) < 240_000
    assert len(found["Title"].encode()) <= 256
    assert len(found["Description"].encode()) <= 1024
    assert len(found["Remediation"]["Recommendation"]["Text"].encode()) <= 512
    assert len(other) <= 50
    assert all(len(value.encode()) < 1024 for value in other.values())
    assert all(
        len(key.encode()) <= 128 and len(value.encode()) <= 256 for key, value in resource.get("Tags", {}).items()
    )
    listed = ",".join(value for key, value in other.items() if key.startswith("Untrusted") and key[9:].isdigit())
    assert len(listed.split(",")) + int(other["UntrustedNotListed"]) == 2001 == int(other["UntrustedGrantees"])


def test_tags_that_would_make_it_too_large_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiguard.report.asff._MOST_BYTES", 3000)
    tags = tuple((str(number), "x" * 256) for number in range(50))
    assert "Tags" not in one_finding(judged(image(FRANKFURT, 1, "a", tags=tags), STRANGER))["Resources"][0]


def test_no_text_is_empty_or_blank() -> None:
    blank = image(FRANKFURT, 1, " ", tags=((" ", "x"), ("y", " ")))
    found = one_finding(judged(replace(blank, creation_date=""), STRANGER))
    resource = found["Resources"][0]
    assert "Tags" not in resource
    assert not {"Name", "CreationDate"} & set(resource["Details"]["Other"])


def targets(report: Report) -> dict[tuple[str, str], TargetFindings]:
    found = list(targets_of(report))
    by_place = {(one.account_id, one.region): one for one in found}
    assert len(by_place) == len(found)
    return by_place


def place(target: Target) -> tuple[str, str]:
    return target.account_id, target.region


def ids(target: Target, status: str) -> frozenset[str]:
    results = (one for one in (*RESULTS, *SWITCHES) if one.target == target and one.status == status)
    return frozenset(f"amiguard/{one.fingerprint}" for one in results)


def test_what_is_said_of_each_target() -> None:
    with sample_report(SWITCHES) as report:
        found = targets(report)
    # VIRGINIA was not read, OHIO not to its end, and nothing fails there; the others were skipped.
    assert set(found) == {place(FRANKFURT), place(IRELAND)}
    for target in (FRANKFURT, IRELAND):
        said = found[place(target)]
        assert {one["Id"] for one in said.failing} == ids(target, "fail")
        assert said.passing == ids(target, "pass")
        assert said.accepted == ids(target, "suppressed")
        assert said.unread == ids(target, "unknown")
        assert said.exhaustive == {"amiguard/ami-cross-account-access"}
        assert said.moment == FINISHED
    assert ids(IRELAND, "unknown")
    assert ids(FRANKFURT, "suppressed")
    assert not {place(one) for one in (VIRGINIA, OHIO, CAPE_TOWN, HONG_KONG)} & set(found)


def test_a_target_that_was_cut_short_says_what_fails_and_nothing_else() -> None:
    with sample_report((judged(image(OHIO, 9, "bad"), STRANGER),)) as report:
        said = targets(report)[place(OHIO)]
    assert len(said.failing) == 1
    assert (said.passing, said.accepted, said.exhaustive) == (frozenset(), frozenset(), frozenset())


def test_a_target_without_images_has_nothing_left_that_fails() -> None:
    with Spool() as spool:
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED))
        spool.finish(TargetReport(Target("111122223333", "*", "aws"), TargetStatus.FAILED, "denied"))
        found = targets(spool.report(HEADER, OUTCOME))
    (said,) = found.values()
    assert said.product_arn == "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default"
    assert said.exhaustive == {"amiguard/ami-cross-account-access"}


def test_a_narrowed_audit_knows_nothing_of_other_images() -> None:
    narrowed = replace(OUTCOME, narrowed_to={"images": ["ami-1"], "tags": []})
    passing = judged(image(FRANKFURT, 1, "a"))
    with Spool() as spool:
        spool.add(passing)
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=1))
        said = targets(spool.report(HEADER, narrowed))[place(FRANKFURT)]
    assert said.exhaustive == frozenset()
    assert said.passing == {f"amiguard/{passing.fingerprint}"}


def test_a_switch_that_was_not_asked_for_is_not_gone() -> None:
    with Spool() as spool:
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED))
        said = targets(spool.report(HEADER, OUTCOME))[place(FRANKFURT)]
    assert "amiguard/ami-block-public-access" not in said.exhaustive
