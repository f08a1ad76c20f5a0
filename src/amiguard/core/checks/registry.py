"""Every check, listed by hand: a new check is added here."""

from collections.abc import Iterable

from amiguard.core.checks import ami_block_public_access, ami_cross_account_access, ami_snapshot_cross_account
from amiguard.core.checks.metadata import CheckMetadata

CHECKS: tuple[CheckMetadata, ...] = (
    ami_cross_account_access.METADATA,
    ami_block_public_access.METADATA,
    ami_snapshot_cross_account.METADATA,
)
CHECK_IDS = tuple(check.check_id for check in CHECKS)
ADDITIONAL = frozenset(check.check_id for check in CHECKS if not check.on_by_default)
"""The checks that run only when they are asked for."""


def additional_checks(check_ids: Iterable[str]) -> frozenset[str]:
    """The checks that are named, without those that run anyway.

    Raises:
        ValueError: there is no such check.
    """
    named = frozenset(check_ids)
    if unknown := named - frozenset(CHECK_IDS):
        raise ValueError(f"there is no check {', '.join(sorted(unknown))}")
    return named & ADDITIONAL
