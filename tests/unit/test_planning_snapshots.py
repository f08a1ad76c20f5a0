"""Planning for snapshots: what is taken back, what several images say of one, and what is left alone."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.checks import ami_block_public_access
from amiguard.core.checks.ami_cross_account_access import target_unreadable
from amiguard.core.decision import Rules, Verdict
from amiguard.core.exception import ImageException, ImageSelector
from amiguard.core.grantee import Account, Everyone, Grantee, GranteeKind, Unrecognized
from amiguard.core.image import Unreadable
from amiguard.core.plan import Audited, Effect, LeftOut, Removal, SnapshotChange, Unplanned
from amiguard.core.planning import Planner, PlanWishes
from amiguard.core.remediation import HOLD_TAG
from amiguard.core.result import CheckResult, Status
from amiguard.core.trust import parse_trustee
from tests.fakes.images import OWNER, image
from tests.unit.planning_samples import FRIEND, HERE, OTHER, STRANGER, UNTRUSTED, finish, judged, rules, used_by
from tests.unit.snapshot_planning_samples import WISHES, plan_of, read

PUBLIC = "every AWS account may create volumes from it"


def accepting(image_id: str, *accounts: Account) -> Rules:
    trustees = tuple(parse_trustee(one.account_id) for one in accounts)
    return rules(exceptions=(ImageException(ImageSelector(ids=(image_id,)), trustees, "backup", "owner"),))


def test_untrusted_grantees_of_snapshots_are_removed() -> None:
    plan = plan_of(read(image("ami-1"), ("snap-2", [STRANGER, FRIEND]), ("snap-1", [Everyone()]), ("snap-3", [FRIEND])))
    first, second = plan.snapshot_changes
    assert (first.edit.key, first.edit.image_ids) == (f"{OWNER}/eu-central-1/snap-1", ("ami-1",))
    assert (first.edit.before, first.edit.after) == ((Everyone(),), ())
    assert first.removals == (Removal(Everyone(), PUBLIC),)
    assert (second.edit.snapshot_id, second.edit.after) == ("snap-2", (FRIEND,))
    assert second.removals == (Removal(STRANGER, UNTRUSTED),)
    assert (plan.left_out, plan.unplanned, plan.audited) == ((), (), Audited(0, 0))
    assert (plan.removals, plan.snapshot_removals) == (0, 2)


def test_nothing_is_planned_unless_it_is_wished_for() -> None:
    results = [read(image("ami-1"), ("snap-1", [STRANGER]), ("snap-2", Unreadable("denied")))]
    plan = plan_of(*results, wishes=PlanWishes())
    assert (plan.changes, plan.left_out, plan.unplanned) == ((), (), ())


def test_images_come_first_then_snapshots_then_the_switch() -> None:
    off = ami_block_public_access.evaluate(HERE, BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account"))
    later = image("ami-1", region="us-east-1")
    held = image("ami-3", tags=((HOLD_TAG, ""),))
    results = [
        off,
        read(later, ("snap-0", [STRANGER])),
        read(image("ami-1"), ("snap-2", [STRANGER]), ("snap-1", [STRANGER])),
        read(held, ("snap-4", [STRANGER])),
        judged(image("ami-2"), STRANGER),
        judged(held, STRANGER),
    ]
    plan = plan_of(*results, wishes=PlanWishes(snapshots=True, block_public_access=True))
    assert [change.edit.key.split("/", 1)[1] for change in plan.changes] == [
        "eu-central-1/ami-2",
        "eu-central-1/snap-1",
        "eu-central-1/snap-2",
        "eu-central-1/image-block-public-access",
        "us-east-1/snap-0",
    ]
    assert [(one.image_id, one.snapshot_id) for one in plan.left_out] == [("ami-3", None), ("ami-3", "snap-4")]


def test_what_one_image_accepts_stays_for_all() -> None:
    by = accepting("ami-2", STRANGER)
    plan = plan_of(
        read(image("ami-1", name="a"), ("snap-1", [STRANGER, OTHER]), by=by),
        read(image("ami-2"), ("snap-1", [OTHER, STRANGER]), by=by),
    )
    (change,) = plan.snapshot_changes
    assert (change.edit.image_ids, change.edit.after) == (("ami-1", "ami-2"), (STRANGER,))
    assert change.removals == (Removal(OTHER, UNTRUSTED),)
    reason = "it is under ami-2, too, which leaves 1 excepted grant (account: 1): accepted by owner: backup"
    assert plan.left_out == (LeftOut(HERE, "ami-1", "a", reason, "snap-1"),)


def test_a_hold_on_any_image_holds_the_snapshot() -> None:
    for tags, name, reason in (
        (((HOLD_TAG, "x"),), "b", "it has the tag amiguard:hold"),
        ((), "frozen", "it is in remediation.protected_images of the settings"),
    ):
        held = image("ami-2", name=name, tags=tags)
        plan = plan_of(
            read(image("ami-1"), ("snap-1", [STRANGER]), ("snap-2", [STRANGER])),
            read(held, ("snap-1", [STRANGER])),
            read(image("ami-3", tags=((HOLD_TAG, ""),)), ("snap-3", [FRIEND])),
            wishes=PlanWishes(snapshots=True, protected=(ImageSelector(names=("frozen",)),)),
        )
        assert [change.edit.snapshot_id for change in plan.snapshot_changes] == ["snap-2"]
        assert plan.left_out == (LeftOut(HERE, "ami-2", name, f"its image is not to be changed: {reason}", "snap-1"),)


def test_what_was_not_read_is_unplanned_once_and_the_rest_is_planned() -> None:
    denied = Unreadable("not permitted: ec2:DescribeSnapshotAttribute", "allow it")
    plan = plan_of(
        read(image("ami-1"), ("snap-1", denied), ("snap-2", [STRANGER])),
        read(image("ami-2"), ("snap-1", denied)),
        read(image("ami-3"), ("snap-3", [STRANGER])),
        read(image("ami-4"), ("snap-3", Unreadable("throttled"))),
    )
    assert [change.edit.snapshot_id for change in plan.snapshot_changes] == ["snap-2"]
    text = "who may create volumes from it could not be read: "
    assert plan.unplanned == (
        Unplanned(HERE, "ami-1", f"{text}not permitted: ec2:DescribeSnapshotAttribute (allow it)", "snap-1"),
        Unplanned(HERE, "ami-3", f"{text}throttled", "snap-3"),
    )


def test_a_snapshot_that_was_read_in_two_states_is_not_planned() -> None:
    plan = plan_of(
        read(image("ami-1"), ("snap-1", [STRANGER])),
        read(image("ami-2"), ("snap-1", [STRANGER, OTHER])),
    )
    assert plan.changes == ()
    assert [one.reason for one in plan.unplanned] == [
        "who may create volumes from it could not be read: it was changed while it was read"
    ]


def test_an_image_whose_snapshots_are_not_known_is_unplanned() -> None:
    pending = read(image("ami-1", state="pending"))
    cut = replace(
        read(image("ami-2"), ("snap-1", [STRANGER])), status=Status.UNKNOWN, snapshots=(), decisions=(), message="cut"
    )
    plan = plan_of(pending, cut, read(image("ami-3"), ("snap-1", [STRANGER])))
    assert plan.changes == ()
    assert plan.unplanned == (
        Unplanned(HERE, "ami-1", pending.message),
        Unplanned(HERE, "ami-2", "who may create volumes from it could not be read: cut", "snap-1"),
    )


def test_where_not_all_images_are_known_no_snapshot_is_changed() -> None:
    cut = target_unreadable(HERE, Unreadable("throttled"))
    elsewhere = image("ami-1", region="us-east-1")
    plan = plan_of(
        read(image("ami-1"), ("snap-1", [STRANGER])),
        cut,
        read(elsewhere, ("snap-1", [STRANGER])),
    )
    assert [change.edit.target.region for change in plan.snapshot_changes] == ["us-east-1"]
    reason = "not all images of the target are known, and another may have this snapshot"
    assert plan.unplanned == (Unplanned(HERE, "ami-1", reason, "snap-1"), Unplanned(HERE, None, cut.message))


def test_only_some_kinds_and_effects_while_everyone_stays() -> None:
    wishes = PlanWishes(snapshots=True, only=frozenset({GranteeKind.ACCOUNT}))
    plan = plan_of(read(image("ami-1"), ("snap-1", [Everyone(), STRANGER])), wishes=wishes)
    (change,) = plan.snapshot_changes
    reason = "still covered by everyone, which stays"
    assert change.removals == (Removal(STRANGER, UNTRUSTED, Effect.KEEPS_ACCESS, reason),)
    assert [one.reason for one in plan.left_out] == ["--only leaves 1 untrusted grant (everyone: 1)"]
    plan = plan_of(read(image("ami-1"), ("snap-1", [Everyone()])), wishes=wishes)
    assert (plan.changes, len(plan.left_out)) == ((), 1)


def test_named_images_decide_alone_and_the_plan_says_so() -> None:
    wishes = PlanWishes(snapshots=True, share_with_named=frozenset({"ami-1"}))
    (change,) = plan_of(read(image("ami-1"), ("snap-1", [STRANGER])), wishes=wishes).snapshot_changes
    note = "decided by the images that were named: others may have this snapshot, too"
    assert change.removals == (Removal(STRANGER, UNTRUSTED, notes=(note,)),)


def test_what_is_not_decided_or_not_understood_stays() -> None:
    odd = read(image("ami-1"), ("snap-1", [STRANGER, Unrecognized("group=some")]))
    undecided = replace(read(image("ami-2"), ("snap-2", [STRANGER])), decisions=(), message="rules unread")
    plan = plan_of(odd, undecided)
    assert plan.changes == ()
    assert plan.unplanned == (
        Unplanned(HERE, "ami-1", "it has a grant that this version does not know", "snap-1"),
        Unplanned(HERE, "ami-2", "1 undetermined grant (account: 1): rules unread", "snap-2"),
    )
    half = replace(read(image("ami-2"), ("snap-2", [STRANGER, OTHER])), message="half")
    half = replace(half, decisions=half.decisions[:1])
    plan = plan_of(half)
    assert [change.edit.after for change in plan.snapshot_changes] == [(STRANGER,)]
    assert [one.reason for one in plan.left_out] == [
        "only what is untrusted is removed, which leaves 1 undetermined grant (account: 1): half"
    ]


def test_use_of_the_image_holds_no_snapshot_back() -> None:
    results = judged(image("ami-1"), STRANGER), read(image("ami-1"), ("snap-1", [STRANGER]))
    plan = plan_of(*results, evidence=used_by(STRANGER))
    assert [type(change) for change in plan.changes] == [SnapshotChange]


@pytest.mark.parametrize("first", [True, False])
def test_the_later_reading_of_an_image_counts(*, first: bool) -> None:
    shared, private = read(image("ami-1"), ("snap-1", [STRANGER])), read(image("ami-1"), ("snap-1", []))
    plan = plan_of(*((private, shared) if first else (shared, private)))
    assert len(plan.changes) == first


GRANTS: st.SearchStrategy[Sequence[Grantee]] = st.lists(
    st.sampled_from([Everyone(), FRIEND, STRANGER, OTHER]), max_size=4, unique=True
)
UNREAD: st.SearchStrategy[Sequence[Grantee] | Unreadable] = st.just(Unreadable("denied"))
IMAGES = [image("ami-1"), image("ami-2"), image("ami-3", tags=((HOLD_TAG, ""),))]


@st.composite
def audits(draw: st.DrawFn) -> list[CheckResult]:
    """Three images that share three snapshots, each of which is read once; one image accepts some grantees."""
    names = ["snap-1", "snap-2", "snap-3"]
    permissions = {name: draw(GRANTS | UNREAD) for name in names}
    by = accepting("ami-2", *draw(st.lists(st.sampled_from([STRANGER, OTHER]), min_size=1, max_size=2, unique=True)))
    having = [sorted(draw(st.sets(st.sampled_from(names)))) for _ in IMAGES]
    return [
        read(one, *((name, permissions[name]) for name in mine), by=by)
        for one, mine in zip(IMAGES, having, strict=True)
    ]


@given(audits(), st.randoms(use_true_random=False))
def test_who_is_removed_is_untrusted_for_every_image_in_any_order(audit: list[CheckResult], random: Random) -> None:
    plan = plan_of(*audit)
    for change in plan.snapshot_changes:
        having = [one for one in audit if change.edit.snapshot_id in {each.snapshot_id for each in one.snapshots}]
        assert change.edit.image_ids == tuple(one.image.image_id for one in having if one.image)
        assert not any(one.image and one.image.tags for one in having)
        for removal in change.removals:
            for one in having:
                verdicts = {each.grantee: each.verdict for each in one.decisions}
                assert verdicts[removal.grantee] is Verdict.UNTRUSTED
    told = {one.snapshot_id for one in plan.left_out} | {one.snapshot_id for one in plan.unplanned}
    changed = {change.edit.snapshot_id: change.edit.after for change in plan.snapshot_changes}
    for result in audit:
        for snapshot in result.snapshots:
            if isinstance(snapshot.permission, Unreadable):
                assert snapshot.snapshot_id in told
                continue
            for grantee in changed.get(snapshot.snapshot_id, snapshot.permission):
                assert result.image is not None
                untrusted = {one.grantee for one in result.decisions if one.verdict is Verdict.UNTRUSTED}
                assert grantee not in untrusted or snapshot.snapshot_id in told
    random.shuffle(audit)
    assert plan_of(*audit) == plan


def test_nothing_is_planned_where_results_do_not_speak_of_all_images() -> None:
    planner = Planner(WISHES, lambda _: rules())
    planner.note_gaps()
    planner.note(read(image("ami-1"), ("snap-1", [STRANGER])))
    plan = finish(planner)
    assert plan.changes == ()
    (unplanned,) = plan.unplanned
    assert unplanned.reason == "not all images of the target are known, and another may have this snapshot"
