"""DescribeSnapshotAttribute: read whole or not at all, and its errors in words."""

import pytest

from amiguard.aws.ec2_xml import MalformedReplyError, parse_reply
from amiguard.aws.errors import ApiError
from amiguard.aws.snapshots import explain_snapshot_error, parse_snapshot_permission, snapshot_permission_parameters
from amiguard.core.grantee import Account, Everyone, Unrecognized
from amiguard.core.image import Unreadable
from amiguard.core.snapshot import SnapshotPermission


def parse(permissions: str, snapshot_id: str = "<snapshotId>snap-1</snapshotId>") -> SnapshotPermission:
    content = (
        '<DescribeSnapshotAttributeResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
        f"{snapshot_id}{permissions}</DescribeSnapshotAttributeResponse>"
    ).encode()
    return parse_snapshot_permission(parse_reply(content, "DescribeSnapshotAttributeResponse"), "snap-1")


def test_it_asks_for_the_permission_of_one_snapshot() -> None:
    assert snapshot_permission_parameters("snap-1") == [
        ("Attribute", "createVolumePermission"),
        ("SnapshotId", "snap-1"),
    ]


def test_grants_are_read() -> None:
    grants = "<item><userId>012345678901</userId></item><item><group>all</group></item><item><x>y</x></item><item/>"
    assert parse(f"<createVolumePermission>{grants}</createVolumePermission>") == SnapshotPermission(
        "snap-1", (Account("012345678901"), Everyone(), Unrecognized("x=y"), Unrecognized("an empty grant"))
    )


def test_not_shared_is_an_empty_list() -> None:
    assert parse("<createVolumePermission/>") == SnapshotPermission("snap-1", ())


@pytest.mark.parametrize(
    ("permissions", "snapshot_id", "why"),
    [
        ("", "<snapshotId>snap-1</snapshotId>", "has no <createVolumePermission>"),
        ("<createVolumePermission/>", "<snapshotId>snap-2</snapshotId>", "the reply speaks of another snapshot"),
        ("<createVolumePermission/>", "", "the reply speaks of another snapshot"),
        (
            "<createVolumePermission><userId>1</userId></createVolumePermission>",
            "<snapshotId>snap-1</snapshotId>",
            "<createVolumePermission> holds a <userId>",
        ),
    ],
)
def test_a_reply_that_is_not_whole_is_never_private(permissions: str, snapshot_id: str, why: str) -> None:
    with pytest.raises(MalformedReplyError, match=why):
        parse(permissions, snapshot_id)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            ApiError("UnauthorizedOperation", "You are not authorized to perform this operation."),
            Unreadable(
                "not permitted: ec2:DescribeSnapshotAttribute", "grant ec2:DescribeSnapshotAttribute to the caller"
            ),
        ),
        (
            ApiError("InvalidSnapshot.NotFound", "The snapshot 'snap-1' does not exist."),
            Unreadable(
                "EC2 does not know a snapshot that the image names",
                "look for it in the Recycle Bin; if it was deleted, the image can be deregistered",
            ),
        ),
        (
            ApiError("AuthFailure", "Not authorized for snapshot:snap-1"),
            Unreadable(
                "EC2 does not say to this account who may use the snapshot: it may belong to another one",
                "audit the account that owns the snapshot",
            ),
        ),
        (
            ApiError("AuthFailure", "AWS was not able to validate the credentials"),
            Unreadable(
                "AWS does not accept the credentials here: AWS was not able to validate the credentials",
                "check the keys, and that the region is enabled",
            ),
        ),
        (ApiError("InvalidParameterValue", "x"), Unreadable("InvalidParameterValue: x")),
    ],
)
def test_errors_say_why_and_what_would_mend_it(error: ApiError, expected: Unreadable) -> None:
    assert explain_snapshot_error(error) == expected
