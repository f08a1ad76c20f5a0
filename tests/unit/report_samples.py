"""A small audit with everything that a report can meet, for the tests of the formats."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.checks import ami_block_public_access
from amiguard.core.checks.ami_cross_account_access import evaluate, target_unreadable
from amiguard.core.decision import rules_in_force
from amiguard.core.exception import ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.image import Image, LaunchPermission, PermissionRemoved, PermissionState, Unreadable
from amiguard.core.organization import Members, OwnOrganization
from amiguard.core.result import CheckResult, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustedAccount, TrustedUnit, TrustEntry, TrustPolicy
from amiguard.report.interface import AuditHeader, AuditOutcome, Report
from amiguard.report.spool import Spool

FRANKFURT = Target("111122223333", "eu-central-1", "aws")
VIRGINIA = Target("111122223333", "us-east-1", "aws")
IRELAND = Target("444455556666", "eu-west-1", "aws")
CAPE_TOWN = Target("111122223333", "af-south-1", "aws")
HONG_KONG = Target("111122223333", "ap-east-1", "aws")
OHIO = Target("444455556666", "us-east-2", "aws")

HEADER = AuditHeader(
    audit_id="0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01",
    started_at=datetime(2026, 6, 15, 8, 30, tzinfo=UTC),
    caller_arn="arn:aws:sts::111122223333:assumed-role/auditor/session",
    trust_policy_digest="5e" * 32,
    tool_version="0.1.0",
)
OUTCOME = AuditOutcome(
    finished_at=datetime(2026, 6, 15, 8, 31, 5, tzinfo=UTC),
    complete=False,
    api_calls={"DescribeImages": 7, "DescribeImageAttribute": 11},
    throttled=3,
)

STRANGER = Account("999988887777")
PARTNER = Account("777788889999")
STAGING = Account("222233334444")
FOREIGN_ORGANIZATION = Organization(
    "arn:aws:organizations::999988887777:organization/o-foreign1234", "o-foreign1234", "999988887777"
)
UNIT = OrganizationalUnit(
    "arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb",
    "o-aaaaaaaaaa",
    "444455556666",
    "ou-root-bbbbbbbb",
)
CROWD = tuple(Account(f"{number:012d}") for number in range(500000000000, 500000001000))

RULES = rules_in_force(
    TrustPolicy(
        (
            TrustEntry(TrustedAccount("222233334444"), name="Staging"),
            TrustEntry(TrustedUnit("o-aaaaaaaaaa", "ou-root-cccccccc")),
        )
    ),
    (
        ImageException(
            images=ImageSelector(names=("market-*",)),
            grantees=(Everyone(), TrustedAccount("777788889999")),
            reason="marketplace image",
            owner="platform@example.com",
            expires=date(2027, 6, 30),
        ),
    ),
    today=date(2026, 6, 15),
    organization=OwnOrganization("o-aaaaaaaaaa", "444455556666", Members({})),
)
DENIED = Unreadable("not permitted: ec2:DescribeImages", "grant ec2:DescribeImages to the caller")
HOSTILE = "[red]x[/red]\x1b]0;owned\x07\u202egnp.\u009b31m\n  pass  ami-00000000000000000"
OPT_IN = "the region is not enabled in this account"


def image(target: Target, number: int, name: str, **more: object) -> Image:
    return Image(
        image_id=f"ami-{number:017x}",
        account_id=target.account_id,
        region=target.region,
        partition=target.partition,
        name=name,
        creation_date=f"2026-05-{number % 28 + 1:02d}T10:00:00.000Z",
        state="available",
        **more,  # type: ignore[arg-type]
    )


def judged(one: Image, *grantees: Account | Everyone | Organization | OrganizationalUnit | Unrecognized) -> CheckResult:
    return evaluate(one, LaunchPermission(grantees), RULES)


def switch(target: Target, state: BlockPublicAccess, managed_by: str = "account") -> CheckResult:
    return ami_block_public_access.evaluate(target, BlockPublicAccessState(state, managed_by))


def seen(one: Image, permission: PermissionState) -> CheckResult:
    return evaluate(one, permission, RULES)


RESULTS: tuple[CheckResult, ...] = (
    judged(image(FRANKFURT, 0xA0, "base-private", tags=(("Name", "base"), ("Team", "plätform")))),
    judged(image(FRANKFURT, 0x05, "golden-2026.05", public=True), Everyone(), STRANGER, STAGING),
    judged(image(FRANKFURT, 0x10, "crowd"), *CROWD, UNIT),
    judged(image(FRANKFURT, 0x30, HOSTILE), STRANGER, FOREIGN_ORGANIZATION),
    judged(image(FRANKFURT, 0x40, "market-one", public=True), Everyone(), PARTNER, STAGING),
    judged(image(FRANKFURT, 0x50, "golden-2026.06 " + "x" * 110), UNIT, STAGING),
    judged(image(IRELAND, 0x01, "shared"), STRANGER),
    judged(image(IRELAND, 0x02, ""), Unrecognized("group=everybody")),
    seen(image(IRELAND, 0x03, "retired"), PermissionRemoved()),
    seen(image(IRELAND, 0x04, "flaky"), Unreadable("EC2 answered HTTP 503, 6 times")),
    judged(image(IRELAND, 0x06, "to staging"), STAGING),
    target_unreadable(VIRGINIA, DENIED),
    judged(image(OHIO, 0x07, "cut short")),
)
SWITCHES: tuple[CheckResult, ...] = (
    switch(FRANKFURT, BlockPublicAccess.UNBLOCKED),
    ami_block_public_access.evaluate(VIRGINIA, DENIED),
    switch(IRELAND, BlockPublicAccess.UNBLOCKED, "declarative-policy"),
    switch(OHIO, BlockPublicAccess.BLOCK_NEW_SHARING),
)
"""What the audit finds besides, with the check that is off by default."""
REPORTS: tuple[TargetReport, ...] = (
    TargetReport(FRANKFURT, TargetStatus.AUDITED, images=6, vanished=1),
    TargetReport(IRELAND, TargetStatus.AUDITED, images=5),
    TargetReport(VIRGINIA, TargetStatus.FAILED, DENIED.reason),
    TargetReport(CAPE_TOWN, TargetStatus.SKIPPED, OPT_IN),
    TargetReport(HONG_KONG, TargetStatus.SKIPPED, OPT_IN),
)
"""OHIO has a result and no end."""


@contextmanager
def sample_spool(more: tuple[CheckResult, ...] = ()) -> Iterator[Spool]:
    """All results in, OHIO interrupted."""
    with Spool() as spool:
        for result in (*RESULTS, *more):
            spool.add(result)
        for report in REPORTS:
            spool.finish(report)
        for report in spool.unfinished("the audit was interrupted"):
            spool.finish(report)
        yield spool


@contextmanager
def sample_report(more: tuple[CheckResult, ...] = ()) -> Iterator[Report]:
    with sample_spool(more) as spool:
        yield spool.report(HEADER, OUTCOME)
