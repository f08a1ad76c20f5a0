"""Check results: what a check says about one image, or about a target that could not be read."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from amiguard.core.block_public_access import BlockPublicAccessState
from amiguard.core.decision import Decision
from amiguard.core.image import Image
from amiguard.core.snapshot import SnapshotPermission


class Status(StrEnum):
    """The outcome of a check on one resource."""

    PASS = "pass"
    FAIL = "fail"
    SUPPRESSED = "suppressed"
    """It would fail, and an exception in force accepts that."""
    UNKNOWN = "unknown"
    """It could not be read or decided. Never clean."""


class Severity(StrEnum):
    """How bad it is, in OCSF's words."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    INFORMATIONAL = "informational"


class TargetStatus(StrEnum):
    """What became of a target, one (account, region)."""

    AUDITED = "audited"
    SKIPPED = "skipped"
    """Left out on purpose or because AWS serves nothing there; the audit stays complete."""
    FAILED = "failed"
    """It should have been read, and was not, or not to its end."""


ALL_REGIONS = "*"
"""Stands for the regions of an account where they could not be asked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """One account in one region: the unit of work, of pacing and of failure."""

    account_id: str
    region: str
    partition: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check says about one image; `image` is None when it is about the whole target."""

    check_id: str
    status: Status
    severity: Severity
    target: Target
    image: Image | None
    decisions: tuple[Decision, ...]
    message: str
    block_public_access: BlockPublicAccessState | None = None
    """What the check of that name has read."""
    snapshots: tuple[SnapshotPermission, ...] = ()
    """What the check of snapshots has read: every snapshot under the image."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over check, partition, account, region and image id: stable while grants come and go."""
        image_id = self.image.image_id if self.image else ""
        identity = (self.check_id, self.target.partition, self.target.account_id, self.target.region, image_id)
        return hashlib.sha256("\n".join(identity).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TargetReport:
    """The end of one target.

    Attributes:
        reason: why it was skipped or failed; empty when audited.
        images: how many images have a result.
        vanished: how many images were listed and then gone, confirmed by a second listing.
    """

    target: Target
    status: TargetStatus
    reason: str = ""
    images: int = 0
    vanished: int = 0
