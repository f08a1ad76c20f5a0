"""What the investigator needs: small protocols that `aws` implements and tests replace."""

from dataclasses import dataclass
from typing import Protocol

from amiguard.core.evidence import Author, BinnedImage, Usage
from amiguard.core.image import Unreadable
from amiguard.core.key_policy import KeyFacts
from amiguard.core.organization import OrganizationView
from amiguard.core.result import Target
from amiguard.core.snapshot import SnapshotPermission


@dataclass(frozen=True, slots=True)
class SnapshotEncryption:
    """How a snapshot is encrypted (DescribeSnapshots).

    Attributes:
        key_arn: of the key; None if the snapshot is not encrypted.
    """

    key_arn: str | None


class EvidenceReader(Protocol):
    """What can be learned about the images of one target. Pacing, batching, retries and credentials are its own matter.

    Methods may be called at the same time, any number of times; what is asked twice (a snapshot, a key) is read once.
    Any of them may be cancelled.
    """

    async def read_usage(self, image_id: str) -> Usage | Unreadable:
        """Who uses the image: by a report that is young enough, or by a new one, which is waited for."""
        ...

    async def look_up_author(self, image_id: str) -> Author | Unreadable:
        """Who shared the image, and where it comes from."""
        ...

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        """Who may create volumes from a snapshot."""
        ...

    async def read_encryption(self, snapshot_id: str) -> SnapshotEncryption | Unreadable:
        """How a snapshot is encrypted."""
        ...

    async def read_key(self, key_arn: str) -> KeyFacts | Unreadable:
        """What a KMS key is, and whom its policy and its grants let in."""
        ...

    async def list_recycle_bin(self) -> tuple[BinnedImage, ...] | Unreadable:
        """The images of the target in the Recycle Bin."""
        ...

    def close(self) -> None:
        """Give back connections and threads: nothing is asked of the target any more."""
        ...


@dataclass(frozen=True, slots=True)
class OpenedEvidence:
    """A target of which evidence can be read.

    Attributes:
        organization: what is known of the account's own organization.
    """

    reader: EvidenceReader
    organization: OrganizationView


class EvidenceOpener(Protocol):
    """Gives the way to the evidence of targets."""

    async def open(self, target: Target) -> OpenedEvidence | Unreadable:
        """Gain access to the target (assume the role); asked once a target."""
        ...
