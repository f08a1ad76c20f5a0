"""Put an item into a YAML list or take one out, as text: every other character of the file stays as it is.

These functions know where things are written, not what they mean: whoever calls them reads the result again.
"""

import re

from amiguard.files.yaml_tree import Mapping, Node, Scalar, Sequence

_NEWLINE = re.compile(r"\r\n|\n|\r")
_DEFAULT_OFFSET = 2

Items = list[str]


class CannotSpliceError(Exception):
    """The file is written in a way that cannot be edited as text."""


def insert_items(text: str, mapping: Mapping, key: str, items: Items) -> str:
    """Append items to the list under a key; the key is added if it is not there.

    Args:
        text: the file.
        mapping: the section that holds the key.
        key: the key of the list.
        items: the items, each on one line; at least one.

    Raises:
        CannotSpliceError: the value of the key is no list.
    """
    value = mapping.get(key)
    match value:
        case None:
            return _add_key(text, mapping, key, items)
        case Sequence(flow=True):
            return _insert_in_brackets(text, value, items)
        case Sequence():
            dash = _dash(text, value.items[-1])
            gap = text[dash + 1 : value.items[-1].start]
            return _add_lines(text, value.end, [f"{' ' * (value.mark.column - 1)}-{gap}{item}" for item in items])
        case Scalar(text=None):
            return _fill(text, mapping, key, value, items)
        case _:
            raise CannotSpliceError


def delete_item(text: str, sequence: Sequence, place: int) -> str:
    """Take an item out of a list, with the comment on its last line.

    Raises:
        CannotSpliceError: something else stands between the item and its neighbours.
    """
    if sequence.flow:
        return _delete_in_brackets(text, sequence, place)
    item = sequence.items[place]
    dash = _dash(text, item)
    start = _line_start(text, dash)
    end = _line_end(text, item.end)
    newline = _NEWLINE.match(text, end)
    if newline:
        return text[:start] + text[newline.end() :]
    # The last line of a file without a line end: the line before it is the last now, and has none either.
    return re.sub(r"(\r\n|\n|\r)\Z", "", text[:start])


def append_section(text: str, top: Mapping, key: str, items: Items) -> str:
    """Add a key with a list of items to the top of the file, below everything that stands there, comments included."""
    if top.flow:
        return _add_key(text, top, key, items)
    newline = _NEWLINE.search(text)
    mark = newline[0] if newline else "\n"
    start = text if text.endswith(("\n", "\r")) else text + mark
    return start + "".join(line + mark for line in ("", f"{key}:", *(f"  - {item}" for item in items)))


def _add_key(text: str, mapping: Mapping, key: str, items: Items) -> str:
    if mapping.flow:
        end = max(value.end for _, value in mapping.entries)
        return f"{text[:end]}, {key}: [{', '.join(items)}]{text[end:]}"
    indent = mapping.mark.column - 1
    offsets = [
        value.mark.column - mapping.mark.column
        for _, value in mapping.entries
        if isinstance(value, Sequence) and not value.flow
    ]
    dash = indent + (offsets[0] if offsets else _DEFAULT_OFFSET)
    return _add_lines(text, mapping.end, [f"{' ' * indent}{key}:", *(f"{' ' * dash}- {item}" for item in items)])


def _insert_in_brackets(text: str, sequence: Sequence, items: Items) -> str:
    item = ", ".join(items)
    if sequence.items:
        end = sequence.items[-1].end
        return f"{text[:end]}, {item}{text[end:]}"
    return f"{text[: sequence.end - 1]}{item}{text[sequence.end - 1 :]}"


def _fill(text: str, mapping: Mapping, key: str, value: Scalar, items: Items) -> str:
    item = ", ".join(items)
    if value.start < value.end:
        return f"{text[: value.start]}[{item}]{text[value.end :]}"
    colon = re.compile(r"[ \t]*:").match(text, value.end)
    if colon is None:
        raise CannotSpliceError
    if mapping.flow:
        return f"{text[: colon.end()]} [{item}]{text[colon.end() :]}"
    written = mapping.key(key)
    indent = (written.mark.column if written else mapping.mark.column) - 1 + _DEFAULT_OFFSET
    return _add_lines(text, colon.end(), [f"{' ' * indent}- {one}" for one in items])


def _delete_in_brackets(text: str, sequence: Sequence, place: int) -> str:
    item = sequence.items[place]
    if comma := re.compile(r"[ \t]*,[ \t]*").match(text, item.end):
        start, end = item.start, comma.end()
        line_start, line_end = _line_start(text, start), _line_end(text, end)
        if not (text[line_start:start] + text[end:line_end]).strip() and line_end < len(text):
            # The item has the line to itself.
            newline = _NEWLINE.match(text, line_end)
            return text[:line_start] + text[newline.end() if newline else line_end :]
        return text[:start] + text[end:]
    if place == 0:
        return text[: item.start] + text[item.end :]
    before = sequence.items[place - 1].end
    if text[before : item.start].strip() != ",":
        raise CannotSpliceError
    return text[:before] + text[item.end :]


def _dash(text: str, item: Node) -> int:
    dash = item.start - 1
    while dash >= 0 and text[dash] == " ":
        dash -= 1
    if dash < 0 or text[dash] != "-" or text[_line_start(text, dash) : dash].strip(" "):
        raise CannotSpliceError
    return dash


def _add_lines(text: str, after: int, lines: list[str]) -> str:
    """Put lines below the line of a place; the last line of a file keeps its line end, or has none."""
    end = _line_end(text, after)
    newline = _NEWLINE.search(text)
    mark = newline[0] if newline else "\n"
    return text[:end] + "".join(mark + line for line in lines) + text[end:]


def _line_start(text: str, place: int) -> int:
    return max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1


def _line_end(text: str, place: int) -> int:
    found = _NEWLINE.search(text, place)
    return found.start() if found else len(text)
