"""What removals change: by example, against the truth of random organizations, and in sum."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.edit import LaunchPermissionEdit, in_order
from amiguard.core.effects import BlastRadius, blast_radius, effect_of
from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    Organization,
    OrganizationalUnit,
    Unrecognized,
    parse_grant,
)
from amiguard.core.organization import (
    Members,
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)
from amiguard.core.plan import Audited, Effect, ImageChange, Plan, Removal
from amiguard.core.result import Target

OWN, FOREIGN, MANAGER = "o-ownownownown", "o-foreignforeign", "999999999999"
PARENT, CHILD, OTHER, GONE = "ou-root-parent00", "ou-root-child000", "ou-root-other000", "ou-root-gone0000"
INSIDE, BESIDE, OUTSIDE = "111111111111", "222222222222", "333333333333"
READ = OwnOrganization(
    OWN,
    MANAGER,
    Members({INSIDE: (PARENT, CHILD), BESIDE: (OTHER,), MANAGER: ()}, {PARENT: (), CHILD: (PARENT,), OTHER: ()}),
)
MEMBERS_UNREAD = OwnOrganization(OWN, MANAGER, MembersUnread("not permitted"))
UNREAD = OrganizationUnread("not permitted")
LOSES, KEEPS, MAY_KEEP = Effect.LOSES_ACCESS, Effect.KEEPS_ACCESS, Effect.MAY_KEEP_ACCESS


def organization(organization_id: str = OWN, manager: str = MANAGER) -> Grantee:
    return parse_grant([("organizationArn", f"arn:aws:organizations::{manager}:organization/{organization_id}")])[0]


def unit(unit_id: str, organization_id: str = OWN, manager: str = MANAGER) -> Grantee:
    arn = f"arn:aws:organizations::{manager}:ou/{organization_id}/{unit_id}"
    return parse_grant([("organizationalUnitArn", arn)])[0]


@pytest.mark.parametrize(
    ("removed", "stays", "view", "expected"),
    [
        (Account(OUTSIDE), Account(INSIDE), READ, LOSES),
        (Account(OUTSIDE), Everyone(), READ, KEEPS),
        (Account(OUTSIDE), Unrecognized("group=some"), READ, MAY_KEEP),
        # Accounts below organizations and units.
        (Account(INSIDE), organization(), READ, KEEPS),
        (Account(MANAGER), organization(), READ, KEEPS),
        (Account(OUTSIDE), organization(), READ, LOSES),
        (Account(INSIDE), organization(), MEMBERS_UNREAD, MAY_KEEP),
        (Account(INSIDE), organization(), UNREAD, MAY_KEEP),
        (Account(INSIDE), organization(), NoOrganization(), MAY_KEEP),
        (Account(INSIDE), organization(FOREIGN), READ, MAY_KEEP),
        (Account(INSIDE), organization(OWN, OUTSIDE), READ, MAY_KEEP),
        (Account(INSIDE), unit(PARENT), READ, KEEPS),
        (Account(INSIDE), unit(CHILD), READ, KEEPS),
        (Account(INSIDE), unit(OTHER), READ, LOSES),
        (Account(MANAGER), unit(OTHER), READ, LOSES),
        (Account(INSIDE), unit(PARENT), MEMBERS_UNREAD, MAY_KEEP),
        (Account(INSIDE), unit(PARENT, FOREIGN), READ, MAY_KEEP),
        # Units below organizations and units.
        (unit(CHILD), organization(), UNREAD, KEEPS),
        (unit(CHILD, FOREIGN), organization(FOREIGN), READ, KEEPS),
        (unit(CHILD, FOREIGN), organization(), READ, LOSES),
        (unit(CHILD), unit(PARENT), READ, KEEPS),
        (unit(PARENT), unit(CHILD), READ, LOSES),
        (unit(CHILD), unit(CHILD, manager=OUTSIDE), READ, KEEPS),
        (unit(GONE), unit(PARENT), READ, MAY_KEEP),
        (unit(CHILD), unit(PARENT), MEMBERS_UNREAD, MAY_KEEP),
        (unit(CHILD, FOREIGN), unit(PARENT, FOREIGN), READ, MAY_KEEP),
        (unit(CHILD, FOREIGN), unit(PARENT), READ, LOSES),
        (unit(CHILD), Account(INSIDE), READ, LOSES),
        (unit(CHILD), Everyone(), UNREAD, KEEPS),
        # Organizations and everyone are wider than what stays.
        (organization(), unit(PARENT), READ, LOSES),
        (organization(), organization(FOREIGN), READ, LOSES),
        (organization(), organization(OWN, OUTSIDE), READ, KEEPS),
        (organization(), Everyone(), READ, KEEPS),
        (Everyone(), organization(), READ, LOSES),
        (Everyone(), Account(INSIDE), READ, LOSES),
        (Everyone(), Unrecognized("group=some"), READ, LOSES),
    ],
)
def test_one_grant_that_stays(removed: Grantee, stays: Grantee, view: OrganizationView, expected: Effect) -> None:
    effect, reason = effect_of(removed, [stays], view)
    assert effect is expected
    assert bool(reason) is (expected is not LOSES)


def test_a_certain_cover_outweighs_a_doubtful_one_and_the_reason_names_the_grant() -> None:
    stays = [organization(FOREIGN), unit(PARENT), unit(GONE, FOREIGN), Unrecognized("group=some")]
    assert effect_of(Account(INSIDE), stays, READ) == (
        KEEPS,
        f"still covered by unit {OWN}/{PARENT}, which stays",
    )
    assert effect_of(Account(OUTSIDE), stays, READ) == (
        MAY_KEEP,
        f"perhaps still covered by organization {FOREIGN}, unit {FOREIGN}/{GONE}, "
        "a grant that this version does not know (group=some), which stay",
    )
    assert effect_of(Account(OUTSIDE), [Everyone()], READ) == (KEEPS, "still covered by everyone, which stays")
    assert effect_of(Account(OUTSIDE), [], READ) == (LOSES, "")


# Two organizations with one tree each; what is known of them may be less than the truth.
TREE = {PARENT: (), CHILD: (PARENT,), OTHER: ()}
places = st.one_of(
    st.none(),
    st.tuples(st.sampled_from([OWN, FOREIGN]), st.sampled_from([(), *((*above, one) for one, above in TREE.items())])),
)
Truth = dict[str, tuple[str, tuple[str, ...]] | None]
truths: st.SearchStrategy[Truth] = st.fixed_dictionaries(dict.fromkeys((INSIDE, BESIDE, OUTSIDE), places))
organizations = st.sampled_from([OWN, FOREIGN])
grantees = st.one_of(
    st.just(Everyone()),
    st.sampled_from([INSIDE, BESIDE, OUTSIDE]).map(Account),
    st.builds(organization, organizations),
    st.builds(unit, st.sampled_from(list(TREE)), organizations),
)


def view_of(truth: Truth, own: str | None, *, complete: bool) -> OrganizationView:
    if own is None:
        return NoOrganization() if complete else UNREAD
    accounts = {one: place[1] for one, place in truth.items() if place and place[0] == own}
    return OwnOrganization(own, MANAGER, Members(accounts, TREE) if complete else MembersUnread("not permitted"))


def reaches(grant: Grantee, account_id: str, truth: Truth) -> bool:
    place = truth[account_id]
    match grant:
        case Everyone():
            return True
        case Account(granted):
            return granted == account_id
        case Organization(organization_id=wanted):
            return place is not None and place[0] == wanted
        case OrganizationalUnit(organization_id=wanted, unit_id=unit_id):
            return place is not None and place[0] == wanted and unit_id in place[1]
        case _:
            return False


@given(truths, st.none() | organizations, st.booleans(), st.lists(grantees, max_size=4), st.sampled_from(list(TREE)))
def test_what_is_said_to_be_certain_is_true(
    truth: Truth,
    own: str | None,
    complete: bool,  # noqa: FBT001 - hypothesis passes it by name
    stays: list[Grantee],
    unit_id: str,
) -> None:
    view = view_of(truth, own, complete=complete)
    for account_id in truth:
        rest = [one for one in stays if one != Account(account_id)]
        effect, _ = effect_of(Account(account_id), rest, view)
        may_launch = any(reaches(one, account_id, truth) for one in rest)
        assert effect is MAY_KEEP or (effect is KEEPS) == may_launch
        if complete and own and all(getattr(one, "organization_id", own) == own for one in rest):
            assert effect is not MAY_KEEP
    rest = [one for one in stays if one != unit(unit_id)]
    effect, _ = effect_of(unit(unit_id), rest, view)
    if effect is KEEPS:
        below = [one for one in truth if reaches(unit(unit_id), one, truth)]
        assert all(any(reaches(grant, one, truth) for grant in rest) for one in below)


def change(image_id: str, removals: list[Removal], *stays: Grantee) -> ImageChange:
    before = in_order([*stays, *(one.grantee for one in removals)])
    edit = LaunchPermissionEdit(Target("1" * 12, "eu-central-1", "aws"), image_id, "", before, in_order(stays))
    return ImageChange(edit, (), tuple(removals))


def test_the_blast_radius() -> None:
    then = datetime(2026, 6, 15, tzinfo=UTC)
    changes = (
        change("ami-1", [Removal(Everyone(), "r"), Removal(Account(OUTSIDE), "r"), Removal(organization(), "r")]),
        change("ami-2", [Removal(Account(OUTSIDE), "r"), Removal(Account(INSIDE), "r", MAY_KEEP, "x")], organization()),
        change("ami-3", [Removal(Account(INSIDE), "r", KEEPS, "x"), Removal(Account(BESIDE), "r")], organization()),
        change("ami-4", [Removal(unit(CHILD), "r"), Removal(unit(OTHER), "r", KEEPS, "x")]),
        change("ami-5", [Removal(Everyone(), "r")], Account(INSIDE)),
    )
    plan = Plan("id", then, then, "1", "arn", "1" * 12, "digest", Audited(9, 20), changes)
    assert blast_radius(plan) == BlastRadius(
        images=5,
        made_private=2,
        no_longer_public=1,
        grants_removed=10,
        grants_added=0,
        everyone=True,
        accounts=(BESIDE, OUTSIDE),
        organizations=(f"arn:aws:organizations::{MANAGER}:organization/{OWN}",),
        units=(f"arn:aws:organizations::{MANAGER}:ou/{OWN}/{CHILD}",),
        images_without_effect=2,
        images_uncertain=1,
    )
