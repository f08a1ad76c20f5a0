"""The in-use guard by example: what is left out, what is taken all the same, and in which words."""

from collections.abc import Sequence
from datetime import timedelta, timezone

import pytest

from amiguard.core.evidence import (
    Admission,
    Author,
    Evidence,
    ImageKey,
    KeyAdmission,
    Keys,
    SnapshotSharing,
    TrailEvent,
    Usage,
    UsageEntry,
)
from amiguard.core.grantee import Account, Everyone, Grantee, GranteeKind, Organization, parse_grant
from amiguard.core.image import Unreadable
from amiguard.core.organization import Members, MembersUnread, OwnOrganization
from amiguard.core.plan import Effect, InUse, NotInUse, Plan, Removal, UseUnknown
from amiguard.core.plan_words import use_in_words
from amiguard.core.planning import Planner, PlanWishes
from tests.fakes.images import OWNER, image
from tests.unit.planning_samples import (
    AS_OF,
    FRIEND,
    MANAGER,
    OTHER,
    OWN,
    STRANGER,
    UNTRUSTED,
    entries,
    finish,
    judged,
    rules,
    used_by,
)

MEMBER = Account("444444444444")
ORGANIZATION, UNIT, SIBLING = parse_grant(
    [
        ("organizationArn", f"arn:aws:organizations::{MANAGER}:organization/{OWN}"),
        ("organizationalUnitArn", f"arn:aws:organizations::{MANAGER}:ou/{OWN}/ou-root-aaaaaaaa"),
        ("organizationalUnitArn", f"arn:aws:organizations::{MANAGER}:ou/{OWN}/ou-root-bbbbbbbb"),
    ]
)
READ = OwnOrganization(
    OWN, MANAGER, Members({MEMBER.account_id: ("ou-root-aaaaaaaa",)}, {"ou-root-aaaaaaaa": (), "ou-root-bbbbbbbb": ()})
)
REVOKE = "; --revoke-in-use takes it back all the same"
BY = "by EC2's usage report of 2026-11-24 10:00 UTC"


def planned(
    grants: Sequence[Grantee],
    evidence: Evidence | None,
    wishes: PlanWishes | None = None,
    view: OwnOrganization | None = None,
) -> Plan:
    by = rules(view=view)
    planner = Planner(wishes or PlanWishes(), lambda _: by)
    planner.note(judged(image("ami-1", name="a"), *grants, by=by), evidence)
    return finish(planner)


def removed(plan: Plan) -> dict[Grantee, Removal]:
    return {one.grantee: one for change in plan.image_changes for one in change.removals}


def kept(plan: Plan) -> dict[Grantee, InUse]:
    found = {}
    for one in plan.left_out:
        assert one.removal is not None
        assert isinstance(one.removal.use, InUse)
        found[one.removal.grantee] = one.removal.use
    return found


def test_an_account_that_uses_the_image_is_left_out_by_name_count_and_age() -> None:
    usage = Usage(
        "r-1",
        AS_OF.astimezone(timezone(timedelta(hours=2))) + timedelta(microseconds=5),
        reused=True,
        entries=(
            UsageEntry(STRANGER.account_id, "ec2:LaunchTemplate", 1),
            UsageEntry(STRANGER.account_id, "ec2:Instance", 14),
            UsageEntry(OTHER.account_id, "ec2:Instance", 0),
        ),
    )
    plan = planned([STRANGER, OTHER, FRIEND], Evidence(usage=usage))
    (change,) = plan.image_changes
    assert change.edit.after == (FRIEND, STRANGER)
    assert change.removals == (Removal(OTHER, UNTRUSTED, use=NotInUse(AS_OF)),)
    (out,) = plan.left_out
    assert (out.image_id, out.image_name, out.snapshot_id) == ("ami-1", "a", None)
    assert out.reason == f"999999999999 uses it: 14 instances, 1 launch template, {BY}{REVOKE}"
    used = tuple(sorted(usage.entries[:2], key=lambda one: one.resource_type))
    assert out.removal == Removal(STRANGER, UNTRUSTED, use=InUse(AS_OF, used))


def test_if_all_is_left_out_there_is_no_change() -> None:
    plan = planned([STRANGER, OTHER], used_by(STRANGER, OTHER))
    assert (plan.changes, plan.removals, len(plan.left_out)) == ((), 0, 2)
    adding = planned([STRANGER], used_by(STRANGER), PlanWishes(share_with=(FRIEND,)))
    (change,) = adding.image_changes
    assert (change.edit.after, change.removals) == ((FRIEND, STRANGER), ())


def test_revoking_takes_it_and_says_that_it_is_in_use() -> None:
    plan = planned([STRANGER, Everyone()], used_by(STRANGER), PlanWishes(revoke_in_use=True))
    in_use = InUse(AS_OF, entries(STRANGER.account_id))
    assert {grantee: one.use for grantee, one in removed(plan).items()} == {STRANGER: in_use, Everyone(): in_use}
    assert plan.left_out == ()


@pytest.mark.parametrize("revoke", [True, False])
def test_unknown_use_holds_nothing_back(*, revoke: bool) -> None:
    wishes = PlanWishes(revoke_in_use=revoke)
    unread = Evidence(usage=Unreadable("not permitted", "allow ec2:CreateImageUsageReport"))
    for evidence, use in (
        (None, UseUnknown()),
        (Evidence(), UseUnknown()),
        (unread, UseUnknown("not permitted (allow ec2:CreateImageUsageReport)")),
    ):
        plan = planned([STRANGER], evidence, wishes)
        assert removed(plan)[STRANGER] == Removal(STRANGER, UNTRUSTED, use=use)
        assert plan.left_out == ()


def test_everyone_stays_for_those_who_launch_by_nothing_else() -> None:
    plan = planned([Everyone(), FRIEND], used_by(FRIEND, OWNER, STRANGER))
    assert kept(plan) == {Everyone(): InUse(AS_OF, entries(STRANGER.account_id))}
    assert plan.left_out[0].reason == f"everyone stays: 999999999999 uses it: 2 instances, {BY}{REVOKE}"
    assert plan.changes == ()
    plan = planned([Everyone(), FRIEND], used_by(FRIEND, OWNER))
    assert removed(plan)[Everyone()].use == NotInUse(AS_OF)


def test_a_narrow_grant_stays_so_that_the_wide_one_can_go() -> None:
    plan = planned([Everyone(), STRANGER, OTHER], used_by(STRANGER))
    assert kept(plan) == {STRANGER: InUse(AS_OF, entries(STRANGER.account_id))}
    assert set(removed(plan)) == {Everyone(), OTHER}
    assert {one.effect for one in removed(plan).values()} == {Effect.LOSES_ACCESS}


def test_effects_are_told_from_what_is_left_out() -> None:
    plan = planned([Everyone(), STRANGER], used_by(OTHER))
    assert kept(plan).keys() == {Everyone()}
    (removal,) = removed(plan).values()
    assert (removal.grantee, removal.effect, removal.use) == (STRANGER, Effect.KEEPS_ACCESS, NotInUse(AS_OF))
    assert removal.effect_reason == "still covered by everyone, which stays"


def test_who_keeps_access_anyway_loses_nothing() -> None:
    wishes = PlanWishes(only=frozenset({GranteeKind.ACCOUNT}))
    plan = planned([Everyone(), STRANGER], used_by(STRANGER), wishes)
    assert (removed(plan)[STRANGER].effect, removed(plan)[STRANGER].use) == (Effect.KEEPS_ACCESS, NotInUse(AS_OF))
    units = PlanWishes(only=frozenset({GranteeKind.ORGANIZATIONAL_UNIT}))
    plan = planned([ORGANIZATION, UNIT], used_by(STRANGER), units)
    assert removed(plan)[UNIT].use == NotInUse(AS_OF)


def test_members_are_told_from_others_where_they_are_known() -> None:
    plan = planned([ORGANIZATION, UNIT, SIBLING], used_by(MEMBER, STRANGER), view=READ)
    assert kept(plan) == dict.fromkeys((ORGANIZATION, UNIT), InUse(AS_OF, entries(MEMBER.account_id)))
    assert removed(plan)[SIBLING].use == NotInUse(AS_OF)
    (unit,) = (one for one in plan.left_out if one.removal and one.removal.grantee == UNIT)
    assert unit.reason.startswith(f"unit {OWN}/ou-root-aaaaaaaa stays: 444444444444 uses it: ")
    staying = PlanWishes(only=frozenset({GranteeKind.ORGANIZATION, GranteeKind.EVERYONE}))
    plan = planned([Everyone(), ORGANIZATION, UNIT], used_by(MEMBER), staying, view=READ)
    assert set(removed(plan)) == {Everyone(), ORGANIZATION}


@pytest.mark.parametrize("view", [None, OwnOrganization(OWN, MANAGER, MembersUnread("not permitted"))])
def test_where_members_are_not_known_whoever_uses_it_may_lose_access(view: OwnOrganization | None) -> None:
    plan = planned([Everyone(), ORGANIZATION], used_by(STRANGER), view=view)
    assert kept(plan).keys() == {Everyone(), ORGANIZATION}
    accounts = PlanWishes(only=frozenset({GranteeKind.ACCOUNT}))
    plan = planned([ORGANIZATION, STRANGER], used_by(STRANGER), accounts, view=view)
    assert STRANGER in {one.removal.grantee for one in plan.left_out if one.removal}


def test_what_is_added_covers_whom_it_covers() -> None:
    by = rules(FRIEND.account_id, OWN, view=READ)
    planner = Planner(PlanWishes(share_with=(FRIEND, ORGANIZATION)), lambda _: by)
    assert isinstance(ORGANIZATION, Organization)
    planner.note(judged(image(), Everyone(), by=by), used_by(FRIEND, MEMBER))
    plan = finish(planner)
    assert removed(plan)[Everyone()].use == NotInUse(AS_OF)
    assert plan.left_out == ()


def test_held_images_are_left_out_once_whoever_uses_them() -> None:
    planner = Planner(PlanWishes(), lambda _: rules())
    planner.note(judged(image(tags=(("amiguard:hold", ""),)), STRANGER), used_by(STRANGER))
    assert [(one.reason, one.removal) for one in finish(planner).left_out] == [("it has the tag amiguard:hold", None)]


def test_many_accounts_are_counted_and_words_of_a_later_day_passed_on() -> None:
    few = tuple(UsageEntry(f"{number:012d}", "ec2:Instance", number) for number in range(1, 5))
    assert use_in_words(InUse(AS_OF, few)).count(" uses it: ") == 4
    many = (*few, UsageEntry(f"{5:012d}", "ec2:Rocket", 1), UsageEntry(f"{5:012d}", "imagebuilder:ImageRecipe", 2000))
    assert use_in_words(InUse(AS_OF, many)) == (
        "000000000005 uses it: 2,000 image recipes, 1 ec2:Rocket; 000000000004 uses it: 4 instances; "
        f"000000000003 uses it: 3 instances; 2 more accounts use it, {BY}"
    )


def test_notes_say_who_shared_it_what_lies_under_it_and_which_key_keeps_it_out() -> None:
    event = TrailEvent("e-1", "ModifyImageAttribute", AS_OF, "arn:role", "jane", "10.0.0.1", added=(STRANGER,))
    older = TrailEvent("e-0", "ModifyImageAttribute", AS_OF, "arn:user", "", "", added=(STRANGER, OTHER))
    admissions = (
        KeyAdmission(STRANGER, Admission.DOES_NOT_ADMIT, "no statement allows it"),
        KeyAdmission(OTHER, Admission.UNDETERMINED, "a condition"),
    )
    shared = [judged(image(), one).decisions for one in (STRANGER, OTHER)]
    evidence = Evidence(
        author=Author((event, older), None),
        snapshots=(
            SnapshotSharing("snap-1", (*shared[0], *shared[1])),
            SnapshotSharing("snap-2", shared[1]),
            SnapshotSharing("snap-3", Unreadable("throttled")),
        ),
        keys=Keys((), (), (ImageKey("arn:key", ("snap-1",), "CUSTOMER", "Enabled", admissions),)),
    )
    found = removed(planned([STRANGER, OTHER, Everyone()], evidence))
    assert found[STRANGER].notes == (
        "shared by arn:role (session jane) on 2026-11-24 10:00 UTC from 10.0.0.1, CloudTrail event e-1",
        "snapshot snap-1 under it is shared with it, too",
        "the key arn:key does not admit it: no statement allows it",
    )
    assert found[OTHER].notes == (
        "shared by arn:user on 2026-11-24 10:00 UTC, CloudTrail event e-0",
        "snapshots snap-1, snap-2 under it are shared with it, too",
    )
    assert found[Everyone()].notes == ()
    broken = TrailEvent("e-2", "ModifyImageAttribute", AS_OF, "arn", "\ud800", "", added=(STRANGER,))
    (note,) = removed(planned([STRANGER], Evidence(author=Author((broken,), None))))[STRANGER].notes
    assert note == "shared by arn (session \\ud800) on 2026-11-24 10:00 UTC, CloudTrail event e-2"
    unread = Evidence(author=Unreadable("denied"), keys=Unreadable("denied"))
    assert removed(planned([STRANGER], unread))[STRANGER].notes == ()


def test_evidence_changes_no_verdict() -> None:
    plan = planned([FRIEND], used_by(STRANGER))
    assert (plan.changes, plan.left_out, plan.unplanned) == ((), (), ())
