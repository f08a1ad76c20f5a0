"""The check `ami-cross-account-access`: may accounts that are not trusted launch this image?"""

from typing import assert_never

from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.decision import Decision, Rules, Verdict, decide
from amiguard.core.grantee import Everyone, GranteeKind, grantee_kind, report_order
from amiguard.core.image import Image, LaunchPermission, PermissionRemoved, PermissionState, Unreadable
from amiguard.core.result import CheckResult, Severity, Status, Target

METADATA = CheckMetadata(
    check_id="ami-cross-account-access",
    title="Images can be launched by trusted AWS accounts only",
    severity=Severity.HIGH,
    description=(
        "An image carries applications, data and configuration. Whoever its launch permission names can start "
        "instances from it, copy what they find, and learn how the account is built. Every grantee (everyone, "
        "accounts, organizations, organizational units) is compared with the trust policy."
    ),
    remediation=(
        "Make the image private if everyone may launch it, and remove the grantees that are not trusted: in the EC2 "
        "console under AMIs, Permissions, Edit AMI permissions; or with `aws ec2 modify-image-attribute --image-id ID "
        '--launch-permission \'{"Remove":[{"UserId":"ACCOUNT"}]}\'`. If a grantee is right, add it to the trust '
        "policy, or accept it for these images by an exception."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/share-amis-with-organizations-and-OUs.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageAttribute.html",
    ),
    on_by_default=True,
)


def evaluate(image: Image, permission: PermissionState, rules: Rules) -> CheckResult:
    """Judge one image.

    Args:
        image: as listed; its account and region name the target.
        permission: what was read of its launch permission.
        rules: the policy, exceptions, organization and day that decide.
    """
    match permission:
        case LaunchPermission(grantees):
            # Each distinct grantee once, the widest first: AWS's order says nothing.
            return _judge(image, tuple(decide(one, image, rules) for one in sorted(set(grantees), key=report_order)))
        case PermissionRemoved():
            message = "The image is disabled: AWS has removed its launch permission."
            return _result(image, Status.PASS, Severity.INFORMATIONAL, (), message)
        case Unreadable(reason, hint):
            message = f"Its launch permission could not be read: {reason}" + (f" ({hint})" if hint else "")
            return _result(image, Status.UNKNOWN, METADATA.severity, (), message)
        case _:
            assert_never(permission)


def target_unreadable(target: Target, problem: Unreadable) -> CheckResult:
    """The one result of a target whose images could not be listed, or not to the end."""
    message = f"The images could not be listed: {problem.reason}" + (f" ({problem.hint})" if problem.hint else "")
    return CheckResult(METADATA.check_id, Status.UNKNOWN, METADATA.severity, target, None, (), message)


def _judge(image: Image, decisions: tuple[Decision, ...]) -> CheckResult:
    by_verdict = {verdict: [one for one in decisions if one.verdict is verdict] for verdict in Verdict}
    if untrusted := by_verdict[Verdict.UNTRUSTED]:
        message = f"Not trusted, and may launch it: {_count(untrusted)}."
        return _result(image, Status.FAIL, _severity(untrusted), decisions, message)
    if undetermined := by_verdict[Verdict.UNDETERMINED]:
        message = f"Whether {_count(undetermined)} may be trusted could not be determined."
        return _result(image, Status.UNKNOWN, METADATA.severity, decisions, message)
    if excepted := by_verdict[Verdict.EXCEPTED]:
        message = f"Accepted by an exception, and may launch it: {_count(excepted)}."
        return _result(image, Status.SUPPRESSED, _severity(excepted), decisions, message)
    message = f"It is shared with trusted grantees only ({len(decisions)})." if decisions else "It is not shared."
    return _result(image, Status.PASS, Severity.INFORMATIONAL, decisions, message)


def _severity(decisions: list[Decision]) -> Severity:
    public = any(isinstance(decision.grantee, Everyone) for decision in decisions)
    return Severity.CRITICAL if public else METADATA.severity


_NOUNS = {
    GranteeKind.ACCOUNT: ("account", "accounts"),
    GranteeKind.ORGANIZATION: ("organization", "organizations"),
    GranteeKind.ORGANIZATIONAL_UNIT: ("organizational unit", "organizational units"),
    GranteeKind.UNRECOGNIZED: ("unrecognized grantee", "unrecognized grantees"),
}


def _count(decisions: list[Decision]) -> str:
    """`everyone, 2 accounts and 1 organization`: the grantees counted by kind, the widest first."""
    kinds = [grantee_kind(decision.grantee) for decision in decisions]
    parts = ["everyone"] if GranteeKind.EVERYONE in kinds else []
    for kind, (singular, plural) in _NOUNS.items():
        if number := kinds.count(kind):
            parts.append(f"{number} {singular if number == 1 else plural}")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _result(
    image: Image, status: Status, severity: Severity, decisions: tuple[Decision, ...], message: str
) -> CheckResult:
    target = Target(image.account_id, image.region, image.partition)
    return CheckResult(METADATA.check_id, status, severity, target, image, decisions, message)
