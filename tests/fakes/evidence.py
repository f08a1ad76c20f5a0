"""In-memory `EvidenceReader` and `EvidenceOpener`: what the investigator sees of AWS, without AWS."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from amiguard.core.evidence import Author, BinnedImage, Usage
from amiguard.core.evidence_ports import OpenedEvidence, SnapshotEncryption
from amiguard.core.image import Unreadable
from amiguard.core.key_policy import KeyFacts
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.result import Target
from amiguard.core.snapshot import SnapshotPermission

NOT_KNOWN = Unreadable("the fake does not know it")


@dataclass
class FakeEvidenceReader:
    """What each call answers, and after how many seconds of the loop's clock."""

    usage: Mapping[str, Usage | Unreadable] = field(default_factory=dict)
    authors: Mapping[str, Author | Unreadable] = field(default_factory=dict)
    snapshots: Mapping[str, SnapshotPermission] = field(default_factory=dict)
    encryption: Mapping[str, SnapshotEncryption | Unreadable] = field(default_factory=dict)
    keys: Mapping[str, KeyFacts | Unreadable] = field(default_factory=dict)
    recycle_bin: tuple[BinnedImage, ...] | Unreadable = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    closed: int = 0

    async def _take(self, call: str, about: str = "") -> None:
        assert not self.closed, f"{call} after close"
        self.calls.append((call, about))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.seconds.get(call, 0.0))
        finally:
            self.under_way -= 1

    async def read_usage(self, image_id: str) -> Usage | Unreadable:
        await self._take("usage", image_id)
        return self.usage.get(image_id, NOT_KNOWN)

    async def look_up_author(self, image_id: str) -> Author | Unreadable:
        await self._take("author", image_id)
        return self.authors.get(image_id, NOT_KNOWN)

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        await self._take("snapshot", snapshot_id)
        return self.snapshots.get(snapshot_id, SnapshotPermission(snapshot_id, NOT_KNOWN))

    async def read_encryption(self, snapshot_id: str) -> SnapshotEncryption | Unreadable:
        await self._take("encryption", snapshot_id)
        return self.encryption.get(snapshot_id, NOT_KNOWN)

    async def read_key(self, key_arn: str) -> KeyFacts | Unreadable:
        await self._take("key", key_arn)
        return self.keys.get(key_arn, NOT_KNOWN)

    async def list_recycle_bin(self) -> tuple[BinnedImage, ...] | Unreadable:
        await self._take("bin")
        return self.recycle_bin

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeEvidenceOpener:
    """Targets by what they are read with, or why they cannot be."""

    targets: Mapping[Target, FakeEvidenceReader | Unreadable]
    organization: OrganizationView = field(default_factory=NoOrganization)
    opened: list[Target] = field(default_factory=list)

    async def open(self, target: Target) -> OpenedEvidence | Unreadable:
        self.opened.append(target)
        await asyncio.sleep(0)
        reader = self.targets[target]
        return reader if isinstance(reader, Unreadable) else OpenedEvidence(reader, self.organization)
