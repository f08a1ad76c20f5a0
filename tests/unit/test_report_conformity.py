"""The format `conformity`: checks as Conformity's API gave them, read back as JSON."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.errors import SettingsError
from amiguard.core.result import CheckResult
from amiguard.files.settings import settings_of
from amiguard.files.settings_values import OTHER_RULE_ID
from amiguard.report.conformity import SWITCH_RULE, conformity_renderer
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report, StatusFilter
from amiguard.report.json_v1 import ResultV1
from tests.unit.report_samples import RESULTS, SWITCHES, sample_report
from tests.unit.v1_reports import a_report, a_result, a_target

FINISHED = 1781512265000  # 2026-06-15T08:31:05Z


def written(report: Report, shown: StatusFilter = ALL, **rule: str) -> dict[str, Any]:
    stream = io.StringIO()
    conformity_renderer(**rule)(report, shown, stream)
    assert stream.getvalue().isascii()
    assert stream.getvalue().endswith("}\n")
    document: dict[str, Any] = json.loads(stream.getvalue())
    return document


def sample(shown: StatusFilter = ALL, more: tuple[CheckResult, ...] = SWITCHES, **rule: str) -> dict[str, Any]:
    with sample_report(more) as report:
        return written(report, shown, **rule)


def one_check(result: ResultV1) -> dict[str, Any]:
    (check,) = written(a_report([result], [a_target()]))["data"]
    assert isinstance(check, dict)
    return check


def extra(check: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in check["attributes"]["extradata"]}


def test_a_failing_image_as_a_whole() -> None:
    result = a_result()
    assert result["image"]
    result["image"]["tags"] = {"Team": "web", "Empty": ""}
    check = one_check(result)
    names = ("Status", "Image ARN", "Image name", "State", "Creation date", "Public", "Untrusted grantees")
    values = ("fail", result["image"]["arn"], "golden", "available", "2026-05-06T10:00:00.000Z", "false")
    facts = (*zip(names, (*values, "999988887777"), strict=True), ("Fingerprint", result["fingerprint"]))
    assert check == {
        "type": "checks",
        "id": "ccc:012345678901:AMI-CrossAccountAccess:EC2:eu-central-1:ami-00000000000000001",
        "attributes": {
            "region": "eu-central-1",
            "status": "FAILURE",
            "risk-level": "HIGH",
            "pretty-risk-level": "High",
            "rule-title": "AMI Cross-Account Access",
            "message": "Not trusted, and may launch it: 1 account.",
            "resource": "ami-00000000000000001",
            "last-modified-date": FINISHED,
            "created-date": None,
            "failure-discovery-date": None,
            "categories": ["security"],
            "provider": "aws",
            "service": "EC2",
            "suppressed": False,
            "resolution-page-url": "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html",
            "extradata": [
                {"label": label, "name": label.title().replace(" ", ""), "type": "META", "value": value}
                for label, value in facts
            ],
            "tags": ["Team::web", "Empty::"],
        },
        "relationships": {
            "rule": {"data": {"type": "rules", "id": "AMI-CrossAccountAccess"}},
            "account": {"data": {"type": "accounts", "id": "012345678901"}},
        },
    }


def test_only_what_passes_is_success_and_no_two_checks_have_one_id() -> None:
    document = sample()
    results = (*RESULTS, *SWITCHES)
    found = {extra(check)["Fingerprint"]: check for check in document["data"]}
    assert len(document["data"]) == len({check["id"] for check in document["data"]}) == len(results)
    for result in results:
        attributes = found[result.fingerprint]["attributes"]
        assert attributes["status"] == ("SUCCESS" if result.status == "pass" else "FAILURE")
        assert attributes["suppressed"] == (result.status == "suppressed")
        assert extra(found[result.fingerprint])["Status"] == result.status
        assert attributes["created-date"] is attributes["failure-discovery-date"] is None
        assert all(len(one["label"]) <= 20 and len(one["name"]) <= 20 for one in attributes["extradata"])


@pytest.mark.parametrize("number", [2, 4])
def test_unknown_is_a_failure_that_says_so(number: int) -> None:
    check = next(one for one in sample()["data"] if one["id"].endswith(f"eu-west-1:ami-{number:017x}"))
    assert check["attributes"]["status"] == "FAILURE"
    assert check["attributes"]["message"].startswith("Unknown, not clean: ")
    assert "not read" in extra(check)["Unknown"]
    assert "meta" not in check


def test_suppressed_has_each_reason_once_as_its_note() -> None:
    grants: list[GrantV1] = [
        {"kind": "account", "grantee": f"{n}" * 12, "decision": "excepted", "reason": reason}
        for n, reason in enumerate(("for b", "for a", "for b"))
    ]
    trusted: GrantV1 = {"kind": "account", "grantee": "9" * 12, "decision": "trusted", "reason": "a friend"}
    check = one_check(a_result(status="suppressed", severity="critical", grants=[*grants, trusted]))
    assert check["meta"] == {"note": "for b; for a"}
    assert check["attributes"]["suppressed"] is True
    assert check["attributes"]["pretty-risk-level"] == "Extreme"
    assert extra(check)["AcceptedGrantees"] == "000000000000,111111111111,222222222222"
    assert extra(check)["TrustedGrantees"] == "9" * 12


def test_what_is_about_a_target_has_no_resource() -> None:
    checks = {check["id"]: check for check in sample()["data"] if "resource" not in check["attributes"]}
    assert sorted(checks) == [
        "ccc:111122223333:AMI-BlockPublicAccess:EC2:eu-central-1:",
        "ccc:111122223333:AMI-BlockPublicAccess:EC2:us-east-1:",
        "ccc:111122223333:AMI-CrossAccountAccess:EC2:us-east-1:",
        "ccc:444455556666:AMI-BlockPublicAccess:EC2:eu-west-1:",
        "ccc:444455556666:AMI-BlockPublicAccess:EC2:us-east-2:",
    ]
    assert checks["ccc:111122223333:AMI-CrossAccountAccess:EC2:us-east-1:"]["attributes"]["status"] == "FAILURE"
    off = checks["ccc:444455556666:AMI-BlockPublicAccess:EC2:eu-west-1:"]
    assert (extra(off)["BlockPublicAccess"], extra(off)["ManagedBy"]) == ("unblocked", "declarative-policy")
    assert off["attributes"]["risk-level"] == "MEDIUM"
    on = checks["ccc:444455556666:AMI-BlockPublicAccess:EC2:us-east-2:"]
    # The level is the rule's, and not that nothing is wrong.
    assert (on["attributes"]["status"], on["attributes"]["risk-level"]) == ("SUCCESS", "MEDIUM")
    assert on["attributes"]["rule-title"] == "Images cannot be made public"


def test_an_account_whose_regions_are_not_known_is_global() -> None:
    result = {**a_result(status="unknown", grants=[]), "image": None, "region": "*"}
    check = one_check(result)  # type: ignore[arg-type]
    assert check["id"] == "ccc:012345678901:AMI-CrossAccountAccess:EC2:global:"
    assert check["attributes"]["region"] == "global"


def test_meta_says_what_checks_cannot() -> None:
    document = sample(NEEDS_ATTENTION)
    meta = document["meta"]
    whole = sample()
    assert meta["total"] == len(document["data"]) < whole["meta"]["total"] == len(whole["data"])
    assert meta["counts"] == whole["meta"]["counts"]
    assert meta["counts"]["unknown"] == sum(result.status == "unknown" for result in (*RESULTS, *SWITCHES))
    assert meta["complete"] is False
    assert [(one["region"], one["status"]) for one in meta["not-seen"]] == [
        ("af-south-1", "skipped"),
        ("ap-east-1", "skipped"),
        ("us-east-1", "failed"),
        ("us-east-2", "failed"),
    ]


def test_nothing_is_still_a_document() -> None:
    document = written(a_report([]))
    assert (document["data"], document["meta"]["total"]) == ([], 0)


def test_a_rule_id_of_the_settings_is_in_both_places() -> None:
    for check in sample(rule_id="CUSTOM-001")["data"]:
        rule = check["relationships"]["rule"]["data"]["id"]
        assert rule in {"CUSTOM-001", SWITCH_RULE}
        assert check["id"].split(":")[2] == rule


def test_the_baseline_is_told_and_a_spoilt_date_is_left_out() -> None:
    assert extra(one_check({**a_result(), "baseline": "known"}))["Baseline"] == "known"
    report = a_report([a_result()])
    spoilt = replace(report, audit={**report.audit, "finished_at": "\x1b[31m"})
    assert "last-modified-date" not in written(spoilt)["data"][0]["attributes"]


class Many:
    """Results that are made while they are read."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[ResultV1]:
        return (a_result(number) for number in range(self.count))


class Sink(io.StringIO):
    """Forgets what is written."""

    def write(self, text: str) -> int:
        return len(text)


def test_memory_does_not_grow_with_the_results() -> None:
    report = a_report(Many(3000))
    tracemalloc.start()
    try:
        conformity_renderer()(report, ALL, Sink())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def settings(section: str) -> str | None:
    text = f"version: 1\ntrust: nobody\n{section}"
    return settings_of(text, Path("f.yaml"), today=date(2026, 8, 1)).conformity_rule_id


def test_the_setting() -> None:
    assert settings("") is None
    assert settings("conformity: {rule_id: CUSTOM-001}") == "CUSTOM-001"
    assert OTHER_RULE_ID == SWITCH_RULE


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("conformity:", "conformity: "),
        ("conformity: {}", "conformity"),
        ("conformity: x", "conformity: expected keys, found text"),
        ("conformity: {rule: x}", "conformity.rule: unknown key, did you mean `rule_id`?"),
        ("conformity: {rule_id: }", "conformity.rule_id: expected a rule id, found nothing"),
        ("conformity: {rule_id: 'a:b'}", "conformity.rule_id: a rule id has 1 to 64 letters"),
        ('conformity: {rule_id: "a\\n"}', "conformity.rule_id: a rule id has 1 to 64 letters"),
        ("conformity: {rule_id: AMI-BlockPublicAccess}", "is the rule id of the check ami-block-public-access"),
    ],
)
def test_what_is_no_setting(section: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(section)
    assert message in caught.value.message
