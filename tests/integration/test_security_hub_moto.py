"""Deliveries to moto's Security Hub over HTTP, with each account's own way in; the AWS CLI sees what was sent.

moto takes every finding and filters none: `tests/unit/played_security_hub.py` plays what AWS refuses and leaves out.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import get_cert_path

from amiguard.aws.call_book import CallBook
from amiguard.aws.estate import Estate, OrganizationKnowledge
from amiguard.aws.http import open_http
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import Pacer
from amiguard.aws.roles import Roles
from amiguard.aws.security_hub_delivery import Delivery
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.targets import Ec2Access
from amiguard.core.organization import NoOrganization
from amiguard.core.result import CheckResult, Target, TargetReport, TargetStatus
from amiguard.core.selection import Access, AuditedAccount
from amiguard.demo.server import running_server
from amiguard.report.asff import render_asff, targets_of
from amiguard.report.interface import ALL, Report
from amiguard.report.spool import Spool
from tests.conftest import scrubbed_environment
from tests.fakes.aws_cli import aws_cli
from tests.unit.report_samples import HEADER, OUTCOME, STRANGER, image, judged

OWN, MEMBER = "123456789012", "222233334444"
FRANKFURT, VIRGINIA = Target(OWN, "eu-central-1", "aws"), Target(OWN, "us-east-1", "aws")
MEMBERS = Target(MEMBER, "eu-central-1", "aws")
ROLE = f"arn:aws:iam::{MEMBER}:role/AmiguardAudit"
ACCOUNTS = {
    OWN: AuditedAccount(OWN, "", Access(), None),
    MEMBER: AuditedAccount(MEMBER, "", Access(role_arn=ROLE), None),
}


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server([FRANKFURT.region, VIRGINIA.region]) as url:
        yield url


async def send(url: str, report: Report, calls: CallBook) -> Delivery:
    """As the program makes it."""
    session = AwsSession(profile=None, home_region=None, endpoint_url=url, stats=calls.total)
    caller = Caller(OWN, f"arn:aws:iam::{OWN}:user/x", "aws")
    async with open_http(get_cert_path(True), "amiguard/test") as http:
        estate = Estate(
            session,
            caller,
            open_profile=lambda _: session,
            http=http,
            calls=calls,
            roles=Roles(session, caller_arn=caller.arn),
            access=Ec2Access(Pacer({}), ImageQuery(), 1000),
            organizations=OrganizationKnowledge(wanted=False, own=NoOrganization()),
        )
        try:
            return await estate.security_hub(ACCOUNTS).deliver(targets_of(report))
        finally:
            estate.close()


def deliver(url: str, day: int, *results: CheckResult, calls: CallBook | None = None) -> Delivery:
    """What the audit of a day finds in all three targets."""
    with Spool() as spool:
        for result in results:
            spool.add(result)
        for target in (FRANKFURT, VIRGINIA, MEMBERS):
            spool.finish(TargetReport(target, TargetStatus.AUDITED))
        outcome = replace(OUTCOME, finished_at=OUTCOME.finished_at + timedelta(days=day))
        return asyncio.run(send(url, spool.report(HEADER, outcome), calls or CallBook()))


def aws(url: str, home: Path, *arguments: str, target: Target = FRANKFURT) -> Any:
    environment = scrubbed_environment(home, {"AWS_ENDPOINT_URL": url})
    return aws_cli("securityhub", *arguments, "--region", target.region, environment=environment)


def findings(url: str, home: Path, target: Target = FRANKFURT) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws(url, home, "get-findings", target=target)["Findings"]
    return found


def test_the_first_run_imports_the_second_updates_and_a_fixed_image_becomes_archived(moto: str, tmp_path: Path) -> None:
    one, two = image(FRANKFURT, 1, "golden"), image(FRANKFURT, 2, "silver")
    elsewhere = judged(image(VIRGINIA, 3, "bronze"), STRANGER)
    assert findings(moto, tmp_path) == []  # moto makes itself ready at its first call, and not for two at once
    calls = CallBook()
    failing = (judged(one, STRANGER), judged(two, STRANGER), elsewhere)

    assert deliver(moto, 0, *failing, calls=calls) == Delivery(3, 0, 0, 0, (), ())
    assert calls.total.calls == {"GetFindings": 3, "BatchImportFindings": 2, "AssumeRole": 1}
    first = {found["Id"]: found for found in findings(moto, tmp_path)}
    assert set(first) == {f"amiguard/{result.fingerprint}" for result in failing[:2]}
    (other,) = findings(moto, tmp_path, VIRGINIA)
    assert (other["Id"], other["Region"]) == (f"amiguard/{elsewhere.fingerprint}", "us-east-1")

    assert deliver(moto, 1, *failing) == Delivery(0, 3, 0, 0, (), ())
    for found in findings(moto, tmp_path):
        before = first[found["Id"]]
        assert found["CreatedAt"] == before["CreatedAt"] == "2026-06-15T08:31:05Z"
        assert found["UpdatedAt"] == "2026-06-16T08:31:05Z"

    # One is fixed; two is gone.
    assert deliver(moto, 2, judged(one), elsewhere) == Delivery(0, 1, 2, 0, (), ())
    for found in findings(moto, tmp_path):
        assert found["RecordState"] == "ARCHIVED"
        assert found["Compliance"] == {"Status": "PASSED"}
        assert found["UpdatedAt"] == "2026-06-17T08:31:05Z"
    assert [found["RecordState"] for found in findings(moto, tmp_path, VIRGINIA)] == ["ACTIVE"]

    assert deliver(moto, 3, *failing) == Delivery(2, 1, 0, 0, (), ())
    assert {found["RecordState"] for found in findings(moto, tmp_path)} == {"ACTIVE"}


def test_the_findings_of_another_account_are_sent_by_that_account(moto: str, tmp_path: Path) -> None:
    result = judged(image(MEMBERS, 1, "golden"), STRANGER)
    assert deliver(moto, 0, result).imported == 1
    # Where the finding is tells with whose credentials it was sent.
    assert findings(moto, tmp_path) == []
    assert deliver(moto, 1, result).updated == 1
    assert deliver(moto, 2).archived == 1


def test_the_file_is_what_the_aws_cli_imports(moto: str, tmp_path: Path) -> None:
    results = [judged(image(FRANKFURT, number, f"i{number} é\x1b"), STRANGER) for number in range(100)]
    file = tmp_path / "findings.json"
    with Spool() as spool, file.open("w", encoding="utf-8") as stream:
        for result in results:
            spool.add(result)
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=100))
        render_asff(spool.report(HEADER, OUTCOME), ALL, stream)
    said = aws(moto, tmp_path, "batch-import-findings", "--findings", f"file://{file}")
    assert said == {"FailedCount": 0, "SuccessCount": 100, "FailedFindings": []}
    assert {found["Id"] for found in findings(moto, tmp_path)} == {f"amiguard/{one.fingerprint}" for one in results}
    # What a person imported is ours as well: the next audit goes on with it.
    assert deliver(moto, 1, *results[:50]) == Delivery(0, 50, 50, 0, (), ())
