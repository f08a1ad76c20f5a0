"""The check `ami-block-public-access`: may images of this account be made public in this region?"""

from typing import assert_never

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.image import Unreadable
from amiguard.core.result import CheckResult, Severity, Status, Target

METADATA = CheckMetadata(
    check_id="ami-block-public-access",
    title="Images cannot be made public",
    severity=Severity.MEDIUM,
    description=(
        "Image block public access is a switch of EC2, one in each region of an account. While it is off, whoever may "
        "change an image can offer it to every AWS account with one call."
    ),
    remediation=(
        "In the EC2 console under Settings, Block public access for AMIs; or with `aws ec2 "
        "enable-image-block-public-access --image-block-public-access-state block-new-sharing --region R`, in each "
        "region. Where a declarative policy of the organization manages the switch, enable it in that policy. "
        "It can take up to 10 minutes. Images that are public already stay public, and sharing with accounts, "
        "organizations and organizational units is not affected: see ami-cross-account-access for these."
    ),
    references=(
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageBlockPublicAccess.html",
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageBlockPublicAccessState.html",
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html",
    ),
    on_by_default=False,
)


def evaluate(target: Target, state: BlockPublicAccessState | Unreadable) -> CheckResult:
    """Judge the switch of one target.

    Args:
        target: one account in one region, or in all of them where these could not be asked for.
        state: what was read, or why it could not be.
    """
    if isinstance(state, Unreadable):
        message = f"Image block public access could not be read: {state.reason}"
        return _result(target, Status.UNKNOWN, METADATA.severity, message + (f" ({state.hint})" if state.hint else ""))
    match state.state:
        case BlockPublicAccess.UNBLOCKED:
            message = (
                f"Images can be made public: image block public access is off, {_managed_by(state)}{_mend(state)}."
            )
            return _result(target, Status.FAIL, METADATA.severity, message, state)
        case BlockPublicAccess.BLOCK_NEW_SHARING:
            message = f"No more images can be made public: image block public access is on, {_managed_by(state)}."
            return _result(target, Status.PASS, Severity.INFORMATIONAL, message, state)
        case _:
            assert_never(state.state)


def _mend(state: BlockPublicAccessState) -> str:
    return "; enable it in that policy" if state.by_declarative_policy else ""


def _managed_by(state: BlockPublicAccessState) -> str:
    if state.by_declarative_policy:
        return "managed by a declarative policy of the organization"
    # EC2 knows `account` besides; another word of a later day is passed on.
    return f"managed by {'the account' if state.managed_by == 'account' else state.managed_by}"


def _result(
    target: Target, status: Status, severity: Severity, message: str, state: BlockPublicAccessState | None = None
) -> CheckResult:
    return CheckResult(METADATA.check_id, status, severity, target, None, (), message, state)
