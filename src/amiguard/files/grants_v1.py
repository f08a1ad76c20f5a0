"""Version 1 of what plans and journals have in common: targets, grants, edits and moments."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit
from amiguard.core.grantee import Grantee, GranteeKind, grantee_id, grantee_kind, grantee_of
from amiguard.core.result import Target

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def _read_moment(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(microsecond=0)
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    raise ValueError("expected a moment in UTC, to the second, such as 2027-01-31T12:00:00Z")


def moment_text(moment: datetime) -> str:
    """A moment in RFC 3339, UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainValidator(_read_moment),
    PlainSerializer(moment_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_MOMENT.pattern}$"}),
]
AccountId = Annotated[str, Field(pattern="^[0-9]{12}$")]
# It becomes a part of a host name.
Region = Annotated[str, Field(pattern="^[a-z]{2,}(-[a-z]+)+-[0-9]+$", max_length=64)]
Partition = Annotated[str, Field(pattern="^[a-z0-9-]+$", max_length=64)]
# AWS's own words, and a bit wider than what it is known to write.
ImageId = Annotated[str, Field(pattern="^ami-[0-9A-Za-z-]+$", max_length=128)]
SnapshotId = Annotated[str, Field(pattern="^snap-[0-9A-Za-z-]+$", max_length=128)]
RunId = Annotated[str, Field(pattern="^[0-9A-Za-z-]+$", max_length=64, description="A UUID.")]
Digest = Annotated[str, Field(pattern="^[!-~]+$", max_length=256)]
_OF_SNAPSHOTS = {GranteeKind.ACCOUNT, GranteeKind.EVERYONE}


class Record(BaseModel):
    """What all parts have in common: nothing is converted, and nothing unknown is passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class ToolV1(Record):
    """The program that wrote the file."""

    name: Literal["amiguard"]
    version: str


class GrantV1(Record):
    """One grantee, as reports name it."""

    kind: GranteeKind
    grantee: str

    @model_validator(mode="after")
    def _is_written_so(self) -> "GrantV1":
        grantee_of(self.kind, self.grantee)
        return self

    def value(self) -> Grantee:
        """The grantee."""
        return grantee_of(self.kind, self.grantee)


class ImageV1(Record):
    """The image that an edit is about."""

    id: ImageId
    name: str


class _EditV1(Record):
    account_id: AccountId
    region: Region
    partition: Partition

    def target(self) -> Target:
        """Where it is."""
        return Target(self.account_id, self.region, self.partition)


class LaunchPermissionEditV1(_EditV1):
    """The launch permission of one image, before and after."""

    kind: Literal["launch_permission"]
    image: ImageV1
    before: tuple[GrantV1, ...]
    after: tuple[GrantV1, ...]

    @model_validator(mode="after")
    def _names_each_once(self) -> "LaunchPermissionEditV1":
        _refuse_twice(self.before, self.after)
        return self

    def value(self) -> LaunchPermissionEdit:
        """The edit."""
        before, after = values_of(self.before), values_of(self.after)
        return LaunchPermissionEdit(self.target(), self.image.id, self.image.name, before, after)


class CreateVolumePermissionEditV1(_EditV1):
    """The createVolumePermission of one snapshot, before and after, and the images that it is under."""

    kind: Literal["create_volume_permission"]
    snapshot_id: SnapshotId
    image_ids: Annotated[tuple[ImageId, ...], Field(min_length=1)]
    before: tuple[GrantV1, ...]
    after: tuple[GrantV1, ...]

    @model_validator(mode="after")
    def _is_of_a_snapshot(self) -> "CreateVolumePermissionEditV1":
        _refuse_twice(self.before, self.after)
        if len(set(self.image_ids)) < len(self.image_ids):
            raise ValueError("an image is listed twice")
        if any(one.kind not in _OF_SNAPSHOTS for one in (*self.before, *self.after)):
            raise ValueError("snapshots are shared with accounts and everyone only")
        return self

    def value(self) -> CreateVolumePermissionEdit:
        """The edit."""
        before, after = values_of(self.before), values_of(self.after)
        return CreateVolumePermissionEdit(self.target(), self.snapshot_id, self.image_ids, before, after)


class BlockPublicAccessEditV1(_EditV1):
    """Image block public access of one target, before and after."""

    kind: Literal["image_block_public_access"]
    before: BlockPublicAccess
    after: BlockPublicAccess

    def value(self) -> BlockPublicAccessEdit:
        """The edit."""
        return BlockPublicAccessEdit(self.target(), self.before, self.after)


def grants_v1(grantees: Iterable[Grantee]) -> tuple[GrantV1, ...]:
    """Grantees as they are written."""
    return tuple(GrantV1(kind=grantee_kind(one), grantee=grantee_id(one)) for one in grantees)


def values_of(grants: Iterable[GrantV1]) -> tuple[Grantee, ...]:
    """Grantees as they were written."""
    return tuple(one.value() for one in grants)


def _refuse_twice(*lists: tuple[GrantV1, ...]) -> None:
    for grants in lists:
        if len(set(values_of(grants))) < len(grants):
            raise ValueError("a grantee is listed twice")


def launch_permission_edit_v1(edit: LaunchPermissionEdit) -> LaunchPermissionEditV1:
    """An edit as it is written."""
    return LaunchPermissionEditV1(
        kind="launch_permission",
        account_id=edit.target.account_id,
        region=edit.target.region,
        partition=edit.target.partition,
        image=ImageV1(id=edit.image_id, name=edit.image_name),
        before=grants_v1(edit.before),
        after=grants_v1(edit.after),
    )


def create_volume_permission_edit_v1(edit: CreateVolumePermissionEdit) -> CreateVolumePermissionEditV1:
    """An edit as it is written."""
    return CreateVolumePermissionEditV1(
        kind="create_volume_permission",
        account_id=edit.target.account_id,
        region=edit.target.region,
        partition=edit.target.partition,
        snapshot_id=edit.snapshot_id,
        image_ids=edit.image_ids,
        before=grants_v1(edit.before),
        after=grants_v1(edit.after),
    )


def block_public_access_edit_v1(edit: BlockPublicAccessEdit) -> BlockPublicAccessEditV1:
    """An edit as it is written."""
    return BlockPublicAccessEditV1(
        kind="image_block_public_access",
        account_id=edit.target.account_id,
        region=edit.target.region,
        partition=edit.target.partition,
        before=edit.before,
        after=edit.after,
    )
