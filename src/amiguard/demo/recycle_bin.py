"""The Recycle Bin of images, which moto lacks. Imports moto.

Sources: EC2 API Reference, ListImagesInRecycleBin and RestoreImageFromRecycleBin; Recycle Bin User Guide,
"Considerations": an image that is restored is shared again as it was. Deregistered images go into the bin only if the
estate puts them there: moto knows no retention rules.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidAMIIdError, MalformedAMIIdError
from moto.ec2.responses import EC2Response

from amiguard.demo.ec2_requests import bad_value, one_page, parameter, required
from amiguard.demo.moto_methods import served, state_at

_MOST_IDS = 20


@dataclass(frozen=True, slots=True)
class Binned:
    """An image in the bin.

    Attributes:
        image: moto's, with the grants that it had.
    """

    image: Any
    entered_at: datetime
    leaves_at: datetime


@dataclass(slots=True)
class RecycleBin:
    """The images of one account and region that can be restored, by id."""

    images: dict[str, Binned] = field(default_factory=dict)


def bin_image(backend: Any, image_id: str, *, entered_at: datetime, leaves_at: datetime) -> None:
    """Deregister an image of moto, so that it can be restored."""
    image = backend.amis[image_id]
    backend.deregister_image(image_id)
    state_at(backend, RecycleBin).images[image_id] = Binned(image, entered_at, leaves_at)


def _list(request: EC2Response) -> ActionResult:
    request.error_on_dryrun()
    images = state_at(request.ec2_backend, RecycleBin).images
    image_ids = parameter(request, "ImageIds", [])
    if len(image_ids) > _MOST_IDS:
        raise bad_value(len(image_ids), "ImageId", f"At most {_MOST_IDS} can be given.")
    for image_id in image_ids:
        _require(images, image_id)
    chosen = [binned for image_id, binned in list(images.items()) if not image_ids or image_id in image_ids]
    page, token = one_page(request, chosen)
    return ActionResult({"Images": [_described(binned) for binned in page], "NextToken": token})


def _described(binned: Binned) -> dict[str, Any]:
    return {
        "ImageId": binned.image.id,
        "Name": binned.image.name,
        "Description": binned.image.description,
        "RecycleBinEnterTime": binned.entered_at,
        "RecycleBinExitTime": binned.leaves_at,
    }


def _restore(request: EC2Response) -> ActionResult:
    image_id = str(required(request, "ImageId"))
    backend = request.ec2_backend
    images = state_at(backend, RecycleBin).images
    _require(images, image_id)
    request.error_on_dryrun()
    backend.amis[image_id] = images.pop(image_id).image
    backend.deleted_amis.remove(image_id)
    return ActionResult({"Return": True})


def _require(images: dict[str, Binned], image_id: str) -> None:
    if not image_id.startswith("ami-"):
        raise MalformedAMIIdError([image_id])
    if image_id not in images:
        raise InvalidAMIIdError(image_id)


def served_recycle_bin() -> AbstractContextManager[None]:
    """Lets moto know the Recycle Bin of images meanwhile."""
    return served(EC2Response, {"list_images_in_recycle_bin": _list, "restore_image_from_recycle_bin": _restore})
