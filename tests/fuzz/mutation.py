"""Mutations: each turns the bytes of a seed into other bytes, by numbers that hypothesis draws and can shrink.

A mutation never fails: where it does not fit, it leaves the bytes as they are. So mutations can follow one another.
"""

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from tests.fuzz.values import written

_WORD = re.compile(rb"[^\s\"'<>{}\[\],:=|&]+")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change.

    Attributes:
        kind: a key of `BYTES`, `LINES`, `JSON` or `XML`.
        where: a place, modulo how many there are.
        size: how much, or how often.
        piece: text that is put in.
        value: JSON that is put in.
    """

    kind: str
    where: int = 0
    size: int = 1
    piece: bytes = b""
    value: Any = None


Change = Callable[[bytes, Mutation], bytes]


def mutated(data: bytes, mutations: list[Mutation]) -> bytes:
    """The data after all mutations, one after the other."""
    for one in mutations:
        data = ALL[one.kind](data, one)
    return data


def _span(data: bytes, by: Mutation) -> tuple[int, int]:
    start = by.where % (len(data) + 1)
    return start, min(len(data), start + by.size)


def _insert(data: bytes, by: Mutation) -> bytes:
    start, _ = _span(data, by)
    return data[:start] + by.piece + data[start:]


def _overwrite(data: bytes, by: Mutation) -> bytes:
    start, _ = _span(data, by)
    return data[:start] + by.piece + data[start + len(by.piece) :]


def _delete(data: bytes, by: Mutation) -> bytes:
    start, end = _span(data, by)
    return data[:start] + data[end:]


def _repeat(data: bytes, by: Mutation) -> bytes:
    start, end = _span(data, by)
    return data[:end] + data[start:end] * (1 + by.size % 50) + data[end:]


def _cut(data: bytes, by: Mutation) -> bytes:
    return data[: _span(data, by)[0]]


def _flip(data: bytes, by: Mutation) -> bytes:
    if not data:
        return data
    place = by.where % len(data)
    return data[:place] + bytes([data[place] ^ (1 << by.size % 8)]) + data[place + 1 :]


def _shuffle(data: bytes, by: Mutation) -> bytes:
    start, end = _span(data, by)
    piece = bytearray(data[start:end])
    random.Random(by.where).shuffle(piece)
    return data[:start] + bytes(piece) + data[end:]


def _word(data: bytes, by: Mutation) -> bytes:
    found = list(_WORD.finditer(data))
    if not found:
        return by.piece
    one = found[by.where % len(found)]
    return data[: one.start()] + by.piece + data[one.end() :]


def _encode(data: bytes, by: Mutation) -> bytes:
    names = ("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp037")
    return data.decode("utf-8", "replace").encode(names[by.where % len(names)], "replace")


def _on_lines(change: Callable[[list[bytes], int, Mutation], None]) -> Change:
    def changed(data: bytes, by: Mutation) -> bytes:
        lines = data.splitlines(keepends=True)
        if lines:
            change(lines, by.where % len(lines), by)
        return b"".join(lines)

    return changed


def _drop_line(lines: list[bytes], at: int, by: Mutation) -> None:
    del lines[at]


def _double_line(lines: list[bytes], at: int, by: Mutation) -> None:
    lines.insert(by.size % (len(lines) + 1), lines[at])


def _move_line(lines: list[bytes], at: int, by: Mutation) -> None:
    lines.insert(by.size % len(lines), lines.pop(at))


def _indent_line(lines: list[bytes], at: int, by: Mutation) -> None:
    lines[at] = b" " * (by.size % 12) + lines[at].lstrip()


def _new_line(lines: list[bytes], at: int, by: Mutation) -> None:
    lines.insert(at, by.piece + b"\n")


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key or number."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting and len(found) < 5000:
        one = waiting.pop()
        inner = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for key, below in inner:
            found.append((one, key))
            waiting.append(below)
    return found


def _on_json(change: Callable[[Any, Any, Mutation], None]) -> Change:
    """Change one place of the document; of documents in lines, of one of them."""

    def changed(data: bytes, by: Mutation) -> bytes:
        lines = data.splitlines(keepends=True) if data.count(b"\n{") else [data]
        at = (by.where >> 8) % max(1, len(lines))
        try:
            document = json.loads(lines[at]) if lines else None
        except (ValueError, RecursionError):
            return data
        if not (places := _places(document)):
            return data
        with suppress(TypeError, RecursionError):  # what an earlier mutation has made of it takes no such change
            change(*places[by.where % len(places)], by)
            lines[at] = written(document) + b"\n"
        return b"".join(lines)

    return changed


def _replace(above: Any, place: Any, by: Mutation) -> None:
    above[place] = by.value


def _remove(above: Any, place: Any, by: Mutation) -> None:
    del above[place]


def _wrap(above: Any, place: Any, by: Mutation) -> None:
    above[place] = [above[place]] if by.size % 2 else {"items": above[place]}


def _unwrap(above: Any, place: Any, by: Mutation) -> None:
    inner = above[place]
    above[place] = next(iter(inner.values() if isinstance(inner, dict) else inner), None)


def _add(above: Any, place: Any, by: Mutation) -> None:
    inner = above[place]
    if isinstance(inner, list):
        inner.extend([by.value] * by.size)
    elif isinstance(inner, dict):
        inner[by.piece.decode("utf-8", "replace")] = by.value


def _double_entry(above: Any, place: Any, by: Mutation) -> None:
    if isinstance(above, list):
        above.extend([above[place]] * by.size)


def _as_text(above: Any, place: Any, by: Mutation) -> None:
    above[place] = json.dumps(above[place])


def _twin(data: bytes, by: Mutation) -> bytes:
    """Write a key twice in one object."""
    keys = list(re.finditer(rb'"[^"\\]*"\s*:', data))
    if not keys:
        return data
    one = keys[by.where % len(keys)]
    return data[: one.start()] + one[0] + written(by.value) + b"," + data[one.start() :]


def _on_xml(change: Callable[[ET.Element, ET.Element, Mutation], None]) -> Change:
    """Change one element, given with its parent; the document is written again."""

    def changed(data: bytes, by: Mutation) -> bytes:
        try:
            root = ET.fromstring(data)  # noqa: S314 - what our own mutations made
        except (ET.ParseError, LookupError, ValueError):
            return data
        pairs = [(parent, one) for parent in root.iter() for one in parent]
        if not pairs:
            return data
        change(*pairs[by.where % len(pairs)], by)
        try:
            return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
        except (ValueError, RecursionError):
            return data

    return changed


def _text(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    one.text = by.piece.decode("utf-8", "replace")


def _drop(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    parent.remove(one)


def _double(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    for _ in range(1 + by.size % 20):
        parent.append(one)


def _rename(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    names = [other.tag for other in parent.iter()]
    one.tag = names[by.size % len(names)]


def _nest(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    inner = ET.Element(one.tag)
    inner.text, inner[:] = one.text, one[:]
    one[:] = [inner]


def _around(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    one.insert(by.size % (len(one) + 1), ET.Comment("c") if by.size % 2 else ET.ProcessingInstruction("p"))


def _move(parent: ET.Element, one: ET.Element, by: Mutation) -> None:
    parent.remove(one)
    parent.insert(by.size % (len(parent) + 1), one)


def _doctype(data: bytes, by: Mutation) -> bytes:
    """A document type with entities that grow, or name a file; one of them is used."""
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    kinds = (
        f'<!DOCTYPE x [<!ENTITY e0 "ha">{bomb}]>',
        '<!DOCTYPE x [<!ENTITY e9 SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x [<!ENTITY % e9 SYSTEM "http://127.0.0.1:9/x"> %e9;]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE x PUBLIC "a" "b">',
        "<!DOCTYPE x>",
    )
    start = data.find(b"?>") + 2 if data.startswith(b"<?xml") else 0
    texts = list(re.finditer(rb">[^<]*<", data[start:]))
    if texts and by.size % 2:
        at = start + texts[by.where % len(texts)].start() + 1
        data = data[:at] + b"&e9;" + data[at:]
    return data[:start] + kinds[by.where % len(kinds)].encode() + data[start:]


def _declare(data: bytes, by: Mutation) -> bytes:
    names = (b"UTF-16", b"ISO-8859-1", b"UTF-7", b"EBCDIC-CP-US", b"no-such", b"US-ASCII", b"UTF-32")
    return data.replace(b"UTF-8", names[by.where % len(names)], 1)


def _deepen(data: bytes, by: Mutation) -> bytes:
    found = list(re.finditer(rb"</", data))
    if not found:
        return data
    at, depth = found[by.where % len(found)].start(), (10, 200, 300, 20_000)[by.size % 4]
    return data[:at] + b"<a>" * depth + b"</a>" * depth + data[at:]


BYTES: dict[str, Change] = {
    "insert": _insert,
    "overwrite": _overwrite,
    "delete": _delete,
    "repeat": _repeat,
    "cut": _cut,
    "flip": _flip,
    "shuffle": _shuffle,
    "word": _word,
    "encode": _encode,
}
LINES: dict[str, Change] = {
    "drop line": _on_lines(_drop_line),
    "double line": _on_lines(_double_line),
    "move line": _on_lines(_move_line),
    "indent line": _on_lines(_indent_line),
    "new line": _on_lines(_new_line),
}
JSON: dict[str, Change] = {
    "replace value": _on_json(_replace),
    "remove value": _on_json(_remove),
    "wrap value": _on_json(_wrap),
    "unwrap value": _on_json(_unwrap),
    "add value": _on_json(_add),
    "double entry": _on_json(_double_entry),
    "as text": _on_json(_as_text),
    "twin": _twin,
}
XML: dict[str, Change] = {
    "text": _on_xml(_text),
    "drop": _on_xml(_drop),
    "double": _on_xml(_double),
    "rename": _on_xml(_rename),
    "nest": _on_xml(_nest),
    "comment": _on_xml(_around),
    "move": _on_xml(_move),
    "doctype": _doctype,
    "declare": _declare,
    "deepen": _deepen,
}
ALL = {**BYTES, **LINES, **JSON, **XML}
