"""The audit: targets in, check results out, as soon as they are known."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from amiguard.core.checks import ami_cross_account_access as check
from amiguard.core.decision import Rules
from amiguard.core.grantee import Everyone
from amiguard.core.image import (
    Image,
    ImageNotFound,
    ImageUnavailable,
    LaunchPermission,
    PermissionRemoved,
    PermissionReply,
    PermissionState,
    Unreadable,
)
from amiguard.core.ports import ImageReader
from amiguard.core.result import CheckResult, Target, TargetReport, TargetStatus

READS_AT_ONCE = 32
"""Launch permissions read at once in one target: enough for 20 calls a second at any latency below 1.5 s."""
_EVENTS_AHEAD = 1000
_DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class ImagesListed:
    """So many more images of a target are known and wait to be read."""

    target: Target
    images: int


AuditEvent = ImagesListed | CheckResult | TargetReport
"""What an audit tells: results of different targets come interleaved; a target's report is the last of it."""

_Emit = Callable[[AuditEvent], Awaitable[None]]


async def audit(readers: Mapping[Target, ImageReader], rules: Rules) -> AsyncGenerator[AuditEvent]:
    """Judge every image of every target.

    Args:
        readers: how each target is read.
        rules: what decides.

    Yields:
        One `CheckResult` an image, one without image for a target that could not be listed, and a `TargetReport` at
        the end of each target. Closing the iterator stops the reading.
    """
    events: asyncio.Queue[AuditEvent | BaseException] = asyncio.Queue(maxsize=_EVENTS_AHEAD)
    tasks = [asyncio.create_task(_audit_or_tell(target, reader, rules, events)) for target, reader in readers.items()]
    try:
        unfinished = len(tasks)
        while unfinished:
            event = await events.get()
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, TargetReport):
                unfinished -= 1
            yield event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _audit_or_tell(
    target: Target, reader: ImageReader, rules: Rules, events: asyncio.Queue[AuditEvent | BaseException]
) -> None:
    """Audit one target; a programming error in it must not leave the consumer waiting for ever."""
    try:
        await _TargetAudit(target, reader, rules, events.put).run()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - raised again where the events are read
        await events.put(error)


class _TargetAudit:
    """The audit of one target."""

    def __init__(self, target: Target, reader: ImageReader, rules: Rules, emit: _Emit) -> None:
        self._target = target
        self._reader = reader
        self._rules = rules
        self._emit = emit
        self._images = 0
        self._vanished = 0
        self._second_look: list[tuple[Image, PermissionReply]] = []

    async def run(self) -> None:
        """Read and judge all images, then report the target."""
        problem = await self._read_listed()
        if self._second_look:
            await self._look_again()
        status, reason = TargetStatus.AUDITED, ""
        if problem is not None:
            await self._emit(check.target_unreadable(self._target, problem))
            status, reason = TargetStatus.FAILED, problem.reason
        await self._emit(TargetReport(self._target, status, reason, self._images, self._vanished))

    async def _read_listed(self) -> Unreadable | None:
        """Read every listed image; the next page is fetched meanwhile."""
        pages = self._reader.list_images()
        page = await anext(pages, None)
        while page is not None:
            if isinstance(page, Unreadable):
                return page
            await self._emit(ImagesListed(self._target, len(page)))
            async with asyncio.TaskGroup() as group:
                following = group.create_task(_next_page(pages))
                remaining = iter(page)
                for _ in range(min(READS_AT_ONCE, len(page))):
                    group.create_task(self._read_each(remaining))
            page = following.result()
        return None

    async def _read_each(self, remaining: Iterator[Image]) -> None:
        for image in remaining:
            reply = await self._reader.read_launch_permission(image.image_id)
            match reply:
                case LaunchPermission() if not _contradicts(image, reply):
                    await self._judge(image, reply)
                case Unreadable():
                    await self._judge(image, reply)
                case _:
                    self._second_look.append((image, reply))

    async def _judge(self, image: Image, permission: PermissionState) -> None:
        self._images += 1
        await self._emit(check.evaluate(image, permission, self._rules))

    async def _look_again(self) -> None:
        """List and read once more what was gone, not available, or contradicted itself."""
        listed = await self._reader.list_again([image.image_id for image, _ in self._second_look])
        for image, first_reply in self._second_look:
            if isinstance(listed, Unreadable):
                await self._judge(image, Unreadable(f"its state could not be confirmed: {listed.reason}", listed.hint))
                continue
            now = listed.get(image.image_id)
            if now is None:
                self._vanished += 1
                continue
            reply = first_reply
            if not (isinstance(first_reply, ImageUnavailable) and now.state == _DISABLED):
                reply = await self._reader.read_launch_permission(image.image_id)
            await self._judge(now, _settle(now, reply))


async def _next_page(
    pages: AsyncIterator[tuple[Image, ...] | Unreadable],
) -> tuple[Image, ...] | Unreadable | None:
    return await anext(pages, None)


def _contradicts(image: Image, permission: LaunchPermission) -> bool:
    """EC2 lists the image as public, but everyone is not among the grantees: one of the two is out of date."""
    return image.public and Everyone() not in permission.grantees


def _settle(image: Image, reply: PermissionReply) -> PermissionState:
    """What the second reading of an image means; there is no third."""
    match reply:
        case LaunchPermission() if _contradicts(image, reply):
            return Unreadable("EC2 lists the image as public, and does not name everyone in its launch permission")
        case LaunchPermission() | Unreadable():
            return reply
        case ImageNotFound():
            return Unreadable("EC2 lists the image, and does not know it when asked for its launch permission")
        case ImageUnavailable() if image.state == _DISABLED:
            # EC2 User Guide, "Disable an Amazon EC2 AMI": disabling removes all launch permissions.
            return PermissionRemoved()
        case ImageUnavailable():
            return Unreadable(f"EC2 does not give the launch permission of an image that is {image.state or 'so'}")
        case _:
            assert_never(reply)
