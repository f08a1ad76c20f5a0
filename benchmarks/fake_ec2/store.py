"""The estate while a server runs: what is frozen in the data, and what tests and calls have changed since."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

from .credentials import Credentials, credentials_for
from .estate import BlockPublicAccess, Estate, FakeAccount, FakeImage, FakeRegion, Grant
from .late import LateReads


class Store:
    """Looks up accounts, regions and images, and keeps the changes made to them apart from the estate.

    Args:
        estate: what there is at first.
        late_reads: how many reads still show what was before a call changed it.
    """

    def __init__(self, estate: Estate, late_reads: int = 0) -> None:
        self.estate = estate
        self._late_grants = LateReads[tuple[str, str, str], tuple[Grant, ...]](late_reads)
        self._late_switches = LateReads[tuple[str, str], BlockPublicAccess](late_reads)
        self._switches: dict[tuple[str, str], BlockPublicAccess] = {}
        self._changed: dict[tuple[str, str], dict[str, FakeImage | None]] = {}
        self._ids: dict[tuple[str, str], list[str]] = {}
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

    def image(self, account_id: str, region: str, image_id: str) -> FakeImage | None:
        """Return the image as it is now, or `None`."""
        changed = self._changed.get((account_id, region))
        if changed is not None and image_id in changed:
            return changed[image_id]
        found = self.region(account_id, region)
        return found.images.get(image_id) if found else None

    def ids(self, account_id: str, region: str) -> list[str]:
        """Return the ids of all images of a region, in the order of the listing."""
        key = (account_id, region)
        known = self._ids.get(key)
        if known is None:
            found = self.region(account_id, region)
            changed = self._changed.get(key, {})
            order = dict.fromkeys((*(found.images if found else ()), *changed))
            known = self._ids[key] = [image_id for image_id in order if changed.get(image_id, True) is not None]
        return known

    def owners(self, region: str, image_id: str) -> Iterator[tuple[str, FakeImage]]:
        """Yield the account that owns the image in this region with the image, whoever it is."""
        for account_id in self.estate.accounts:
            if (image := self.image(account_id, region, image_id)) is not None:
                yield account_id, image

    def put_image(self, account_id: str, region: str, image: FakeImage) -> None:
        """Add an image, or put it in the place of the one with its id."""
        self._change(account_id, region, image.id, image)

    def drop_image(self, account_id: str, region: str, image_id: str) -> None:
        """Deregister an image; one that is not there is left so."""
        self._change(account_id, region, image_id, None)

    def change_image(self, account_id: str, region: str, image_id: str, **changes: Any) -> None:
        """Replace fields of an image; raises `KeyError` if it is not there."""
        image = self.image(account_id, region, image_id)
        if image is None:
            raise KeyError(image_id)
        self._change(account_id, region, image_id, dataclasses.replace(image, **changes))

    def set_grants(self, account_id: str, region: str, image_id: str, *grants: Grant) -> None:
        """Replace the launch permission of an image; raises `KeyError` if it is not there."""
        self.change_image(account_id, region, image_id, grants=grants)

    def modify_grants(self, account_id: str, region: str, image: FakeImage, grants: tuple[Grant, ...]) -> None:
        """Replace the launch permission of an image as a call does: reads show it late."""
        self._late_grants.changed((account_id, region, image.id), image.grants)
        self.set_grants(account_id, region, image.id, *grants)

    def shown_grants(self, account_id: str, region: str, image: FakeImage) -> tuple[Grant, ...]:
        """Return the launch permission that a read shows, and count the read."""
        return self._late_grants.read((account_id, region, image.id), image.grants)

    def block_public_access(self, account_id: str, region: str) -> BlockPublicAccess:
        """Return the state of image block public access as it is."""
        found = self.region(account_id, region) or FakeRegion()
        return self._switches.get((account_id, region), found.block_public_access)

    def set_block_public_access(self, account_id: str, region: str, state: BlockPublicAccess) -> None:
        """Switch image block public access as a call does: reads show it late."""
        self._late_switches.changed((account_id, region), self.block_public_access(account_id, region))
        self._switches[account_id, region] = state

    def shown_block_public_access(self, account_id: str, region: str) -> BlockPublicAccess:
        """Return the state that a read shows, and count the read."""
        return self._late_switches.read((account_id, region), self.block_public_access(account_id, region))

    def _change(self, account_id: str, region: str, image_id: str, image: FakeImage | None) -> None:
        key = (account_id, region)
        was_listed = self.image(account_id, region, image_id) is not None
        self._changed.setdefault(key, {})[image_id] = image
        if was_listed != (image is not None):
            self._ids.pop(key, None)

    def open_session(self, account_id: str, arn: str) -> Credentials:
        """Return temporary credentials whose caller identity is `arn`."""
        credentials = credentials_for(account_id, session=next(self._session_numbers))
        self._sessions[credentials.access_key_id] = arn
        return credentials

    def caller_arn(self, account_id: str, access_key_id: str) -> str:
        """Return the ARN of whom the key belongs to."""
        user = f"arn:{self.estate.partition}:iam::{account_id}:user/auditor"
        return self._sessions.get(access_key_id, user)
