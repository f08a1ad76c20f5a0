"""Plain lists of ids: a line each, a column of a table, or a JSON array of ids or of objects that have one."""

import csv
import re
from collections.abc import Sequence

from amiguard.core.errors import InputError
from amiguard.files.imports.document import Document
from amiguard.files.imports.identity import take_trustee
from amiguard.files.imports.record import Found, Place, Value, origin_of, shown

_TOOL = "the list"
_ID_COLUMNS = ("id", "accountid", "awsaccountid", "account", "awsaccount", "accountnumber", "awsaccountnumber")
_NAME_COLUMNS = ("name", "accountname", "awsaccountname", "alias", "accountalias")
_SEPARATORS = (",", ";", "\t")
_LIKE_AN_ID = re.compile(r"[\s\"'-]*[0-9][0-9\s\"'-]{9,}|o-[a-z0-9]+|(?:o-[a-z0-9]+/)?ou-[a-z0-9-]+|arn:aws[a-z-]*:.*")


def fits(data: Value) -> bool:
    """Whether this is an array of ids, or of objects that have one."""
    return isinstance(data, list) and all(
        not isinstance(one, list) and (not isinstance(one, dict) or _key(one, _ID_COLUMNS) is not None) for one in data
    )


def read(found: Found, data: Value, place: Place) -> None:
    """Every id of the array."""
    origin = origin_of(_TOOL, place.path)
    for number, one in enumerate(data if isinstance(data, list) else ()):
        where = place.below(number)
        if not isinstance(one, dict):
            take_trustee(found, one, where, origin)
            continue
        id_key, name_key = _key(one, _ID_COLUMNS), _key(one, _NAME_COLUMNS)
        name = one.get(name_key) if name_key else None
        take_trustee(found, one.get(id_key or ""), where.below(id_key or ""), origin, name=name)
        others = [key for key in one if key not in (id_key, name_key)]
        if others:
            found.lose(where, ", ".join(map(shown, others)), "only id and name are carried")


def read_text(found: Found, document: Document) -> None:
    """Every id of a text: a line each, or a column of a table.

    Raises:
        InputError: which column holds the ids is not certain, or the text is no list of ids at all.
    """
    lines = document.text.splitlines()
    told = ["" if line.lstrip().startswith("#") else line for line in lines]
    separator = next((one for one in _SEPARATORS if any(one in _bare(line) for line in told)), None)
    if separator is None:
        _read_lines(found, document, [line.partition("#")[0] for line in told])
    else:
        _read_table(found, document, told, separator)
    comments = sum("#" in line for line in (lines if separator is None else set(lines) - set(told)))
    if comments:
        found.lose(Place(document.path), f"{comments} comment{'s' if comments > 1 else ''}", "comments are not carried")


def _read_lines(found: Found, document: Document, lines: Sequence[str]) -> None:
    ids = [(number, _bare(line)) for number, line in enumerate(lines, 1) if _bare(line)]
    if ids and _plain(ids[0][1]) in _ID_COLUMNS:
        # A table of one column.
        ids = ids[1:]
    if not any(_LIKE_AN_ID.fullmatch(text.strip("\"'")) for _, text in ids):
        raise _unknown(document)
    for number, text in ids:
        take_trustee(found, text, Place(document.path, number), origin_of(_TOOL, document.path))


def _read_table(found: Found, document: Document, lines: Sequence[str], separator: str) -> None:
    try:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InputError(f"{document.path}: not CSV: {error}") from error
    if not rows:
        raise _unknown(document)
    head = [_plain(cell) for cell in rows[0][1]]
    if any(_LIKE_AN_ID.fullmatch(cell) for cell in rows[0][1]):
        head, columns = [], [place for place, cell in enumerate(rows[0][1]) if _LIKE_AN_ID.fullmatch(cell)]
    else:
        columns = [place for place, name in enumerate(head) if name in _ID_COLUMNS]
        if not columns and not any(_LIKE_AN_ID.fullmatch(cell) for _, row in rows for cell in row):
            raise _unknown(document)
    if len(columns) != 1:
        raise InputError(
            f"{document.path}:{rows[0][0]}: {len(columns) or 'no'} columns may hold the ids: name one of them `id` "
            "in the first line"
        )
    names = [place for place, name in enumerate(head) if name in _NAME_COLUMNS]
    for number, row in rows[1 if head else 0 :]:
        cell = row[columns[0]] if columns[0] < len(row) else ""
        name = row[names[0]] if names and names[0] < len(row) else None
        take_trustee(found, cell, Place(document.path, number), origin_of(_TOOL, document.path), name=name)
    _lose_columns(found, document, rows[0][1], head, {columns[0], *names[:1]})


def _lose_columns(found: Found, document: Document, first: list[str], head: list[str], carried: set[int]) -> None:
    others = [
        shown(cell) if head else f"column {place + 1}" for place, cell in enumerate(first) if place not in carried
    ]
    if others:
        found.lose(Place(document.path), ", ".join(others), "only id and name are carried")


def _unknown(document: Document) -> InputError:
    return InputError(
        f"{document.path}: not a file that can be imported: it has no rule settings, policies or "
        "variables, and is no list of ids",
        hint="docs/importing.md lists what is read",
    )


def _bare(line: str) -> str:
    """The line without what stands between the values of a list."""
    return line.strip(" \t,;")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _key(one: dict[str, Value], known: Sequence[str]) -> str | None:
    return next((key for key in one if _plain(key) in known), None)
