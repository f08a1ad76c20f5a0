"""What holds for every plan with usage evidence, whoever uses the images and whoever belongs to which organization."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from amiguard.core.evidence import Evidence, Usage, UsageEntry
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.image import Image, Unreadable
from amiguard.core.organization import Members, OrganizationView, OwnOrganization
from amiguard.core.plan import Effect, InUse, NotInUse, Plan, UseUnknown
from amiguard.core.planning import Planner, PlanWishes
from amiguard.core.trust import TrustPolicy
from tests.fakes.images import OWNER, image
from tests.profiles import share
from tests.unit import strategies
from tests.unit.planning_worlds import NOW, World, wishes_without_additions, worlds

AS_OF = datetime(2026, 6, 14, 8, tzinfo=UTC)
entries = st.lists(
    st.builds(
        UsageEntry, strategies.accounts, st.sampled_from(["ec2:Instance", "ec2:LaunchTemplate"]), st.integers(0, 3)
    ),
    max_size=5,
)
usages = entries.map(lambda some: Usage("r", AS_OF, reused=False, entries=tuple(some)))
Place = tuple[str, str, tuple[str, ...]]
"""The organization of an account (management account and id), and the units above it."""
places = st.dictionaries(
    strategies.accounts,
    st.tuples(
        strategies.managers,
        strategies.organization_ids,
        st.lists(strategies.units, max_size=2, unique=True).map(tuple),
    ),
)


# One image, little trust, and no exceptions: most grants go, if nobody uses the image.
strict_worlds = st.builds(
    World,
    strategies.grants.map(lambda grants: {image("ami-1"): tuple(grants)}),
    st.lists(strategies.entries, max_size=1).map(lambda some: TrustPolicy(tuple(some))),
    st.just(()),
    st.fixed_dictionaries({OWNER: strategies.organizations}),
)


def truth(places: Mapping[str, Place], view: OrganizationView) -> dict[str, Place]:
    """Where each account belongs in truth: anywhere, but where the view knows better."""
    found = dict(places)
    if isinstance(view, OwnOrganization) and isinstance(view.members, Members):
        own = view.management_account_id, view.organization_id
        found = {account_id: place for account_id, place in found.items() if place[:2] != own}
        found |= {account_id: (*own, above) for account_id, above in view.members.accounts.items()}
    return found


def may_launch(account_id: str, grants: tuple[Grantee, ...], places: Mapping[str, Place]) -> bool:
    manager, organization_id, above = places.get(account_id, ("", "", ()))
    for grant in grants:
        match grant:
            case Everyone():
                return True
            case Account(granted) if granted == account_id:
                return True
            case Organization() if (grant.management_account_id, grant.organization_id) == (manager, organization_id):
                return True
            case OrganizationalUnit() if (grant.management_account_id, grant.organization_id) == (
                manager,
                organization_id,
            ) and grant.unit_id in above:
                return True
            case _:
                pass
    return False


def plan_of(world: World, wish: PlanWishes, usage: Usage | Unreadable | None) -> Plan:
    planner = Planner(wish, world.rules_of)
    for result in world.audit():
        planner.note(result, Evidence(usage=usage))
    return planner.plan(
        plan_id="id",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        tool_version="1",
        caller_arn="arn",
        account_id=OWNER,
        trust_policy_digest="digest",
    )


def users(one: Image, usage: Usage) -> set[str]:
    return {entry.account_id for entry in usage.entries if entry.count} - {one.account_id}


@settings(max_examples=share(400))
@given(worlds | strict_worlds, wishes_without_additions, usages, places)
def test_no_plan_takes_access_from_an_account_in_use(
    world: World, wish: PlanWishes, usage: Usage, places: dict[str, Place]
) -> None:
    after = world.after(plan_of(world, wish, usage))
    for one, grants in world.grants.items():
        if grants is None:
            continue
        where = truth(places, world.organizations[one.account_id])
        left = after.grants[one]
        assert left is not None
        for account_id in users(one, usage):
            assert may_launch(account_id, left, where) or not may_launch(account_id, grants, where)


@given(worlds, wishes_without_additions, usages)
def test_with_revocation_the_plan_is_that_without_evidence(world: World, wish: PlanWishes, usage: Usage) -> None:
    without = plan_of(world, wish, None)
    revoking = plan_of(world, replace(wish, revoke_in_use=True), usage)
    assert [change.edit for change in revoking.changes] == [change.edit for change in without.changes]
    assert (revoking.left_out, revoking.unplanned) == (without.left_out, without.unplanned)
    for one, other in zip(revoking.image_changes, without.image_changes, strict=True):
        assert [replace(removal, use=UseUnknown()) for removal in one.removals] == list(other.removals)
        assert all(isinstance(removal.use, InUse | NotInUse) for removal in one.removals)


@given(worlds, wishes_without_additions, usages)
def test_what_is_not_taken_is_left_out_with_those_who_use_it(world: World, wish: PlanWishes, usage: Usage) -> None:
    without, careful = plan_of(world, wish, None), plan_of(world, wish, usage)
    wanted = {(change.edit.key, one.grantee) for change in without.image_changes for one in change.removals}
    taken = {(change.edit.key, one.grantee) for change in careful.image_changes for one in change.removals}
    left = {
        (f"{one.target.account_id}/{one.target.region}/{one.image_id}", one.removal.grantee): one.removal.use
        for one in careful.left_out
        if one.removal is not None
    }
    assert wanted == taken | left.keys()
    assert taken.isdisjoint(left)
    counted = {entry.account_id for entry in usage.entries if entry.count}
    for use in left.values():
        assert isinstance(use, InUse)
        assert {entry.account_id for entry in use.entries} <= counted
    for change in careful.image_changes:
        assert not any(isinstance(one.use, InUse) for one in change.removals)


@given(worlds, wishes_without_additions, usages)
def test_a_plan_after_the_plan_is_empty(world: World, wish: PlanWishes, usage: Usage) -> None:
    assert plan_of(world.after(plan_of(world, wish, usage)), wish, usage).changes == ()


@given(worlds, wishes_without_additions)
def test_unused_images_are_planned_as_ever(world: World, wish: PlanWishes) -> None:
    unused = Usage("r", AS_OF, reused=False, entries=())
    without = plan_of(world, wish, None)
    assert [one.edit for one in plan_of(world, wish, unused).changes] == [one.edit for one in without.changes]
    assert plan_of(world, wish, Unreadable("denied")).left_out == without.left_out


@given(worlds, wishes_without_additions, usages)
def test_effects_fit_what_really_stays(world: World, wish: PlanWishes, usage: Usage) -> None:
    for change in plan_of(world, wish, usage).image_changes:
        for one in change.removals:
            if Everyone() in change.edit.after:
                assert one.effect is Effect.KEEPS_ACCESS
            elif not any(not isinstance(each, Account) for each in change.edit.after):
                assert one.effect is Effect.LOSES_ACCESS
        assert not any(isinstance(one.grantee, Unrecognized) for one in change.removals)
