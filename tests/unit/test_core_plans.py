"""Corners of planning and reviewing: what was named decides, and what nobody knows is left unsaid."""

import pytest

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.checks import ami_block_public_access
from amiguard.core.grantee import GranteeKind, Organization
from amiguard.core.planning import PlanWishes
from amiguard.core.result import Target
from amiguard.core.review_types import ReviewKind
from tests.fakes.images import OWNER, image
from tests.unit import planning_samples as planning
from tests.unit import review_samples as review
from tests.unit import snapshot_planning_samples as snapshots


@pytest.mark.parametrize(
    ("named", "regions"),
    [(frozenset[str](), ["eu-central-1", "us-east-1"]), (frozenset({"ami-1"}), ["eu-central-1"])],
)
def test_where_images_are_named_only_their_targets_are_switched(named: frozenset[str], regions: list[str]) -> None:
    off = BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account")
    switches = [
        ami_block_public_access.evaluate(Target(OWNER, region, "aws"), off) for region in ("us-east-1", "eu-central-1")
    ]
    wishes = PlanWishes(share_with=(planning.FRIEND,), share_with_named=named, block_public_access=True)

    plan = planning.plan_of([*switches, planning.judged(image("ami-1"), planning.FRIEND)], wishes)

    assert [change.edit.target.region for change in plan.changes] == regions


def test_only_says_nothing_where_it_leaves_nothing() -> None:
    wishes = PlanWishes(snapshots=True, only=frozenset({GranteeKind.ACCOUNT}))

    plan = snapshots.plan_of(snapshots.read(image("ami-1"), ("snap-1", [planning.STRANGER])), wishes=wishes)

    assert [change.edit.snapshot_id for change in plan.snapshot_changes] == ["snap-1"]
    assert plan.left_out == ()


def test_the_own_organization_untrusted_is_a_candidate_without_a_name() -> None:
    own = Organization(f"{review.ARN}:organization/{review.ORGANIZATION}", review.ORGANIZATION, review.MANAGER)

    found = review.reviewed(review.placed(), review.known(review.directory()), [review.result(1, own)])

    assert [(one.kind, one.subject, one.name) for one in found.findings] == [
        (ReviewKind.UNTRUSTED_MEMBER, own.arn, None)
    ]
    assert f"amiguard trust add {own.arn};" in found.findings[0].mend


def test_whether_entries_of_an_unknown_own_organization_are_covered_is_not_guessed() -> None:
    policy = review.placed(review.entry("own"), review.entry(review.OUTER), review.entry(review.ORGANIZATION))

    found = review.reviewed(policy, review.known())

    assert not review.found(found, ReviewKind.REDUNDANT)
