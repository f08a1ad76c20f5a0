"""The estate of the evidence case: of many images in one region a few fail, and each has everything to be found."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from benchmarks.fake_ec2 import (
    Call,
    Estate,
    FakeAccount,
    FakeBinnedImage,
    FakeBlockDevice,
    FakeEvent,
    FakeImage,
    FakeKey,
    FakeRegion,
    FakeSnapshot,
    FakeUsage,
    FakeUse,
    Grant,
    account_grant,
    admitting,
    by_id,
    by_snapshot_id,
    key_policy,
    share_event,
)
from benchmarks.fake_ec2.generate import REGION_NAMES
from benchmarks.fake_process import ACCOUNT

REGION: Final = REGION_NAMES[0]
TRUSTED: Final = "700000000000"
REPORT_SECONDS: Final = 15.0
"""How long a usage report is pending: real ones take minutes, and the look-ups of CloudTrail hide that too."""
BINNED: Final = 3
_FAILS: Final = 20
"""Every twentieth image fails."""
_KEYS: Final = 10


@dataclass(frozen=True)
class EvidenceEstate:
    """So many images, every twentieth of which is shared with somebody untrusted."""

    images: int

    @cached_property
    def failing(self) -> dict[str, int]:
        """The ids of the images that fail, with their numbers."""
        return {_image_id(number): number for number in range(0, self.images, _FAILS)}

    @cached_property
    def snapshots(self) -> frozenset[str]:
        """The ids of the snapshots under the images that fail."""
        return frozenset(device.snapshot_id for number in self.failing.values() for device in _devices(number))

    @cached_property
    def keys(self) -> frozenset[str]:
        """The ARNs of the keys that encrypt these snapshots."""
        return frozenset(arn for number in self.failing.values() if (arn := _key_arn(number)))

    def estate(self) -> Estate:
        """Return what the fake serves."""
        numbers = range(self.images)
        region = FakeRegion(
            by_id(*map(_image, numbers)),
            snapshots=by_snapshot_id(*(snapshot for number in numbers for snapshot in _snapshots(number))),
            usage={image_id: FakeUsage(_uses(number)) for image_id, number in self.failing.items()},
            recycle_bin=tuple(FakeBinnedImage(f"ami-{(1 << 40) + number:017x}") for number in range(BINNED)),
            events=tuple(map(_event, self.failing.values())),
            keys=tuple(map(_key, range(_KEYS))),
        )
        return Estate({ACCOUNT: FakeAccount({REGION: region})})

    def names_passing(self, call: Call) -> bool:
        """Return whether a call names an image that passes, a snapshot under one, or a key that only these have."""
        known = self.failing.keys() | self.snapshots | self.keys
        return any(name not in known for name in call.resource_ids if not name.startswith("amiur-"))

    def is_right(self, image_id: str, evidence: dict[str, Any]) -> bool:
        """Return whether evidence (in version 1) tells of an image what there is to be found."""
        number = self.failing[image_id]
        usage, author, keys = (evidence.get(kind, {}) for kind in ("usage", "author", "keys"))
        entries = {(one["account_id"], one["resource_type"], one["count"]) for one in usage.get("entries", ())}
        shares = [(one["event_id"], one["added"][0]["grantee"]) for one in author.get("shares", ())]
        snapshots = {one["id"] for one in evidence.get("snapshots", ()) if one["status"] == "known"}
        return (
            entries == {(use.account_id, use.resource_type, use.count) for use in _uses(number)}
            and shares == [(_event_id(number), _stranger(number))]
            and snapshots == {device.snapshot_id for device in _devices(number)}
            and [key["arn"] for key in keys.get("keys", ())] == ([arn] if (arn := _key_arn(number)) else [])
        )


def _image_id(number: int) -> str:
    return f"ami-{number + 1:017x}"


def _stranger(number: int) -> str:
    return f"{800_000_000_000 + number % 40}"


def _fails(number: int) -> bool:
    return number % _FAILS == 0


def _grants(number: int) -> tuple[Grant, ...]:
    trusted = (account_grant(TRUSTED),) if number % 3 == 0 else ()
    return (*trusted, account_grant(_stranger(number))) if _fails(number) else trusted


def _devices(number: int) -> tuple[FakeBlockDevice, ...]:
    """Return one device, or of every second failing image two."""
    count = 2 if number % (2 * _FAILS) == 0 else 1
    encrypted = _key_arn(number) is not None
    return tuple(
        FakeBlockDevice(f"/dev/sd{'ab'[place]}", f"snap-{2 * number + place + 1:017x}", encrypted=encrypted)
        for place in range(count)
    )


def _key_arn(number: int) -> str | None:
    """Return the key of an image, of which every third is encrypted: one half of the keys is for those that fail."""
    if number % 3:
        return None
    half = _KEYS // 2
    place = number // _FAILS // 3 % half if _fails(number) else half + number % half
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{_key_id(place)}"


def _key_id(place: int) -> str:
    return f"1234abcd-12ab-34cd-56ef-{place:012x}"


def _key(place: int) -> FakeKey:
    own = admitting(f"arn:aws:iam::{ACCOUNT}:root")
    return FakeKey(_key_id(place), key_policy(own, admitting(f"arn:aws:iam::{_stranger(place)}:root")))


def _image(number: int) -> FakeImage:
    return FakeImage(
        _image_id(number),
        f"golden-{number}",
        _grants(number),
        block_devices=_devices(number),
        last_launched_time="2026-05-06T07:08:09Z" if _fails(number) else None,
    )


def _snapshots(number: int) -> tuple[FakeSnapshot, ...]:
    grants = (account_grant(_stranger(number)),) if number % (4 * _FAILS) == 0 else ()
    return tuple(FakeSnapshot(device.snapshot_id, grants, _key_arn(number)) for device in _devices(number))


def _uses(number: int) -> tuple[FakeUse, ...]:
    own = FakeUse(ACCOUNT, "ec2:LaunchTemplate", 1)
    return (own,) if number % (4 * _FAILS) == 0 else (own, FakeUse(_stranger(number), count=14))


def _event_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def _event(number: int) -> FakeEvent:
    at = datetime.now(UTC) - timedelta(days=1, seconds=number)
    grant = account_grant(_stranger(number))
    return share_event(_image_id(number), [grant], at=at, event_id=_event_id(number), account_id=ACCOUNT)
