"""Planning for one image: its change, and the removals that are left out because an account uses the image by them."""

from collections.abc import Sequence

from amiguard.core.decision import Decision
from amiguard.core.edit import LaunchPermissionEdit, in_order
from amiguard.core.effects import effect_of
from amiguard.core.evidence import Evidence
from amiguard.core.grantee import Account, Grantee
from amiguard.core.image import Image
from amiguard.core.image_use import use_of_removals
from amiguard.core.organization import OrganizationView
from amiguard.core.plan import Addition, ImageChange, InUse, LeftOut, Removal
from amiguard.core.plan_words import named, use_in_words
from amiguard.core.removal_notes import notes_on
from amiguard.core.result import CheckResult


def plan_image(
    image: Image,
    result: CheckResult,
    evidence: Evidence | None,
    organization: OrganizationView,
    *,
    additions: Sequence[Addition],
    removed: Sequence[Decision],
    revoke_in_use: bool,
) -> tuple[ImageChange | None, tuple[LeftOut, ...]]:
    """What is to change in one image.

    Args:
        image: which may be changed.
        result: what was decided about it.
        evidence: of it, if any was asked for.
        organization: what is known of the organization of the image's account.
        additions: the grantees to add.
        removed: the decisions of the grantees to remove.
        revoke_in_use: whether access is taken from accounts that use the image, too.

    Returns:
        The change, None if nothing is to change; and the removals that are left out.
    """
    before = {one.grantee for one in result.decisions}
    staying = (before | {one.grantee for one in additions}) - {one.grantee for one in removed}
    uses = use_of_removals(
        evidence.usage if evidence else None,
        [one.grantee for one in removed],
        staying,
        organization,
        owner=image.account_id,
        revoke=revoke_in_use,
    )
    kept = {} if revoke_in_use else {grantee: use for grantee, use in uses.items() if isinstance(use, InUse)}
    after = in_order(staying | kept.keys())
    # Accounts cover nobody but themselves: without them, hundreds of removals are quick to judge.
    wide = [grantee for grantee in after if not isinstance(grantee, Account)]

    def removal(one: Decision) -> Removal:
        others = [grantee for grantee in wide if grantee != one.grantee]
        effect = effect_of(one.grantee, others, organization)
        return Removal(one.grantee, one.reason, *effect, uses[one.grantee], notes_on(one.grantee, evidence))

    every = [removal(one) for one in removed]
    left_out = tuple(
        LeftOut(result.target, image.image_id, image.name, _why_left_out(one.grantee, use), removal=one)
        for one in every
        if (use := kept.get(one.grantee))
    )
    removals = tuple(one for one in every if one.grantee not in kept)
    if not (additions or removals):
        return None, left_out
    edit = LaunchPermissionEdit(result.target, image.image_id, image.name, in_order(before), after)
    return ImageChange(edit, tuple(additions), removals), left_out


def _why_left_out(grantee: Grantee, use: InUse) -> str:
    stays = "" if isinstance(grantee, Account) else f"{named(grantee)} stays: "
    return f"{stays}{use_in_words(use)}; --revoke-in-use takes it back all the same"
