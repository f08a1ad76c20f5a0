"""The lists that Cloud Custodian's `whitelist_from` names: local files, and of JMESPath what only looks things up.

How each format becomes values is `ValuesFrom` of c7n 0.9.53 (`c7n/resolver.py`).
"""

import csv
import re
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

from amiguard.core.errors import InputError
from amiguard.files.imports.document import parse_json, read_foreign_text
from amiguard.files.imports.identity import take_trustee
from amiguard.files.imports.record import Found, Place, Value, shown

_FORMATS = ("json", "txt", "csv", "csv2dict")
_MOST_CHARACTERS = 300
_KEYS = frozenset({"url", "format", "expr"})
# What makes lists longer than their source (multi-select), computes, or compares numbers is not in here.
_LOOKS_UP = frozenset(
    {
        *("field", "index", "index_expression", "subexpression", "pipe", "identity", "current", "slice"),
        *("projection", "value_projection", "flatten", "filter_projection", "comparator", "literal"),
        *("and_expression", "or_expression", "not_expression", "function_expression"),
    }
)
_FUNCTIONS = frozenset({"keys", "values", "contains", "starts_with", "ends_with"})
_COMPARED = frozenset({"eq", "ne"})


def read_whitelist(found: Found, raw: Value, place: Place, origin: str) -> None:
    """Take whom the named list trusts; a list that is not local, or that cannot be evaluated here, is lost.

    Raises:
        InputError: the file is not there, or cannot be read.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("url"), str):
        found.lose(place, shown(raw), "expected keys, `url` among them")
        return
    url, expr = str(raw["url"]), raw.get("expr")
    path = _local(url, place.path.parent)
    if path is None:
        found.lose(place.below("url"), shown(url), "is not a local file: save it, and import it as a list of its own")
        return
    if set(raw) - _KEYS:
        found.lose(place, ", ".join(map(shown, sorted(set(raw) - _KEYS))), "has no meaning for a local file")
    written = raw.get("format")
    form = str(written) if isinstance(written, str) and written else path.suffix[1:]
    if form not in _FORMATS:
        found.lose(place, shown(form), f"is no format that Cloud Custodian reads: {', '.join(_FORMATS)}")
        return
    values = _values(found, _data(path, form, place), form, expr, place)
    for value in values:
        take_trustee(found, value, Place(path), origin)


def _local(url: str, folder: Path) -> Path | None:
    if "{" in url or "\0" in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("", "file") or (not parts.scheme and not parts.path):
        return None
    if parts.netloc == "localhost":
        return Path(unquote(parts.path))
    # `file://list.json` names no host in practice, but a file beside the policy.
    return folder / unquote(parts.netloc + parts.path)


def _data(path: Path, form: str, place: Place) -> Any:
    if not path.is_file():
        raise InputError(f"{place}: the list {path} is not there, or is no file")
    text = read_foreign_text(path)
    if form == "json":
        return parse_json(text, path)
    if form == "txt":
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        rows = list(csv.reader(text.splitlines(), strict=False))
    except csv.Error as error:
        raise InputError(f"{path}: not CSV: {error}") from error
    if form == "csv":
        return rows
    return {column[0]: list(column[1:]) for column in zip(*rows, strict=False) if column}


def _values(found: Found, data: Any, form: str, expr: Value, place: Place) -> list[Value]:
    where = place.below("expr")
    if expr is None:
        return _flat(found, data, form, place)
    text = str(expr) if isinstance(expr, str) else ""
    if form == "csv" and re.fullmatch(r"[0-9]{1,4}", text):
        column = int(text)
        return [row[column] for row in data if column < len(row)]
    if form == "txt":
        return list(data)
    result = _looked_up(found, text, data, where)
    if result is None:
        return []
    return _flat(found, result, "json", where)


def _flat(found: Found, data: Any, form: str, place: Place) -> list[Value]:
    if form == "csv":
        return [cell for row in data for cell in row if cell]
    if form == "csv2dict":
        return [cell for column in data.values() for cell in column if cell]
    match data:
        case list():
            return data
        case dict():
            # A set of a dictionary is the set of its keys.
            return list(data)
        case _:
            found.lose(place, shown(data), "the list comes to a single value, where ids were expected")
            return []


def _looked_up(found: Found, expr: str, data: Any, place: Place) -> Any:
    try:
        with warnings.catch_warnings():
            # A literal without quotes is an old way to write text, and still one.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            compiled = jmespath.compile(expr) if 0 < len(expr) <= _MOST_CHARACTERS else None
        if compiled is None or not _only_looks_up(compiled.parsed):
            found.lose(place, shown(expr), "this expression is not evaluated here: save its result as a list")
            return None
        result = compiled.search(data)
    except (JMESPathError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        found.lose(place, shown(expr), "is no expression that fits the file")
        return None
    if result is None:
        found.lose(place, shown(expr), "finds nothing in the file")
    return result


def _only_looks_up(node: Any) -> bool:
    kind, value = node["type"], node.get("value")
    if kind not in _LOOKS_UP:
        return False
    if kind == "function_expression" and value not in _FUNCTIONS:
        return False
    if kind == "comparator" and value not in _COMPARED:
        return False
    if kind == "literal" and not (isinstance(value, str | bool) or value is None):
        return False
    return all(_only_looks_up(child) for child in node["children"] if isinstance(child, dict))
