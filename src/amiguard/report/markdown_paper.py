"""Markdown that holds texts of others, of a size that a comment on a pull request can have.

Texts of others stand in `<code>`, where GitHub and GitLab look for neither mentions nor references, and every character
that means something to Markdown is a character reference: backslashes would be read differently inside of tables.
"""

import re
from collections.abc import Callable, Iterable
from typing import TextIO, TypeVar

from amiguard.report.sanitize import printable

_LIMIT = 60_000
"""Bytes. GitHub takes comments of up to 65,536 characters; somebody may want to say something above the report."""
# What begins something in Markdown in the middle of a line; dots and colons do so in addresses only.
_MARKUP = re.compile(r"[#$&*<>@\[\\\]_`|~]|[.:](?=\S)")

_T = TypeVar("_T")


class Paper:
    """Writes until the limit is reached."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left = _LIMIT

    def write(self, text: str) -> None:
        """Write what must be there."""
        self._stream.write(text)
        self._left -= len(text.encode())

    def write_if_it_fits(self, text: str, reserve: int) -> bool:
        """Write it if `reserve` bytes are left after it."""
        fits = len(text.encode()) <= self._left - reserve
        if fits:
            self.write(text)
        return fits

    def write_rows(self, rows: Iterable[_T], row: Callable[[_T], str], reserve: int) -> int:
        """Write rows up to the first that does not fit; gives the number of those that were left out."""
        left_out = 0
        for one in rows:
            # A shorter row after one that did not fit would look as if nothing were missing.
            if left_out or not self.write_if_it_fits(row(one), reserve):
                left_out += 1
        return left_out

    def write_more(self, left_out: int) -> None:
        """Say how many rows were left out, if any."""
        if left_out:
            self.write(f"\nAnd {left_out:,} more, not shown here.\n")


def table(*titles: str) -> str:
    """The head of a table."""
    return f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}\n"


def row(*cells: str) -> str:
    """A row of cells, which are Markdown."""
    return f"| {' | '.join(cells)} |\n"


def code(text: str) -> str:
    """A text of others, neutralised already."""
    return f"<code>{_references(text)}</code>" if text else ""


def plain(text: str) -> str:
    """A sentence of ours that may hold words of others: an invisible space keeps these from being mentions."""
    return _references(printable(text)).replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")


def _references(text: str) -> str:
    return _MARKUP.sub(lambda char: f"&#{ord(char[0])};", text)
