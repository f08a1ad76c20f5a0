"""What the reader of evidence makes of a fake EC2, KMS and CloudTrail."""

from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.core.evidence import Usage, UsageEntry
from amiguard.core.image import Unreadable
from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeRegion,
    FakeReport,
    FakeUsage,
    FakeUse,
    by_id,
)
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
