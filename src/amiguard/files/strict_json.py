"""JSON that decides what is changed: read without repair, and written so that two readers cannot see two things."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from amiguard.files.problems import on_one_line, written_path

_MOST_TOLD = 3
_DEEPEST = 100
"""Objects and lists within each other; ours nest not half a score deep. Python's own limit depends on its stack."""


class NotJsonError(Exception):
    """This is not JSON at all, or only the beginning of it; the message says so."""


class UnfitJsonError(Exception):
    """This is JSON that is not taken: ambiguous, or nothing that this program writes; the message says why."""


def read_object(data: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        NotJsonError: it is not JSON.
        UnfitJsonError: it is no object, names a key twice, is nested beyond measure, or has a number or a text that
            does not survive being read and written.
    """
    try:
        found = json.loads(
            data.decode(), object_pairs_hook=_without_twins, parse_constant=_no_number, parse_float=_no_number
        )
        if _is_deep(found):
            raise UnfitJsonError("it is nested too deeply")
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UnfitJsonError("it has half of a character") from error
    except RecursionError as error:
        raise UnfitJsonError("it is nested too deeply") from error
    except ValueError as error:
        raise NotJsonError("it is not JSON") from error
    if not isinstance(found, dict):
        raise UnfitJsonError("it is not a JSON object")
    return found


def canonical(document: dict[str, Any]) -> bytes:
    """The same bytes for the same content: keys sorted, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest_of(document: dict[str, Any]) -> str:
    """SHA-256 over the content, whatever its spaces and the order of its keys: `sha256:<hex>`."""
    return f"sha256:{hashlib.sha256(canonical(document)).hexdigest()}"


def told(error: ValidationError) -> str:
    """The first mistakes that a model found, with their places, as a part of one line."""
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    some = [
        f"{written_path(one['loc'])}: {_said(one['msg'])}" if one["loc"] else _said(one["msg"])
        for one in mistakes[:_MOST_TOLD]
    ]
    more = len(mistakes) - len(some)
    return "; ".join(some) + (f"; and {more} more" if more else "")


def _said(message: str) -> str:
    return on_one_line(message.removeprefix("Value error, "))


def _is_deep(found: Any) -> bool:
    level = [found]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnfitJsonError("it names a key twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise UnfitJsonError(f"it has the number {text[:20]}, where only whole numbers can be")
