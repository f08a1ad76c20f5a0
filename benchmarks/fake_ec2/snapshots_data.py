"""The snapshots that a fake EC2 serves."""

from dataclasses import dataclass

from .grants import Grant


@dataclass(frozen=True, slots=True)
class FakeSnapshot:
    """One snapshot; `grants` are its createVolumePermission.

    Attributes:
        kms_key_id: the ARN of the key that encrypts it; without, it is not encrypted.
        volume_size: in GiB.
        start_time: RFC 3339.
    """

    id: str
    grants: tuple[Grant, ...] = ()
    kms_key_id: str | None = None
    volume_id: str = "vol-ffffffff"
    volume_size: int = 8
    description: str = ""
    state: str = "completed"
    start_time: str = "2026-01-02T03:04:05.000Z"
    tags: tuple[tuple[str, str], ...] = ()


def by_snapshot_id(*snapshots: FakeSnapshot) -> dict[str, FakeSnapshot]:
    """Return the snapshots by their ids, in their order: the form in which a `FakeRegion` takes them."""
    return {snapshot.id: snapshot for snapshot in snapshots}
