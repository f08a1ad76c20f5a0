"""The images by which changes are decided anew, listed when the turn of these changes comes.

A plan of thousands of changes takes EC2 an hour: a hold tag that was put on an image meanwhile counts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import assert_never

from amiguard.core.image import Image, Unreadable
from amiguard.core.plan import ImageChange, SnapshotChange
from amiguard.core.ports import ImageReader
from amiguard.remediator.untouched import PermissionChange

_TOGETHER = 50
"""Changes for which images are listed by one call: at five changes a second the last of them waits ten seconds."""


class FreshImages:
    """Lists the images of one target, for some changes at a time.

    Args:
        reader: of the target.
        changes: in the order in which they are made.
    """

    def __init__(self, reader: ImageReader, changes: Sequence[PermissionChange]) -> None:
        self._reader = reader
        self._batches: dict[str, _Batch] = {}
        for start in range(0, len(changes), _TOGETHER):
            batch = _Batch(changes[start : start + _TOGETHER])
            self._batches.update((change.edit.key, batch) for change in batch.changes)

    async def by_which_to_decide(self, change: PermissionChange) -> Mapping[str, Image] | Unreadable:
        """The images by their ids: that of a launch permission, and all that have the snapshot of another one.

        May be asked once a change: what is listed is forgotten with the last change that it was listed for.
        """
        batch = self._batches.pop(change.edit.key)
        async with batch.listing:
            if batch.listed is None:
                batch.listed = await self._list(batch.changes)
        return batch.listed

    async def _list(self, changes: Sequence[PermissionChange]) -> Mapping[str, Image] | Unreadable:
        image_ids: list[str] = []
        snapshot_ids: list[str] = []
        for change in changes:
            match change:
                case ImageChange():
                    image_ids.append(change.edit.image_id)
                case SnapshotChange():
                    snapshot_ids.append(change.edit.snapshot_id)
                case _:
                    assert_never(change)
        named = await self._reader.list_again(image_ids) if image_ids else {}
        if isinstance(named, Unreadable):
            return named
        # Not by the images that the plan names: others may have the snapshot by now, with other exceptions and tags.
        over = await self._reader.list_over(snapshot_ids) if snapshot_ids else {}
        return over if isinstance(over, Unreadable) else {**named, **over}


class _Batch:
    def __init__(self, changes: Sequence[PermissionChange]) -> None:
        self.changes = changes
        self.listing = asyncio.Lock()
        self.listed: Mapping[str, Image] | Unreadable | None = None
