"""A plan by someone who can make digests: it does no more than today's trust policy wants done."""

from dataclasses import replace
from pathlib import Path

from amiguard.core.edit import in_order
from amiguard.core.grantee import Account
from amiguard.core.plan import Addition, ImageChange
from amiguard.files.plan_file import load_plan, write_plan
from benchmarks.fake_ec2 import FakeEc2
from tests.cli.remediation_estate import (
    AFTER,
    BEFORE,
    FRIEND,
    OWNER,
    PLAN,
    TRUST,
    estate,
    image_id,
    made_plan,
    state_of,
)
from tests.conftest import RunAmiguard

ATTACKER = "666677778888"


def forged(change: ImageChange) -> ImageChange:
    """The second image is taken from a friend as well, the fourth shared with the attacker."""
    if change.edit.image_id == image_id(2):
        friend = replace(change.removals[0], grantee=Account(FRIEND))
        edit = replace(change.edit, after=())
        return replace(change, edit=edit, removals=(*change.removals, friend))
    if change.edit.image_id == image_id(4):
        edit = replace(change.edit, after=in_order({*change.edit.after, Account(ATTACKER)}))
        return replace(change, edit=edit, additions=(Addition(Account(ATTACKER), "trusted"),))
    return change


def test_a_forged_plan_neither_shares_nor_takes_what_the_policy_does_not_want(
    run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    _, path = made_plan(tmp_path, estate())
    plan = load_plan(path)
    write_plan(path, replace(plan, changes=tuple(forged(one) for one in plan.image_changes)))
    with FakeEc2(estate()) as fake:
        run = run_amiguard("apply", PLAN, *TRUST, "--yes", "--force", env=fake.environment(OWNER))
        assert state_of(fake) == {**AFTER, 2: BEFORE[2], 4: BEFORE[4]}
    assert run.code == 4
    assert f"{FRIEND}, which was to be removed, is trusted now" in run.out
    assert f"{ATTACKER}, which was to be added, is untrusted now" in run.out
