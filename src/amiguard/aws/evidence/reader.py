"""Reads the evidence of one target: the port `EvidenceReader`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from amiguard.aws.botocore_calls import BotocoreCalls
from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.evidence.keys import read_key
from amiguard.aws.evidence.once import Once
from amiguard.aws.evidence.recycle_bin import list_recycle_bin
from amiguard.aws.evidence.snapshots import Encryptions
from amiguard.aws.evidence.trail import Trail
from amiguard.aws.evidence.usage import ImageUsage
from amiguard.aws.evidence.usage_reports import UsageReports
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import Pacer, TokenBucket
from amiguard.aws.reader import Ec2ImageReader
from amiguard.core.evidence import Author, BinnedImage, Usage
from amiguard.core.evidence_ports import SnapshotEncryption
from amiguard.core.image import Unreadable
from amiguard.core.key_policy import KeyFacts
from amiguard.core.result import Target
from amiguard.core.snapshot import SnapshotPermission


def _now() -> datetime:
    return datetime.now(UTC)


class Ec2EvidenceReader:
    """What can be learned about the images of one account in one region; each thing is read once.

    Args:
        client: calls EC2 in that region as that account.
        calls: makes botocore call EC2, CloudTrail and KMS as that account.
        target: the account and region.
        pacer: holds the buckets.
        usage_max_age: a usage report that is younger is used again.
        now: the time.
    """

    def __init__(
        self,
        client: Ec2QueryClient,
        calls: BotocoreCalls,
        target: Target,
        pacer: Pacer,
        *,
        usage_max_age: timedelta,
        now: Callable[[], datetime] = _now,
    ) -> None:
        def bucket(action: str) -> TokenBucket:
            return pacer.bucket(target.account_id, target.region, action)

        reports = UsageReports(client, bucket("DescribeImageUsageReports"), bucket("DescribeImageUsageReportEntries"))
        images = Ec2ImageReader(client, target, ImageQuery(), pacer)
        bin_bucket = bucket("ListImagesInRecycleBin")
        self._usage = Once(ImageUsage(reports, calls, usage_max_age, now).read)
        self._authors = Once(Trail(calls).look_up)
        self._permissions = Once(images.read_snapshot_permission)
        self._encryptions = Once(Encryptions(client, bucket("DescribeSnapshots")).read)
        self._keys = Once[str, KeyFacts | Unreadable](lambda arn: read_key(calls, arn, target.account_id))
        self._bin = Once[Target, tuple[BinnedImage, ...] | Unreadable](lambda _: list_recycle_bin(client, bin_bucket))
        self._target = target

    async def read_usage(self, image_id: str) -> Usage | Unreadable:
        """Who uses the image: by a report that is young enough, or by a new one, which is waited for."""
        return await self._usage.get(image_id)

    async def look_up_author(self, image_id: str) -> Author | Unreadable:
        """Who shared the image, and where it comes from, as far as CloudTrail's 90 days reach."""
        return await self._authors.get(image_id)

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        """Who may create volumes from a snapshot."""
        return await self._permissions.get(snapshot_id)

    async def read_encryption(self, snapshot_id: str) -> SnapshotEncryption | Unreadable:
        """How a snapshot is encrypted."""
        return await self._encryptions.get(snapshot_id)

    async def read_key(self, key_arn: str) -> KeyFacts | Unreadable:
        """What a KMS key is, and whom its policy and its grants let in."""
        return await self._keys.get(key_arn)

    async def list_recycle_bin(self) -> tuple[BinnedImage, ...] | Unreadable:
        """The images of the target in the Recycle Bin, by id."""
        return await self._bin.get(self._target)

    def close(self) -> None:
        """Forget what was read. Connections and threads are the estate's: targets share them, and it closes them."""
        for known in (self._usage, self._authors, self._permissions, self._encryptions, self._keys, self._bin):
            known.clear()
