"""Who may create volumes from the snapshots under an image: their createVolumePermission."""

from dataclasses import dataclass

from amiguard.core.grantee import Grantee
from amiguard.core.image import Unreadable


@dataclass(frozen=True, slots=True)
class SnapshotPermission:
    """The createVolumePermission of one snapshot (DescribeSnapshotAttribute).

    Attributes:
        permission: all grantees, in AWS's order (accounts and everyone: EC2 knows no other kind here); or why they
            could not be read.
        gone: why they could not: EC2 does not know the snapshot (`InvalidSnapshot.NotFound`).
    """

    snapshot_id: str
    permission: tuple[Grantee, ...] | Unreadable
    gone: bool = False
