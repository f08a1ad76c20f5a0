"""Which planned changes are left alone, by the images as they are listed now: nothing else of them is read then."""

from collections.abc import Mapping
from typing import assert_never

from amiguard.core.decision import Rules
from amiguard.core.exception import ImageSelector
from amiguard.core.image import Image
from amiguard.core.plan import ImageChange, SnapshotChange
from amiguard.core.planning import decide_anew
from amiguard.core.remediation import ChangeStatus, why_held
from amiguard.core.snapshot_anew import decide_snapshot_anew
from amiguard.remediator.run import Ending

PermissionChange = ImageChange | SnapshotChange


def why_untouched(
    change: PermissionChange, listed: Mapping[str, Image], rules: Rules, protected: tuple[ImageSelector, ...]
) -> Ending | None:
    """Why a change is not made.

    Args:
        change: as planned.
        listed: images of the target as they are now, by id: at least that of a launch permission, unless it is gone,
            and all that have the snapshot of another one.
        rules: of the target's account, today.
        protected: images that are never changed.

    Returns:
        None if it is to be made, as far as the images tell.
    """
    match change:
        case ImageChange():
            return _why_image_untouched(change, listed.get(change.edit.image_id), rules, protected)
        case SnapshotChange():
            return _why_snapshot_untouched(change, listed, rules, protected)
        case _:
            assert_never(change)


def _why_image_untouched(
    change: ImageChange, image: Image | None, rules: Rules, protected: tuple[ImageSelector, ...]
) -> Ending | None:
    if image is None:
        return Ending(ChangeStatus.DRIFTED, "the image no longer exists")
    if held := why_held(image, protected):
        return Ending(ChangeStatus.HELD, held)
    if unwanted := decide_anew(change, image, rules):
        return Ending(ChangeStatus.NO_LONGER_WANTED, unwanted)
    return None


def _why_snapshot_untouched(
    change: SnapshotChange, listed: Mapping[str, Image], rules: Rules, protected: tuple[ImageSelector, ...]
) -> Ending | None:
    snapshot_id = change.edit.snapshot_id
    images = [image for _, image in sorted(listed.items()) if snapshot_id in image.snapshot_ids]
    if not images:
        # The snapshot may still be shared, but what the plan decided by (names, tags, exceptions) is gone.
        hint = "see who needs the snapshot, and un-share it yourself: plans find snapshots by their images"
        return Ending(ChangeStatus.DRIFTED, "no image has it any more", hint)
    for image in images:
        if held := why_held(image, protected):
            return Ending(ChangeStatus.HELD, f"its image {image.image_id}: {held}")
    if unwanted := decide_snapshot_anew(change, images, rules):
        return Ending(ChangeStatus.NO_LONGER_WANTED, unwanted)
    return None
