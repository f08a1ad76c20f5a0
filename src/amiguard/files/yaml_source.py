"""Read someone's YAML file into a tree: no objects, no tags, no bombs, every fault with its place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.reader import ReaderError

from amiguard.core.errors import SettingsError
from amiguard.files.bounded import TooLargeError, read_bounded
from amiguard.files.problems import Problem, as_error, on_one_line
from amiguard.files.yaml_tree import KeyPath, Mapping, Mark, Node, Scalar, Sequence

MAX_BYTES = 1024 * 1024
"""Some ten thousand entries with names and reasons; ruamel reads that in a few seconds."""
MAX_VALUES = 200_000
"""Several times what such entries come to; aliases that multiply each other get there with a few lines."""

_TOP = Mark(1, 1)
_YAML_TAG = "tag:yaml.org,2002:"
_NULL = _YAML_TAG + "null"
_MERGE = _YAML_TAG + "merge"
_KNOWN_TAGS = frozenset(
    # What ruamel gives to values without a tag; `value` is a bare `=`, `merge` a bare `<<`.
    _YAML_TAG + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge", "map", "seq")
)
_MENDS = (
    (r"'\t' that cannot start any token", "indent with spaces, not with tabs"),
    ("that cannot start any token", "quote text that starts with this character"),
    ("mapping values are not allowed", 'quote text that holds a colon and a space: "a: b"'),
    ("but found another document", "keep one document in the file"),
    ("alias", 'quote text that starts with an asterisk: "*-public"'),
)


def read_text(path: Path) -> str:
    """The text of a file; a byte order mark and the kind of its line ends are kept.

    Raises:
        SettingsError: it cannot be read, is larger than `MAX_BYTES`, or is not UTF-8.
    """
    try:
        data = read_bounded(path, MAX_BYTES)
    except TooLargeError as error:
        raise SettingsError(f"{path} is larger than {MAX_BYTES // 1024} KiB: this is no settings file") from error
    except IsADirectoryError as error:
        raise SettingsError(f"{path} is a folder, not a settings file") from error
    except (OSError, ValueError) as error:
        # ValueError: a name that no file can have (a NUL in it).
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"{path} cannot be read: {why}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        mark = _mark_after(data[: error.start].decode("utf-8", "replace"))
        problem = Problem(mark, (), f"byte 0x{data[error.start]:02x} is not UTF-8 text: save the file as UTF-8")
        raise as_error(path, [problem]) from error


def parse(text: str, path: Path, *, kind: str = "settings file") -> tuple[Node | None, list[Problem]]:
    """Read YAML text.

    Args:
        text: what `read_text` gave.
        path: the file, for messages.
        kind: what the file should be, for messages.

    Returns:
        The tree (None if the file holds nothing but comments) and what is wrong with it, syntax aside: keys written
        twice, tags, keys that are no text.

    Raises:
        SettingsError: the text is not YAML; only the first fault of syntax can be told.
    """
    yaml = YAML(typ="safe", pure=True)
    # ruamel would warn through Python's warnings, on stderr; a reused anchor is legal YAML.
    yaml.composer.warn_double_anchors = False
    try:
        top = yaml.compose(text)
    except RecursionError as error:
        raise as_error(path, [Problem(_TOP, (), "the file is nested too deeply")]) from error
    except Exception as error:
        # Besides its own errors ruamel lets others escape on hostile text, too many kinds to name them: ValueError
        # ("\U0011FFFF"), OverflowError ("\UFFFFFFFF"), KeyError ("%YAML 9.9" below a value), AssertionError
        # ("%YAML 1.123").
        raise as_error(path, [_syntax_problem(text, error)]) from error
    reader = _TreeReader(text)
    try:
        return (None if top is None else reader.read(top, ())), reader.problems
    except RecursionError as error:
        raise as_error(path, [Problem(_TOP, (), "the file is nested too deeply")]) from error
    except _TooManyValuesError as error:
        message = f"the file comes to more than {MAX_VALUES} values, aliases (*name) written out: this is no {kind}"
        raise as_error(path, [Problem(_TOP, (), message)]) from error


def _syntax_problem(text: str, error: Exception) -> Problem:
    if isinstance(error, ReaderError):
        return Problem(
            _mark_after(text[: error.position]),
            (),
            f"the control character U+{error.character:04X} cannot stand in YAML: delete it",
        )
    if not isinstance(error, MarkedYAMLError):
        return Problem(_TOP, (), f"not YAML: {on_one_line(str(error))}")
    mark = error.problem_mark or error.context_mark
    said = ", ".join(" ".join(part.split()) for part in (error.context, error.problem) if part)
    mend = next((f"; {mend}" for words, mend in _MENDS if words in said), "")
    return Problem(_mark(mark) if mark else _TOP, (), f"not YAML: {said}{mend}")


def _mark_after(before: str) -> Mark:
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


class _TooManyValuesError(Exception):
    """The tree would not end, or not fit: aliases multiply each other."""


class _TreeReader:
    """Turns ruamel's nodes into ours, aliases written out."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._values = 0
        self._open: set[int] = set()
        """Nodes being read: an alias to one of them would never end."""

    def read(self, node: Any, path: KeyPath) -> Node:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _TooManyValuesError
        mark, start, end = _mark(node.start_mark), node.start_mark.index, node.end_mark.index
        if node.tag not in _KNOWN_TAGS:
            self.problems.append(Problem(mark, path, f"tags are not read here: delete {on_one_line(node.tag)}"))
        if isinstance(node, ScalarNode):
            return self._scalar(node, mark)
        if id(node) in self._open:
            self.problems.append(Problem(mark, path, "an alias to itself never ends: write the value out"))
            return Scalar(mark, start, start, None)
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                entries = tuple(self._entries(node, path))
                end = end if node.flow_style else max((max(key.end, value.end) for key, value in entries), default=end)
                return Mapping(mark, start, end, bool(node.flow_style), entries)
            items = tuple(self.read(item, (*path, place)) for place, item in enumerate(node.value))
            end = end if node.flow_style else max((item.end for item in items), default=end)
            return Sequence(mark, start, end, bool(node.flow_style), items)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: Any, mark: Mark) -> Scalar:
        start, end = node.start_mark.index, node.end_mark.index
        if node.style in ("|", ">"):
            # ruamel ends a block text where the next thing begins.
            end = start + len(self._text[start:end].rstrip())
        return Scalar(mark, start, end, None if node.tag == _NULL else node.value)

    def _entries(self, node: Any, path: KeyPath) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            mark = _mark(key_node.start_mark)
            if not isinstance(key_node, ScalarNode) or key_node.tag == _NULL:
                self.problems.append(Problem(mark, path, "a key must be text"))
                continue
            if key_node.tag not in _KNOWN_TAGS - {_MERGE}:
                mend = "delete the tag"
                if key_node.tag == _MERGE:
                    mend = "merge keys are not read here: write the keys out"
                self.problems.append(Problem(mark, (*path, key_node.value), mend))
                continue
            key = self._scalar(key_node, mark)
            name = str(key.text)
            if name in seen:
                message = f"this key stands already in line {seen[name].line}: keep one of them"
                self.problems.append(Problem(mark, (*path, name), message))
                continue
            seen[name] = mark
            value = self.read(value_node, (*path, name))
            if isinstance(value, Scalar) and value.start == value.end:
                # Nothing is written, and ruamel places it wherever the next thing begins: the key is the place.
                value = Scalar(mark, key.end, key.end, value.text)
            yield key, value
