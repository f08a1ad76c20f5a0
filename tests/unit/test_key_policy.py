"""Whom a KMS key admits, by its policy and its grants."""

import pytest

from amiguard.core.evidence import Admission, KeyAdmission
from amiguard.core.grantee import Account, Everyone, Unrecognized
from amiguard.core.image import Unreadable
from amiguard.core.key_facts import KeyFacts, KeyGrant
from amiguard.core.organization import NoOrganization
from tests.unit.key_policies import (
    CASES,
    FOREIGN_ORGANIZATION,
    KEY_ARN,
    OTHER,
    OWN_VIEW,
    OWNER,
    OWNER_ROOT,
    STRANGER,
    STRANGERS,
    Case,
    admission,
    admissions,
    allow,
    document,
    key,
    role,
    root,
    when,
)


def judge(facts: KeyFacts, region: str = "eu-west-1") -> KeyAdmission:
    return admission(facts, Account(STRANGER), organization=OWN_VIEW, region=region)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_is_that_of_the_policy_logic_of_aws(case: Case) -> None:
    facts = key(document(case.statements), case.grants)

    found = admission(facts, case.grantee, organization=case.organization, region="eu-west-1")

    assert found.admission is case.expected, f"{found.reason} ({case.source})"
    assert found.grantee == case.grantee
    assert case.says in found.reason
    assert found.reason


def test_the_table_is_long_enough_and_names_each_case_once() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert all(case.source for case in CASES)


def test_the_key_of_aws_admits_nobody() -> None:
    found = judge(key(document([STRANGERS]), manager="AWS"))

    assert found.admission is Admission.DOES_NOT_ADMIT
    assert found.reason == "the key that AWS manages for EBS cannot be shared with other accounts"


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "Unavailable"])
def test_a_state_that_can_be_undone_is_no_mitigation(state: str) -> None:
    admitted = judge(key(document([STRANGERS]), state=state))
    kept_out = judge(key(document([OWNER_ROOT]), state=state))

    assert (admitted.admission, kept_out.admission) == (Admission.ADMITS, Admission.DOES_NOT_ADMIT)
    assert admitted.reason.endswith(f"; the key is {state}: as long as that lasts nobody can use it")


@pytest.mark.parametrize("state", ["Enabled", "Updating", ""])
def test_a_state_in_which_the_key_is_used_is_not_told(state: str) -> None:
    assert "as long as" not in judge(key(document([STRANGERS]), state=state)).reason


def test_a_policy_that_could_not_be_read_leaves_it_open_unless_a_grant_admits() -> None:
    unread = Unreadable("not permitted: kms:GetKeyPolicy")
    grant = KeyGrant("g1", role(STRANGER, "R"), ("Decrypt",))

    found = judge(key(unread))
    admitted = judge(key(unread, (grant,)))

    assert found.admission is Admission.UNDETERMINED
    assert found.reason == "the key policy could not be read: not permitted: kms:GetKeyPolicy"
    assert admitted.admission is Admission.ADMITS
    assert admitted.reason.startswith(f"grant g1 allows kms:Decrypt to {role(STRANGER, 'R')}; the key policy could not")


def test_the_owner_of_a_key_in_another_account_may_change_its_policy() -> None:
    facts = key(document([OWNER_ROOT]), account_id=STRANGER)

    assert judge(facts).admission is Admission.UNDETERMINED


def test_the_owner_of_the_image_is_none_of_those_who_are_asked_about() -> None:
    facts = key(document([allow(root(OWNER)), allow(root(OTHER))]), account_id=OTHER)

    with_owner = admission(facts, Everyone(), organization=OWN_VIEW, region="eu-west-1", owner_account=OWNER)
    without = admission(facts, Everyone(), organization=OWN_VIEW, region="eu-west-1")

    assert with_owner.reason == f"statement 2 allows kms:Decrypt to account {OTHER}"
    assert without.reason == f"statement 1 allows kms:Decrypt to account {OWNER}"


def test_a_grant_that_is_not_understood_is_undetermined() -> None:
    facts = key(document([OWNER_ROOT]))

    for grantee in (Unrecognized("group=some"), Account("12345"), Account("\u0661" * 12)):
        assert admission(facts, grantee, organization=OWN_VIEW, region="").admission is Admission.UNDETERMINED


def test_each_grantee_has_its_verdict_in_order() -> None:
    grantees = (Account(OTHER), Account(STRANGER), FOREIGN_ORGANIZATION, Everyone())

    found = admissions(key(document([STRANGERS])), grantees, organization=OWN_VIEW, region="eu-west-1")

    assert [one.grantee for one in found] == list(grantees)
    assert [one.admission for one in found] == [
        Admission.DOES_NOT_ADMIT,
        Admission.ADMITS,
        Admission.UNDETERMINED,
        Admission.ADMITS,
    ]


@pytest.mark.parametrize(
    ("partition", "region", "service", "expected"),
    [
        ("aws-us-gov", "us-gov-west-1", "ec2.us-gov-west-1.amazonaws.com", Admission.ADMITS),
        # Which of its two domains KMS names in China is not documented.
        ("aws-cn", "cn-north-1", "ec2.cn-north-1.amazonaws.com.cn", Admission.UNDETERMINED),
        ("aws-cn", "cn-north-1", "ec2.cn-north-1.amazonaws.com", Admission.UNDETERMINED),
        ("aws-cn", "cn-north-1", "rds.cn-north-1.amazonaws.com.cn", Admission.DOES_NOT_ADMIT),
    ],
)
def test_other_partitions(partition: str, region: str, service: str, expected: Admission) -> None:
    arn = KEY_ARN.replace("arn:aws:", f"arn:{partition}:").replace("eu-west-1", region)
    principal = root(STRANGER).replace("arn:aws:", f"arn:{partition}:")
    policy = document([allow(principal, Condition=when("StringEquals", "kms:ViaService", service))])

    assert judge(key(policy, key_arn=arn), region).admission is expected


def test_without_an_organization_no_account_is_known_to_be_no_member() -> None:
    policy = document([allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", "o-ownownown1"))])

    found = admission(key(policy), Account(STRANGER), organization=NoOrganization(), region="eu-west-1")

    assert found.admission is Admission.UNDETERMINED
    assert found.reason == (
        "statement 1 may allow kms:Decrypt to account 222222222222: "
        "its condition StringEquals on aws:principalorgid is undecided"
    )
