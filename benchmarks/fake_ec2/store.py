"""The estate while a server runs: what is frozen in the data, and what tests and calls have changed since."""

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .credentials import Credentials, credentials_for
from .estate import BlockPublicAccess, Estate, FakeAccount, FakeImage, FakeRegion
from .grants import Grant
from .late import LateReads
from .overlay import Overlay
from .report_book import ReportBook
from .snapshots_data import FakeSnapshot

_NOTHING: Final = FakeRegion()


class Store:
    """Looks up accounts, regions, images and snapshots, and keeps the changes made to them apart from the estate.

    Args:
        estate: what there is at first.
        late_reads: how many reads still show what was before a call changed it.
        report_seconds: how long a usage report is pending.
        clock: what usage reports take for the time, in seconds.
    """

    def __init__(
        self,
        estate: Estate,
        late_reads: int = 0,
        report_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.estate = estate
        self.reports = ReportBook(self._region_or_nothing, report_seconds, clock)
        self._images = Overlay[FakeImage](self._images_at_first)
        self._snapshots = Overlay[FakeSnapshot](self._snapshots_at_first)
        self._late_grants = LateReads[tuple[str, str, str], tuple[Grant, ...]](late_reads)
        self._late_switches = LateReads[tuple[str, str], BlockPublicAccess](late_reads)
        self._switches: dict[tuple[str, str], BlockPublicAccess] = {}
        self._sessions: dict[str, str] = {}
        self._session_numbers = itertools.count()

    def account(self, account_id: str) -> FakeAccount | None:
        """Return the account, or `None` if the estate has none with this id."""
        return self.estate.accounts.get(account_id)

    def region(self, account_id: str, region: str) -> FakeRegion | None:
        """Return the region of the account, or `None` if the account does not have it enabled."""
        account = self.account(account_id)
        found = account.regions.get(region) if account else None
        return None if found is None or found.opt_in_status == "not-opted-in" else found

    def _region_or_nothing(self, account_id: str, region: str) -> FakeRegion:
        return self.region(account_id, region) or _NOTHING

    def _images_at_first(self, account_id: str, region: str) -> Mapping[str, FakeImage]:
        return self._region_or_nothing(account_id, region).images

    def _snapshots_at_first(self, account_id: str, region: str) -> Mapping[str, FakeSnapshot]:
        return self._region_or_nothing(account_id, region).snapshots

    def image(self, account_id: str, region: str, image_id: str) -> FakeImage | None:
        """Return the image as it is now, or `None`."""
        return self._images.get(account_id, region, image_id)

    def ids(self, account_id: str, region: str) -> list[str]:
        """Return the ids of all images of a region, in the order of the listing."""
        return self._images.ids(account_id, region)

    def owners(self, region: str, image_id: str) -> Iterator[tuple[str, FakeImage]]:
        """Yield the account that owns the image in this region with the image, whoever it is."""
        for account_id in self.estate.accounts:
            if (image := self.image(account_id, region, image_id)) is not None:
                yield account_id, image

    def put_image(self, account_id: str, region: str, image: FakeImage) -> None:
        """Add an image, or put it in the place of the one with its id."""
        self._images.put(account_id, region, image.id, image)

    def drop_image(self, account_id: str, region: str, image_id: str) -> None:
        """Deregister an image; one that is not there is left so."""
        self._images.put(account_id, region, image_id, None)

    def change_image(self, account_id: str, region: str, image_id: str, **changes: Any) -> None:
        """Replace fields of an image; raises `KeyError` if it is not there."""
        image = self.image(account_id, region, image_id)
        if image is None:
            raise KeyError(image_id)
        self.put_image(account_id, region, dataclasses.replace(image, **changes))

    def set_grants(self, account_id: str, region: str, image_id: str, *grants: Grant) -> None:
        """Replace the launch permission of an image; raises `KeyError` if it is not there."""
        self.change_image(account_id, region, image_id, grants=grants)

    def modify_grants(self, account_id: str, region: str, image: FakeImage, grants: tuple[Grant, ...]) -> None:
        """Replace the launch permission of an image as a call does: reads show it late."""
        self._late_grants.changed((account_id, region, image.id), image.grants)
        self.set_grants(account_id, region, image.id, *grants)

    def shown_grants(self, account_id: str, region: str, thing: FakeImage | FakeSnapshot) -> tuple[Grant, ...]:
        """Return the permission of an image or a snapshot that a read shows, and count the read."""
        return self._late_grants.read((account_id, region, thing.id), thing.grants)

    def snapshot(self, account_id: str, region: str, snapshot_id: str) -> FakeSnapshot | None:
        """Return the snapshot as it is now, or `None`."""
        return self._snapshots.get(account_id, region, snapshot_id)

    def snapshot_ids(self, account_id: str, region: str) -> list[str]:
        """Return the ids of all snapshots of a region, in the order of the listing."""
        return self._snapshots.ids(account_id, region)

    def snapshot_owners(self, region: str, snapshot_id: str) -> Iterator[tuple[str, FakeSnapshot]]:
        """Yield the account that owns the snapshot in this region with the snapshot, whoever it is."""
        for account_id in self.estate.accounts:
            if (snapshot := self.snapshot(account_id, region, snapshot_id)) is not None:
                yield account_id, snapshot

    def put_snapshot(self, account_id: str, region: str, snapshot: FakeSnapshot) -> None:
        """Add a snapshot, or put it in the place of the one with its id."""
        self._snapshots.put(account_id, region, snapshot.id, snapshot)

    def drop_snapshot(self, account_id: str, region: str, snapshot_id: str) -> None:
        """Delete a snapshot; one that is not there is left so."""
        self._snapshots.put(account_id, region, snapshot_id, None)

    def modify_snapshot(self, account_id: str, region: str, snapshot: FakeSnapshot, grants: tuple[Grant, ...]) -> None:
        """Replace the permission of a snapshot as a call does: reads show it late."""
        self._late_grants.changed((account_id, region, snapshot.id), snapshot.grants)
        self.put_snapshot(account_id, region, dataclasses.replace(snapshot, grants=grants))

    def block_public_access(self, account_id: str, region: str) -> BlockPublicAccess:
        """Return the state of image block public access as it is."""
        found = self._region_or_nothing(account_id, region)
        return self._switches.get((account_id, region), found.block_public_access)

    def set_block_public_access(self, account_id: str, region: str, state: BlockPublicAccess) -> None:
        """Switch image block public access as a call does: reads show it late."""
        self._late_switches.changed((account_id, region), self.block_public_access(account_id, region))
        self._switches[account_id, region] = state

    def shown_block_public_access(self, account_id: str, region: str) -> BlockPublicAccess:
        """Return the state that a read shows, and count the read."""
        return self._late_switches.read((account_id, region), self.block_public_access(account_id, region))

    def open_session(self, account_id: str, arn: str) -> Credentials:
        """Return temporary credentials whose caller identity is `arn`."""
        credentials = credentials_for(account_id, session=next(self._session_numbers))
        self._sessions[credentials.access_key_id] = arn
        return credentials

    def caller_arn(self, account_id: str, access_key_id: str) -> str:
        """Return the ARN of whom the key belongs to."""
        user = f"arn:{self.estate.partition}:iam::{account_id}:user/auditor"
        return self._sessions.get(access_key_id, user)
