"""An EC2 in memory that can be changed, late and faulty as asked, and a journal that outlives a killed run."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.edit import MOST_GRANTS_A_CALL, MOST_SNAPSHOT_GRANTS_A_CALL, Edit, Step
from amiguard.core.errors import OutputError
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.image import Image, ImageNotFound, LaunchPermission, PermissionReply, Unreadable
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.ports import Accepted, NoAnswer, OpenedTarget, Refused, WriteReply
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.core.result import Target
from amiguard.core.snapshot import SnapshotPermission
from tests.fakes.remediation_states import ALWAYS, FakeImage, FakePermission, FakeSnapshot, FakeSwitch, State

_NEVER = float("inf")


class KilledError(Exception):
    """The program was killed: from here on, everything that is called raises this."""


class Fault(Enum):
    """What goes wrong with one call."""

    REFUSED = auto()
    LOST_BEFORE = auto()
    """No reply, no effect."""
    LOST_AFTER = auto()
    """No reply, but the effect."""
    BLOCKED = auto()
    """Refused by image block public access."""
    THROTTLED = auto()
    """Served late: the writer tries throttled calls until they are served."""


def _now() -> float:
    return asyncio.get_running_loop().time()


class FakeWorld:
    """The images, snapshots and switches of all targets, by id and target, and everything that was called.

    Attributes:
        lag: seconds until a change of an image or a snapshot shows; asked once a change.
        switch_lag: the same for switches.
        faults: what goes wrong with the next calls for an image or a snapshot, or (by target) for a switch.
        replies: what is given instead of the next launch permissions of an image.
        snapshot_replies: what is given instead of the next permissions of a snapshot.
        snapshots_blocked: the targets where no snapshot can be made public.
        on_read: called before an image or a snapshot is read: someone else who changes it.
        calls_left: how many more calls (of any port) until the program is killed; None for never.
        kill_after_effect: a call that changes something has its effect before the program is killed.
        violations: calls that nobody may make: without a turn, without an intent, with more than EC2 takes.
        calls: what was called for real, as (image or snapshot id or region, step or state).
        dry_calls: the same, of dry runs.
    """

    def __init__(
        self, *, lag: Callable[[], float] = lambda: 0.0, switch_lag: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.lag, self.switch_lag = lag, switch_lag
        self.images: dict[str, FakeImage] = {}
        self.snapshots: dict[str, FakeSnapshot] = {}
        self.snapshots_blocked: set[Target] = set()
        self.switches: defaultdict[Target, FakeSwitch] = defaultdict(FakeSwitch)
        self.faults: defaultdict[str | Target, deque[Fault]] = defaultdict(deque)
        self.replies: defaultdict[str, deque[PermissionReply]] = defaultdict(deque)
        self.snapshot_replies: defaultdict[str, deque[Unreadable]] = defaultdict(deque)
        self.on_read: Callable[[str], None] = lambda _: None
        self.calls_left: int | None = None
        self.kill_after_effect = False
        self.dead = False
        self.killed_at = _NEVER
        self.violations: list[str] = []
        self.calls: list[tuple[str, Step | BlockPublicAccess]] = []
        self.dry_calls: list[tuple[str, Step | BlockPublicAccess]] = []
        self.journal: FakeJournal | None = None
        self.read_counts: Counter[str] = Counter()

    def add(self, listed: Image, grantees: Iterable[Grantee]) -> FakeImage:
        """Put an image into the world."""
        self.images[listed.image_id] = FakeImage([(ALWAYS, frozenset(grantees))], listed)
        return self.images[listed.image_id]

    def add_snapshot(self, snapshot_id: str, target: Target, grantees: Iterable[Grantee]) -> FakeSnapshot:
        """Put a snapshot into the world."""
        self.snapshots[snapshot_id] = FakeSnapshot([(ALWAYS, frozenset(grantees))], target)
        return self.snapshots[snapshot_id]

    def permission(self, name: str) -> FakePermission:
        """That of an image or a snapshot, by its id."""
        return self.snapshots[name] if name in self.snapshots else self.images[name]

    def launch_permission(self, image_id: str) -> State:
        """Who may launch an image now, whatever shows."""
        return self.images[image_id].actual

    def meddle(self, name: str, grantees: Iterable[Grantee]) -> None:
        """Someone else changes an image or a snapshot; it shows at once."""
        self.permission(name).become(frozenset(grantees), ALWAYS)

    @property
    def _permissions(self) -> tuple[FakePermission, ...]:
        return (*self.images.values(), *self.snapshots.values())

    def enter(self) -> bool:
        """Count a call; whether it is the one during which the program is killed."""
        if self.dead:
            raise KilledError
        if self.calls_left is None:
            return False
        self.calls_left -= 1
        if self.calls_left > 0:
            return False
        self.dead, self.killed_at = True, _now()
        return True

    def live(self) -> None:
        """Count a call that changes nothing."""
        if self.enter():
            raise KilledError

    def restart(self) -> None:
        """Begin another run of the program at once, on a clock that begins anew; nothing more goes wrong."""
        ended, self.killed_at = self.killed_at, _NEVER
        self.dead, self.calls_left = False, None
        self.faults.clear()
        self.replies.clear()
        self.snapshot_replies.clear()
        for one in self._permissions:
            one.states = [(ALWAYS if at <= ended else at - ended, state) for at, state in one.states]
        for switch in self.switches.values():
            switch.states = [(ALWAYS if at <= ended else at - ended, state) for at, state in switch.states]

    def settle(self) -> None:
        """Let everything show that is late."""
        for one in self._permissions:
            one.states = [(ALWAYS, state) for _, state in one.states]
        for switch in self.switches.values():
            switch.states = [(ALWAYS, state) for _, state in switch.states]


@dataclass
class FakeJournal:
    """A journal in memory.

    Attributes:
        broken_after: after so many records it cannot be written any more; None for never.
    """

    world: FakeWorld
    broken_after: int | None = None
    edits: dict[str, JournaledChange] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)
    pending: list[tuple[Edit, Step | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.journal = self

    def known(self, key: str) -> JournaledChange | None:
        return self.edits.get(key)

    @property
    def record(self) -> list[JournaledChange]:
        """What it says, oldest first."""
        return list(self.edits.values())

    def intend(self, edit: Edit, step: Step | None) -> None:
        self._write(edit, "intend")
        self.edits[edit.key] = JournaledChange(edit, None)
        self.pending.append((edit, step))

    def conclude(self, edit: Edit, status: ChangeStatus, reason: str = "", *, may_have_effect: bool = True) -> None:
        self._write(edit, status.value)
        self.edits[edit.key] = JournaledChange(edit, status, reason, may_have_effect)

    def _write(self, edit: Edit, what: str) -> None:
        self.world.live()
        if self.broken_after is not None and len(self.lines) >= self.broken_after:
            raise OutputError("no space left on device", hint="make room")
        self.lines.append((edit.key, what))

    def take_intent(self, key: str, step: Step | None) -> bool:
        """Whether this very call was journaled, and not made since."""
        for at, (edit, intended) in enumerate(self.pending):
            if (edit.key, intended) == (key, step):
                del self.pending[at]
                return True
        return False


class _Reader:
    def __init__(self, world: FakeWorld, target: Target, listing: Unreadable | None) -> None:
        self._world, self._target, self._listing = world, target, listing

    def _here(self) -> dict[str, Image]:
        images = (one.listed for one in self._world.images.values())
        return {one.image_id: one for one in images if (one.account_id, one.region) == self._key}

    @property
    def _key(self) -> tuple[str, str]:
        return self._target.account_id, self._target.region

    async def list_images(self) -> AsyncIterator[tuple[Image, ...] | Unreadable]:
        self._world.live()
        yield tuple(self._here().values())

    async def list_again(self, image_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        self._world.live()
        await asyncio.sleep(0.01)
        here = self._here()
        return self._listing or {image_id: here[image_id] for image_id in image_ids if image_id in here}

    async def list_over(self, snapshot_ids: Sequence[str]) -> Mapping[str, Image] | Unreadable:
        self._world.live()
        await asyncio.sleep(0.01)
        here = self._here()
        return self._listing or {key: one for key, one in here.items() if set(snapshot_ids) & set(one.snapshot_ids)}

    async def read_launch_permission(self, image_id: str) -> PermissionReply:
        self._world.live()
        await asyncio.sleep(0.01)
        self._world.read_counts[image_id] += 1
        self._world.on_read(image_id)
        if self._world.replies[image_id]:
            return self._world.replies[image_id].popleft()
        if image_id not in self._here():
            return ImageNotFound()
        return LaunchPermission(tuple(self._world.images[image_id].shown(_now())))

    async def read_snapshot_permission(self, snapshot_id: str) -> SnapshotPermission:
        world = self._world
        world.live()
        await asyncio.sleep(0.01)
        world.read_counts[snapshot_id] += 1
        world.on_read(snapshot_id)
        if world.snapshot_replies[snapshot_id]:
            return SnapshotPermission(snapshot_id, world.snapshot_replies[snapshot_id].popleft())
        snapshot = world.snapshots.get(snapshot_id)
        if snapshot is None or snapshot.target != self._target:
            return SnapshotPermission(snapshot_id, Unreadable("InvalidSnapshot.NotFound"), gone=True)
        return SnapshotPermission(snapshot_id, tuple(snapshot.shown(_now())))

    async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
        self._world.live()
        await asyncio.sleep(0.01)
        switch = self._world.switches[self._target]
        return switch.unreadable or BlockPublicAccessState(switch.shown(_now()), switch.managed_by)


class _Turns:
    """The turns of one kind of call."""

    def __init__(self, world: FakeWorld, gap: float) -> None:
        self._world, self._gap = world, gap
        self._next, self._left = 0.0, 0

    async def wait(self) -> None:
        self._world.live()
        at = max(_now(), self._next)
        self._next = at + self._gap
        await asyncio.sleep(at - _now())
        self._left += 1

    def take(self, name: str) -> None:
        if self._left <= 0:
            self._world.violations.append(f"{name}: without a turn")
        self._left -= 1


class _Writer:
    def __init__(self, world: FakeWorld, target: Target, gap: float) -> None:
        self._world, self._target = world, target
        self._turns, self._snapshot_turns = _Turns(world, gap), _Turns(world, gap)

    async def wait_for_turn(self) -> None:
        await self._turns.wait()

    async def modify_launch_permission(self, image_id: str, step: Step, *, dry_run: bool = False) -> WriteReply:
        self._turns.take(image_id)
        switch = self._world.switches[self._target].shown(_now())
        refusal = None
        if Everyone() in step.add and switch is not BlockPublicAccess.UNBLOCKED:
            refusal = Refused("OperationNotPermitted", blocked_public=True)
        return await self._modify(image_id, step, MOST_GRANTS_A_CALL, refusal, dry_run=dry_run)

    async def wait_for_snapshot_turn(self) -> None:
        await self._snapshot_turns.wait()

    async def modify_create_volume_permission(
        self, snapshot_id: str, step: Step, *, dry_run: bool = False
    ) -> WriteReply:
        self._snapshot_turns.take(snapshot_id)
        if not all(isinstance(one, Account | Everyone) for one in (*step.add, *step.remove)):
            self._world.violations.append(f"{snapshot_id}: a grantee that no snapshot has")
        blocked = Everyone() in step.add and self._target in self._world.snapshots_blocked
        refusal = Refused("OperationNotPermitted: snapshots") if blocked else None
        return await self._modify(snapshot_id, step, MOST_SNAPSHOT_GRANTS_A_CALL, refusal, dry_run=dry_run)

    async def _modify(self, name: str, step: Step, most: int, refusal: Refused | None, *, dry_run: bool) -> WriteReply:
        world, permission = self._world, self._world.permission(name)
        if len(step.add) + len(step.remove) > most:
            world.violations.append(f"{name}: more grantees than a call takes")
        key = f"{self._target.account_id}/{self._target.region}/{name}"

        def effect() -> None:
            permission.become((permission.actual | set(step.add)) - set(step.remove), _now() + world.lag())

        return await self._call(key, name, name, step, effect, dry_run=dry_run, refusal=refusal)

    async def set_block_public_access(self, state: BlockPublicAccess, *, dry_run: bool = False) -> WriteReply:
        world, target = self._world, self._target
        key = f"{target.account_id}/{target.region}/image-block-public-access"

        def effect() -> None:
            world.switches[target].become(state, _now() + world.switch_lag())

        return await self._call(key, target, target.region, state, effect, dry_run=dry_run)

    async def _call(
        self,
        key: str,
        whose_faults: str | Target,
        name: str,
        what: Step | BlockPublicAccess,
        effect: Callable[[], None],
        *,
        dry_run: bool,
        refusal: Refused | None = None,
    ) -> WriteReply:
        world = self._world
        killed = world.enter()
        if dry_run:
            world.dry_calls.append((name, what))
        else:
            step = what if isinstance(what, Step) else None
            if world.journal is None or not world.journal.take_intent(key, step):
                world.violations.append(f"{key}: without an intent")
            world.calls.append((name, what))
        faults = world.faults[whose_faults]
        fault = faults.popleft() if faults else None
        if killed:
            if world.kill_after_effect and not dry_run and fault is None and refusal is None:
                effect()
            raise KilledError
        await asyncio.sleep(20 if fault is Fault.THROTTLED else 0.01)
        if fault is Fault.REFUSED:
            return Refused("not permitted", "grant it")
        if fault is Fault.LOST_BEFORE:
            return NoAnswer("connection reset")
        if fault is Fault.BLOCKED:
            return Refused("OperationNotPermitted", blocked_public=True)
        if refusal is not None:
            return refusal
        if not dry_run:
            effect()
        return NoAnswer("HTTP 500") if fault is Fault.LOST_AFTER else Accepted()


@dataclass
class FakeOpener:
    """Opens the targets of a world.

    Attributes:
        unreadable: targets that cannot be opened.
        unlisted: targets whose images cannot be listed.
        turn_gap: seconds between two turns of a target.
        organizations: what is known of each account's organization.
        opening: seconds that opening a target takes.
    """

    world: FakeWorld
    unreadable: Mapping[Target, Unreadable] = field(default_factory=dict)
    unlisted: Mapping[Target, Unreadable] = field(default_factory=dict)
    turn_gap: float = 0.0
    organizations: Mapping[Target, OrganizationView] = field(default_factory=dict)
    opening: Mapping[Target, float] = field(default_factory=dict)
    opened: list[Target] = field(default_factory=list)

    async def open(self, target: Target) -> OpenedTarget | Unreadable:
        self.world.live()
        self.opened.append(target)
        await asyncio.sleep(self.opening.get(target, 0.0))
        if target in self.unreadable:
            return self.unreadable[target]
        reader = _Reader(self.world, target, self.unlisted.get(target))
        writer = _Writer(self.world, target, self.turn_gap)
        return OpenedTarget(reader, writer, self.organizations.get(target, NoOrganization()))
