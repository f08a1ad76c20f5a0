"""DescribeSnapshotAttribute: who may create volumes from this snapshot? One call a snapshot."""

from lxml import etree

from amiguard.aws.ec2_query import Parameters
from amiguard.aws.ec2_xml import MalformedReplyError, child_text, items, local_name
from amiguard.aws.errors import ApiError, explain
from amiguard.core.grantee import Grantee, parse_grant
from amiguard.core.image import Unreadable
from amiguard.core.snapshot import SnapshotPermission

_NOT_FOUND = frozenset({"InvalidSnapshot.NotFound"})


def snapshot_permission_parameters(snapshot_id: str) -> Parameters:
    """The parameters that ask for one snapshot's createVolumePermission."""
    return [("Attribute", "createVolumePermission"), ("SnapshotId", snapshot_id)]


def parse_snapshot_permission(root: etree._Element, snapshot_id: str) -> SnapshotPermission:
    """Read a DescribeSnapshotAttributeResponse.

    Raises:
        MalformedReplyError: it speaks of another snapshot, or has no createVolumePermission.
    """
    answered = child_text(root, "snapshotId")
    if answered != snapshot_id:
        raise MalformedReplyError("the reply speaks of another snapshot")
    grantees: list[Grantee] = []
    for item in items(root, "createVolumePermission"):
        grantees += parse_grant((local_name(member), (member.text or "").strip()) for member in item)
    return SnapshotPermission(snapshot_id, tuple(grantees))


def is_gone(error: ApiError) -> bool:
    """Whether EC2 says that it does not know the snapshot."""
    return error.code in _NOT_FOUND


def explain_snapshot_error(error: ApiError) -> Unreadable:
    """Why the createVolumePermission could not be read (EC2 API Reference, "Error codes")."""
    if is_gone(error):
        return Unreadable(
            "EC2 does not know a snapshot that the image names",
            "look for it in the Recycle Bin; if it was deleted, the image can be deregistered",
        )
    if error.code == "AuthFailure" and "snapshot" in error.message.lower():
        return Unreadable(
            "EC2 does not say to this account who may use the snapshot: it may belong to another one",
            "audit the account that owns the snapshot",
        )
    return explain(error, "ec2:DescribeSnapshotAttribute")
