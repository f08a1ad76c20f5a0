"""A YAML file as text and places: nothing is interpreted, every value keeps where it is written."""

from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys and list places from the top of the file: ("trust", "accounts", 2, "id")."""

PlainValue = str | None | list["PlainValue"] | dict[str, "PlainValue"]
"""A tree without its places. Every scalar is the text that was written; what YAML calls null is None."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file; line and column count from one, as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, by its source text: `012345670123` stays that text, quoted or not."""

    mark: Mark
    start: int
    """Where the value begins and ends, in characters from the top of the file; equal if nothing is written."""
    end: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list: `flow` in brackets, otherwise a dash a line."""

    mark: Mark
    start: int
    end: int
    """The end of the last value, or of the closing bracket."""
    flow: bool
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in the order of the file: `flow` in braces, otherwise a key a line."""

    mark: Mark
    start: int
    end: int
    flow: bool
    entries: tuple[tuple[Scalar, "Node"], ...]

    def key(self, name: str) -> Scalar | None:
        """The key as it is written."""
        return next((key for key, _ in self.entries if key.text == name), None)

    def get(self, name: str) -> "Node | None":
        """The value of a key."""
        return next((value for key, value in self.entries if key.text == name), None)


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> PlainValue:
    """The tree without its places."""
    match node:
        case Scalar(text=text):
            return text
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(entries=entries):
            return {str(key.text): plain(value) for key, value in entries}


def find(node: Node, path: KeyPath) -> Node:
    """The node at a path; the nearest one above it where the path goes on beyond the file."""
    for step in path:
        child = _child(node, step)
        if child is None:
            return node
        node = child
    return node


def _child(node: Node, step: str | int) -> Node | None:
    match node, step:
        case Mapping(), str():
            return node.get(step)
        case Sequence(items=items), int() if step < len(items):
            return items[step]
        case _:
            return None
