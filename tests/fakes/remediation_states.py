"""What an EC2 in memory is in: its permissions and switches, each with its history, and from when each state shows."""

from dataclasses import dataclass, field

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.grantee import Grantee
from amiguard.core.image import Image, Unreadable
from amiguard.core.result import Target

State = frozenset[Grantee]

ALWAYS = float("-inf")


@dataclass
class FakePermission:
    """One permission: what it was, in order, and from when each state shows."""

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
class FakeImage(FakePermission):
    """One image, and its launch permission."""

    listed: Image


@dataclass
class FakeSnapshot(FakePermission):
    """One snapshot, and its createVolumePermission."""

    target: Target


@dataclass
class FakeSwitch:
    """Image block public access of one target; it works as it shows."""

    states: list[tuple[float, BlockPublicAccess]] = field(
        default_factory=lambda: [(ALWAYS, BlockPublicAccess.UNBLOCKED)]
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
