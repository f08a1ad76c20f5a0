"""Corners of key policies: what is malformed, what is half known of the organization, and who is asked about twice."""

from dataclasses import replace
from typing import Any

import pytest

from amiguard.core.evidence import Admission
from amiguard.core.grantee import Account, Everyone, Grantee, OrganizationalUnit, Unrecognized
from amiguard.core.image import Unreadable
from amiguard.core.key_facts import KeyFacts, KeyGrant
from amiguard.core.key_parties import Place, copy_context, direct_context, launch_context, parties_of
from amiguard.core.organization import Members, MembersUnread, NoOrganization, OwnOrganization
from amiguard.core.policy_document import clip
from amiguard.core.policy_patterns import ANYTHING, Truth, Value, organization_of_path
from tests.unit.key_policies import (
    FOREIGN,
    FOREIGN_ORGANIZATION,
    INNER,
    MANAGER,
    MEMBER,
    OWN,
    OWN_ORGANIZATION,
    OWN_UNIT,
    OWN_VIEW,
    OWNER,
    STRANGER,
    UNIT,
    admission,
    allow,
    deny,
    document,
    key,
    role,
    root,
    when,
)

MEMBERS_UNREAD = OwnOrganization(OWN, MANAGER, MembersUnread("denied"))


@pytest.mark.parametrize(
    ("elements", "flaw"),
    [
        ({"Principal": None}, "it has neither Principal nor NotPrincipal"),
        ({"Principal": "everyone"}, "its Principal is not understood"),
        ({"Principal": {}}, "its Principal is not understood"),
        ({"Principal": {"AWS": []}}, "its Principal is not understood"),
        ({"Principal": {"AWS": [7]}}, "its Principal is not understood"),
        ({"Action": {"kms": "*"}}, "its Action is not understood"),
        ({"Action": []}, "its Action is not understood"),
        ({"Resource": [None]}, "its Resource is not understood"),
        ({"Condition": "always"}, "its Condition is not understood"),
        ({"Condition": {"Bool": "true"}}, "its condition Bool is not understood"),
        ({"Condition": {"Bool": {"aws:x": None}}}, "its condition on aws:x is not understood"),
        ({"Condition": {"Bool": {"aws:x": [1.5]}}}, "its condition on aws:x is not understood"),
        ({"Effect": "allow"}, "its Effect is neither Allow nor Deny"),
        ({"Extra": 1}, "its element 'Extra' is not known"),
    ],
)  # fmt: skip
def test_a_malformed_statement_leaves_it_open_and_says_why(elements: dict[str, Any], flaw: str) -> None:
    statement = {key: value for key, value in {**allow(root(STRANGER)), **elements}.items() if value is not None}

    found = admission(key(document([statement])), Account(STRANGER), organization=OWN_VIEW, region="eu-west-1")

    assert found.admission is Admission.UNDETERMINED
    assert found.reason == f"statement 1 may allow kms:Decrypt to account {STRANGER}: {flaw}"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (when("Bool", "aws:PrincipalIsAWSService", False), Admission.ADMITS),
        (when("Bool", "aws:PrincipalIsAWSService", True), Admission.UNDETERMINED),
    ],
)
def test_a_condition_may_be_a_boolean_of_json(condition: dict[str, Any], expected: Admission) -> None:
    policy = document([allow(root(STRANGER), Condition=condition)])

    found = admission(key(policy), Account(STRANGER), organization=OWN_VIEW, region="eu-west-1")

    assert found.admission is expected


def test_an_action_with_a_variable_in_it_is_not_certain() -> None:
    policy = document([allow(root(STRANGER), "kms:${aws:username}")])

    found = admission(key(policy), Account(STRANGER), organization=OWN_VIEW, region="eu-west-1")

    assert found.admission is Admission.UNDETERMINED
    assert found.reason.endswith(": which actions it means is not certain")


@pytest.mark.parametrize(
    ("account_id", "organization_id", "expected"),
    [
        (MANAGER, OWN, Admission.ADMITS),
        (MANAGER, FOREIGN, Admission.DOES_NOT_ADMIT),
        (MEMBER, OWN, Admission.UNDETERMINED),
        (MEMBER, FOREIGN, Admission.UNDETERMINED),
    ],
)
def test_the_management_account_is_a_member_though_members_are_unread(
    account_id: str, organization_id: str, expected: Admission
) -> None:
    policy = document([allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", organization_id))])

    found = admission(key(policy), Account(account_id), organization=MEMBERS_UNREAD, region="eu-west-1")

    assert found.admission is expected


@pytest.mark.parametrize(
    ("account_id", "expected"),
    [(MANAGER, Admission.ADMITS), (STRANGER, Admission.UNDETERMINED)],
)
def test_whom_a_key_names_is_one_of_an_organization_surely_or_perhaps(account_id: str, expected: Admission) -> None:
    grantee = OWN_ORGANIZATION
    by_view = admission(
        key(document([allow(root(account_id))])), grantee, organization=MEMBERS_UNREAD, region="eu-west-1"
    )

    assert by_view.admission is expected
    assert ("is one of the grantee's accounts is not known" in by_view.reason) is (expected is Admission.UNDETERMINED)


@pytest.mark.parametrize(
    ("account_id", "organization_id", "expected"),
    [(MANAGER, OWN, True), (MANAGER, FOREIGN, False), (MEMBER, OWN, True), (MEMBER, FOREIGN, True)],
)
def test_the_parties_of_a_unit_whose_members_are_unread(
    account_id: str, organization_id: str, *, expected: bool
) -> None:
    unit = OrganizationalUnit("arn", organization_id, STRANGER, "ou-ab12-22222222")
    place = Place("aws", "eu-west-1", OWNER, MEMBERS_UNREAD)

    parties = list(parties_of(unit, [account_id], place))

    assert [one.account_id for one in parties] == ["", *([account_id] if expected else [])]


@pytest.mark.parametrize(("account_id", "inside"), [(MEMBER, True), (MANAGER, False), (STRANGER, False)])
def test_who_is_in_a_unit_is_known_where_members_are_read(account_id: str, *, inside: bool) -> None:
    place = Place("aws", "eu-west-1", OWNER, OWN_VIEW)

    parties = list(parties_of(OWN_UNIT, [account_id, OWNER], place))

    assert [one.account_id for one in parties] == ["", *([account_id] if inside else [])]
    assert parties[0].other_than == {account_id, OWNER}


def test_who_is_surely_meant_and_how_they_are_called() -> None:
    place = Place("aws", "eu-west-1", OWNER, OWN_VIEW)
    named = [MEMBER, STRANGER]

    found = {
        grantee: [(one.account_id, one.belongs, one.label) for one in parties_of(grantee, named, place)]
        for grantee in (Everyone(), Account(STRANGER), OWN_ORGANIZATION, OWN_UNIT, FOREIGN_ORGANIZATION)
    }

    assert found == {
        Everyone(): [
            ("", Truth.YES, "any account"),
            (STRANGER, Truth.YES, f"account {STRANGER}"),
            (MEMBER, Truth.YES, f"account {MEMBER}"),
        ],
        Account(STRANGER): [(STRANGER, Truth.YES, f"account {STRANGER}")],
        OWN_ORGANIZATION: [("", Truth.YES, f"any account of {OWN}"), (MEMBER, Truth.YES, f"account {MEMBER}")],
        OWN_UNIT: [("", Truth.YES, f"any account of {INNER}"), (MEMBER, Truth.YES, f"account {MEMBER}")],
        FOREIGN_ORGANIZATION: [
            ("", Truth.YES, f"any account of {FOREIGN}"),
            (STRANGER, Truth.MAYBE, f"account {STRANGER}"),
        ],
    }


def test_what_kms_learns_of_a_member() -> None:
    place = Place("aws", "eu-west-1", OWNER, OWN_VIEW)
    path = f"{OWN}/r-ab12/{UNIT}/{INNER}/"

    for grantee in (Everyone(), Account(MEMBER), OWN_ORGANIZATION, OWN_UNIT):
        member = next(one for one in parties_of(grantee, [MEMBER], place) if one.account_id == MEMBER)
        assert {key: value.text for key, value in member.context.items()} == {
            "aws:principalaccount": MEMBER,
            "kms:calleraccount": MEMBER,
            "aws:principalarn": f"arn:aws:{ANYTHING}::{MEMBER}:{ANYTHING}",
            "aws:principalisawsservice": "false",
            "aws:sourceaccount": MEMBER,
            "aws:principalorgid": OWN,
            "aws:principalorgpaths": path,
        }
        assert member.other_than == frozenset()
    stranger = next(parties_of(Account(STRANGER), [], place)).context
    assert stranger["aws:principalorgid"] == Value(ANYTHING, Truth.MAYBE, frozenset({OWN}))
    assert stranger["aws:principalorgpaths"] == Value(
        ANYTHING, Truth.MAYBE, frozenset({OWN}), organization_of_path, several=True
    )
    anyone = next(parties_of(Everyone(), [MEMBER], place)).context
    assert anyone["aws:principalarn"].but_not == {MEMBER, OWNER}
    assert anyone["aws:principalaccount"].but_not == {MEMBER, OWNER}
    assert anyone["aws:principalorgid"] == Value(ANYTHING, Truth.MAYBE)
    unit = next(parties_of(OWN_UNIT, [], place)).context
    assert unit["aws:principalorgpaths"].text == path + ANYTHING


def test_what_is_not_understood_stands_for_nobody() -> None:
    place = Place("aws", "eu-west-1", OWNER, NoOrganization())

    assert list(parties_of(Unrecognized("group=some"), [STRANGER], place)) == []
    assert [one.account_id for one in parties_of(Everyone(), [STRANGER, OWNER], place)] == ["", STRANGER]


def test_a_role_that_a_statement_and_a_grant_name_is_let_in_by_either() -> None:
    launcher = role(STRANGER, "Launcher")
    grant = KeyGrant("g1", launcher, ("Decrypt",))
    statement = allow(launcher, "kms:DescribeKey")

    found = admission(
        key(document([statement]), (grant,)), Account(STRANGER), organization=OWN_VIEW, region="eu-west-1"
    )
    denied = admission(
        key(document([statement, deny(launcher)]), (grant,)),
        Account(STRANGER),
        organization=OWN_VIEW,
        region="eu-west-1",
    )

    assert found.admission is Admission.ADMITS
    assert launcher in found.reason
    assert denied.admission is Admission.DOES_NOT_ADMIT


def test_a_saved_directory_does_not_show_who_has_joined_since() -> None:
    assert isinstance(OWN_VIEW.members, Members)
    saved = replace(OWN_VIEW, members=replace(OWN_VIEW.members, just_read=False))
    policy = document([allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", OWN))])

    found = [
        admission(key(policy), Account(STRANGER), organization=view, region="eu-west-1").admission
        for view in (OWN_VIEW, saved)
    ]

    assert found == [Admission.DOES_NOT_ADMIT, Admission.UNDETERMINED]


def test_what_kms_learns_of_the_ways_in() -> None:
    place = Place("aws", "eu-west-1", OWNER, OWN_VIEW)

    assert launch_context(place) == {
        "kms:viaservice": Value("ec2.eu-west-1.amazonaws.com"),
        "aws:requestedregion": Value("eu-west-1"),
    }
    assert copy_context() == {"kms:viaservice": Value(f"ec2.{ANYTHING}"), "aws:requestedregion": Value(ANYTHING)}
    assert direct_context(place) == {
        "kms:viaservice": Value("", Truth.NO),
        "aws:requestedregion": Value("eu-west-1"),
    }


@pytest.mark.parametrize(
    ("facts", "grantee", "reason"),
    [
        (key("nothing"), Account(STRANGER), "the key policy is not understood: it is no JSON that could be read"),
        (key("[]"), Account(STRANGER), "the key policy is not understood: it has no statements where they belong"),
        (key(" " * 131_073), Account(STRANGER),
         "the key policy is not understood: it is longer than a key policy can be"),
        (key(" " * 131_072), Account(STRANGER), "the key policy is not understood: it is no JSON that could be read"),
        (key(document([]), Unreadable("denied")), Account(STRANGER),
         "the grants of the key could not be read: denied"),
        (key(document([])), Account(OWNER), "the key is this account's own, and so is the say in its policy"),
        (key(document([])), Account("12"), "the id of the account is not understood"),
        (key(document([])), Unrecognized("x"), "the grant is not understood"),
    ],
)  # fmt: skip
def test_why_it_is_open(facts: KeyFacts, grantee: Grantee, reason: str) -> None:
    found = admission(facts, grantee, organization=OWN_VIEW, region="eu-west-1")

    assert (found.admission, found.reason) == (Admission.UNDETERMINED, reason)


def test_labels_are_cut_after_80_characters() -> None:
    assert clip("x" * 80) == "x" * 80
    assert clip("x" * 81) == "x" * 80 + "..."
    assert clip("\ud800") == "?"


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (
            [
                allow(root(STRANGER), "kms:Decrypt"),
                deny("*", "kms:Decrypt", Condition=when("StringEquals", "aws:PrincipalTag/x", "y")),
            ],
            f"statement 1 allows kms:Decrypt to account {STRANGER}, and statement 2 may deny it: its condition "
            "StringEquals on aws:principaltag/x is undecided",
        ),
        (
            [allow(root(STRANGER), "kms:Decrypt", Condition=when("StringEquals", "aws:PrincipalTag/x", "y"))],
            f"statement 1 may allow kms:Decrypt to account {STRANGER}: its condition StringEquals on "
            "aws:principaltag/x is undecided",
        ),
        (
            [allow(root(STRANGER), "kms:Decrypt", Resource="arn:aws:s3:::x")],
            f"statement 1 may allow kms:Decrypt to account {STRANGER}: which resource it means is not certain",
        ),
    ],
)
def test_what_a_statement_leaves_open_is_said(statements: list[dict[str, Any]], reason: str) -> None:
    found = admission(key(document(statements)), Account(STRANGER), organization=OWN_VIEW, region="eu-west-1")

    assert (found.admission, found.reason) == (Admission.UNDETERMINED, reason)
