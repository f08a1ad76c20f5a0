"""What holds for every plan, whatever the estate, the policy, the exceptions, the organizations and the wishes are."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.decision import Verdict, decide
from amiguard.core.edit import in_order
from amiguard.core.errors import SettingsError
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized, grantee_kind
from amiguard.core.image import Image
from amiguard.core.plan import Effect, ImageChange, Plan
from amiguard.core.planning import Planner, PlanWishes, decide_anew
from amiguard.core.remediation import why_held
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER
from tests.unit import strategies
from tests.unit.planning_worlds import NOW, OTHER_OWNER, World, wishes_without_additions, worlds

sharable = strategies.grantees.filter(lambda one: not isinstance(one, Everyone | Unrecognized))
wishes = st.builds(
    lambda wish, share_with, named: replace(wish, share_with=tuple(share_with), share_with_named=named),
    wishes_without_additions,
    st.lists(sharable, max_size=2),
    st.frozensets(st.sampled_from(["ami-1", "ami-2"])),
)


def plan_of(world: World, wish: PlanWishes) -> Plan:
    planner = Planner(wish, world.rules_of)
    for result in world.audit():
        planner.note(result)
    return planner.plan(
        plan_id="id",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        tool_version="1",
        caller_arn="arn",
        account_id=OWNER,
        trust_policy_digest="digest",
    )


def plan_or_none(world: World, wish: PlanWishes) -> Plan | None:
    """The plan; None where additions are refused."""
    try:
        return plan_of(world, wish)
    except SettingsError:
        return None


def image_of(world: World, change: ImageChange) -> Image:
    wanted = (change.edit.target.account_id, change.edit.image_id)
    return next(one for one in world.grants if (one.account_id, one.image_id) == wanted)


@given(worlds, wishes)
def test_only_the_untrusted_lose_access_and_only_the_trusted_gain_it(world: World, wish: PlanWishes) -> None:
    plan = plan_or_none(world, wish)
    if plan is None:
        return
    for change in plan.image_changes:
        one = image_of(world, change)
        rules = world.rules_of(one.account_id)
        lost = set(change.edit.before) - set(change.edit.after)
        gained = set(change.edit.after) - set(change.edit.before)
        assert {decide(grantee, one, rules).verdict for grantee in lost} <= {Verdict.UNTRUSTED}
        assert {decide(grantee, one, rules).verdict for grantee in gained} <= {Verdict.TRUSTED}
        assert gained <= set(wish.share_with) - {Account(one.account_id)}
        assert wish.only is None or {grantee_kind(grantee) for grantee in lost} <= wish.only
        assert change.edit.before == in_order(world.grants[one] or ())
        assert lost or gained
        assert decide_anew(change, one, rules) is None


@given(worlds, wishes)
def test_what_stays_untrusted_is_held_or_left_by_only_and_said(world: World, wish: PlanWishes) -> None:
    plan = plan_or_none(world, wish)
    if plan is None:
        return
    said = {(one.target.account_id, one.image_id) for one in plan.left_out}
    unplanned = {(one.target.account_id, one.image_id) for one in plan.unplanned}
    for result in world.after(plan).audit():
        assert result.image is not None
        place = (result.target.account_id, result.image.image_id)
        held = why_held(result.image, wish.protected)
        for decision in result.decisions:
            if decision.verdict is Verdict.UNTRUSTED:
                left_by_only = wish.only is not None and grantee_kind(decision.grantee) not in wish.only
                assert held or left_by_only
                assert place in said
            if decision.verdict is Verdict.UNDETERMINED:
                assert place in said | unplanned
        if world.grants[result.image] is None:
            assert place in unplanned


@given(worlds, wishes)
def test_a_plan_after_the_plan_is_empty(world: World, wish: PlanWishes) -> None:
    plan = plan_or_none(world, wish)
    if plan is not None:
        assert plan_of(world.after(plan), wish).changes == ()


@given(worlds, wishes_without_additions)
def test_without_wishes_to_share_nothing_is_added_and_no_held_image_changed(world: World, wish: PlanWishes) -> None:
    plan = plan_of(world, wish)
    for change in plan.image_changes:
        assert not change.additions
        assert not why_held(image_of(world, change), wish.protected)


@given(worlds, wishes)
def test_additions_are_refused_exactly_if_one_is_not_trusted(world: World, wish: PlanWishes) -> None:
    refused = False
    for result in world.audit():
        assert result.image is not None
        meant = (
            result.image.image_id in wish.share_with_named
            if wish.share_with_named
            else any(one.verdict is Verdict.UNTRUSTED for one in result.decisions)
        )
        if not meant or world.grants[result.image] is None:
            continue
        rules = world.rules_of(result.image.account_id)
        others = set(wish.share_with) - {Account(result.image.account_id)}
        refused |= any(decide(one, result.image, rules).verdict is not Verdict.TRUSTED for one in others)
    assert (plan_or_none(world, wish) is None) is refused


@given(worlds, wishes, st.randoms(use_true_random=False))
def test_the_order_of_results_never_matters(world: World, wish: PlanWishes, random: Random) -> None:
    shuffled = list(world.grants.items())
    random.shuffle(shuffled)
    assert plan_or_none(replace(world, grants=dict(shuffled)), wish) == plan_or_none(world, wish)


@given(worlds, wishes_without_additions)
def test_keys_are_unique_and_all_grants_counted(world: World, wish: PlanWishes) -> None:
    plan = plan_of(world, wish)
    keys = [change.edit.key for change in plan.changes]
    assert keys == sorted(set(keys))
    read = [set(grants) for grants in world.grants.values() if grants is not None]
    assert (plan.audited.images, plan.audited.grants) == (len(read), sum(map(len, read)))
    assert plan.removals <= plan.audited.grants


@given(worlds, wishes_without_additions)
def test_while_everyone_stays_no_removal_has_an_effect(world: World, wish: PlanWishes) -> None:
    for change in plan_of(world, wish).image_changes:
        if Everyone() in change.edit.after:
            assert {one.effect for one in change.removals} == {Effect.KEEPS_ACCESS}


@given(worlds, wishes_without_additions)
def test_a_change_is_wanted_no_more_once_what_it_removes_is_trusted_or_accepted(world: World, wish: PlanWishes) -> None:
    accept = ImageException(ImageSelector(accounts=(OWNER, OTHER_OWNER)), AnyGrantee(), "reason", "owner")
    accepting = replace(world, exceptions=(accept,))
    for change in plan_of(world, wish).image_changes:
        one = image_of(world, change)
        reason = decide_anew(change, one, accepting.rules_of(one.account_id))
        assert reason is not None
        assert "is excepted now: accepted by owner" in reason
        for removal in change.removals:
            if isinstance(removal.grantee, Account):
                entry = TrustEntry(parse_trustee(removal.grantee.account_id))
                trusting = replace(world, policy=TrustPolicy((*world.policy.entries, entry)))
                assert decide_anew(change, one, trusting.rules_of(one.account_id)) is not None


@pytest.mark.parametrize("grantee", [Everyone(), Unrecognized("group=some")])
def test_nobody_shares_with_everyone_by_a_plan(grantee: Grantee) -> None:
    with pytest.raises(SettingsError, match="cannot be shared with"):
        PlanWishes(share_with=(grantee,))
