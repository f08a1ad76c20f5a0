"""The audit: targets in, check results out, as soon as they are known."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from amiguard.core.checks import ami_block_public_access, ami_snapshot_cross_account
from amiguard.core.checks import ami_cross_account_access as check
from amiguard.core.checks.registry import additional_checks
from amiguard.core.checks.unread import unread_target
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
from amiguard.core.ports import AccountReader, ImageReader
from amiguard.core.result import CheckResult, Target, TargetReport, TargetStatus
from amiguard.core.snapshot import SnapshotPermission

ACCOUNTS_AT_ONCE = 32
"""Accounts under way at once: enough to keep one core busy, few enough to keep memory flat."""
_READS_AT_ONCE = 1024
"""Launch permissions read at once in all targets together, shared among those under way; as many snapshots besides."""
_MOST_READS_A_TARGET = 32
"""Enough for 20 calls a second at any latency below 1.5 s."""
_FEWEST_READS_A_TARGET = 4
_PAGES_AT_ONCE = 256
"""Pages of images in memory at once, over all targets."""
_EVENTS_AHEAD = 1000
_DISABLED = "disabled"
_TOLD_APART = frozenset({ami_block_public_access.METADATA.check_id})
"""The checks of whole targets: they have their result whether or not the images can be listed."""


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """An account's regions are known: these targets are going to be audited, those are skipped."""

    account_id: str
    targets: tuple[Target, ...]
    skipped: tuple[TargetReport, ...] = ()
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class AccountUnreadable:
    """An account could not be opened: these targets are failed."""

    account_id: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class ImagesListed:
    """So many more images of a target are known and wait to be read."""

    target: Target
    images: int


AuditEvent = AccountOpened | AccountUnreadable | ImagesListed | CheckResult | TargetReport
"""What an audit tells: results of different targets come interleaved; a target's report is the last of it."""


async def audit(
    accounts: Iterable[AccountReader], rules: Rules, *, checks: frozenset[str] = frozenset()
) -> AsyncGenerator[AuditEvent]:
    """Judge every image of every target of every account, and what else of a target is to be checked.

    Args:
        accounts: taken one by one, as accounts before them end.
        rules: what decides; each account puts its own organization into them.
        checks: the ids of the checks to make besides that of images, which is always made.

    Yields:
        One `CheckResult` for each image and check of images, one without image for each check of a target that could
        not be listed, and for each additional check of whole targets, and a `TargetReport` at the end of each target.
        An image's result by `ami-cross-account-access` comes before its others. Closing the iterator stops the reading.

    Raises:
        ValueError: there is no such check.
    """
    run = _Run(rules, additional_checks(checks))
    remaining = iter(accounts)
    workers = [asyncio.create_task(run.audit_each(remaining)) for _ in range(ACCOUNTS_AT_ONCE)]
    ended = asyncio.create_task(run.end(workers))
    try:
        while (event := await run.events.get()) is not None:
            yield event
        await ended
    finally:
        for task in (*workers, ended):
            task.cancel()
        await asyncio.gather(*workers, ended, return_exceptions=True)


class _Run:
    """What the accounts of one audit share."""

    def __init__(self, rules: Rules, checks: frozenset[str]) -> None:
        self._rules = rules
        self.checks = checks
        self.events: asyncio.Queue[AuditEvent | None] = asyncio.Queue(maxsize=_EVENTS_AHEAD)
        """None is the end."""
        self.pages = asyncio.Semaphore(_PAGES_AT_ONCE)
        self._targets_under_way = 0

    async def end(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """Tell when all is done; a programming error in a worker is raised and must not leave anyone waiting."""
        # Not in a `finally`: when the audit is closed there may be no room for the end, and nobody who makes it.
        done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        await self.events.put(None)
        for worker in done:
            worker.result()

    async def audit_each(self, accounts: Iterator[AccountReader]) -> None:
        """Audit accounts until none remains."""
        for account in accounts:
            await self._audit_account(account)

    async def _audit_account(self, reader: AccountReader) -> None:
        opened = await reader.open()
        if isinstance(opened, Unreadable):
            await self.events.put(AccountUnreadable(reader.account_id, reader.expected))
            for target in reader.expected:
                for result in unread_target(target, opened, self.checks):
                    await self.events.put(result)
                await self.events.put(TargetReport(target, TargetStatus.FAILED, opened.reason))
            return
        targets = tuple(opened.readers)
        await self.events.put(AccountOpened(reader.account_id, targets, opened.skipped, opened.warning))
        rules = replace(self._rules, organization=opened.organization)
        async with asyncio.TaskGroup() as group:
            for target, image_reader in opened.readers.items():
                group.create_task(self._audit_target(target, image_reader, rules))

    async def _audit_target(self, target: Target, reader: ImageReader, rules: Rules) -> None:
        self._targets_under_way += 1
        try:
            await _TargetAudit(target, reader, rules, self).run()
        finally:
            self._targets_under_way -= 1

    @property
    def reads_a_target(self) -> int:
        """How many images of one target to read at once now."""
        share = _READS_AT_ONCE // max(1, self._targets_under_way)
        return max(_FEWEST_READS_A_TARGET, min(_MOST_READS_A_TARGET, share))


class _PageRoom:
    """The room of one page in memory, taken already: it is given back when nobody needs an image of it any more."""

    def __init__(self, pages: asyncio.Semaphore) -> None:
        self._pages = pages
        self._needed_by = 1

    def enter(self) -> None:
        """One more needs it."""
        self._needed_by += 1

    def leave(self) -> None:
        """One less needs it."""
        self._needed_by -= 1
        if not self._needed_by:
            self._pages.release()


@dataclass(frozen=True, slots=True)
class _UnderImage:
    """The snapshots under an image, to be read; without `judge` they are read only, for a result that comes later."""

    image: Image
    judge: bool
    room: _PageRoom | None = None


class _SnapshotAudit:
    """The snapshots under the images of one target: each is read once, however many images have it.

    They are read behind the launch permissions, from a bucket of their own: no launch permission waits for them.

    Args:
        group: the tasks of the target.
    """

    def __init__(self, reader: ImageReader, rules: Rules, run: _Run, group: asyncio.TaskGroup) -> None:
        self._reader = reader
        self._rules = rules
        self._run = run
        self._group = group
        self._waiting: deque[_UnderImage] = deque()
        self._workers = 0
        self._known: dict[str, SnapshotPermission | asyncio.Task[SnapshotPermission]] = {}

    def take(self, one: _UnderImage) -> None:
        """Read the snapshots under one image when its turn has come."""
        if one.room is not None:
            one.room.enter()
        self._waiting.append(one)
        if self._workers < self._run.reads_a_target:
            self._workers += 1
            self._group.create_task(self._read_each())

    async def _read_each(self) -> None:
        while self._waiting:
            one = self._waiting.popleft()
            snapshots = [await self._read(snapshot_id) for snapshot_id in one.image.snapshot_ids]
            if one.judge:
                await self._run.events.put(ami_snapshot_cross_account.evaluate(one.image, snapshots, self._rules))
            if one.room is not None:
                one.room.leave()
        self._workers -= 1

    async def _read(self, snapshot_id: str) -> SnapshotPermission:
        known = self._known.get(snapshot_id)
        if known is None:
            known = self._group.create_task(self._reader.read_snapshot_permission(snapshot_id))
            self._known[snapshot_id] = known
        if isinstance(known, asyncio.Task):
            # Only what was read is kept: a target may have a hundred thousand snapshots.
            known = self._known[snapshot_id] = await known
        return known


class _TargetAudit:
    """The audit of one target."""

    def __init__(self, target: Target, reader: ImageReader, rules: Rules, run: _Run) -> None:
        self._target = target
        self._reader = reader
        self._rules = rules
        self._run = run
        self._emit = run.events.put
        self._images = 0
        self._vanished = 0
        self._second_look: list[tuple[Image, PermissionReply]] = []
        self._snapshots: _SnapshotAudit | None = None
        """None if they are not to be judged."""

    async def run(self) -> None:
        """Read and judge all images, and the switch and the snapshots meanwhile if wanted; then report the target."""
        async with asyncio.TaskGroup() as group:
            if ami_block_public_access.METADATA.check_id in self._run.checks:
                group.create_task(self._judge_block_public_access())
            if ami_snapshot_cross_account.METADATA.check_id in self._run.checks:
                self._snapshots = _SnapshotAudit(self._reader, self._rules, self._run, group)
            problem = await self._read_listed()
            if self._second_look:
                await self._look_again()
        status, reason = TargetStatus.AUDITED, ""
        if problem is not None:
            for result in unread_target(self._target, problem, self._run.checks - _TOLD_APART):
                await self._emit(result)
            status, reason = TargetStatus.FAILED, problem.reason
        await self._emit(TargetReport(self._target, status, reason, self._images, self._vanished))

    async def _judge_block_public_access(self) -> None:
        state = await self._reader.read_block_public_access()
        await self._emit(ami_block_public_access.evaluate(self._target, state))

    async def _read_listed(self) -> Unreadable | None:
        """Read every listed image; the next page is fetched meanwhile."""
        pages = self._reader.list_images()
        page = await self._next_page(pages)
        while page is not None:
            if isinstance(page, Unreadable):
                return page
            await self._emit(ImagesListed(self._target, len(page)))
            async with asyncio.TaskGroup() as group:
                following = group.create_task(self._next_page(pages))
                group.create_task(self._read_page(page))
            page = following.result()
        return None

    async def _next_page(
        self, pages: AsyncIterator[tuple[Image, ...] | Unreadable]
    ) -> tuple[Image, ...] | Unreadable | None:
        """The next page, once there is room for it; a page takes its room until its images have all been read."""
        await self._run.pages.acquire()
        page = await anext(pages, None)
        if not isinstance(page, tuple):
            self._run.pages.release()
        return page

    async def _read_page(self, page: tuple[Image, ...]) -> None:
        remaining = iter(page)
        room = _PageRoom(self._run.pages)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._run.reads_a_target, len(page))):
                    group.create_task(self._read_each(remaining, room))
        finally:
            room.leave()

    async def _read_each(self, remaining: Iterator[Image], room: _PageRoom) -> None:
        for image in remaining:
            reply = await self._reader.read_launch_permission(image.image_id)
            match reply:
                case LaunchPermission() if not _contradicts(image, reply):
                    await self._judge(image, reply, room)
                case Unreadable():
                    await self._judge(image, reply, room)
                case _:
                    self._second_look.append((image, reply))
                    if self._snapshots is not None and not isinstance(reply, ImageNotFound):
                        # Whatever that look brings, the image keeps its snapshots, disabled ones too.
                        self._snapshots.take(_UnderImage(image, judge=False, room=room))

    async def _judge(self, image: Image, permission: PermissionState, room: _PageRoom | None = None) -> None:
        self._images += 1
        await self._emit(check.evaluate(image, permission, self._rules))
        if self._snapshots is not None:
            self._snapshots.take(_UnderImage(image, judge=True, room=room))

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
