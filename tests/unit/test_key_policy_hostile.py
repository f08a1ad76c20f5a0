"""Whatever a policy, a grant or a key says, judging it neither raises nor takes long, and is never a wrong no."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.evidence import Admission, KeyAdmission
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.key_facts import KeyFacts, KeyGrant
from tests.unit.key_policies import (
    FOREIGN_ORGANIZATION,
    OWN_ORGANIZATION,
    OWN_VIEW,
    STRANGER,
    STRANGERS,
    admission,
    admissions,
    allow,
    deny,
    document,
    key,
    role,
    root,
    when,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("*") | st.just("kms:*"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.just("AWS"), inner, max_size=3)
    ),
    max_leaves=8,
)
elements = st.dictionaries(
    st.sampled_from(
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition", "X"]
    ),
    json_values | st.sampled_from(["Allow", "Deny", {"AWS": root(STRANGER)}, when("Bool", "aws:x", "true")]),
)
documents = st.fixed_dictionaries(
    {"Statement": elements | st.lists(elements | json_values, max_size=3)},
    optional={"Version": json_values, "Id": json_values},
)


def judge(facts: KeyFacts, grantee: Grantee = Account(STRANGER)) -> KeyAdmission:
    return admission(facts, grantee, organization=OWN_VIEW, region="eu-west-1")


@given(
    documents | json_values, st.sampled_from([Account(STRANGER), Everyone(), OWN_ORGANIZATION, FOREIGN_ORGANIZATION])
)
def test_no_document_raises(policy: Any, grantee: Grantee) -> None:
    assert judge(key(json.dumps(policy)), grantee).reason


@given(st.text(), st.text(), st.text(), st.text(), st.booleans())
def test_no_text_raises(text: str, principal: str, arn: str, state: str, constrained: bool) -> None:  # noqa: FBT001 - hypothesis passes by position
    grant = KeyGrant("g", principal, ("Decrypt",), constrained)

    found = judge(key(text, (grant,), key_arn=arn, state=state))

    assert found.admission is not Admission.DOES_NOT_ADMIT


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("null", "no statements"),
        ("[]", "no statements"),
        ("{}", "no statements"),
        ('{"Statement": "Allow"}', "no statements"),
        ('{"Statement": [], "Statements": []}', "'Statements', which is not known"),
        ('{"Statement": [], "Version": "2030-01-01"}', "its Version is not known"),
        ('{"Statement": [], "Statement": []}', "it names Statement twice"),
        ('{"Statement": [{"Effect": "Deny", "Effect": "Allow"}]}', "it names Effect twice"),
        ('{"Statement": [NaN]}', "no JSON"),
        ('{"Statement": [' + "9" * 5_000 + "]}", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"Statement": ' + "[" * 60_000 + "]" * 60_000 + "}", "no JSON"),
        (json.dumps({"Statement": [], "Id": "x" * 200_000}), "longer than a key policy can be"),
    ],
)
def test_what_is_no_policy_is_undetermined(text: str, says: str) -> None:
    found = judge(key(text))

    assert found.admission is Admission.UNDETERMINED
    assert says in found.reason


def test_long_texts_are_cut_in_reasons() -> None:
    found = judge(key(document([allow(root(STRANGER), Sid="x" * 30_000)])))

    assert found.admission is Admission.ADMITS
    assert len(found.reason) < 300


def test_half_characters_do_not_reach_reasons() -> None:
    found = judge(key(document([allow(root(STRANGER), Sid="\ud800x")])))

    assert found.reason == f'statement "?x" allows kms:Decrypt to account {STRANGER}'


def _many(grants: int) -> tuple[KeyGrant, ...]:
    return tuple(
        KeyGrant(f"g{number}", f"arn:aws:sts::{STRANGER}:assumed-role/infra/i-{number}", ("Decrypt",), constrained=True)
        for number in range(grants)
    )


HARD = {
    "roles": document(
        [deny("*", Condition=when("Null", "aws:x", "true")), allow([role(STRANGER, f"r{n}") for n in range(700)])]
    ),
    "statements": document(
        [{**allow(role(STRANGER, f"r{n}"), Condition=when("Null", "aws:x", True))} for n in range(150)]
    ),
    "stars": document([allow(root(STRANGER), Condition=when("StringLike", "aws:PrincipalArn", "*a" * 900 + "b"))]),
    "values": document(
        [allow("*", Condition=when("ArnLike", "aws:PrincipalArn", *[role(STRANGER, f"{n}*") for n in range(500)]))]
    ),
    "accounts": document([allow([f"{n:012}" for n in range(2_000)], Condition=when("Null", "aws:x", "true"))]),
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("grantee", [Account(STRANGER), Everyone(), OWN_ORGANIZATION], ids=["account", "all", "own"])
def test_large_policies_are_judged_at_once(name: str, grantee: Grantee) -> None:
    start = time.process_time()

    judge(key(HARD[name], _many(300)), grantee)

    assert time.process_time() - start < 2, "generous: this is a matter of some hundredths of a second"


def test_a_thousand_grantees_and_fifty_thousand_grants_are_judged_at_once() -> None:
    facts = key(document([STRANGERS]), _many(50_000))
    grantees = [Account(f"{number:012}") for number in range(1_000)]
    start = time.process_time()

    found = admissions(facts, grantees, organization=OWN_VIEW, region="eu-west-1")

    assert {one.admission for one in found} == {Admission.DOES_NOT_ADMIT}
    assert time.process_time() - start < 10, "generous"


def test_more_principals_than_are_judged_one_by_one_leave_it_open() -> None:
    policy = document([allow([role(STRANGER, f"r{number:03}") for number in range(300)], "kms:Describe*")])

    found = judge(key(policy))

    assert found.admission is Admission.UNDETERMINED
    assert "more principals" in found.reason
