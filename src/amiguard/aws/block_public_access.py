"""GetImageBlockPublicAccessState: may images of this account be made public in this region?"""

from lxml import etree

from amiguard.aws.ec2_xml import MalformedReplyError, child_text
from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState


def parse_block_public_access(root: etree._Element) -> BlockPublicAccessState:
    """Read a GetImageBlockPublicAccessStateResponse.

    Raises:
        MalformedReplyError: it has no state, or one that this version does not know.
    """
    text = child_text(root, "imageBlockPublicAccessState")
    try:
        state = BlockPublicAccess(text or "")
    except ValueError as error:
        raise MalformedReplyError(f"the state of image block public access is {text!r}") from error
    # Without `managedBy`, as before declarative policies came, the account holds the switch.
    return BlockPublicAccessState(state, child_text(root, "managedBy") or "account")
