"""What every check says of a target that could not be read at all."""

from collections.abc import Collection

from amiguard.core.checks import ami_block_public_access, ami_cross_account_access
from amiguard.core.image import Unreadable
from amiguard.core.result import CheckResult, Target


def unread_target(target: Target, problem: Unreadable, checks: Collection[str]) -> tuple[CheckResult, ...]:
    """One unknown result a check: unread is never clean.

    Args:
        target: of which nothing is known, or whose reading was cut short.
        problem: why.
        checks: the checks that are on besides that of images, less those that have a result of the target already.
    """
    images = ami_cross_account_access.target_unreadable(target, problem)
    if ami_block_public_access.METADATA.check_id in checks:
        return ami_block_public_access.evaluate(target, problem), images
    return (images,)
