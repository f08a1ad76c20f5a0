"""Every check, listed by hand: a new check is added here."""

from amiguard.core.checks import ami_cross_account_access
from amiguard.core.checks.metadata import CheckMetadata

CHECKS: tuple[CheckMetadata, ...] = (ami_cross_account_access.METADATA,)
