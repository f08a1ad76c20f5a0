"""What plans for snapshots are made of."""

from collections.abc import Sequence
from dataclasses import replace

from amiguard.core.checks import ami_snapshot_cross_account
from amiguard.core.decision import Rules
from amiguard.core.evidence import Evidence
from amiguard.core.grantee import Grantee
from amiguard.core.image import Image, Unreadable
from amiguard.core.plan import Plan
from amiguard.core.planning import Planner, PlanWishes
from amiguard.core.result import CheckResult
from amiguard.core.snapshot import SnapshotPermission
from tests.unit.planning_samples import finish, rules

WISHES = PlanWishes(snapshots=True)


def read(one: Image, *snapshots: tuple[str, Sequence[Grantee] | Unreadable], by: Rules | None = None) -> CheckResult:
    """The result of the check, of an image with these snapshots."""
    permissions = [
        SnapshotPermission(name, grants if isinstance(grants, Unreadable) else tuple(grants))
        for name, grants in snapshots
    ]
    ids = tuple(name for name, _ in snapshots)
    return ami_snapshot_cross_account.evaluate(replace(one, snapshot_ids=ids), permissions, by or rules())


def plan_of(*results: CheckResult, wishes: PlanWishes = WISHES, evidence: Evidence | None = None) -> Plan:
    planner = Planner(wishes, lambda _: rules())
    for result in results:
        planner.note(result, evidence)
    return finish(planner)
