"""The format `text`: whole outputs, and columns that cut and awk find."""

import io
from dataclasses import replace

from amiguard.core.result import Status, TargetReport, TargetStatus
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report, StatusFilter
from amiguard.report.spool import Spool
from amiguard.report.text_lines import render_text
from tests.unit.report_readers import read_text
from tests.unit.report_samples import CROWD, FRANKFURT, HEADER, OUTCOME, image, judged, sample_report
from tests.unit.v1_reports import a_report, a_result

UNIT_ARN = "arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb"
FOREIGN_ARN = "arn:aws:organizations::999988887777:organization/o-foreign1234"
ATTENTION = rf"""fail	critical	111122223333	eu-central-1	ami-00000000000000005	golden-2026.05	everyone,999988887777	Not trusted, and may launch it: everyone and 1 account.
fail	high	111122223333	eu-central-1	ami-00000000000000010	crowd	<crowd>	Not trusted, and may launch it: 1000 accounts.
fail	high	111122223333	eu-central-1	ami-00000000000000030	[red]x[/red]\x1b]0;owned\x07\u202egnp.\x9b31m\n  pass  ami-00000000000000000	{FOREIGN_ARN},999988887777	Not trusted, and may launch it: 1 account and 1 organization.
unknown	high	111122223333	eu-central-1	ami-00000000000000050	golden-2026.06 {"x" * 110}	{UNIT_ARN}	Whether 1 organizational unit may be trusted could not be determined.
unknown	high	111122223333	us-east-1	-	-	-	The images could not be listed: not permitted: ec2:DescribeImages (grant ec2:DescribeImages to the caller)
fail	high	444455556666	eu-west-1	ami-00000000000000001	shared	999988887777	Not trusted, and may launch it: 1 account.
unknown	high	444455556666	eu-west-1	ami-00000000000000002	-	group=everybody	Whether 1 unrecognized grantee may be trusted could not be determined.
unknown	high	444455556666	eu-west-1	ami-00000000000000004	flaky	-	Its launch permission could not be read: EC2 answered HTTP 503, 6 times
target-skipped	-	111122223333	af-south-1	-	-	-	the region is not enabled in this account
target-skipped	-	111122223333	ap-east-1	-	-	-	the region is not enabled in this account
target-failed	-	111122223333	us-east-1	-	-	-	not permitted: ec2:DescribeImages
target-failed	-	444455556666	us-east-2	-	-	-	the audit was interrupted
verdict	fail	4 of 12 images can be launched by grantees that are not trusted: everyone (1 image), 1,001 accounts, 1 organization. 12 images in 6 targets (2 audited, 2 failed, 2 skipped). Results: 4 pass, 4 fail, 1 suppressed, 4 unknown (1 of them about a whole target). 1 image vanished during the audit. The audit is incomplete: 2 targets failed, 4 results are unknown.
"""  # noqa: E501 - one line a finding


def text(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    render_text(report, shown, stream)
    return stream.getvalue()


def test_what_needs_attention() -> None:
    with sample_report() as report:
        written = text(report, NEEDS_ATTENTION)
    crowd = ",".join(account.account_id for account in CROWD)
    assert written.replace(crowd, "<crowd>") == ATTENTION


def test_every_line_has_the_same_columns() -> None:
    with sample_report() as report:
        reading = read_text(text(report))
    assert reading.shape == [8] * (13 + 4) + [3]


def test_filters_change_neither_what_was_not_seen_nor_the_verdict() -> None:
    with sample_report() as report:
        assert text(report, StatusFilter.of([])).splitlines() == ATTENTION.splitlines()[-5:]


def test_suppressed_and_passing_results_name_whom_they_accept_and_trust() -> None:
    with sample_report() as report:
        lines = text(report, StatusFilter.of([Status.SUPPRESSED, Status.PASS])).splitlines()
    rows = [line.split("\t") for line in lines]
    assert [(row[0], row[5], row[6]) for row in rows[:3]] == [
        ("suppressed", "market-one", "everyone,777788889999"),
        ("pass", "base-private", "-"),
        ("pass", "retired", "-"),
    ]
    assert rows[3][6] == "222233334444"


def test_the_verdict_is_that_of_the_exit_code() -> None:
    def word(report: Report) -> str:
        return text(report).splitlines()[-1].split("\t")[1]

    assert word(a_report([a_result()], complete=False)) == "fail"
    assert word(a_report([a_result(status="unknown")], complete=False)) == "incomplete"
    assert word(a_report([a_result(status="suppressed")])) == "clean"
    assert word(a_report([])) == "clean"
    assert word(a_report([], complete=False)) == "incomplete"


def test_a_clean_audit_is_one_line_of_verdict() -> None:
    with Spool() as spool:
        spool.add(judged(image(FRANKFURT, 1, "base")))
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=1))
        written = text(spool.report(HEADER, replace(OUTCOME, complete=True)), NEEDS_ATTENTION)
    assert written == (
        "verdict\tclean\tNo image can be launched by a grantee that is not trusted. 1 image in 1 target (1 audited, "
        "0 failed, 0 skipped). Results: 1 pass, 0 fail, 0 suppressed, 0 unknown. The audit is complete.\n"
    )
