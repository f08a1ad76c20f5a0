"""What holds for every key policy, and that single requests, judged by a plain reading, never belie a verdict."""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.evidence import Admission
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.key_facts import KeyGrant
from amiguard.core.organization import NoOrganization, OrganizationUnread
from tests.unit.key_policies import (
    FOREIGN,
    FOREIGN_ORGANIZATION,
    FOREIGN_UNIT,
    KEY_ARN,
    MEMBER,
    OTHER,
    OWN,
    OWN_ORGANIZATION,
    OWN_UNIT,
    OWN_VIEW,
    OWNER,
    OWNER_ROOT,
    STRANGER,
    UNIT,
    admission,
    document,
    key,
    role,
    root,
    when,
)

USER = f"arn:aws:iam::{STRANGER}:user/a"
SESSION = f"arn:aws:sts::{STRANGER}:assumed-role/R/s"
RANK = {Admission.DOES_NOT_ADMIT: 0, Admission.UNDETERMINED: 1, Admission.ADMITS: 2}
ARNS = [role(STRANGER, "R"), role(STRANGER, "ab"), role(STRANGER, "x"), USER, SESSION, root(STRANGER)]

principals = st.lists(
    st.sampled_from([root(STRANGER), STRANGER, role(STRANGER, "R"), USER, SESSION, root(OTHER), root(MEMBER), "*"]),
    min_size=1,
    max_size=3,
).map(lambda some: {"AWS": some})
odd_principals = st.sampled_from(
    [{"AWS": "AIDAJQABLZS4A3QDU576Q"}, {"Service": "ec2.amazonaws.com"}, {"Federated": "x"}]
)
actions = st.lists(
    st.sampled_from(["kms:*", "kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant", "kms:Describe*", "*", "kms:D*t"]),
    min_size=1,
    max_size=3,
)
texts = st.sampled_from(["String", "StringNot"])
conditions = st.one_of(
    st.builds(
        lambda kind, exists, account: when(f"{kind}Equals{exists}", "kms:CallerAccount", account),
        texts,
        st.sampled_from(["", "IfExists"]),
        st.sampled_from([STRANGER, OTHER, MEMBER]),
    ),
    st.builds(
        lambda kind, exists, one: when(f"{kind}Equals{exists}", "aws:PrincipalOrgID", one),
        texts,
        st.sampled_from(["", "IfExists"]),
        st.sampled_from([OWN, FOREIGN]),
    ),
    st.builds(
        lambda kind, name: when(f"{kind}Like", "aws:PrincipalArn", role(STRANGER, name)),
        st.sampled_from(["Arn", "ArnNot"]),
        st.sampled_from(["*", "a*", "*b", "R", "x"]),
    ),
    st.builds(
        lambda kind, place: when(f"{kind}Like", "kms:ViaService", f"ec2.{place}.amazonaws.com"),
        texts,
        st.sampled_from(["eu-west-1", "*"]),
    ),
    st.builds(
        lambda quantifier, kind, path: when(f"{quantifier}:{kind}Like", "aws:PrincipalOrgPaths", path),
        st.sampled_from(["ForAnyValue", "ForAllValues"]),
        texts,
        st.sampled_from([f"{OWN}/*", f"{OWN}/r-ab12/{UNIT}/*", f"{FOREIGN}/*"]),
    ),
    st.builds(lambda truth: when("Null", "aws:PrincipalOrgID", truth), st.booleans()),
    st.builds(lambda truth: when("Bool", "kms:GrantIsForAWSResource", truth), st.booleans()),
)
odd_conditions = st.sampled_from(
    [when("Bool", "aws:SecureTransport", "true"), when("StringEquals", "kms:CallerAccount", "${x}")]
)


def statements(
    effect: st.SearchStrategy[str], odd: st.SearchStrategy[Any], odd_condition: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda effect, who, negated, what, all_but, when_: {
            "Effect": effect,
            "NotPrincipal" if negated else "Principal": who,
            "NotAction" if all_but else "Action": what,
            "Resource": "*",
            "Condition": when_,
        },
        effect,
        odd,
        st.integers(0, 5).map(lambda number: number == 0),
        actions,
        st.integers(0, 5).map(lambda number: number == 0),
        st.just({}) | odd_condition,
    )


plain = statements(st.sampled_from(["Allow", "Deny"]), principals, conditions)
denies = statements(st.just("Deny"), principals | odd_principals, conditions | odd_conditions)
allows = statements(st.just("Allow"), principals | odd_principals, conditions | odd_conditions)
policies = st.lists(denies | allows | st.just(OWNER_ROOT) | st.just({"Effect": "Deny"}) | st.just(7), max_size=4)
grantees: st.SearchStrategy[Grantee] = st.sampled_from(
    [
        Account(STRANGER),
        Account(MEMBER),
        Everyone(),
        FOREIGN_ORGANIZATION,
        FOREIGN_UNIT,
        OWN_ORGANIZATION,
        OWN_UNIT,
    ]
)
views = st.sampled_from([OWN_VIEW, NoOrganization(), OrganizationUnread("denied")])
grants = st.lists(
    st.builds(
        KeyGrant,
        st.just("g"),
        st.sampled_from([role(STRANGER, "R"), SESSION, USER, role(OTHER, "R"), "AWS Internal", "sns.amazonaws.com"]),
        st.sampled_from([("Decrypt",), ("Encrypt",), ("CreateGrant", "Decrypt")]),
        st.booleans(),
    ),
    max_size=2,
).map(tuple)


def judge(policy: list[Any], grantee: Grantee, view: Any = OWN_VIEW, given_grants: Any = ()) -> Admission:
    facts = key(document(policy), given_grants)
    return admission(facts, grantee, organization=view, region="eu-west-1").admission


@given(policies, denies, grantees, views, grants)
def test_one_more_deny_lets_nobody_in(
    policy: list[Any], more: dict[str, Any], grantee: Grantee, view: Any, given_grants: Any
) -> None:
    before = judge(policy, grantee, view, given_grants)
    after = judge([*policy, more], grantee, view, given_grants)

    assert RANK[after] <= RANK[before]


@given(policies, allows, grantees, views, grants)
def test_one_more_allow_keeps_nobody_out(
    policy: list[Any], more: dict[str, Any], grantee: Grantee, view: Any, given_grants: Any
) -> None:
    if judge(policy, grantee, view, given_grants) is Admission.ADMITS:
        assert judge([*policy, more], grantee, view, given_grants) is not Admission.DOES_NOT_ADMIT


@given(st.lists(denies, max_size=3), grantees, views)
def test_a_policy_that_allows_nothing_admits_nobody(policy: list[Any], grantee: Grantee, view: Any) -> None:
    assert judge([], grantee, view) is Admission.DOES_NOT_ADMIT
    assert judge(policy, grantee, view) is Admission.DOES_NOT_ADMIT


@given(policies.flatmap(lambda policy: st.tuples(st.just(policy), st.permutations(policy))), grantees, views, grants)
def test_the_order_of_statements_and_grants_does_not_matter(
    both: tuple[list[Any], list[Any]], grantee: Grantee, view: Any, given_grants: Any
) -> None:
    policy, shuffled = both

    assert judge(policy, grantee, view, given_grants) is judge(shuffled, grantee, view, given_grants[::-1])


# A plain reading of the rules for single requests. It shares no code with the evaluator.


def _fits(pattern: str, value: str, *, wild: bool) -> bool:
    if not wild:
        return pattern == value
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value) is not None


def _is_named(entry: str, arn: str) -> bool:
    account = arn.split(":")[4]
    session_of_r = arn == SESSION and entry == role(STRANGER, "R")
    return entry in ("*", account, root(account), arn) or session_of_r


def _met(operator: str, name: str, values: Any, request: Mapping[str, str]) -> bool:
    value = request.get(name.lower())
    wanted = [
        str(one).lower() if isinstance(one, bool) else one for one in (values if isinstance(values, list) else [values])
    ]
    if operator == "Null":
        return wanted == [str(value is None).lower()]
    if value is None:
        return (
            operator.endswith("IfExists")
            or operator.startswith("ForAll")
            or ("Not" in operator and ":" not in operator)
        )
    matches = any(_fits(one, value, wild="Like" in operator) for one in wanted)
    return matches != ("Not" in operator)


def _applies(statement: Mapping[str, Any], arn: str, action: str, request: Mapping[str, str]) -> bool:
    who = statement.get("Principal", statement.get("NotPrincipal"))["AWS"]
    named = any(_is_named(entry, arn) for entry in who)
    listed = any(
        _fits(one.lower(), action.lower(), wild=True) for one in statement.get("Action", statement.get("NotAction"))
    )
    return (
        named == ("Principal" in statement)
        and listed == ("Action" in statement)
        and all(
            _met(operator, name, values, request)
            for operator, block in statement["Condition"].items()
            for name, values in block.items()
        )
    )


def _requests(organization: str | None, arn: str, action: str, *, direct: bool = False) -> dict[str, str]:
    """What KMS learns of a call that EC2 makes, or the principal itself."""
    request = {
        "kms:calleraccount": STRANGER,
        "aws:principalarn": role(STRANGER, "R") if arn == SESSION else arn,
    }
    if not direct:
        request["kms:viaservice"] = "ec2.eu-west-1.amazonaws.com"
    if organization:
        request |= {"aws:principalorgid": organization, "aws:principalorgpaths": f"{organization}/r-zz99/"}
    if action == "kms:CreateGrant":
        request["kms:grantisforawsresource"] = str(not direct).lower()
    return request


def _allowed(
    policy: list[dict[str, Any]], organization: str | None, arn: str, action: str, *, direct: bool = False
) -> bool:
    request = _requests(organization, arn, action, direct=direct)
    effects = {one["Effect"] for one in policy if _applies(one, arn, action, request)}
    return effects == {"Allow"}


@given(st.lists(plain, max_size=4))
def test_no_single_request_belies_a_verdict(policy: list[dict[str, Any]]) -> None:
    """The stranger is no member of the own organization: it is in another one, or in none."""
    verdict = judge(policy, Account(STRANGER))

    for organization in (None, FOREIGN):
        if verdict is Admission.DOES_NOT_ADMIT:
            for action in ("kms:Decrypt", "kms:ReEncryptFrom", "kms:CreateGrant"):
                assert not any(_allowed(policy, organization, arn, action) for arn in ARNS)
            # Who may make a grant needs nobody to call KMS for them.
            assert not any(_allowed(policy, organization, arn, "kms:CreateGrant", direct=True) for arn in ARNS)
        if verdict is Admission.ADMITS:
            more = [f"arn:aws:iam::{STRANGER}:role/{name}" for name in ("any", "aany", "anyb")]
            assert any(_allowed(policy, organization, arn, "kms:Decrypt") for arn in (*ARNS, *more))


def test_the_plain_reading_sees_what_is_plain() -> None:
    policy = [{"Effect": "Allow", "Principal": {"AWS": [root(STRANGER)]}, "Action": ["kms:*"], "Condition": {}}]

    assert _allowed(policy, None, role(STRANGER, "R"), "kms:Decrypt")
    assert not _allowed(policy, None, role(OTHER, "R"), "kms:Decrypt")
    assert not _allowed([], None, role(STRANGER, "R"), "kms:Decrypt")
    assert KEY_ARN.split(":")[4] == OWNER
