"""EC2's XML replies, and its errors."""

from collections.abc import Callable, Iterable
from datetime import date
from xml.etree import ElementTree as ET

from amiguard.aws.block_public_access import parse_block_public_access
from amiguard.aws.ec2_xml import MalformedReplyError, parse_error, parse_reply
from amiguard.aws.errors import explain
from amiguard.aws.evidence.recycle_bin import parse_recycle_bin
from amiguard.aws.evidence.snapshots import parse_encryptions
from amiguard.aws.evidence.usage_reports import parse_entries, parse_reports
from amiguard.aws.images import parse_page
from amiguard.aws.permissions import explain_permission_error, parse_permission
from amiguard.aws.snapshots import explain_snapshot_error, parse_snapshot_permission
from amiguard.aws.targets import _parse_regions as parse_regions
from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.checks.ami_cross_account_access import evaluate
from amiguard.core.decision import rules_in_force
from amiguard.core.image import ImageNotFound, ImageUnavailable, Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.result import Status
from amiguard.core.result import Target as AwsTarget
from amiguard.core.trust import TrustPolicy
from tests.fakes.images import OWNER, image
from tests.fuzz.target import Form, Target

EXAMPLES = 420
PLACE = AwsTarget(OWNER, "eu-central-1", "aws")
IMAGE, SNAPSHOT, REPORT = image().image_id, "snap-0123456789abcdef0", "amiur-00000000000000001"
TRUSTS_NOBODY = rules_in_force(TrustPolicy(()), (), today=date(2026, 8, 1), organization=NoOrganization())
GRANTS = (
    "<item><userId>999988887777</userId></item><item><group>all</group></item><item><organizationArn>arn:aws:"
    "organizations::999988887777:organization/o-foreign1234</organizationArn></item><item><odd>x</odd></item>"
)


def reply(action: str, content: str) -> bytes:
    """A whole reply of EC2."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>r</requestId>{content}</{action}Response>"
    ).encode()


def listed(data: bytes, name: str) -> list[ET.Element] | None:
    """All that stands in the lists of this name, by another parser; None if that one does not know the encoding."""
    try:
        root = ET.fromstring(data)  # noqa: S314 - only what was accepted, and that has no entities
    except (ET.ParseError, LookupError, ValueError):
        return None
    return [item for one in root if str(one.tag).rpartition("}")[2] == name for item in one]


def read_images(data: bytes) -> None:
    """Every item is an image, and no image is without an id."""
    page = parse_page(parse_reply(data, "DescribeImagesResponse"), PLACE)
    assert all(image.image_id and image.account_id == OWNER for image in page.images)
    if (found := listed(data, "imagesSet")) is not None:
        assert len(page.images) == len(found)


def read_image_attribute(data: bytes) -> None:
    """No item of the permission is dropped: with a policy that trusts nobody, only one without items passes."""
    permission = parse_permission(parse_reply(data, "DescribeImageAttributeResponse"), IMAGE)
    status = evaluate(image(), permission, TRUSTS_NOBODY).status
    if (found := listed(data, "launchPermission")) is not None:
        assert len(permission.grantees) >= len(found)
        own = all(len(item) and all((one.text or "").strip() == OWNER for one in item) for item in found)
        assert own or status is not Status.PASS


def read_snapshot_attribute(data: bytes) -> None:
    """No item is dropped."""
    read = parse_snapshot_permission(parse_reply(data, "DescribeSnapshotAttributeResponse"), SNAPSHOT)
    if (found := listed(data, "createVolumePermission")) is not None:
        assert not isinstance(read.permission, Unreadable)
        assert len(read.permission) >= len(found)


def read_snapshots(data: bytes) -> None:
    """Every snapshot has an id and, if it is read, a key or none."""
    for snapshot_id, encryption in parse_encryptions(parse_reply(data, "DescribeSnapshotsResponse")).items:
        assert snapshot_id
        assert isinstance(encryption, Unreadable) or encryption.key_arn != ""


def read_usage_reports(data: bytes) -> None:
    """Every report has its id, its image and its state, and its time can be compared."""
    page = parse_reports(parse_reply(data, "DescribeImageUsageReportsResponse"))
    assert all(one.report_id and one.image_id and one.state for one in page.items)
    assert all(one.created_at is None or one.created_at.tzinfo is not None for one in page.items)


def read_usage_entries(data: bytes) -> None:
    """Every entry has its account and a count."""
    page = parse_entries(parse_reply(data, "DescribeImageUsageReportEntriesResponse"), REPORT)
    assert all(one.account_id and one.resource_type and one.count >= 0 for one in page.items)


def read_recycle_bin(data: bytes) -> None:
    """Every image has an id."""
    page = parse_recycle_bin(parse_reply(data, "ListImagesInRecycleBinResponse"))
    assert all(one.image_id for one in page.items)


def read_switch(data: bytes) -> None:
    """A state is one that is known."""
    read = parse_block_public_access(parse_reply(data, "GetImageBlockPublicAccessStateResponse"))
    assert read.state in BlockPublicAccess
    assert read.managed_by


def read_regions(data: bytes) -> None:
    """There is a region, and each has a name."""
    regions = parse_regions(parse_reply(data, "DescribeRegionsResponse"))
    assert regions
    assert all(regions)


def read_error(data: bytes) -> None:
    """An error has a code, and whatever it says is explained in words, and never a permission."""
    error = parse_error(data)
    assert error.code
    assert explain(error, "ec2:DescribeImages").reason
    assert explain_snapshot_error(error).reason
    assert isinstance(explain_permission_error(error), Unreadable | ImageNotFound | ImageUnavailable)


def _target(name: str, run: Callable[[bytes], object], seeds: Iterable[bytes]) -> Target:
    return Target(name, Form.XML, run, (MalformedReplyError,), tuple(seeds), EXAMPLES)


XML_TARGETS = (
    _target(
        "images",
        read_images,
        [
            reply(
                "DescribeImages",
                "<imagesSet><item><imageId>ami-1</imageId><imageState>available</imageState><isPublic>true</isPublic>"
                "<name>a &lt;b&gt; \u202e</name><creationDate>2026-01-02T03:04:05.000Z</creationDate>"
                "<blockDeviceMapping><item><ebs><snapshotId>snap-1</snapshotId></ebs></item></blockDeviceMapping>"
                "<tagSet><item><key>k</key><value/></item></tagSet></item><item><imageId>ami-2</imageId></item>"
                "</imagesSet><nextToken>t</nextToken>",
            ),
            reply("DescribeImages", "<imagesSet/>"),
        ],
    ),
    _target(
        "image-attribute",
        read_image_attribute,
        [
            reply("DescribeImageAttribute", f"<imageId>{IMAGE}</imageId>{content}")
            for content in ("<launchPermission/>", f"<launchPermission>{GRANTS}</launchPermission>")
        ],
    ),
    _target(
        "snapshot-attribute",
        read_snapshot_attribute,
        [
            reply(
                "DescribeSnapshotAttribute",
                f"<snapshotId>{SNAPSHOT}</snapshotId><createVolumePermission>{GRANTS}</createVolumePermission>",
            )
        ],
    ),
    _target(
        "snapshots",
        read_snapshots,
        [
            reply(
                "DescribeSnapshots",
                f"<snapshotSet><item><snapshotId>{SNAPSHOT}</snapshotId><encrypted>true</encrypted><kmsKeyId>arn:aws:"
                "kms:eu-central-1:1:key/k</kmsKeyId></item><item><snapshotId>snap-2</snapshotId><encrypted>false"
                "</encrypted><associatedKmsKeySet><item/></associatedKmsKeySet></item></snapshotSet>",
            )
        ],
    ),
    _target(
        "usage-reports",
        read_usage_reports,
        [
            reply(
                "DescribeImageUsageReports",
                f"<imageUsageReportSet><item><imageId>{IMAGE}</imageId><reportId>{REPORT}</reportId><state>available"
                "</state><creationTime>2026-06-15T08:00:00.000Z</creationTime><resourceTypeSet><item><resourceType>"
                "ec2:Instance</resourceType></item></resourceTypeSet><accountIdSet><item>111122223333</item>"
                "</accountIdSet></item></imageUsageReportSet><nextToken>t</nextToken>",
            )
        ],
    ),
    _target(
        "usage-entries",
        read_usage_entries,
        [
            reply(
                "DescribeImageUsageReportEntries",
                f"<imageUsageReportEntrySet><item><reportId>{REPORT}</reportId><imageId>{IMAGE}</imageId><accountId>"
                "111122223333</accountId><resourceType>ec2:Instance</resourceType><usageCount>3</usageCount></item>"
                "</imageUsageReportEntrySet>",
            )
        ],
    ),
    _target(
        "recycle-bin",
        read_recycle_bin,
        [
            reply(
                "ListImagesInRecycleBin",
                f"<imageSet><item><imageId>{IMAGE}</imageId><name>n</name><recycleBinEnterTime>2026-06-15T08:00:00.000Z"
                "</recycleBinEnterTime></item></imageSet>",
            )
        ],
    ),
    _target(
        "block-public-access",
        read_switch,
        [
            reply(
                "GetImageBlockPublicAccessState",
                "<imageBlockPublicAccessState>block-new-sharing</imageBlockPublicAccessState><managedBy>account"
                "</managedBy>",
            )
        ],
    ),
    _target(
        "regions",
        read_regions,
        [
            reply(
                "DescribeRegions",
                "<regionInfo><item><regionName>eu-central-1</regionName><optInStatus>opted-in</optInStatus></item>"
                "</regionInfo>",
            )
        ],
    ),
    _target(
        "errors",
        read_error,
        [
            f'<?xml version="1.0"?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>'
            "</Errors><RequestID>r</RequestID></Response>".encode()
            for code, message in (
                ("UnauthorizedOperation", "You are not authorized. Encoded authorization failure message: abc"),
                ("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist"),
                ("AuthFailure", "Not authorized for image"),
            )
        ],
    ),
)
