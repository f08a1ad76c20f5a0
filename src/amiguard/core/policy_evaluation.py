"""Whether statements and grants let a requester call an operation of a KMS key.

Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access": a deny that applies
is final; without one, something must allow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from amiguard.core.key_parties import Party, copy_context, direct_context, launch_context
from amiguard.core.key_requesters import Rules
from amiguard.core.policy_conditions import met
from amiguard.core.policy_document import Condition, Statement, clip
from amiguard.core.policy_patterns import ANYTHING, Truth, Value, like
from amiguard.core.policy_principals import Requester

_GRANT_FOR_SERVICE = "kms:grantisforawsresource"
_BY_SERVICE = "aws:principalisawsservice"
_ABSENT = Value("", Truth.NO)


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether someone may call an operation, and why; no reason where nothing allows it."""

    truth: Truth
    why: str = ""


def findings(
    rules: Rules, party: Party, requester: Requester, label: str, operations: Sequence[str]
) -> dict[str, Finding]:
    """What a requester may do, by launching in the region of the image, by copying to another one, or by itself.

    Args:
        rules: of the key.
        party: the account that asks.
        requester: the principal, or all that nothing names.
        label: how reasons name the requester.
        operations: KMS's words (`Decrypt`).
    """
    context = dict(party.context)
    if requester.arn:
        context["aws:principalarn"] = Value(_principal_arn(requester, rules.place.partition))
    concerning = [
        (statement, concerned)
        for statement in rules.statements
        if (concerned := _concerns(statement, requester)) is not Truth.NO
    ]
    found = {}
    for operation in operations:
        finding = Finding(Truth.NO)
        for more, only_if in _ways(rules, operation):
            by_this_way = _finding(rules, concerning, requester, (operation, label), {**context, **more})
            if only_if and by_this_way.truth is not Truth.NO:
                # Too little is known of this way to say that it surely works.
                by_this_way = Finding(Truth.MAYBE, f"{by_this_way.why}, {only_if}")
            if by_this_way.truth > finding.truth or not finding.why:
                finding = by_this_way
        found[operation] = finding
    return found


def _ways(rules: Rules, operation: str) -> Iterator[tuple[Mapping[str, Value], str]]:
    """What KMS learns of each way to call an operation, and what a reason says of a way that may not work.

    EC2 makes the grants for the volumes. Whoever may make one by themselves can give themselves `Decrypt`, and then
    launch. The other operations need what EBS keeps to itself: the data key under which a snapshot lies.
    """
    # The key is there in requests about grants only.
    by_ec2 = {_GRANT_FOR_SERVICE: Value("true") if operation == "CreateGrant" else _ABSENT}
    yield {**launch_context(rules.place), **by_ec2}, ""
    yield {**copy_context(), **by_ec2}, "if it copies the image to another region"
    if operation == "CreateGrant":
        yield {**direct_context(rules.place), _GRANT_FOR_SERVICE: Value("false")}, "if it calls KMS by itself"


def _principal_arn(requester: Requester, partition: str) -> str:
    """What `aws:PrincipalArn` holds: of a session, the ARN of its role, whose path is not known."""
    if requester.role is None:
        return requester.arn
    account_id, role = requester.role
    return f"arn:{partition}:iam::{account_id}:role/{ANYTHING}{role}"


def _finding(
    rules: Rules,
    statements: Sequence[tuple[Statement, Truth]],
    requester: Requester,
    asked: tuple[str, str],
    context: Mapping[str, Value],
) -> Finding:
    operation, label = asked
    allowed, by = rules.grants.allows(requester, operation)
    doubt = "its constraints, or its grantee principal, leave it open"
    denied, denier, denial_doubt = Truth.NO, "", ""
    for statement, concerned in statements:
        truth, why = _applies(statement, concerned, rules.key.key_arn, operation, context)
        if statement.effect != "Deny" and truth > allowed:
            allowed, by, doubt = truth, statement.label, why
        if statement.effect != "Allow" and truth > denied:
            denied, denier, denial_doubt = truth, statement.label, why
    what = f"kms:{operation} to {label}"
    if allowed is Truth.NO:
        return Finding(Truth.NO)
    if denied is Truth.YES:
        return Finding(Truth.NO, f"{denier} denies {what}")
    if allowed is Truth.MAYBE:
        return Finding(Truth.MAYBE, f"{by} may allow {what}: {doubt}")
    if denied is Truth.MAYBE:
        return Finding(Truth.MAYBE, f"{by} allows {what}, and {denier} may deny it: {denial_doubt}")
    return Finding(Truth.YES, f"{by} allows {what}")


def _concerns(statement: Statement, requester: Requester) -> Truth:
    if statement.flaw:
        return Truth.MAYBE
    if "NotPrincipal" in statement.negated:
        return statement.principals.exclude(requester)
    return statement.principals.include(requester, denies=statement.effect == "Deny")


def _applies(
    statement: Statement, concerned: Truth, key_arn: str, operation: str, context: Mapping[str, Value]
) -> tuple[Truth, str]:
    """Whether a statement applies to one operation, and what leaves it open."""
    if statement.flaw:
        return Truth.MAYBE, statement.flaw
    truth, doubt = concerned, "whom it means is not certain"
    # IAM does not tell case in actions.
    action = max(like(text.lower(), f"kms:{operation}".lower()) for text in statement.actions)
    if "NotAction" in statement.negated:
        action = action.opposite
    if action is Truth.NO:
        return Truth.NO, ""
    # A key policy is about its own key: what names another resource is not understood, rather than without effect.
    resource = max(like(text, key_arn) for text in statement.resources)
    if resource is not Truth.YES or "NotResource" in statement.negated:
        truth, doubt = Truth.MAYBE, "which resource it means is not certain"
    if action is Truth.MAYBE:
        truth, doubt = Truth.MAYBE, "which actions it means is not certain"
    for condition in statement.conditions:
        holds = _holds(condition, context, allows=statement.effect != "Deny")
        if holds is Truth.NO:
            return Truth.NO, ""
        if holds is Truth.MAYBE:
            truth, doubt = (
                Truth.MAYBE,
                f"its condition {clip(condition.operator)} on {clip(condition.key)} is undecided",
            )
    return truth, doubt


def _holds(condition: Condition, context: Mapping[str, Value], *, allows: bool) -> Truth:
    holds = met(condition, context)
    if allows and condition.key == _BY_SERVICE and holds is not Truth.YES:
        # What a service may do by itself, it may do for the grantee: as where a statement names it as principal.
        by_service = met(condition, {**context, _BY_SERVICE: Value("true")})
        return max(holds, min(by_service, Truth.MAYBE))
    return holds
