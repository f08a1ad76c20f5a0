"""JSON, value by value: reads documents that are larger than what should be held in memory."""

import json
from collections.abc import Iterator
from typing import Never, TextIO

_CHUNK = 1 << 16
# An error so near to the end of what was read (in the middle of `\ud83d\ude00`, of `-12`, of `false`) may be the cut.
_LONGEST_TOKEN = 12


class JsonStream:
    """Values one after another, whatever white space stands between them.

    Memory holds the value that is being read, at most twice, and one chunk. Every method raises `ValueError` (or
    `RecursionError`) at what is not JSON, and at the end of a text that was cut.

    Args:
        stream: the text.
        chunk: how many characters are read at once.
    """

    def __init__(self, stream: TextIO, *, chunk: int = _CHUNK) -> None:
        self._stream = stream
        self._chunk = chunk
        self._text = ""
        self._at = 0
        self._decode = json.JSONDecoder(parse_constant=_refuse).raw_decode

    def peek(self) -> str:
        """The first character of what comes next; empty at the end of the text."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in " \t\n\r":
                    return self._text[self._at]
                self._at += 1
            if not self._read(self._chunk):
                return ""

    def value(self) -> object:
        """The next value as a whole."""
        self.peek()
        size = self._chunk
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or not self._read(size):
                    raise
            else:
                # What ends so near to the end of what was read may be the beginning of a longer number (`1` of `1e+5`).
                if end + len("e+5") <= len(self._text) or not self._read(size):
                    self._at = end
                    return value
            # Twice as much each time: a large value is not begun anew for every chunk of it.
            size *= 2

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next; the value of each is to be read before the next is asked for."""
        for _ in self._separated("{", "}"):
            if self.peek() != '"':
                raise ValueError("a key is missing")
            key = str(self.value())
            self._take(":")
            yield key

    def elements(self) -> Iterator[object]:
        """The values of the array that comes next."""
        for _ in self._separated("[", "]"):
            yield self.value()

    def _separated(self, first: str, last: str) -> Iterator[None]:
        self._take(first)
        if self.peek() == last:
            self._take(last)
            return
        while True:
            yield
            if self.peek() == last:
                self._take(last)
                return
            self._take(",")

    def _take(self, char: str) -> None:
        if self.peek() != char:
            raise ValueError(f"{char!r} is missing")
        self._at += 1

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        # The position of this one is where the string begins.
        if error.msg.startswith("Unterminated string"):
            return True
        return len(self._text.rstrip(" \t\n\r")) - error.pos <= _LONGEST_TOKEN

    def _read(self, size: int) -> bool:
        """Read more, and let go of what was given out; at the end of the text all stays as it is."""
        more = self._stream.read(size)
        if not more:
            return False
        self._text = self._text[self._at :] + more
        self._at = 0
        return True


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")
