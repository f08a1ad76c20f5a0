"""The format `junit`: whole outputs, and counts that agree with what they count."""

import io

from lxml import etree

from amiguard.core.result import Status
from amiguard.report.interface import ALL, Report, StatusFilter
from amiguard.report.json_v1 import TargetV1
from amiguard.report.junit import render_junit
from tests.unit.report_readers import read_junit
from tests.unit.report_samples import sample_report
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target

WHOLE = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="amiguard" time="65.000" tests="6" failures="1" errors="2">
<testsuite name="012345678901 all-regions" tests="1" failures="0" errors="0" skipped="1" \
timestamp="2026-06-15T08:30:00Z">
<testcase classname="012345678901.all-regions.target" name="target">\
<skipped type="target-skipped" message="suspended">suspended</skipped></testcase>
</testsuite>
<testsuite name="012345678901 eu-central-1" tests="4" failures="1" errors="1" skipped="1" \
timestamp="2026-06-15T08:30:00Z">
<properties><property name="account_name" value="Gold &amp; &#228;"></property></properties>
<testcase classname="012345678901.eu-central-1.ami-cross-account-access" name="ami-00000000000000001 &lt;a&gt;">\
<failure type="high" message="Not trusted, and may launch it: 1 account.">Not trusted, and may launch it: 1 account.
untrusted 999988887777: not in the trust policy</failure></testcase>
<testcase classname="012345678901.eu-central-1.ami-cross-account-access" name="ami-00000000000000002">\
<error type="unknown" message="not read">not read</error></testcase>
<testcase classname="012345678901.eu-central-1.ami-cross-account-access" name="ami-00000000000000003 golden">\
<skipped type="suppressed" message="accepted">accepted</skipped></testcase>
<testcase classname="012345678901.eu-central-1.ami-cross-account-access" name="ami-00000000000000004 golden"></testcase>
</testsuite>
<testsuite name="012345678901 us-east-1" tests="1" failures="0" errors="1" skipped="0" \
timestamp="2026-06-15T08:30:00Z">
<testcase classname="012345678901.us-east-1.target" name="target">\
<error type="target-failed" message="cut">cut</error></testcase>
</testsuite>
</testsuites>
"""


def text(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    render_junit(report, shown, stream)
    return stream.getvalue()


def test_a_whole_document() -> None:
    results = [
        a_result(1, name="<a>"),
        a_result(2, "unknown", name="", grants=[]),
        a_result(3, "suppressed", grants=[]),
        a_result(4, "pass", grants=[]),
    ]
    results[1]["message"], results[2]["message"] = "not read", "accepted"
    named: TargetV1 = {**a_target(), "account_name": "Gold & \xe4"}
    skipped: TargetV1 = {**a_target("*"), "status": "skipped", "reason": "suspended"}
    failed: TargetV1 = {**a_target("us-east-1"), "status": "failed", "reason": "cut"}
    written = text(a_report(results, [skipped, named, failed]))
    # The name belongs to the account: other suites of it have it too.
    properties = '<properties><property name="account_name" value="Gold &amp; &#228;"></property></properties>\n'
    assert written.count(properties) == 3
    first, second, *others = written.split(properties)
    assert "".join((first, second, properties, *others)) == WHOLE


def test_the_sample_obeys_the_schema_and_its_counts() -> None:
    with sample_report() as report:
        read_junit(text(report))
        for status in Status:
            read_junit(text(report, StatusFilter.of([status])))


def test_a_failed_target_is_one_error_however_it_says_so() -> None:
    def errors(written: str, region: str) -> list[str]:
        root = etree.fromstring(written.encode())
        return [str(one.get("message")) for one in root.iterfind(f"testsuite[@name='{region}']/testcase/error")]

    with sample_report() as report:
        everything, failures_only = text(report), text(report, StatusFilter.of([Status.FAIL]))
    (denied,) = errors(everything, "111122223333 us-east-1")
    assert denied.startswith("The images could not be listed: not permitted: ec2:DescribeImages")
    assert errors(everything, "444455556666 us-east-2") == ["the audit was interrupted"]
    # What it says itself is an unknown result, and not shown here: the target stays.
    assert errors(failures_only, "111122223333 us-east-1") == ["not permitted: ec2:DescribeImages"]


def test_every_target_has_a_suite_also_without_images() -> None:
    root = etree.fromstring(text(a_report([], [a_target("a"), a_target("b")])).encode())
    assert [suite.get("name") for suite in root.iter("testsuite")] == ["012345678901 a", "012345678901 b"]


def test_results_of_targets_that_the_report_does_not_name_are_kept() -> None:
    regions = ["b", "c", "e"]
    written = text(a_report([a_result(region=one) for one in regions], [a_target(one) for one in ("a", "d", "f")]))
    read_junit(written)
    names = [suite.get("name") for suite in etree.fromstring(written.encode()).iter("testsuite")]
    assert names == [f"012345678901 {one}" for one in "abcdef"]


def test_a_thousand_grants_are_cut_with_a_count() -> None:
    grants = [STRANGER] * 250
    body = etree.fromstring(text(a_report([a_result(grants=grants)])).encode()).findtext(".//failure") or ""
    assert len(body.splitlines()) == 102
    assert body.endswith("\nand 150 more")


def test_an_empty_audit_is_a_document_too() -> None:
    assert len(read_junit(text(a_report([]))).texts) > 0


def test_a_saved_report_with_an_odd_time_has_none() -> None:
    report = a_report([a_result()])
    report.audit["started_at"] = "yesterday\0"
    written = text(report)
    read_junit(written)
    assert etree.fromstring(written.encode()).get("time") is None
