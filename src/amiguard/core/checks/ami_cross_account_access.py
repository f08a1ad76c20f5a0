"""The check `ami-cross-account-access`: may accounts that are not trusted launch this image?"""

from typing import assert_never

from amiguard.core.checks.grants import counted, decide_each, severity_of, why, worst_of
from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.decision import Decision, Rules, Verdict
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
            return _judge(image, decide_each(grantees, image, rules, may="launch it"))
        case PermissionRemoved():
            message = "The image is disabled: AWS has removed its launch permission."
            return _result(image, Status.PASS, Severity.INFORMATIONAL, (), message)
        case Unreadable():
            message = f"Its launch permission could not be read: {why(permission)}"
            return _result(image, Status.UNKNOWN, METADATA.severity, (), message)
        case _:
            assert_never(permission)


def target_unreadable(target: Target, problem: Unreadable) -> CheckResult:
    """The one result of a target whose images could not be listed, or not to the end."""
    message = f"The images could not be listed: {why(problem)}"
    return CheckResult(METADATA.check_id, Status.UNKNOWN, METADATA.severity, target, None, (), message)


def _judge(image: Image, decisions: tuple[Decision, ...]) -> CheckResult:
    verdict, who = worst_of(decisions)
    match verdict:
        case Verdict.UNTRUSTED:
            message = f"Not trusted, and may launch it: {counted(who)}."
            return _result(image, Status.FAIL, severity_of(who, METADATA.severity), decisions, message)
        case Verdict.UNDETERMINED:
            message = f"Whether {counted(who)} may be trusted could not be determined."
            return _result(image, Status.UNKNOWN, METADATA.severity, decisions, message)
        case Verdict.EXCEPTED:
            message = f"Accepted by an exception, and may launch it: {counted(who)}."
            return _result(image, Status.SUPPRESSED, severity_of(who, METADATA.severity), decisions, message)
        case Verdict.TRUSTED:
            message = f"It is shared with trusted grantees only ({len(who)})." if who else "It is not shared."
            return _result(image, Status.PASS, Severity.INFORMATIONAL, decisions, message)
        case _:
            assert_never(verdict)


def _result(
    image: Image, status: Status, severity: Severity, decisions: tuple[Decision, ...], message: str
) -> CheckResult:
    target = Target(image.account_id, image.region, image.partition)
    return CheckResult(METADATA.check_id, status, severity, target, image, decisions, message)
