"""What every check says of a target that could not be read at all."""

from collections.abc import Callable, Collection, Mapping

from amiguard.core.checks import ami_block_public_access, ami_cross_account_access, ami_snapshot_cross_account
from amiguard.core.image import Unreadable
from amiguard.core.result import CheckResult, Target

_ADDITIONAL: Mapping[str, Callable[[Target, Unreadable], CheckResult]] = {
    ami_block_public_access.METADATA.check_id: ami_block_public_access.evaluate,
    ami_snapshot_cross_account.METADATA.check_id: ami_snapshot_cross_account.target_unreadable,
}


def unread_target(target: Target, problem: Unreadable, checks: Collection[str]) -> tuple[CheckResult, ...]:
    """One unknown result a check: unread is never clean.

    Args:
        target: of which nothing is known, or whose reading was cut short.
        problem: why.
        checks: the checks that are on besides that of images, less those that have a result of the target already.
    """
    additional = (tell(target, problem) for check_id, tell in _ADDITIONAL.items() if check_id in checks)
    return *additional, ami_cross_account_access.target_unreadable(target, problem)
