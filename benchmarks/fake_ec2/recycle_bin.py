"""ListImagesInRecycleBin."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from .calls import Call
from .context import Context
from .dry_run import refuse_dry_run
from .pages import cut_page
from .replies import AwsProblem

_MOST_IDS: Final = 20


def list_recycle_bin(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the images of the caller's account in the Recycle Bin."""
    refuse_dry_run(call)
    region = context.store.region(call.account_id, call.region)
    binned = region.recycle_bin if region else ()
    wanted = call.listed("ImageId")
    if len(wanted) > _MOST_IDS:
        raise AwsProblem("InvalidParameterValue", f"You can specify up to {_MOST_IDS} image ids.")
    if unknown := set(wanted) - {image.id for image in binned}:
        raise AwsProblem("InvalidAMIID.NotFound", f"The image id '[{min(unknown)}]' does not exist")
    page = context.effect.page(cut_page(call, [image for image in binned if not wanted or image.id in wanted]))
    images = [
        {
            "ImageId": image.id,
            "Name": image.name,
            "Description": image.description,
            "RecycleBinEnterTime": datetime.fromisoformat(image.entered),
            "RecycleBinExitTime": datetime.fromisoformat(image.leaves),
        }
        for image in page.items
    ]
    return {"Images": images, "NextToken": page.token}
