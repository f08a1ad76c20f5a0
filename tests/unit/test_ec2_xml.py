"""EC2's replies: read whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.aws.ec2_xml import MalformedReplyError, parse_error, parse_reply
from amiguard.aws.errors import ApiError
from amiguard.aws.images import parse_page
from amiguard.aws.permissions import parse_permission
from amiguard.core.grantee import Account, Everyone, Unrecognized
from amiguard.core.image import LaunchPermission
from amiguard.core.result import Target

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
TARGET = Target("123456789012", "eu-central-1", "aws")


def permission_xml(grants: str, image_id: str = "ami-1") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<DescribeImageAttributeResponse xmlns="{NAMESPACE}">'
        f"<requestId>r</requestId><imageId>{image_id}</imageId>{grants}</DescribeImageAttributeResponse>"
    ).encode()


def read_permission(content: bytes) -> LaunchPermission:
    return parse_permission(parse_reply(content, "DescribeImageAttributeResponse"), "ami-1")


def test_grants_are_read() -> None:
    grants = "<item><userId>012345678901</userId></item><item><group>all</group></item><item><x>y</x></item>"
    assert read_permission(permission_xml(f"<launchPermission>{grants}</launchPermission>")) == LaunchPermission(
        (Account("012345678901"), Everyone(), Unrecognized("x=y"))
    )


def test_not_shared_is_an_empty_list() -> None:
    assert read_permission(permission_xml("<launchPermission/>")) == LaunchPermission(())


WHOLE = permission_xml("<launchPermission><item><userId>012345678901</userId></item></launchPermission>")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (permission_xml(""), "<DescribeImageAttributeResponse> has no <launchPermission>"),
        (
            permission_xml("<launchPermission><userId>1</userId></launchPermission>"),
            "<launchPermission> holds a <userId>",
        ),
        (permission_xml("<launchPermission/>", "ami-2"), "the reply speaks of another image"),
        (
            b"<html><body>Sign in</body></html>",
            "the reply is HTML",
        ),
        (b"<!DOCTYPE html><html><br></html>", "the reply is HTML"),
        (b"", "the reply is no whole XML"),
        (b"{}", "the reply is no whole XML"),
        (WHOLE[:-1], "the reply is no whole XML"),
        (WHOLE + b"<more/>", "the reply is no whole XML"),
        (
            b"<Response><Errors/></Response>",
            "a document <Response> came where <DescribeImageAttributeResponse> was asked for",
        ),
        (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            b"<DescribeImageAttributeResponse>&e;</DescribeImageAttributeResponse>",
            "the reply has a document type, which AWS never sends",
        ),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
            b"<DescribeImageAttributeResponse>&b;</DescribeImageAttributeResponse>",
            "the reply has a document type, which AWS never sends",
        ),
        (b"<DescribeImageAttributeResponse>&undefined;</DescribeImageAttributeResponse>", "the reply is no whole XML"),
    ],
)
def test_what_is_not_the_reply_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(MalformedReplyError) as caught:
        read_permission(content)
    assert str(caught.value) == why


@given(st.integers(0, len(WHOLE) - 1))
def test_a_cut_reply_is_never_read(length: int) -> None:
    with pytest.raises(MalformedReplyError):
        read_permission(WHOLE[:length])


@given(st.binary(max_size=300) | st.text(alphabet="<>/ai&;!-[]?\"'= ", max_size=80).map(str.encode))
def test_any_bytes_are_a_reply_or_refused(content: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        read_permission(content)
    with pytest.raises(MalformedReplyError):
        parse_error(content)


def test_errors_are_read() -> None:
    content = (
        b'<?xml version="1.0"?><Response><Errors><Error><Code>InvalidAMIID.NotFound</Code><Message>The image id '
        b"'[ami-1]' does not exist</Message></Error></Errors><RequestID>r</RequestID></Response>"
    )
    assert parse_error(content) == ApiError("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist")


def test_a_page_of_images() -> None:
    content = (
        f'<DescribeImagesResponse xmlns="{NAMESPACE}"><requestId>r</requestId><imagesSet><item><imageId>ami-1</imageId>'
        "<imageState>available</imageState><imageOwnerId>123456789012</imageOwnerId><isPublic>true</isPublic>"
        "<name>a &lt;b&gt; \u202e</name><creationDate>2026-01-02T03:04:05.000Z</creationDate><blockDeviceMapping><item>"
        "<deviceName>/dev/xvda</deviceName><ebs><encrypted>true</encrypted><snapshotId>snap-b</snapshotId></ebs></item>"
        "<item><deviceName>/dev/xvdb</deviceName><virtualName>ephemeral0</virtualName></item>"
        "<item><ebs><snapshotId>snap-a</snapshotId></ebs></item><item><ebs><snapshotId>snap-b</snapshotId></ebs></item>"
        "<item><ebs><snapshotId/></ebs></item></blockDeviceMapping>"
        "<lastLaunchedTime>2026-02-03T04:05:06Z</lastLaunchedTime><tagSet><item><key>Team</key><value/></item>"
        "</tagSet></item><item><imageId>ami-2</imageId></item></imagesSet><nextToken>t</nextToken>"
        "</DescribeImagesResponse>"
    ).encode()
    page = parse_page(parse_reply(content, "DescribeImagesResponse"), TARGET)
    assert page.next_token == "t"
    first, second = page.images
    assert (first.image_id, first.state, first.public, first.name) == ("ami-1", "available", True, "a <b> \u202e")
    assert first.tags == (("Team", ""),)
    assert first.arn == "arn:aws:ec2:eu-central-1::image/ami-1"
    assert (first.snapshot_ids, first.last_launched) == (("snap-b", "snap-a"), "2026-02-03T04:05:06Z")
    assert (second.image_id, second.public, second.account_id) == ("ami-2", False, "123456789012")
    assert (second.snapshot_ids, second.last_launched) == ((), "")


def test_an_image_without_an_id_is_not_skipped() -> None:
    content = b"<DescribeImagesResponse><imagesSet><item><name>x</name></item></imagesSet></DescribeImagesResponse>"
    with pytest.raises(MalformedReplyError, match="an image without an id is listed"):
        parse_page(parse_reply(content, "DescribeImagesResponse"), TARGET)
