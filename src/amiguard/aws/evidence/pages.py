"""Listings in pages, and questions about many ids at once of which AWS may not know some."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from amiguard.aws.errors import DENIED, ApiError
from amiguard.core.image import Unreadable

_T = TypeVar("_T")
PAGE = 1000
"""Items a page: the size that EC2's pagination guide uses."""
MOST_PAGES = 1000
_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """One page of a listing; without a token it is the last."""

    items: tuple[_T, ...]
    next_token: str | None


async def read_pages(
    read: Callable[[str | None], Awaitable[Page[_T] | ApiError | Unreadable]], what: str, most: int = MOST_PAGES
) -> tuple[_T, ...] | ApiError | Unreadable:
    """Every page of a listing, or why there is none.

    Args:
        read: reads the page of a token; None for the first.
        what: is listed, in words (`grants`).
        most: pages.
    """
    found: list[_T] = []
    tokens: set[str] = set()
    token: str | None = None
    while True:
        page = await read(token)
        if not isinstance(page, Page):
            return page
        found += page.items
        token = page.next_token
        if token is None:
            return tuple(found)
        if token in tokens:
            return Unreadable(f"the listing of {what} does not end: its pages repeat")
        tokens.add(token)
        if len(tokens) >= most:
            return Unreadable(f"there are more {what} than are read: {len(found):,} are on the first {most:,} pages")


async def read_known(
    ids: Sequence[str], read: Callable[[Sequence[str]], Awaitable[tuple[_T, ...] | ApiError | Unreadable]]
) -> tuple[_T, ...] | ApiError | Unreadable:
    """What AWS says of those of the ids that it knows: one id that is gone fails a call about many.

    The codes of such errors are not all documented, so one that names an id is taken to be about that id.

    Args:
        ids: at least one.
        read: asks about these.
    """
    reply = await read(ids)
    if not isinstance(reply, ApiError) or reply.code in DENIED:
        return reply
    named = set(_WORD.findall(reply.message))
    unnamed = [one for one in ids if one not in named]
    if len(unnamed) == len(ids) and not reply.code.endswith("NotFound"):
        return reply
    if len(ids) == 1 or not unnamed:
        return ()
    found: tuple[_T, ...] = ()
    half = len(ids) // 2
    for part in (unnamed,) if len(unnamed) < len(ids) else (ids[:half], ids[half:]):
        known = await read_known(part, read)
        if not isinstance(known, tuple):
            return known
        found += known
    return found
