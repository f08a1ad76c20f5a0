"""Reports to render as HTML: the demo's estate, and estates of any size."""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from amiguard.core.checks.ami_cross_account_access import evaluate
from amiguard.core.decision import rules_in_force
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.image import Image, LaunchPermission, Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.result import Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustedAccount, TrustEntry, TrustPolicy
from amiguard.demo import demo_aws
from amiguard.files.settings import load_settings
from amiguard.report.interface import AuditHeader, AuditOutcome, Report, StatusFilter
from amiguard.report.json_v1 import encode
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.saved_report import SavedReport, open_saved_report
from amiguard.report.spool import Spool

_PROGRAM = Path(sys.executable).with_name("amiguard")
_REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2", "ap-southeast-1")


@dataclass(frozen=True, slots=True)
class _Saved:
    """The results of a saved report."""

    report: SavedReport

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        """As lines of JSON."""
        return (encode(result) for result in self.report.results() if shown.shows(result["status"]))


@contextmanager
def demo_report() -> Iterator[Report]:
    """The audit of the demo's estate."""
    today = datetime.now(UTC).date()
    with tempfile.TemporaryDirectory() as folder, demo_aws(today=today) as aws:
        settings, saved = Path(folder, "amiguard.yaml"), Path(folder, "saved.json")
        settings.write_text(aws.settings_text, encoding="utf-8")
        subprocess.run(
            [_PROGRAM, "audit", "--quiet", "--config", settings, "--format", "json", "--output", saved],
            env={**os.environ, **aws.environment},
            check=False,
        )
        loaded = load_settings(settings, today=today)
        report = open_saved_report(saved)
        audit = report.audit
        audit["trust_policy"] = trust_policy_v1(loaded.policy, loaded.exceptions)
        yield Report(
            tool=report.tool,
            audit=audit,
            summary=report.summary,
            targets=report.targets,
            source=_Saved(report),
        )


@contextmanager
def made_report(images: int, *, accounts: int = 40, grantees: int = 200) -> Iterator[Report]:
    """An estate of so many images: 8 % fail, 2 % are unknown, 30 % are shared with trusted accounts."""
    chance = random.Random(7)
    names = [f"{number:012d}" for number in range(200_000_000_000, 200_000_000_000 + grantees)]
    trusted, strangers = names[: grantees // 4], names[grantees // 4 :]
    policy = TrustPolicy(tuple(TrustEntry(TrustedAccount(one), name=f"Team {one[-3:]}") for one in trusted))
    rules = rules_in_force(policy, (), today=date(2026, 6, 15), organization=NoOrganization())
    header = AuditHeader(
        audit_id="00000000-0000-4000-8000-000000000000",
        started_at=datetime(2026, 6, 15, 8, 30, tzinfo=UTC),
        caller_arn="arn:aws:iam::111122223333:role/auditor",
        trust_policy_digest="5e" * 32,
        tool_version="0.1.0",
        trust_policy=trust_policy_v1(policy, ()),
    )
    places = [(f"{111_122_220_000 + number}", region) for number in range(accounts) for region in _REGIONS]
    with Spool() as spool:
        for place, (account_id, region) in enumerate(places):
            numbers = range(place, images, len(places))
            for number in numbers:
                image = Image(
                    image_id=f"ami-{number:017x}",
                    account_id=account_id,
                    region=region,
                    partition="aws",
                    name=f"service-{number % 97}-{number:06d}",
                    creation_date=f"2026-05-{number % 28 + 1:02d}T10:00:00.000Z",
                    state="available",
                    tags=(("Name", f"service-{number % 97}"), ("Team", f"team-{number % 13}")),
                )
                spool.add(evaluate(image, _permission(chance, trusted, strangers), rules))
            target = Target(account_id, region, "aws")
            spool.finish(TargetReport(target, TargetStatus.AUDITED, images=len(numbers)))
        outcome = AuditOutcome(datetime(2026, 6, 15, 8, 41, tzinfo=UTC), spool.complete, {"DescribeImages": images}, 0)
        yield spool.report(header, outcome, {one: f"Workload {one[-4:]}" for one, _ in places})


def _permission(chance: random.Random, trusted: list[str], strangers: list[str]) -> LaunchPermission | Unreadable:
    roll = chance.random()
    if roll < 0.02:
        return Unreadable("EC2 answered HTTP 503, 6 times")
    grantees: list[Grantee] = []
    if roll < 0.03:
        grantees.append(Everyone())
    if 0.03 <= roll < 0.10:
        grantees += map(Account, chance.sample(strangers, chance.randint(1, 4)))
    if roll < 0.40:
        grantees += map(Account, chance.sample(trusted, chance.randint(1, 4)))
    return LaunchPermission(tuple(grantees))
