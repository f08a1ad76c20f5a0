"""The format `sarif`: the schema, GitHub's rules, and its limits."""

import gzip
import io
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from amiguard.core.checks.registry import CHECKS
from amiguard.core.result import Status
from amiguard.report import sarif
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, Report, StatusFilter
from amiguard.report.json_v1 import ResultV1
from amiguard.report.sarif import render_sarif
from tests.unit.report_readers import read_sarif
from tests.unit.report_samples import RESULTS, sample_report
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target


def text(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    render_sarif(report, shown, stream)
    return stream.getvalue()


def run_of(written: str) -> dict[str, Any]:
    read_sarif(written)
    (run,) = json.loads(written)["runs"]
    assert isinstance(run, dict)
    return run


def sample(shown: StatusFilter = ALL) -> dict[str, Any]:
    with sample_report() as report:
        return run_of(text(report, shown))


def test_one_result() -> None:
    result = a_result(name="golden {0} [a](b)")
    (written,) = run_of(text(a_report([result])))["results"]
    where = "amiguard/aws/012345678901/eu-central-1/ami-00000000000000001"
    assert written == {
        "ruleId": "ami-cross-account-access",
        "ruleIndex": 0,
        "kind": "fail",
        "level": "error",
        "message": {
            "text": "ami-00000000000000001 (golden {{0}} [a] (b)) in account 012345678901, eu-central-1: "
            "Not trusted, and may launch it: 1 account. Not trusted: 999988887777."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": where},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                },
                "logicalLocations": [
                    {
                        "name": "golden {0} [a](b)",
                        "fullyQualifiedName": "arn:aws:ec2:eu-central-1::image/ami-00000000000000001",
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {
            "amiguardFingerprint/v1": result["fingerprint"],
            "primaryLocationLineHash": f"{result['fingerprint']}:1",
        },
        "suppressions": [],
        "properties": {
            "status": "fail",
            "severity": "high",
            "account_id": "012345678901",
            "region": "eu-central-1",
            "image_name": "golden {0} [a](b)",
            "public": False,
        },
    }


def test_levels_and_suppressions() -> None:
    found = sample()["results"]
    assert len(found) == sum(result.status is not Status.PASS for result in RESULTS)
    said = {(one["properties"]["status"], one["level"], len(one["suppressions"])) for one in found}
    assert said == {("fail", "error", 0), ("unknown", "warning", 0), ("suppressed", "error", 1)}
    (accepted,) = (one["suppressions"][0] for one in found if one["suppressions"])
    assert accepted == {
        "kind": "external",
        "status": "accepted",
        "justification": "accepted by platform@example.com, until 2027-06-30: marketplace image",
    }
    (medium,) = run_of(text(a_report([a_result(severity="medium")])))["results"]
    assert medium["level"] == "warning"


@pytest.mark.parametrize("status", list(Status))
def test_a_filter_narrows_the_results_and_passes_are_never_there(status: Status) -> None:
    found = sample(StatusFilter.of([status]))["results"]
    wanted = 0 if status is Status.PASS else sum(result.status is status for result in RESULTS)
    assert [one["properties"]["status"] for one in found] == [status.value] * wanted


def test_the_run_says_how_it_went_and_what_was_not_seen() -> None:
    run = sample(StatusFilter.of([]))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert (invocation["startTimeUtc"], invocation["endTimeUtc"]) == ("2026-06-15T08:30:00Z", "2026-06-15T08:31:05Z")
    said = [
        (one["descriptor"]["id"], one["level"], one["message"]["text"])
        for one in invocation["toolExecutionNotifications"]
    ]
    skipped = "the region is not enabled in this account"
    assert said == [
        ("target-skipped", "note", f"111122223333, af-south-1: {skipped}"),
        ("target-skipped", "note", f"111122223333, ap-east-1: {skipped}"),
        ("target-failed", "error", "111122223333, us-east-1: not permitted: ec2:DescribeImages"),
        ("target-failed", "error", "444455556666, us-east-2: the audit was interrupted"),
    ]
    assert {one["id"] for one in run["tool"]["driver"]["notifications"]} >= {one[0] for one in said}
    assert run["automationDetails"] == {"id": "amiguard/"}
    assert run["properties"]["complete"] is False
    assert run_of(text(a_report([])))["invocations"][0]["executionSuccessful"] is True


def test_the_rules_are_what_github_wants_of_rules() -> None:
    rules = sample()["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.check_id for check in CHECKS]
    for rule, check in zip(rules, CHECKS, strict=True):
        assert 0 < len(rule["name"]) <= 255
        assert rule["name"].isalnum()
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert check.remediation in rule["help"]["text"]
        assert check.remediation in rule["help"]["markdown"]
        assert rule["helpUri"] == check.references[0]
        assert "security" in rule["properties"]["tags"]
        assert len(rule["properties"]["tags"]) <= 10
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "warning", "error"]


def test_results_have_what_github_requires_also_without_image() -> None:
    uris = set()
    for one in sample()["results"]:
        (location,) = one["locations"]
        physical = location["physicalLocation"]
        uris.add(physical["artifactLocation"]["uri"])
        assert set(physical["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert one["message"]["text"]
        assert one["partialFingerprints"]["primaryLocationLineHash"]
    assert "amiguard/aws/111122223333/us-east-1" in uris
    assert len(uris) == len(sample()["results"])


def test_fingerprints_stay_when_grants_come_and_go() -> None:
    before, after = (
        run_of(text(a_report([a_result(grants=grants)])))["results"][0] for grants in ([STRANGER], [STRANGER] * 3)
    )
    assert before["partialFingerprints"] == after["partialFingerprints"]
    assert before["locations"] == after["locations"]
    assert before["message"] != after["message"]


@pytest.mark.parametrize(("image_id", "segment"), [("..", "_"), ("", "_"), ("a/../b", "a%2F..%2Fb"), ("%2e", "%252e")])
def test_a_made_up_path_stays_in_its_folder(image_id: str, segment: str) -> None:
    result = a_result()
    assert result["image"]
    result["image"]["id"] = image_id
    (written,) = run_of(text(a_report([result])))["results"]
    uri = written["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == f"amiguard/aws/012345678901/eu-central-1/{segment}"


def test_a_check_of_another_version_has_no_rule_here() -> None:
    result: ResultV1 = {**a_result(), "check_id": "ami-of-tomorrow"}
    (written,) = run_of(text(a_report([result])))["results"]
    assert "ruleIndex" not in written
    assert written["ruleId"] == "ami-of-tomorrow"


def test_beyond_the_limit_the_worst_are_kept_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 5)
    results = [
        a_result(1, "suppressed", "critical"),
        a_result(2, severity="medium"),
        a_result(3, severity="high"),
        a_result(4, "unknown"),
        a_result(5, severity="critical"),
        a_result(6, severity="medium"),
        a_result(7, severity="high"),
        a_result(8, severity="medium"),
    ]
    run = run_of(text(a_report(results)))
    kept = [int(one["message"]["text"].split()[0][-1]) for one in run["results"]]
    assert kept == [2, 3, 5, 6, 7]
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said == {
        "descriptor": {"id": "results-left-out"},
        "level": "warning",
        "message": {"text": "3 more results are not in this file: it holds the 5 worst."},
    }
    failing = run_of(text(a_report(results), StatusFilter.of([Status.FAIL])))
    assert failing["results"] == run["results"]
    (said,) = failing["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"].startswith("1 more results")


def test_a_narrowed_report_is_not_cut_for_what_it_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 3)
    report = a_report([a_result(1), a_result(2)])
    run = run_of(text(replace(report, summary={**report.summary, "fail": 100})))
    assert len(run["results"]) == 2
    assert run["invocations"][0]["toolExecutionNotifications"] == []


def test_the_most_results_stay_below_what_github_takes() -> None:
    chance = random.Random(1)

    def digits(number: int, alphabet: str = "0123456789abcdef") -> str:
        return "".join(chance.choices(alphabet, k=number))

    def one(number: int) -> ResultV1:
        grants: list[GrantV1] = [{**STRANGER, "grantee": digits(12, "0123456789")} for _ in range(12)]
        result = a_result(number, name=digits(128, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789-._/"), grants=grants)
        assert result["image"]
        result["image"]["id"] = f"ami-{digits(17)}"
        result["image"]["arn"] = f"arn:aws:ec2:eu-central-1::image/{result['image']['id']}"
        return {**result, "account_id": digits(12, "0123456789"), "fingerprint": digits(64)}

    # A tenth of them, and of the limit.
    written = text(a_report([one(number) for number in range(2500)], [a_target()]))
    assert len(gzip.compress(written.encode())) < 1_000_000


def test_a_saved_report_with_an_odd_time_has_none() -> None:
    report = a_report([a_result()])
    report.audit["started_at"] = "yesterday\0"
    (invocation,) = run_of(text(report))["invocations"]
    assert "startTimeUtc" not in invocation
    assert invocation["endTimeUtc"] == "2026-06-15T08:31:05Z"
