"""What was found in foreign files, and what was not carried: values with the places they come from."""

from dataclasses import dataclass, field
from pathlib import Path

from amiguard.core.trust import Trustee
from amiguard.files.problems import on_one_line, written_path
from amiguard.files.yaml_tree import KeyPath

_SHOWN = 60


class Number(str):
    """A number as it was written: its digits, which a number type would not keep."""

    __slots__ = ()


Value = None | bool | str | list["Value"] | dict[str, "Value"]
"""What a foreign file holds at one place; a number is a `Number`."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: a key path, or a line."""

    path: Path
    where: KeyPath | int = ()

    def below(self, *steps: str | int) -> "Place":
        """A place inside this one."""
        return Place(self.path, (*(self.where if isinstance(self.where, tuple) else ()), *steps))

    def __str__(self) -> str:
        if isinstance(self.where, int):
            return f"{self.path}:{self.where}"
        return f"{self.path}: {written_path(self.where)}" if self.where else str(self.path)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was not carried, or that was read in a way worth a look."""

    place: Place
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class FoundTrustee:
    """Someone whom a foreign file trusts.

    Attributes:
        written: the id, as the policy takes it.
        origin: tool, file and rule, for the reason of the entry.
    """

    trustee: Trustee
    written: str
    name: str | None
    origin: str
    place: Place


@dataclass(frozen=True, slots=True)
class FoundSelector:
    """Images that a foreign file excepts: an image id, or a tag as the settings file writes it."""

    key: str
    """`ids` or `tags`."""
    value: str
    origin: str
    place: Place


@dataclass(slots=True)
class Found:
    """Everything that the files of one import came to; each reader adds to it."""

    trustees: list[FoundTrustee] = field(default_factory=list)
    selectors: list[FoundSelector] = field(default_factory=list)
    losses: list[Remark] = field(default_factory=list)
    notices: list[Remark] = field(default_factory=list)

    def lose(self, place: Place, what: str, why: str) -> None:
        """Tell that something is not carried."""
        self.losses.append(Remark(place, what, why))

    def notice(self, place: Place, what: str, why: str) -> None:
        """Tell that something is worth a look."""
        self.notices.append(Remark(place, what, why))


def shown(value: object) -> str:
    """A foreign value as a part of one line, cut where it is long."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            cut = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
            return on_one_line(str(cut))
        case list():
            return "a list"
        case _:
            return "keys"


def origin_of(tool: str, path: Path, *details: str) -> str:
    """Where an entry comes from, for its reason; a text that cannot be printed is escaped."""
    return ", ".join(on_one_line(part) for part in (f"{tool} {path.name}", *details))
