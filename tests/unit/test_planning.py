"""Planning by example: what is removed, added, left out, and not planned, and in which words."""

from dataclasses import replace

import pytest

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.checks import ami_block_public_access
from amiguard.core.checks.ami_cross_account_access import evaluate, target_unreadable
from amiguard.core.errors import SettingsError
from amiguard.core.exception import ImageException, ImageSelector
from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    GranteeKind,
    Unrecognized,
    parse_grant,
)
from amiguard.core.image import PermissionRemoved, Unreadable
from amiguard.core.organization import Members, NoOrganization, OwnOrganization
from amiguard.core.plan import Addition, Audited, BlockPublicAccessChange, Effect, LeftOut, Removal, Unplanned
from amiguard.core.planning import Planner, PlanWishes, decide_anew
from amiguard.core.result import Target
from amiguard.core.trust import parse_trustee
from tests.fakes.images import OWNER, image
from tests.unit.planning_samples import (
    FRIEND,
    HERE,
    MANAGER,
    OTHER,
    OWN,
    STRANGER,
    UNTRUSTED,
    finish,
    judged,
    plan_of,
    rules,
)

ORGANIZATION = parse_grant([("organizationArn", f"arn:aws:organizations::{MANAGER}:organization/{OWN}")])[0]
READ = OwnOrganization(OWN, MANAGER, Members({STRANGER.account_id: ()}))
TRUSTED = "trusted: account 111111111111"


def test_a_public_image_with_a_trusted_and_an_untrusted_account() -> None:
    plan = plan_of([judged(image("ami-1"), STRANGER, FRIEND, Everyone())])
    (change,) = plan.image_changes
    assert change.edit.key == f"{OWNER}/eu-central-1/ami-1"
    assert (change.edit.before, change.edit.after) == ((Everyone(), FRIEND, STRANGER), (FRIEND,))
    assert change.removals == (Removal(Everyone(), "every AWS account may launch it"), Removal(STRANGER, UNTRUSTED))
    assert change.additions == ()
    assert (plan.left_out, plan.unplanned, plan.audited) == ((), (), Audited(1, 3))


def test_passing_and_suppressed_images_are_counted_only() -> None:
    accepted = ImageException(ImageSelector(ids=("ami-2",)), (Everyone(),), "marketplace", "owner")
    by = rules(exceptions=(accepted,))
    disabled = evaluate(image("ami-3", state="disabled"), PermissionRemoved(), by)
    results = [judged(image("ami-1"), FRIEND, by=by), judged(image("ami-2"), Everyone(), by=by), disabled]
    plan = plan_of(results, by=by)
    assert (plan.changes, plan.left_out, plan.unplanned, plan.audited) == ((), (), (), Audited(3, 2))


def test_changes_are_by_account_region_and_image_and_the_switch_is_the_last_of_its_target() -> None:
    places = [("ami-2", OWNER, "us-east-1"), ("ami-1", OWNER, "us-east-1"), ("ami-9", OWNER, "eu-central-1")]
    places.append(("ami-5", "000000000000", "us-east-1"))
    off = BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account")
    switches = [
        ami_block_public_access.evaluate(Target(OWNER, "us-east-1", "aws"), off),
        ami_block_public_access.evaluate(HERE, off),
    ]
    images = [judged(image(one, account_id=owner, region=region), STRANGER) for one, owner, region in places]
    plan = plan_of([*switches, *images], PlanWishes(block_public_access=True))
    assert [change.edit.key for change in plan.changes] == [
        "000000000000/us-east-1/ami-5",
        f"{OWNER}/eu-central-1/ami-9",
        f"{OWNER}/eu-central-1/image-block-public-access",
        f"{OWNER}/us-east-1/ami-1",
        f"{OWNER}/us-east-1/ami-2",
        f"{OWNER}/us-east-1/image-block-public-access",
    ]


def test_an_image_that_is_read_twice_and_is_unshared_by_then_is_not_planned() -> None:
    assert plan_of([judged(image("ami-1"), STRANGER), judged(image("ami-1"))]).changes == ()


def test_an_image_that_is_read_twice_is_planned_once_from_the_later_reading() -> None:
    plan = plan_of([judged(image("ami-1"), STRANGER), judged(image("ami-1"), STRANGER, OTHER)])
    assert [len(change.edit.before) for change in plan.image_changes] == [2]


def test_effects_are_told_from_what_stays() -> None:
    by = rules(OWN, view=READ)
    (change,) = plan_of([judged(image(), ORGANIZATION, OTHER, Everyone(), by=by)], by=by).image_changes
    assert [(one.grantee, one.effect) for one in change.removals] == [
        (Everyone(), Effect.LOSES_ACCESS),
        (OTHER, Effect.LOSES_ACCESS),
    ]
    unread = rules(OWN, view=NoOrganization())
    (change,) = plan_of([judged(image(), ORGANIZATION, OTHER, by=unread)], by=unread).image_changes
    reason = f"perhaps still covered by organization {OWN}, which stays"
    assert change.removals == (Removal(OTHER, UNTRUSTED, Effect.MAY_KEEP_ACCESS, reason),)


def test_held_images_are_left_out_with_the_reason() -> None:
    tagged, protected = image("ami-1", name="a", tags=(("amiguard:hold", "x"),)), image("ami-2", name="b")
    wishes = PlanWishes(protected=(ImageSelector(names=("b",)),), share_with=(FRIEND,))
    unchanged = judged(image("ami-3", tags=(("amiguard:hold", ""),)), FRIEND)
    plan = plan_of([judged(protected, STRANGER), judged(tagged, STRANGER), unchanged], wishes)
    assert plan.changes == ()
    assert plan.left_out == (
        LeftOut(HERE, "ami-1", "a", "it has the tag amiguard:hold"),
        LeftOut(HERE, "ami-2", "b", "it is in remediation.protected_images of the settings"),
    )
    assert plan.audited == Audited(3, 3)


def test_only_some_kinds_and_what_they_leave() -> None:
    wishes = PlanWishes(only=frozenset({GranteeKind.EVERYONE}))
    both = judged(image("ami-1"), Everyone(), STRANGER, OTHER, ORGANIZATION)
    plan = plan_of([both, judged(image("ami-2"), STRANGER), judged(image("ami-3"), Everyone())], wishes)
    assert [change.edit.image_id for change in plan.image_changes] == ["ami-1", "ami-3"]
    assert [(one.image_id, one.reason) for one in plan.left_out] == [
        ("ami-1", "--only leaves 3 untrusted grants (organization: 1, account: 2)"),
        ("ami-2", "--only leaves 1 untrusted grant (account: 1)"),
    ]


def test_while_everyone_stays_accounts_lose_nothing() -> None:
    wishes = PlanWishes(only=frozenset({GranteeKind.ACCOUNT}))
    (change,) = plan_of([judged(image(), Everyone(), STRANGER)], wishes).image_changes
    reason = "still covered by everyone, which stays"
    assert change.removals == (Removal(STRANGER, UNTRUSTED, Effect.KEEPS_ACCESS, reason),)


def test_what_is_undetermined_stays_and_is_said() -> None:
    failing = judged(image("ami-1"), STRANGER, Unrecognized("group=some"))
    unknown = judged(image("ami-2"), Unrecognized("group=some"))
    plan = plan_of([failing, unknown])
    (change,) = plan.image_changes
    assert change.edit.after == (Unrecognized("group=some"),)
    assert [(one.image_id, one.reason) for one in plan.left_out] == [
        (
            "ami-1",
            "only what is untrusted is removed, which leaves 1 undetermined grant (unrecognized: 1): "
            "this version does not know this kind of grant",
        )
    ]
    assert plan.unplanned == (Unplanned(HERE, "ami-2", unknown.message),)


def test_what_was_not_read_is_unplanned_and_not_counted() -> None:
    unread = evaluate(image("ami-1"), Unreadable("throttled"), rules())
    region = target_unreadable(HERE, Unreadable("not permitted"))
    plan = plan_of([region, unread], PlanWishes(share_with=(FRIEND,), share_with_named=frozenset({"ami-1"})))
    assert plan.unplanned == (Unplanned(HERE, "ami-1", unread.message), Unplanned(HERE, None, region.message))
    assert (plan.changes, plan.audited) == ((), Audited(0, 0))


def test_trusted_grantees_are_added_to_failing_images() -> None:
    wishes = PlanWishes(share_with=(FRIEND, Account(OWNER)))
    results = [
        judged(image("ami-1"), STRANGER),
        judged(image("ami-2")),
        judged(image("ami-3"), STRANGER, FRIEND),
    ]
    first, third = plan_of(results, wishes).image_changes
    assert (first.edit.image_id, first.edit.after) == ("ami-1", (FRIEND,))
    assert first.additions == (Addition(FRIEND, TRUSTED),)
    assert (third.edit.image_id, third.edit.after, third.additions) == ("ami-3", (FRIEND,), ())


def test_named_images_get_additions_whether_they_fail_or_not_and_others_none() -> None:
    wishes = PlanWishes(share_with=(FRIEND,), share_with_named=frozenset({"ami-1", "ami-2", "ami-3", "ami-4"}))
    results = [
        judged(image("ami-1")),
        judged(image("ami-2"), Unrecognized("group=some")),
        judged(image("ami-3"), FRIEND),
        judged(image("ami-4"), STRANGER),
        judged(image("ami-5"), STRANGER),
    ]
    plan = plan_of(results, wishes)
    added = {change.edit.image_id: len(change.additions) for change in plan.image_changes}
    assert added == {"ami-1": 1, "ami-2": 1, "ami-4": 1, "ami-5": 0}


def test_a_disabled_image_gets_nothing() -> None:
    stale = plan_of([judged(image("ami-1", state="disabled"), STRANGER)])
    assert (stale.removals, stale.left_out) == (1, ())
    wishes = PlanWishes(share_with=(FRIEND,), share_with_named=frozenset({"ami-1"}))
    plan = plan_of([evaluate(image("ami-1", state="disabled"), PermissionRemoved(), rules())], wishes)
    assert plan.changes == ()
    assert [one.reason for one in plan.left_out] == [
        "it is disabled, and EC2 shares no disabled image: nothing is added"
    ]


@pytest.mark.parametrize("grants", [(STRANGER,), (STRANGER, OTHER)])
def test_who_is_not_trusted_is_not_added_and_nothing_is_planned(grants: tuple[Grantee, ...]) -> None:
    results = [judged(image("ami-1"), *grants), judged(image("ami-2"), *grants)]
    with pytest.raises(SettingsError) as error:
        plan_of(results, PlanWishes(share_with=(FRIEND, OTHER)))
    assert error.value.message == (
        "images are shared with trusted grantees only, and 888888888888 is untrusted for ami-1 "
        "(not in the trust policy): nothing is planned"
    )
    assert "amiguard trust add" in (error.value.hint or "")


def test_an_exception_is_not_trust_and_a_held_image_does_not_hide_the_mistake() -> None:
    accepted = ImageException(ImageSelector(ids=("ami-1",)), (parse_trustee(OTHER.account_id),), "a reason", "owner")
    by = rules(exceptions=(accepted,))
    held = image("ami-1", tags=(("amiguard:hold", ""),))
    with pytest.raises(SettingsError, match=r"888888888888 is excepted for ami-1 \(accepted by owner: a reason\)"):
        plan_of([judged(held, STRANGER, by=by)], PlanWishes(share_with=(OTHER,)), by)


def test_nothing_is_refused_where_nothing_would_be_added() -> None:
    assert plan_of([judged(image(), FRIEND)], PlanWishes(share_with=(OTHER,))).changes == ()


def test_each_account_is_decided_by_its_own_rules() -> None:
    views = {OWNER: rules(OWN, view=READ), MANAGER: rules(OWN, view=NoOrganization())}
    planner = Planner(PlanWishes(share_with=(STRANGER,)), views.__getitem__)
    planner.note(judged(image("ami-1"), OTHER, by=views[OWNER]))
    (change,) = finish(planner).image_changes
    assert change.edit.after == (STRANGER,)
    planner = Planner(PlanWishes(), views.__getitem__)
    for account_id in (OWNER, MANAGER):
        planner.note(judged(image(account_id=account_id), ORGANIZATION, OTHER, by=views[account_id]))
    effects = {change.edit.target.account_id: change.removals[-1].effect for change in finish(planner).image_changes}
    assert effects == {OWNER: Effect.LOSES_ACCESS, MANAGER: Effect.MAY_KEEP_ACCESS}


def test_one_account_s_trust_does_not_excuse_another() -> None:
    views = {OWNER: rules(OWN, view=READ), MANAGER: rules(OWN, view=NoOrganization())}
    planner = Planner(PlanWishes(share_with=(STRANGER,)), views.__getitem__)
    planner.note(judged(image("ami-2", account_id=MANAGER), OTHER, by=views[MANAGER]))
    with pytest.raises(SettingsError, match="999999999999 is untrusted for ami-2"):
        finish(planner)


def test_the_switch_is_planned_only_if_wished_for() -> None:
    off = BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account")
    on = BlockPublicAccessState(BlockPublicAccess.BLOCK_NEW_SHARING, "account")
    results = [
        ami_block_public_access.evaluate(HERE, off),
        ami_block_public_access.evaluate(replace(HERE, region="eu-west-1"), on),
        ami_block_public_access.evaluate(replace(HERE, region="eu-west-2"), Unreadable("not permitted")),
        ami_block_public_access.evaluate(
            replace(HERE, region="eu-west-3"), replace(off, managed_by="declarative-policy")
        ),
    ]
    nothing = plan_of(results)
    assert (nothing.changes, nothing.left_out, nothing.unplanned) == ((), (), ())
    plan = plan_of(results, PlanWishes(block_public_access=True))
    (change,) = plan.changes
    assert isinstance(change, BlockPublicAccessChange)
    assert (change.edit.target, change.edit.before, change.edit.after) == (HERE, off.state, on.state)
    reason = "a declarative policy of the organization keeps image block public access off"
    assert plan.left_out == (LeftOut(replace(HERE, region="eu-west-3"), None, "", reason),)
    assert plan.unplanned == (Unplanned(replace(HERE, region="eu-west-2"), None, results[2].message),)
    assert plan.audited == Audited(0, 0)


def test_results_of_other_checks_and_failures_without_a_state() -> None:
    failing = judged(image(), STRANGER)
    assert plan_of([replace(failing, check_id="some-other-check")]).changes == ()
    off = ami_block_public_access.evaluate(HERE, BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account"))
    plan = plan_of([replace(off, block_public_access=None)], PlanWishes(block_public_access=True))
    assert (plan.changes, [one.reason for one in plan.unplanned]) == ((), [off.message])


def test_deciding_anew_names_who_and_why() -> None:
    wishes = PlanWishes(share_with=(FRIEND,))
    (change,) = plan_of([judged(image(), STRANGER)], wishes).image_changes
    assert decide_anew(change, image(), rules()) is None
    assert decide_anew(change, image(), rules(FRIEND.account_id, STRANGER.account_id)) == (
        "999999999999, which was to be removed, is trusted now: trusted: account 999999999999"
    )
    assert decide_anew(change, image(), rules(OTHER.account_id)) == (
        "111111111111, which was to be added, is untrusted now: not in the trust policy"
    )
    accepted = ImageException(ImageSelector(names=("renamed",)), (parse_trustee(STRANGER.account_id),), "why", "owner")
    by = rules(exceptions=(accepted,))
    assert decide_anew(change, image(), by) is None
    assert decide_anew(change, image(name="renamed"), by) == (
        "999999999999, which was to be removed, is excepted now: accepted by owner: why"
    )
