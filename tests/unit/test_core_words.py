"""What the core says and seals, word by word: reports, plans and journals carry these texts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from amiguard.core.checks.ami_cross_account_access import evaluate, target_unreadable
from amiguard.core.coverage import Coverage, Covered, MayCover, NotCovered, coverage
from amiguard.core.decision import decide, policy_digest, rules_in_force
from amiguard.core.exception import (
    AcceptedGrantee,
    AnyGrantee,
    ImageException,
    ImageSelector,
    TagSelector,
    parse_accepted_grantee,
)
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized, parse_grant
from amiguard.core.image import LaunchPermission, PermissionRemoved, PermissionState, Unreadable
from amiguard.core.organization import (
    Members,
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)
from amiguard.core.result import CheckResult, Severity, Status, Target
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER, image

TODAY = date(2026, 6, 15)
OWN, MANAGER = "o-ownownownown", "999999999999"
PARENT, CHILD, OTHER = "ou-root-parent00", "ou-root-child000", "ou-root-other000"
READ = OwnOrganization(
    OWN, MANAGER, Members({"111111111111": (PARENT, CHILD)}, {PARENT: (), CHILD: (PARENT,), OTHER: ()})
)
UNREAD_MEMBERS = OwnOrganization(OWN, MANAGER, MembersUnread("no members"))
UNREAD = OrganizationUnread("no organization")
FRIEND, STRANGER = Account("222222222222"), Account("333333333333")
ACCEPTED = ImageException(ImageSelector(names=("public-*",)), AnyGrantee(), "marketplace", "web")
ORGANIZATION = parse_grant([("organizationArn", f"arn:aws:organizations::{MANAGER}:organization/{OWN}")])[0]
UNIT = parse_grant([("organizationalUnitArn", f"arn:aws:organizations::{MANAGER}:ou/{OWN}/{CHILD}")])[0]


@pytest.mark.parametrize(
    ("permission", "name", "status", "severity", "message"),
    [
        (LaunchPermission(()), "a", Status.PASS, Severity.INFORMATIONAL, "It is not shared."),
        (LaunchPermission((FRIEND, Account(OWNER))), "a", Status.PASS, Severity.INFORMATIONAL,
         "It is shared with trusted grantees only (2)."),
        (PermissionRemoved(), "a", Status.PASS, Severity.INFORMATIONAL,
         "The image is disabled: AWS has removed its launch permission."),
        (LaunchPermission((STRANGER, FRIEND)), "a", Status.FAIL, Severity.HIGH,
         "Not trusted, and may launch it: 1 account."),
        (LaunchPermission((STRANGER, Everyone())), "a", Status.FAIL, Severity.CRITICAL,
         "Not trusted, and may launch it: everyone and 1 account."),
        (LaunchPermission((STRANGER,)), "public-a", Status.SUPPRESSED, Severity.HIGH,
         "Accepted by an exception, and may launch it: 1 account."),
        (LaunchPermission((Everyone(),)), "public-a", Status.SUPPRESSED, Severity.CRITICAL,
         "Accepted by an exception, and may launch it: everyone."),
        (LaunchPermission((Unrecognized("x=y"),)), "a", Status.UNKNOWN, Severity.HIGH,
         "Whether 1 unrecognized grantee may be trusted could not be determined."),
        (Unreadable("HTTP 500", hint="try again"), "a", Status.UNKNOWN, Severity.HIGH,
         "Its launch permission could not be read: HTTP 500 (try again)"),
    ],
)  # fmt: skip
def test_what_the_check_says(
    permission: PermissionState, name: str, status: Status, severity: Severity, message: str
) -> None:
    policy = TrustPolicy((TrustEntry(TrustedAccount(FRIEND.account_id)),))
    rules = rules_in_force(policy, (ACCEPTED,), today=TODAY, organization=NoOrganization())

    found = evaluate(image(name=name), permission, rules)

    assert (found.check_id, found.target) == ("ami-cross-account-access", Target(OWNER, "eu-central-1", "aws"))
    assert (found.status, found.severity, found.message) == (status, severity, message)
    grantees = set(permission.grantees) if isinstance(permission, LaunchPermission) else set()
    assert {one.grantee for one in found.decisions} == grantees


def test_what_the_check_says_of_a_target() -> None:
    here = Target(OWNER, "eu-central-1", "aws")

    assert target_unreadable(here, Unreadable("denied")) == CheckResult(
        "ami-cross-account-access",
        Status.UNKNOWN,
        Severity.HIGH,
        here,
        None,
        (),
        "The images could not be listed: denied",
    )


@pytest.mark.parametrize(
    ("trusted", "grantee", "view", "expected"),
    [
        ("222222222222", FRIEND, UNREAD, Covered("account 222222222222 (N)")),
        ("222222222222", STRANGER, UNREAD, NotCovered()),
        ("222222222222", ORGANIZATION, READ, NotCovered()),
        ("own", Account("111111111111"), READ, Covered("member of own (N)")),
        ("own", FRIEND, READ, NotCovered()),
        (OTHER, Account("111111111111"), READ, NotCovered()),
        ("own", FRIEND, UNREAD, MayCover("own (N) is trusted, and its members are not known: no organization")),
        ("own", FRIEND, UNREAD_MEMBERS, MayCover("own (N) is trusted, and its members are not known: no members")),
        ("own", ORGANIZATION, READ, Covered("organization own (N)")),
        ("own", UNIT, READ, Covered("unit of organization own (N)")),
        ("own", ORGANIZATION, UNREAD,
         MayCover("the own organization is trusted, and it is not known whether this is it: no organization")),
        (CHILD, UNIT, READ, Covered(f"unit {CHILD} (N)")),
        (PARENT, UNIT, READ, Covered(f"nested in unit {PARENT} (N)")),
        (OTHER, UNIT, READ, NotCovered()),
        (PARENT, UNIT, UNREAD,
         MayCover(f"unit {PARENT} (N) of the own organization is trusted, and it is not known whether this unit is in "
                  "or below it: no organization")),
        (PARENT, UNIT, UNREAD_MEMBERS,
         MayCover(f"unit {PARENT} (N) is trusted, and the units above this one were not read")),
        (PARENT, ORGANIZATION, READ, NotCovered()),
        ("own", Everyone(), READ, NotCovered()),
        ("own", Unrecognized("x"), READ, NotCovered()),
    ],
)  # fmt: skip
def test_how_an_entry_covers_a_grantee(
    trusted: str, grantee: Grantee, view: OrganizationView, expected: Coverage
) -> None:
    assert coverage(TrustEntry(parse_trustee(trusted), "N"), grantee, view) == expected


def test_every_doubt_is_said_once() -> None:
    policy = TrustPolicy(
        (
            TrustEntry(TrustedOrganization(OWN)),
            TrustEntry(TrustedUnit(None, PARENT)),
            TrustEntry(TrustedUnit(None, PARENT)),
        )
    )
    rules = rules_in_force(policy, (), today=TODAY, organization=UNREAD)

    unknown = "is trusted, and its members are not known: no organization"
    assert decide(FRIEND, image(), rules).reason == f"{OWN} {unknown}; {PARENT} {unknown}"


def test_an_exception_counts_through_its_last_day() -> None:
    exception = replace(ACCEPTED, expires=TODAY)

    assert [exception.in_force(TODAY + timedelta(days)) for days in (-1, 0, 1)] == [True, True, False]
    assert ACCEPTED.in_force(date.max)


def test_an_exception_for_a_group_without_its_organization_is_told_how_to_name_it() -> None:
    for text in ("own", CHILD):
        with pytest.raises(
            ValueError, match=r"^an exception must name the organization itself \(o-\.\.\., or o-\.\.\./ou-"
        ):
            parse_accepted_grantee(text)


def digest_of(images: ImageSelector, *grantees: AcceptedGrantee, words: str = "") -> str:
    accepted = ImageException(images, grantees or AnyGrantee(), f"reason{words}", f"owner{words}")
    return policy_digest(TrustPolicy(), (accepted,))


def test_the_digest_holds_every_key_of_an_exception_and_no_order() -> None:
    friend, other = TrustedAccount("222222222222"), TrustedOrganization(OWN)
    tag = TagSelector("a", "b")
    digests = [
        digest_of(ImageSelector(ids=("ami-1",))),
        digest_of(ImageSelector(ids=("ami-2",))),
        digest_of(ImageSelector(names=("ami-1",))),
        digest_of(ImageSelector(tags=(tag,))),
        digest_of(ImageSelector(tags=(TagSelector("a", None),))),
        digest_of(ImageSelector(accounts=("222222222222",))),
        digest_of(ImageSelector(regions=("eu-west-1",))),
        digest_of(ImageSelector(ids=("ami-1",)), Everyone()),
        digest_of(ImageSelector(ids=("ami-1",)), friend),
        digest_of(ImageSelector(ids=("ami-1",)), friend, other),
    ]

    assert len(set(digests)) == len(digests)
    assert digest_of(ImageSelector(ids=("ami-1",)), other, friend, words="!") == digests[-1]
    both = digest_of(ImageSelector(ids=("a", "b"), names=("c", "d"), accounts=("1", "2"), regions=("x", "y")))
    assert both == digest_of(ImageSelector(ids=("b", "a"), names=("d", "c"), accounts=("2", "1"), regions=("y", "x")))
