"""What plans are made of: grantees, rules, judged images."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from amiguard.core.checks.ami_cross_account_access import evaluate
from amiguard.core.decision import Rules, rules_in_force
from amiguard.core.evidence import (
    Evidence,
    Usage,
    UsageEntry,
)
from amiguard.core.exception import ImageException
from amiguard.core.grantee import (
    Account,
    Grantee,
)
from amiguard.core.image import Image, LaunchPermission
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.plan import Plan
from amiguard.core.planning import Planner, PlanWishes
from amiguard.core.result import CheckResult, Target
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
HERE = Target(OWNER, "eu-central-1", "aws")
FRIEND, STRANGER, OTHER = Account("111111111111"), Account("999999999999"), Account("888888888888")
OWN, MANAGER = "o-ownownownown", "777777777777"
UNTRUSTED = "not in the trust policy"


def rules(*trusted: str, view: OrganizationView | None = None, exceptions: tuple[ImageException, ...] = ()) -> Rules:
    entries = tuple(TrustEntry(parse_trustee(one)) for one in trusted or (FRIEND.account_id,))
    view = view or NoOrganization()
    return rules_in_force(TrustPolicy(entries), exceptions, today=NOW.date(), organization=view)


def judged(one: Image, *grants: Grantee, by: Rules | None = None) -> CheckResult:
    return evaluate(one, LaunchPermission(grants), by or rules())


def finish(planner: Planner) -> Plan:
    return planner.plan(
        plan_id="id",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        tool_version="1",
        caller_arn="arn",
        account_id=OWNER,
        trust_policy_digest="digest",
    )


AS_OF = datetime(2026, 11, 24, 10, tzinfo=UTC)


def used_by(*accounts: Account | str, count: int = 2) -> Evidence:
    ids = [one if isinstance(one, str) else one.account_id for one in accounts]
    return Evidence(usage=Usage("r-1", AS_OF, reused=False, entries=entries(*ids, count=count)))


def entries(*ids: str, count: int = 2) -> tuple[UsageEntry, ...]:
    return tuple(UsageEntry(one, "ec2:Instance", count) for one in ids)


def plan_of(results: Sequence[CheckResult], wishes: PlanWishes | None = None, by: Rules | None = None) -> Plan:
    planner = Planner(wishes or PlanWishes(), lambda _: by or rules())
    for result in results:
        planner.note(result)
    return finish(planner)
