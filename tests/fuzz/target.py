"""What a fuzz target is: one reader of bytes that somebody else wrote, and what it may do with them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path


class Form(Enum):
    """How the bytes are written: it decides how they are mutated, besides byte by byte."""

    XML = auto()
    JSON = auto()
    LINES = auto()
    """A JSON value a line."""
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """One reader.

    Attributes:
        run: reads the bytes, and asserts what must hold of everything that is accepted.
        refusals: the documented errors; any other exception is a finding.
        seeds: what is accepted.
        examples: in the profile `ci`.
    """

    name: str
    form: Form
    run: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...] = field(repr=False)
    examples: int


def accepts(target: Target, data: bytes) -> bool:
    """Whether the target reads the data; False if it refuses them as it should. All else is raised."""
    try:
        target.run(data)
    except target.refusals:
        return False
    return True


@contextmanager
def as_file(data: bytes, name: str = "file") -> Iterator[Path]:
    """The data in a file of a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="amiguard-fuzz-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path
