"""What the reader of evidence makes of a fake EC2, KMS and CloudTrail."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.core.evidence import Usage, UsageEntry
from amiguard.core.image import Unreadable
from amiguard.core.key_policy import KeyFacts
from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeKey,
    FakeRegion,
    FakeReport,
    FakeUsage,
    FakeUse,
    Fault,
    Hang,
    admitting,
    by_id,
    key_policy,
)
from benchmarks.fake_ec2.effects import Delivery
from tests.integration.evidence_reading import read_evidence

OWNER, STRANGER, REGION = "012345678901", "999988887777", "us-east-1"
IMAGE = FakeImage("ami-00000000000000001")
OLD_DEFAULT = FakeUse(STRANGER, "ec2:LaunchTemplate", version=30)
"""A launch template of 30 versions of which the first one is the default."""


def test_a_launch_template_that_launches_an_old_version_is_use() -> None:
    shallow = FakeReport(IMAGE.id, version_depth=1)
    region = FakeRegion(by_id(IMAGE), usage={IMAGE.id: FakeUsage((OLD_DEFAULT,))}, reports=(shallow,))

    async def work(reader: Ec2EvidenceReader) -> Usage | Unreadable:
        return await reader.read_usage(IMAGE.id)

    with FakeEc2(Estate({OWNER: FakeAccount({REGION: region})})) as fake:
        first, _ = read_evidence(fake, OWNER, REGION, work)
        again, stats = read_evidence(fake, OWNER, REGION, work)

    for told, reused in ((first, False), (again, True)):
        assert isinstance(told, Usage)
        assert told.entries == (UsageEntry(STRANGER, "ec2:LaunchTemplate", 1),)
        assert told.reused == reused
    assert "CreateImageUsageReport" not in stats.calls


@dataclass(frozen=True, slots=True)
class Told(Hang):
    """As `Hang`, and says each time that a call has come."""

    arrived: threading.Semaphore = field(default_factory=threading.Semaphore)
    acts: bool = False

    def deliver(self, delivery: Delivery) -> None:
        self.arrived.release()


def test_a_trail_that_does_not_answer_holds_up_neither_keys_nor_usage() -> None:
    key = FakeKey("1234abcd-12ab-34cd-56ef-1234567890ab", key_policy(admitting(f"arn:aws:iam::{OWNER}:root")))
    region = FakeRegion(by_id(IMAGE), usage={IMAGE.id: FakeUsage()}, keys=(key,))
    arn = f"arn:aws:kms:{REGION}:{OWNER}:key/{key.id}"
    arrived = threading.Semaphore(0)

    async def work(reader: Ec2EvidenceReader) -> tuple[KeyFacts | Unreadable, Usage | Unreadable]:
        stuck = [asyncio.create_task(reader.look_up_author(f"ami-{number:017x}")) for number in range(100)]
        assert await asyncio.to_thread(lambda: all(arrived.acquire(timeout=20) for _ in range(8)))
        async with asyncio.timeout(9):  # less than a call that gets no answer is waited for
            found = await asyncio.gather(reader.read_key(arn), reader.read_usage(IMAGE.id))
        for task in stuck:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return found

    faults = [Fault(Told(arrived=arrived), action="LookupEvents")]
    with FakeEc2(Estate({OWNER: FakeAccount({REGION: region})}), faults=faults) as fake:
        (found, usage), _ = read_evidence(fake, OWNER, REGION, work, unpaced=("LookupEvents",))

    assert isinstance(found, KeyFacts)
    assert isinstance(usage, Usage)
