"""What removals change: for the one who is removed, while other grants stay, and for a whole plan (its blast radius).

Source: EC2 User Guide, "Manage AMI sharing with an organization or OU": an account that a shared organization or unit
contains keeps access when it is removed; and its page share-amis-with-organizations-and-OUs: a shared unit reaches all
units and accounts below it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    GranteeKind,
    Organization,
    OrganizationalUnit,
    Unrecognized,
    grantee_id,
    grantee_kind,
)
from amiguard.core.organization import Members, OrganizationView, OwnOrganization
from amiguard.core.plan import Effect, ImageChange, Plan, Removal
from amiguard.core.plan_words import named


def effect_of(removed: Grantee, staying: Iterable[Grantee], organization: OrganizationView) -> tuple[Effect, str]:
    """What the removal of a grantee changes for it.

    Everyone, once removed, loses access, and so does an organization of which only units stay: what a grant that stays
    names keeps access on its own account.

    Args:
        removed: who is taken away.
        staying: all grantees of the image afterwards.
        organization: what is known of the organization of the image's account.

    Returns:
        The effect, and which grant still covers it, or may; the words hold what AWS returned: neutralise them before
        they are shown.
    """
    doubts: list[str] = []
    for one in staying:
        match _still_covers(removed, one, organization):
            case Effect.KEEPS_ACCESS:
                return Effect.KEEPS_ACCESS, f"still covered by {named(one)}, which stays"
            case Effect.MAY_KEEP_ACCESS:
                doubts.append(named(one))
            case Effect.LOSES_ACCESS:
                pass
            case unreachable:
                assert_never(unreachable)
    if doubts:
        stay = "stays" if len(doubts) == 1 else "stay"
        return Effect.MAY_KEEP_ACCESS, f"perhaps still covered by {', '.join(doubts)}, which {stay}"
    return Effect.LOSES_ACCESS, ""


def _still_covers(removed: Grantee, staying: Grantee, organization: OrganizationView) -> Effect:
    """What one grant that stays means for the one who is removed."""
    match removed, staying:
        case (Everyone(), _) | (_, Account()):
            return Effect.LOSES_ACCESS
        case _, Everyone():
            return Effect.KEEPS_ACCESS
        case _, Unrecognized():
            # Whom it covers is not known, so neither is that it does not.
            return Effect.MAY_KEEP_ACCESS
        case Account(account_id), (Organization() | OrganizationalUnit()) as wider:
            return _covers_member(account_id, wider, organization)
        case (Organization() | OrganizationalUnit()) as inner, (Organization() | OrganizationalUnit()) as wider:
            return _covers_group(inner, wider, organization)
        case _:
            return Effect.LOSES_ACCESS


def _covers_member(account_id: str, wider: Organization | OrganizationalUnit, organization: OrganizationView) -> Effect:
    members = _known_members(wider, organization)
    if members is None:
        return Effect.MAY_KEEP_ACCESS
    above = members.accounts.get(account_id)
    return _when(above is not None and (isinstance(wider, Organization) or wider.unit_id in above))


def _covers_group(
    inner: Organization | OrganizationalUnit,
    wider: Organization | OrganizationalUnit,
    organization: OrganizationView,
) -> Effect:
    if inner.organization_id != wider.organization_id:
        return Effect.LOSES_ACCESS
    if isinstance(wider, Organization):
        return Effect.KEEPS_ACCESS
    if isinstance(inner, Organization):
        return Effect.LOSES_ACCESS
    if inner.unit_id == wider.unit_id:
        return Effect.KEEPS_ACCESS
    members = _known_members(wider, organization)
    above = members.units.get(inner.unit_id) if members else None
    return Effect.MAY_KEEP_ACCESS if above is None else _when(wider.unit_id in above)


def _when(covered: bool) -> Effect:  # noqa: FBT001 - the answer to the question that calls it
    return Effect.KEEPS_ACCESS if covered else Effect.LOSES_ACCESS


def _known_members(grantee: Organization | OrganizationalUnit, organization: OrganizationView) -> Members | None:
    """The members of the organization that a grant names: known of the own one, if it was read completely."""
    match organization:
        case OwnOrganization(grantee.organization_id, grantee.management_account_id, Members() as members):
            return members
        case _:
            return None


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What a plan does, in sum.

    Attributes:
        images: how many are changed.
        made_private: of these, how many are left without any grant.
        no_longer_public: how many others everyone may launch no more.
        grants_removed: how many grants are taken away, those without effect included.
        grants_added: how many are added.
        everyone: whether everyone loses access to an image.
        accounts: ids of the accounts that lose access to an image, for certain; sorted.
        organizations: ARNs of the organizations that do.
        units: ARNs of the organizational units that do.
        images_without_effect: on how many images a removal changes nothing, since a grant that stays covers it.
        images_uncertain: on how many it is not known whether a removal changes anything.
    """

    images: int
    made_private: int
    no_longer_public: int
    grants_removed: int
    grants_added: int
    everyone: bool
    accounts: tuple[str, ...]
    organizations: tuple[str, ...]
    units: tuple[str, ...]
    images_without_effect: int
    images_uncertain: int


def blast_radius(plan: Plan) -> BlastRadius:
    """Sum up what the image changes of a plan do."""
    changes = tuple(plan.image_changes)
    return BlastRadius(
        images=len(changes),
        made_private=sum(not change.edit.after for change in changes),
        no_longer_public=sum(_ends_public(change) and bool(change.edit.after) for change in changes),
        grants_removed=plan.removals,
        grants_added=sum(len(change.additions) for change in changes),
        everyone=any(map(_ends_public, changes)),
        accounts=_losing(plan, GranteeKind.ACCOUNT),
        organizations=_losing(plan, GranteeKind.ORGANIZATION),
        units=_losing(plan, GranteeKind.ORGANIZATIONAL_UNIT),
        images_without_effect=sum(_has(change.removals, Effect.KEEPS_ACCESS) for change in changes),
        images_uncertain=sum(_has(change.removals, Effect.MAY_KEEP_ACCESS) for change in changes),
    )


def _ends_public(change: ImageChange) -> bool:
    return any(isinstance(removal.grantee, Everyone) for removal in change.removals)


def _losing(plan: Plan, kind: GranteeKind) -> tuple[str, ...]:
    removals = (removal for change in plan.image_changes for removal in change.removals)
    losing = (one.grantee for one in removals if one.effect is Effect.LOSES_ACCESS)
    return tuple(sorted({grantee_id(grantee) for grantee in losing if grantee_kind(grantee) is kind}))


def _has(removals: Iterable[Removal], effect: Effect) -> bool:
    return any(removal.effect is effect for removal in removals)
