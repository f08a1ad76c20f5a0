"""Read a foreign file as what its content says that it is: JSON, YAML, HCL or lines of text. Nothing in it is run."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from amiguard.core.errors import InputError, SettingsError
from amiguard.files.bounded import TooLargeError, read_bounded
from amiguard.files.imports.record import Number, Value
from amiguard.files.problems import on_one_line
from amiguard.files.yaml_source import MAX_BYTES as MAX_YAML_BYTES
from amiguard.files.yaml_source import parse
from amiguard.files.yaml_tree import plain

MAX_BYTES = 20 * 1024 * 1024
"""Several times a Terraform plan of a large estate."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HCL = re.compile(r"//|/\*|[ \t]*[A-Za-z_][\w-]*[ \t]*=")
_YAML = re.compile(r"---|%YAML|-(?:[ \t]|$)|[A-Za-z_][\w -]*:(?:[ \t]|$)")


class Form(Enum):
    """How the content is written."""

    JSON = "JSON"
    YAML = "YAML"
    HCL = "HCL"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one file; `data` is None for HCL and text."""

    path: Path
    form: Form
    text: str
    data: Value = None


def read_document(path: Path) -> Document:
    """Read a file, and find out how it is written: by its content alone.

    Raises:
        InputError: it cannot be read, is larger than `MAX_BYTES`, no UTF-8 text, or begins as a form that it is not.
    """
    text = read_foreign_text(path)
    start = text.lstrip()
    if not start:
        raise InputError(f"{path}: the file is empty")
    if start.startswith("<"):
        raise InputError(
            f"{path}: this is HTML or XML, not data: a page was saved (a login, an error), not what it should show"
        )
    if start[0] in "[{":
        return Document(path, Form.JSON, text, parse_json(text, path))
    # What the first line says that is no comment: texts inside of YAML may look like HCL, and the other way round.
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    if _HCL.match(first):
        return Document(path, Form.HCL, _limited(text, path, Form.HCL))
    if _YAML.match(first):
        return Document(path, Form.YAML, text, parse_yaml(text, path))
    return Document(path, Form.TEXT, text)


def read_foreign_text(path: Path) -> str:
    """The text of a file, without its byte order mark.

    Raises:
        InputError: it cannot be read, is too large, or is not UTF-8 text.
    """
    try:
        data = read_bounded(path, MAX_BYTES)
    except TooLargeError as error:
        raise InputError(f"{path}: larger than {MAX_BYTES // 1024**2} MiB: such files are not read") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder, not a file") from error
    except (OSError, ValueError) as error:
        # ValueError: a name that no file can have (a NUL in it).
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: cannot be read: {why}") from error
    if data.startswith(_UTF16):
        raise InputError(f"{path}: this is UTF-16 text: save the file as UTF-8")
    if b"\0" in data:
        raise InputError(f"{path}: this is a binary file, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8 text: save the file as UTF-8"
        ) from error


def parse_json(text: str, path: Path) -> Value:
    """Read JSON; a number stays the digits that were written.

    Raises:
        InputError: it is not JSON, is cut, names a key twice in one object, or is nested too deeply.
    """
    try:
        return _value(
            json.loads(
                text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=_without_twins
            )
        )
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply") from error
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        what = "this JSON is cut: its end is missing" if cut else f"not JSON: {on_one_line(error.msg)}"
        raise InputError(f"{path}:{error.lineno}:{error.colno}: {what}") from error
    except _TwinsError as error:
        raise InputError(f"{path}: the key {on_one_line(str(error))} stands twice in one object: keep one") from error


def parse_yaml(text: str, path: Path) -> Value:
    """Read YAML as text: no tags, no merge keys, aliases within limits.

    Raises:
        InputError: it is not such YAML, or too large.
    """
    try:
        top, problems = parse(_limited(text, path, Form.YAML), path, kind="file that is imported")
    except SettingsError as error:
        raise InputError(error.message) from error
    if problems:
        lines = [f"{path}:{one.mark.line}:{one.mark.column}: {one.message}" for one in problems[:5]]
        raise InputError("\n".join(lines))
    # Not more than `parse` reads; `plain` gives a type of its own.
    return None if top is None else _value(plain(top))


def _limited(text: str, path: Path, form: Form) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > MAX_YAML_BYTES:
        raise InputError(f"{path}: larger than {MAX_YAML_BYTES // 1024} KiB: such {form.value} is not read")
    return text


class _TwinsError(Exception):
    """A key stands twice in one object; the message is the key."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _TwinsError(counts.most_common(1)[0][0])
    return found


def _value(found: Any) -> Value:
    """What json and `plain` give, as this package names it."""
    checked: Value = found
    return checked
