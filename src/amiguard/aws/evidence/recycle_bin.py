"""ListImagesInRecycleBin: which deregistered images can be restored, and be shared again as they were?"""

from lxml import etree

from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.ec2_xml import MalformedReplyError, child_text, items
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.evidence.pages import PAGE, Page, read_pages
from amiguard.aws.pacing import TokenBucket
from amiguard.core.evidence import BinnedImage
from amiguard.core.image import Unreadable

_ACTION = "ListImagesInRecycleBin"


async def list_recycle_bin(client: Ec2QueryClient, bucket: TokenBucket) -> tuple[BinnedImage, ...] | Unreadable:
    """The images of a target in the Recycle Bin, by id."""

    async def read(token: str | None) -> Page[BinnedImage] | ApiError | Unreadable:
        parameters = [("MaxResults", str(PAGE)), *([] if token is None else [("NextToken", token)])]
        return await client.call(_ACTION, parameters, parse_recycle_bin, bucket)

    listed = await read_pages(read, "images in the Recycle Bin")
    if isinstance(listed, ApiError):
        return explain(listed, f"ec2:{_ACTION}")
    if isinstance(listed, Unreadable):
        return listed
    return tuple(sorted({image.image_id: image for image in listed}.values(), key=lambda image: image.image_id))


def parse_recycle_bin(root: etree._Element) -> Page[BinnedImage]:
    """Read a ListImagesInRecycleBinResponse.

    Raises:
        MalformedReplyError: it has no list of images, or an image without an id.
    """
    images = []
    for item in items(root, "imageSet"):
        image_id = child_text(item, "imageId")
        if not image_id:
            raise MalformedReplyError("an image without an id is in the Recycle Bin")
        images.append(
            BinnedImage(
                image_id,
                child_text(item, "name") or "",
                child_text(item, "recycleBinEnterTime") or "",
                child_text(item, "recycleBinExitTime") or "",
            )
        )
    return Page(tuple(images), child_text(root, "nextToken") or None)
