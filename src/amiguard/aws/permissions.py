"""DescribeImageAttribute: who may launch this image? One call an image; EC2 has no call for many."""

from lxml import etree

from amiguard.aws.ec2_query import Parameters
from amiguard.aws.ec2_xml import MalformedReplyError, child_text, items, local_name
from amiguard.aws.errors import ApiError, explain
from amiguard.core.grantee import Grantee, parse_grant
from amiguard.core.image import ImageNotFound, ImageUnavailable, LaunchPermission, Unreadable

_NOT_FOUND = frozenset({"InvalidAMIID.NotFound"})
_UNAVAILABLE = frozenset({"InvalidAMIID.Unavailable"})


def permission_parameters(image_id: str) -> Parameters:
    """The parameters that ask for one image's launch permission."""
    return [("Attribute", "launchPermission"), ("ImageId", image_id)]


def parse_permission(root: etree._Element, image_id: str) -> LaunchPermission:
    """Read a DescribeImageAttributeResponse.

    Raises:
        MalformedReplyError: it speaks of another image, or has no launch permission.
    """
    answered = child_text(root, "imageId")
    if answered != image_id:
        raise MalformedReplyError("the reply speaks of another image")
    grantees: list[Grantee] = []
    for item in items(root, "launchPermission"):
        grantees += parse_grant((local_name(member), (member.text or "").strip()) for member in item)
    return LaunchPermission(tuple(grantees))


def explain_permission_error(error: ApiError) -> ImageNotFound | ImageUnavailable | Unreadable:
    """What an error of this call says about the image."""
    if error.code in _NOT_FOUND:
        return ImageNotFound()
    if error.code in _UNAVAILABLE:
        return ImageUnavailable(error.message)
    return explain(error, "ec2:DescribeImageAttribute")
