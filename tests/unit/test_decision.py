"""The rules of trust, each by example."""

from datetime import date

import pytest

from amiguard.core.decision import Verdict, decide, policy_digest, rules_in_force
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import Everyone, Grantee, Unrecognized, parse_grant
from amiguard.core.organization import (
    Members,
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER, image

TODAY = date(2026, 6, 15)
OWN = "o-ownownownown"
FOREIGN = "o-foreignforeign"
MANAGER = "999999999999"
PARENT, CHILD, OTHER = "ou-root-parent00", "ou-root-child000", "ou-root-other000"
MEMBERS = Members(
    accounts={"111111111111": (PARENT, CHILD), "222222222222": (OTHER,), OWNER: ()},
    units={PARENT: (), CHILD: (PARENT,), OTHER: ()},
)
READ = OwnOrganization(OWN, MANAGER, MEMBERS)
UNREAD_MEMBERS = OwnOrganization(OWN, MANAGER, MembersUnread("not permitted: organizations:ListAccounts"))
UNREAD = OrganizationUnread("not permitted: organizations:DescribeOrganization")


def account(account_id: str) -> Grantee:
    return parse_grant([("userId", account_id)])[0]


def organization(organization_id: str, manager: str = MANAGER) -> Grantee:
    return parse_grant([("organizationArn", f"arn:aws:organizations::{manager}:organization/{organization_id}")])[0]


def unit(unit_id: str, organization_id: str = OWN, manager: str = MANAGER) -> Grantee:
    return parse_grant([("organizationalUnitArn", f"arn:aws:organizations::{manager}:ou/{organization_id}/{unit_id}")])[
        0
    ]


def verdict(grantee: Grantee, *trusted: str, view: OrganizationView = READ) -> str:
    policy = TrustPolicy(tuple(TrustEntry(parse_trustee(one)) for one in trusted))
    return decide(grantee, image(), rules_in_force(policy, (), today=TODAY, organization=view)).verdict.value


VIEWS = [READ, UNREAD_MEMBERS, UNREAD, NoOrganization()]


@pytest.mark.parametrize("view", VIEWS)
def test_rules_that_need_no_organization(view: OrganizationView) -> None:
    assert verdict(account(OWNER), view=view) == "trusted"
    assert verdict(Everyone(), OWNER, "own", view=view) == "untrusted"
    assert verdict(Unrecognized("x=y"), "own", view=view) == "undetermined"
    assert verdict(account("333333333333"), "333333333333", view=view) == "trusted"
    assert verdict(account("333333333333"), "111111111111", view=view) == "untrusted"
    assert verdict(organization(FOREIGN), FOREIGN, view=view) == "trusted"
    assert verdict(organization(FOREIGN), "111111111111", view=view) == "untrusted"
    assert verdict(unit(CHILD, FOREIGN), FOREIGN, view=view) == "trusted"
    assert verdict(unit(CHILD, FOREIGN), f"{FOREIGN}/{CHILD}", view=view) == "trusted"


@pytest.mark.parametrize(
    ("trusted", "view", "expected"),
    [
        ("own", READ, "trusted"),
        (OWN, READ, "trusted"),
        (f"arn:aws:organizations::{MANAGER}:organization/{OWN}", READ, "trusted"),
        (PARENT, READ, "trusted"),
        (f"{OWN}/{CHILD}", READ, "trusted"),
        (OTHER, READ, "untrusted"),
        (FOREIGN, READ, "untrusted"),
        (f"{FOREIGN}/{CHILD}", READ, "untrusted"),
        ("own", UNREAD_MEMBERS, "undetermined"),
        (OWN, UNREAD_MEMBERS, "undetermined"),
        (OTHER, UNREAD_MEMBERS, "undetermined"),
        (FOREIGN, UNREAD_MEMBERS, "untrusted"),
        (f"arn:aws:organizations::888888888888:organization/{OWN}", UNREAD_MEMBERS, "untrusted"),
        ("own", UNREAD, "undetermined"),
        (FOREIGN, UNREAD, "undetermined"),
        (f"{FOREIGN}/{CHILD}", UNREAD, "undetermined"),
        ("own", NoOrganization(), "untrusted"),
        (FOREIGN, NoOrganization(), "untrusted"),
    ],
)
def test_an_account_is_trusted_as_a_member_only_where_members_were_read(
    trusted: str, view: OrganizationView, expected: str
) -> None:
    assert verdict(account("111111111111"), trusted, view=view) == expected


def test_an_account_that_left_the_organization_is_untrusted() -> None:
    assert verdict(account("777777777777"), "own", OWN, PARENT) == "untrusted"


@pytest.mark.parametrize(
    ("grantee", "trusted", "view", "expected"),
    [
        (organization(OWN), "own", READ, "trusted"),
        (organization(OWN), "own", UNREAD_MEMBERS, "trusted"),
        (organization(OWN), "own", UNREAD, "undetermined"),
        (organization(OWN), "own", NoOrganization(), "untrusted"),
        (organization(FOREIGN), "own", READ, "untrusted"),
        (organization(OWN), f"arn:aws:organizations::{MANAGER}:organization/{OWN}", UNREAD, "trusted"),
        (organization(OWN), f"arn:aws:organizations::888888888888:organization/{OWN}", READ, "untrusted"),
        (organization(OWN, "888888888888"), "own", READ, "untrusted"),
        (organization(OWN), PARENT, READ, "untrusted"),
        (organization(OWN), f"{OWN}/{PARENT}", UNREAD, "untrusted"),
    ],
)
def test_an_organization_grant(grantee: Grantee, trusted: str, view: OrganizationView, expected: str) -> None:
    assert verdict(grantee, trusted, view=view) == expected


@pytest.mark.parametrize(
    ("grantee", "trusted", "view", "expected"),
    [
        (unit(CHILD), CHILD, READ, "trusted"),
        (unit(CHILD), PARENT, READ, "trusted"),
        (unit(PARENT), CHILD, READ, "untrusted"),
        (unit(CHILD), OTHER, READ, "untrusted"),
        (unit(CHILD), "own", READ, "trusted"),
        (unit(CHILD), "own", UNREAD_MEMBERS, "trusted"),
        (unit(CHILD), f"{OWN}/{CHILD}", UNREAD, "trusted"),
        # An ancestor may be trusted: nobody read the units above.
        (unit(CHILD), PARENT, UNREAD_MEMBERS, "undetermined"),
        (unit(CHILD), f"{OWN}/{PARENT}", UNREAD, "undetermined"),
        (unit(CHILD, FOREIGN), f"{FOREIGN}/{PARENT}", READ, "undetermined"),
        (unit(CHILD, FOREIGN), PARENT, READ, "untrusted"),
        (unit(CHILD, FOREIGN), PARENT, UNREAD, "undetermined"),
        (unit(CHILD), PARENT, NoOrganization(), "untrusted"),
        (unit("ou-root-newnewnew"), PARENT, READ, "undetermined"),
        (unit(CHILD), f"arn:aws:organizations::888888888888:ou/{OWN}/{CHILD}", READ, "untrusted"),
        # Its present members may all be trusted: others may join.
        (unit(CHILD), "111111111111", READ, "untrusted"),
    ],
)
def test_a_unit_grant(grantee: Grantee, trusted: str, view: OrganizationView, expected: str) -> None:
    assert verdict(grantee, trusted, view=view) == expected


def reason(
    grantee: Grantee, *entries: TrustEntry, exceptions: tuple[ImageException, ...] = (), view: OrganizationView = READ
) -> str:
    return decide(
        grantee, image(), rules_in_force(TrustPolicy(entries), exceptions, today=TODAY, organization=view)
    ).reason


def entry(trusted: str, name: str | None = None, expires: date | None = None) -> TrustEntry:
    return TrustEntry(parse_trustee(trusted), name=name, expires=expires)


def accepted(expires: date | None = None) -> ImageException:
    return ImageException(
        ImageSelector(names=("*",)), AnyGrantee(), reason="marketplace", owner="web@example.com", expires=expires
    )


def test_reasons_can_be_read() -> None:
    one = account("111111111111")
    assert reason(one) == "not in the trust policy"
    assert reason(account(OWNER)) == "the image's own account"
    assert reason(Everyone()) == "every AWS account may launch it"
    assert reason(one, entry("111111111111", "Staging")) == "trusted: account 111111111111 (Staging)"
    assert reason(one, entry("111111111111", None, TODAY)) == "trusted: account 111111111111, until 2026-06-15"
    assert reason(one, entry("own")) == "trusted: member of own"
    assert reason(unit(CHILD), entry(PARENT, "Prod")) == "trusted: nested in unit ou-root-parent00 (Prod)"
    assert reason(one, entry("111111111111", "Old", date(2026, 6, 14))) == (
        "not in the trust policy; its trust (account 111111111111 (Old)) lapsed after 2026-06-14"
    )
    assert reason(one, entry("own"), view=UNREAD_MEMBERS) == (
        "own is trusted, and its members are not known: not permitted: organizations:ListAccounts"
    )
    assert reason(one, exceptions=(accepted(),)) == "accepted by web@example.com: marketplace"
    assert reason(one, exceptions=(accepted(date(2026, 6, 14)),)) == (
        "not in the trust policy; the exception of web@example.com lapsed after 2026-06-14"
    )


def test_an_entry_counts_through_its_last_day() -> None:
    policy = TrustPolicy((entry("111111111111", expires=date(2026, 6, 15)),))
    for today, expected in [(date(2026, 6, 15), Verdict.TRUSTED), (date(2026, 6, 16), Verdict.UNTRUSTED)]:
        rules = rules_in_force(policy, (), today=today, organization=READ)
        assert decide(account("111111111111"), image(), rules).verdict is expected


def test_an_exception_never_replaces_trust() -> None:
    rules = rules_in_force(TrustPolicy((entry("111111111111"),)), (accepted(),), today=TODAY, organization=READ)
    assert decide(account("111111111111"), image(), rules).verdict is Verdict.TRUSTED
    assert decide(Unrecognized("x"), image(), rules).verdict is Verdict.EXCEPTED


def test_the_digest_is_of_what_decides() -> None:
    one, two = entry("111111111111", "A"), entry("o-abcdefghij")
    digest = policy_digest(TrustPolicy((one, two)), (accepted(),))
    assert digest == policy_digest(TrustPolicy((two, entry("111111111111", "B"))), (accepted(),))
    others = {
        digest,
        policy_digest(TrustPolicy((one,)), (accepted(),)),
        policy_digest(TrustPolicy((one, two)), ()),
        policy_digest(TrustPolicy((one, two)), (accepted(TODAY),)),
        policy_digest(TrustPolicy((one, entry("o-abcdefghij", expires=TODAY))), (accepted(),)),
        policy_digest(TrustPolicy((one, entry("o-abcdefghij/ou-ab12-cdefghij"))), (accepted(),)),
    }
    assert len(others) == 6
