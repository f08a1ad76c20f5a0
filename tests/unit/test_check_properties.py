"""What holds for the check whatever the policy, the exceptions, the organization and the grants are."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.checks.ami_cross_account_access import evaluate
from amiguard.core.decision import Verdict, rules_in_force
from amiguard.core.exception import ImageException
from amiguard.core.grantee import Everyone, Grantee
from amiguard.core.image import LaunchPermission
from amiguard.core.organization import OrganizationView
from amiguard.core.result import CheckResult, Severity, Status
from amiguard.core.trust import TrustEntry, TrustPolicy
from tests.fakes.images import image
from tests.unit import strategies

IMAGE = image(tags=(("k", "v"),))
# How clean a status is: fail is the least, pass the most.
RANK = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.SUPPRESSED: 2, Status.PASS: 3}


def judge(
    grants: list[Grantee],
    policy: TrustPolicy,
    exceptions: tuple[ImageException, ...],
    organization: OrganizationView,
) -> CheckResult:
    rules = rules_in_force(policy, exceptions, today=strategies.TODAY, organization=organization)
    return evaluate(IMAGE, LaunchPermission(tuple(grants)), rules)


estates = st.tuples(strategies.grants, strategies.policies, strategies.exceptions, strategies.organizations)
Estate = tuple[list[Grantee], TrustPolicy, tuple[ImageException, ...], OrganizationView]


@given(estates, st.randoms(use_true_random=False))
def test_the_order_of_grantees_never_matters(estate: Estate, random: Random) -> None:
    grants, policy, exceptions, organization = estate
    shuffled = list(grants)
    random.shuffle(shuffled)
    assert judge(grants, policy, exceptions, organization) == judge(shuffled, policy, exceptions, organization)


@given(estates, strategies.entries)
def test_trusting_more_never_makes_it_worse_and_trusting_less_never_better(estate: Estate, entry: TrustEntry) -> None:
    grants, policy, exceptions, organization = estate
    fewer = judge(grants, policy, exceptions, organization)
    more = judge(grants, TrustPolicy((*policy.entries, entry)), exceptions, organization)
    assert not (fewer.status is Status.PASS and more.status is not Status.PASS)
    assert not (more.status is Status.FAIL and fewer.status is not Status.FAIL)
    assert RANK[more.status] >= RANK[fewer.status] or Status.SUPPRESSED in (more.status, fewer.status)


@given(estates)
def test_a_lapsed_entry_decides_as_an_absent_one(estate: Estate) -> None:
    grants, policy, exceptions, organization = estate
    in_force = TrustPolicy(tuple(entry for entry in policy.entries if entry.in_force(strategies.TODAY)))
    kept = tuple(exception for exception in exceptions if exception.in_force(strategies.TODAY))
    with_lapsed = judge(grants, policy, exceptions, organization)
    without = judge(grants, in_force, kept, organization)
    assert with_lapsed.status is without.status
    assert [one.verdict for one in with_lapsed.decisions] == [one.verdict for one in without.decisions]


@given(estates)
def test_every_grantee_gets_one_decision_with_a_reason(estate: Estate) -> None:
    result = judge(*estate)
    assert {decision.grantee for decision in result.decisions} == set(estate[0])
    assert len(result.decisions) == len(set(estate[0]))
    assert all(decision.reason and decision.reason.isprintable() for decision in result.decisions)


@given(estates)
def test_the_status_follows_the_worst_decision(estate: Estate) -> None:
    result = judge(*estate)
    verdicts = {decision.verdict for decision in result.decisions}
    expected = Status.PASS
    for verdict, status in [
        (Verdict.EXCEPTED, Status.SUPPRESSED),
        (Verdict.UNDETERMINED, Status.UNKNOWN),
        (Verdict.UNTRUSTED, Status.FAIL),
    ]:
        if verdict in verdicts:
            expected = status
    assert result.status is expected
    public = any(isinstance(one.grantee, Everyone) and one.verdict is Verdict.UNTRUSTED for one in result.decisions)
    if result.status is Status.FAIL:
        assert result.severity is (Severity.CRITICAL if public else Severity.HIGH)


@given(estates, estates)
def test_the_fingerprint_is_of_the_image_and_not_of_its_grants(one: Estate, other: Estate) -> None:
    assert judge(*one).fingerprint == judge(*other).fingerprint
