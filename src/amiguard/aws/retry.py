"""How long a call is tried when its replies are broken, or none come: the same wherever AWS is called."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How long to try when a reply was broken, or none came. Throttled calls are tried until they are served.

    Attributes:
        tries: at most.
        seconds: from the first broken reply on.
        first_pause: in seconds; each following one is twice as long. Each is shortened by chance, by half at most.
    """

    tries: int = 6
    seconds: float = 30.0
    first_pause: float = 0.2


class Retries:
    """The broken replies to one call.

    Args:
        limits: how many there may be, and for how long.
        clock: tells seconds.

    Attributes:
        broken: how many there were.
    """

    def __init__(self, limits: RetryLimits, clock: Callable[[], float]) -> None:
        self.broken = 0
        self._limits = limits
        self._clock = clock
        self._give_up_at: float | None = None

    def pause(self) -> float | None:
        """Note one more broken reply.

        Returns:
            For how many seconds to pause before the call is made again; None: it has been tried enough.
        """
        self.broken += 1
        now = self._clock()
        if self._give_up_at is None:
            self._give_up_at = now + self._limits.seconds
        pause = self._limits.first_pause * 2 ** (self.broken - 1) * random.uniform(0.5, 1)  # noqa: S311 - no secret
        return None if self.broken >= self._limits.tries or now + pause > self._give_up_at else pause

    def told(self, reason: str) -> str:
        """The reason why the call was given up, with how often it was tried."""
        return f"{reason} (tried {self.broken} times)"
