"""An EC2 in memory that can be changed, late and faulty as asked, and a journal that outlives a killed run."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.edit import Edit, Step
from amiguard.core.errors import OutputError
from amiguard.core.grantee import Everyone, Grantee
from amiguard.core.image import Image, ImageNotFound, LaunchPermission, PermissionReply, Unreadable
from amiguard.core.organization import NoOrganization, OrganizationView
from amiguard.core.ports import Accepted, NoAnswer, OpenedTarget, Refused, WriteReply
from amiguard.core.remediation import ChangeStatus, JournaledChange
from amiguard.core.result import Target

State = frozenset[Grantee]


_ALWAYS = float("-inf")
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


@dataclass
class FakeImage:
    """One image: what it was, in order, and from when each state shows."""

    listed: Image
    states: list[tuple[float, State]]

    @property
    def actual(self) -> State:
        return self.states[-1][1]

    @property
    def history(self) -> list[State]:
        return [state for _, state in self.states]

    def shown(self, now: float) -> State:
        return next(state for at, state in reversed(self.states) if at <= now)

    def become(self, state: State, shows_at: float) -> None:
        self.states.append((max(shows_at, self.states[-1][0]), state))


@dataclass
class FakeSwitch:
    """Image block public access of one target; it works as it shows."""

    states: list[tuple[float, BlockPublicAccess]] = field(
        default_factory=lambda: [(_ALWAYS, BlockPublicAccess.UNBLOCKED)]
    )
    managed_by: str = "account"
    unreadable: Unreadable | None = None

    @property
    def actual(self) -> BlockPublicAccess:
        return self.states[-1][1]

    def shown(self, now: float) -> BlockPublicAccess:
        return next(state for at, state in reversed(self.states) if at <= now)

    def become(self, state: BlockPublicAccess, shows_at: float) -> None:
        self.states.append((max(shows_at, self.states[-1][0]), state))


class FakeWorld:
    """The images and switches of all targets, by image id and target, and everything that was called.

    Attributes:
        lag: seconds until a change of an image shows; asked once a change.
        switch_lag: the same for switches.
        faults: what goes wrong with the next calls for an image, or (by target) for a switch.
        replies: what is given instead of the next launch permissions of an image.
        on_read: called before an image is read: someone else who changes it.
        calls_left: how many more calls (of any port) until the program is killed; None for never.
        kill_after_effect: a call that changes something has its effect before the program is killed.
        violations: calls that nobody may make: without a turn, or without an intent.
        calls: what was called for real, as (image id or region, step or state).
        dry_calls: the same, of dry runs.
    """

    def __init__(
        self, *, lag: Callable[[], float] = lambda: 0.0, switch_lag: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.lag, self.switch_lag = lag, switch_lag
        self.images: dict[str, FakeImage] = {}
        self.switches: defaultdict[Target, FakeSwitch] = defaultdict(FakeSwitch)
        self.faults: defaultdict[str | Target, deque[Fault]] = defaultdict(deque)
        self.replies: defaultdict[str, deque[PermissionReply]] = defaultdict(deque)
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
        self.images[listed.image_id] = FakeImage(listed, [(_ALWAYS, frozenset(grantees))])
        return self.images[listed.image_id]

    def launch_permission(self, image_id: str) -> State:
        """Who may launch an image now, whatever shows."""
        return self.images[image_id].actual

    def meddle(self, image_id: str, grantees: Iterable[Grantee]) -> None:
        """Someone else changes an image; it shows at once."""
        self.images[image_id].become(frozenset(grantees), _ALWAYS)

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
        for one in self.images.values():
            one.states = [(_ALWAYS if at <= ended else at - ended, state) for at, state in one.states]
        for switch in self.switches.values():
            switch.states = [(_ALWAYS if at <= ended else at - ended, state) for at, state in switch.states]

    def settle(self) -> None:
        """Let everything show that is late."""
        for one in self.images.values():
            one.states = [(_ALWAYS, state) for _, state in one.states]
        for switch in self.switches.values():
            switch.states = [(_ALWAYS, state) for _, state in switch.states]


@dataclass
class FakeJournal:
    """A journal in memory.

    Attributes:
        broken_after: after so many records it cannot be written any more; None for never.
    """

    world: FakeWorld
    broken_after: int | None = None
    edits: dict[str, tuple[Edit, ChangeStatus | None, str]] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)
    pending: list[tuple[Edit, Step | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.journal = self

    def known(self, key: str) -> JournaledChange | None:
        found = self.edits.get(key)
        return None if found is None else JournaledChange(*found)

    @property
    def record(self) -> list[JournaledChange]:
        """What it says, oldest first."""
        return [JournaledChange(*one) for one in self.edits.values()]

    def intend(self, edit: Edit, step: Step | None) -> None:
        self._write(edit, "intend")
        self.edits[edit.key] = (edit, None, "")
        self.pending.append((edit, step))

    def conclude(self, edit: Edit, status: ChangeStatus, reason: str = "") -> None:
        self._write(edit, status.value)
        self.edits[edit.key] = (edit, status, reason)

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

    async def read_block_public_access(self) -> BlockPublicAccessState | Unreadable:
        self._world.live()
        await asyncio.sleep(0.01)
        switch = self._world.switches[self._target]
        return switch.unreadable or BlockPublicAccessState(switch.shown(_now()), switch.managed_by)


class _Writer:
    def __init__(self, world: FakeWorld, target: Target, gap: float) -> None:
        self._world, self._target, self._gap = world, target, gap
        self._next_turn, self._turns = 0.0, 0

    async def wait_for_turn(self) -> None:
        self._world.live()
        at = max(_now(), self._next_turn)
        self._next_turn = at + self._gap
        await asyncio.sleep(at - _now())
        self._turns += 1

    async def modify_launch_permission(self, image_id: str, step: Step, *, dry_run: bool = False) -> WriteReply:
        world = self._world
        if self._turns <= 0:
            world.violations.append(f"{image_id}: without a turn")
        self._turns -= 1
        key = f"{self._target.account_id}/{self._target.region}/{image_id}"
        image = world.images[image_id]

        def effect() -> None:
            image.become((image.actual | set(step.add)) - set(step.remove), _now() + world.lag())

        blocked = (
            Everyone() in step.add and world.switches[self._target].shown(_now()) is not BlockPublicAccess.UNBLOCKED
        )
        return await self._call(key, image_id, image_id, step, effect, dry_run=dry_run, blocked=blocked)

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
        blocked: bool = False,
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
            if world.kill_after_effect and not dry_run and fault is None and not blocked:
                effect()
            raise KilledError
        await asyncio.sleep(20 if fault is Fault.THROTTLED else 0.01)
        if fault is Fault.REFUSED:
            return Refused("not permitted", "grant it")
        if fault is Fault.LOST_BEFORE:
            return NoAnswer("connection reset")
        if fault is Fault.BLOCKED or blocked:
            return Refused("OperationNotPermitted", blocked_public=True)
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
