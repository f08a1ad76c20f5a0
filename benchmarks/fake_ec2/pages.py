"""Pages of listings, in the words of each service."""

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .calls import Call
from .replies import AwsProblem


@dataclass(frozen=True, slots=True)
class Page:
    """Items from position `start` of a listing; `next` is where the next page starts."""

    items: tuple[Any, ...]
    start: int
    next: int | None

    @property
    def token(self) -> str | None:
        """What leads to the next page, `None` if this is the last one."""
        return None if self.next is None else make_token(self.next)


@dataclass(frozen=True, slots=True)
class PageWords:
    """How a listing is asked for pages, and how it refuses to give one.

    Attributes:
        default: the size of a page of which nothing was said; `None` for all that there is.
    """

    limit: str = "MaxResults"
    cursor: str = "NextToken"
    largest: int = 1000
    default: int | None = None
    bad_limit: str = "InvalidParameterValue"
    bad_cursor: str = "InvalidNextToken"


EC2: Final = PageWords()
TRAIL: Final = PageWords(
    largest=50, default=50, bad_limit="InvalidMaxResultsException", bad_cursor="InvalidNextTokenException"
)
KMS: Final = PageWords(
    "Limit", "Marker", largest=100, default=50, bad_limit="ValidationException", bad_cursor="InvalidMarkerException"
)


def cut_page(call: Call, items: Sequence[Any], words: PageWords = EC2) -> Page:
    """Return the page of these items that a call asks for, or raise `AwsProblem`."""
    start, limit = read_start(call, words), read_limit(call, words)
    end = len(items) if limit is None else min(len(items), start + limit)
    return Page(tuple(itertools.islice(items, start, end)), start, end if end < len(items) else None)


def read_limit(call: Call, words: PageWords = EC2) -> int | None:
    """Return how many items a page may have; `None` for all."""
    text = call.parameters.get(words.limit)
    if text is None:
        return words.default
    if not text.isdecimal() or not 1 <= int(text) <= words.largest:
        parameter = words.limit[0].lower() + words.limit[1:]
        raise AwsProblem(words.bad_limit, f"Value ( {text} ) for parameter {parameter} is invalid.")
    return int(text)


def make_token(position: int) -> str:
    """Return an opaque token; the characters of base64 make sure that clients encode it."""
    return base64.b64encode(f"page/{position}>?".encode()).decode()


def read_start(call: Call, words: PageWords = EC2) -> int:
    """Return the position that the token of a call leads to, 0 without one."""
    token = call.parameters.get(words.cursor)
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True).decode().removeprefix("page/").removesuffix(">?"))
    except ValueError:
        raise AwsProblem(words.bad_cursor, "The token is invalid.") from None
