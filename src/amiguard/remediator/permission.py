"""The permissions that are edited, of images and of snapshots: what differs in how they are read and modified."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Protocol, assert_never

from amiguard.core.edit import CreateVolumePermissionEdit, LaunchPermissionEdit, PermissionEdit, Step
from amiguard.core.grantee import Grantee
from amiguard.core.image import ImageNotFound, ImageUnavailable, LaunchPermission, Unreadable
from amiguard.core.ports import OpenedTarget, WriteReply
from amiguard.core.remediation import ChangeStatus
from amiguard.remediator.run import Ending

State = frozenset[Grantee]
"""A permission: who has it; order and repetitions mean nothing."""

_DISABLED = "disabled"
_MOST_LETTERS = 100


class Cause(Enum):
    """Why a permission was not read."""

    NOT_FOUND = auto()
    """EC2 does not know what it is of."""
    UNAVAILABLE = auto()
    """EC2 does not give it in the present state of the image."""
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Unread:
    """A permission that could not be read."""

    reason: str
    hint: str | None = None
    cause: Cause = Cause.OTHER


class EditedPermission(Protocol):
    """One permission that is edited."""

    @property
    def words(self) -> str:
        """What it is called."""
        ...

    async def read(self) -> State | Unread:
        """Who has it, as EC2 shows it now."""
        ...

    async def ending_of(self, unread: Unread) -> Ending:
        """What becomes of a change that had just begun, and found it unread; nothing was called for it."""
        ...

    async def wait_for_turn(self) -> None:
        """Wait until `modify` may be called."""
        ...

    async def modify(self, step: Step, *, dry_run: bool = False) -> WriteReply:
        """Make one call, for which `wait_for_turn` was waited for."""
        ...


def permission_of(edit: PermissionEdit, opened: OpenedTarget) -> EditedPermission:
    """What an edit is about, in its opened target."""
    match edit:
        case LaunchPermissionEdit(image_id=image_id):
            return _OfImage(opened, image_id)
        case CreateVolumePermissionEdit(snapshot_id=snapshot_id):
            return _OfSnapshot(opened, snapshot_id)
        case _:
            assert_never(edit)


@dataclass(frozen=True, slots=True)
class _OfImage:
    words: ClassVar[str] = "launch permission"

    opened: OpenedTarget
    image_id: str

    async def read(self) -> State | Unread:
        reply = await self.opened.reader.read_launch_permission(self.image_id)
        match reply:
            case LaunchPermission(grantees):
                return frozenset(grantees)
            case ImageNotFound():
                return Unread("EC2 does not know the image any more", cause=Cause.NOT_FOUND)
            case ImageUnavailable(message):
                return Unread(f"EC2 does not give it: {message}", cause=Cause.UNAVAILABLE)
            case Unreadable(reason, hint):
                return Unread(reason, hint)
            case _:
                assert_never(reply)

    async def ending_of(self, unread: Unread) -> Ending:
        """A disabled image has lost its grants (EC2 User Guide, "Disable an Amazon EC2 AMI"), so it has drifted."""
        if unread.cause is Cause.OTHER:
            return _could_not_be_read(self.words, unread)
        listed = await self.opened.reader.list_again((self.image_id,))
        if isinstance(listed, Unreadable):
            return Ending(ChangeStatus.FAILED, f"its state could not be confirmed: {listed.reason}", listed.hint)
        image = listed.get(self.image_id)
        if image is None:
            return Ending(ChangeStatus.DRIFTED, "the image no longer exists")
        if unread.cause is Cause.NOT_FOUND:
            reason = "EC2 lists the image, and does not know it when asked for its launch permission"
            return Ending(ChangeStatus.FAILED, reason)
        if image.state == _DISABLED:
            return Ending(ChangeStatus.DRIFTED, "the image is disabled: AWS has removed its launch permission")
        state = image.state[:_MOST_LETTERS] or "so"
        return Ending(ChangeStatus.FAILED, f"EC2 does not give the launch permission of an image that is {state}")

    async def wait_for_turn(self) -> None:
        await self.opened.writer.wait_for_turn()

    async def modify(self, step: Step, *, dry_run: bool = False) -> WriteReply:
        return await self.opened.writer.modify_launch_permission(self.image_id, step, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class _OfSnapshot:
    words: ClassVar[str] = "permission to create volumes"

    opened: OpenedTarget
    snapshot_id: str

    async def read(self) -> State | Unread:
        reply = await self.opened.reader.read_snapshot_permission(self.snapshot_id)
        if not isinstance(reply.permission, Unreadable):
            return frozenset(reply.permission)
        if reply.gone:
            return Unread("EC2 does not know the snapshot any more", cause=Cause.NOT_FOUND)
        return Unread(reply.permission.reason, reply.permission.hint)

    async def ending_of(self, unread: Unread) -> Ending:
        if unread.cause is Cause.NOT_FOUND:
            return Ending(ChangeStatus.DRIFTED, "the snapshot no longer exists")
        return _could_not_be_read(self.words, unread)

    async def wait_for_turn(self) -> None:
        await self.opened.writer.wait_for_snapshot_turn()

    async def modify(self, step: Step, *, dry_run: bool = False) -> WriteReply:
        return await self.opened.writer.modify_create_volume_permission(self.snapshot_id, step, dry_run=dry_run)


def _could_not_be_read(words: str, unread: Unread) -> Ending:
    return Ending(ChangeStatus.FAILED, f"its {words} could not be read: {unread.reason}", unread.hint)
