"""What an action works on."""

from dataclasses import dataclass

from .effects import Effect
from .store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The estate as it is, the fault that strikes this call, and the states in which EC2 withholds attributes."""

    store: Store
    effect: Effect
    unavailable_states: frozenset[str]
