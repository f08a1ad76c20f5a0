"""Lines for people. They are laid out here; rich measures and colours them.

Layout does not depend on colour, so that the same text looks the same in a terminal and in a file.
"""

import errno
import os
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_PIPED_WIDTH = 100
_LEAST_WIDTH = 60
_LEAST_NAME = 8


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the caller, as the other formats do: rich would end the program with an exit code of its own."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Page:
    """Writes lines of a given width: that of the terminal, or 100.

    Args:
        stream: what is written to; colour is used on a terminal only, and none under NO_COLOR.
    """

    def __init__(self, stream: TextIO) -> None:
        # Rich keeps bold and dim under NO_COLOR; here it means no escape sequences at all.
        self._console = _Console(
            file=stream,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=True,
        )
        known = self._console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
        self._width = max(self._console.width, _LEAST_WIDTH) if known else _PIPED_WIDTH
        self._stream = stream
        self._begun = False

    def title(self, text: str) -> None:
        """A heading after a blank line, except at the top."""
        self.line(Text(text, style="bold"), blank_before=True)

    def line(self, text: Text, *, blank_before: bool = False) -> None:
        """One line as it is, however long."""
        if blank_before and self._begun:
            self._stream.write("\n")
        if self._console.color_system is None:
            # Rich would write the same, and take ten times as long: there may be hundreds of thousands of lines.
            self._stream.write(f"{text.plain}\n")
        else:
            self._console.print(text)
        self._begun = True

    def paragraph(self, lead: str, text: str, *, style: str = "", lead_style: str = "") -> None:
        """The text beside the lead, wrapped; its lines stand below each other."""
        indent = cell_len(lead)
        lines = self._wrap(text, self._width - indent)
        block = Text().append(lead, style=lead_style)
        block.append(f"\n{' ' * indent}".join(lines), style=style)
        self.line(block)

    def fit(self, text: str, taken: int) -> str:
        """The text, cut to what is left of a line."""
        room = max(self._width - taken, _LEAST_NAME)
        if cell_len(text) <= room:
            return text
        cut = Text(text, overflow="crop")
        cut.truncate(room - 3)
        return f"{cut.plain}..."

    def _wrap(self, text: str, width: int) -> list[str]:
        if cell_len(text) <= width:
            return [text]
        return [line.plain.rstrip() for line in Text(text).wrap(self._console, width)]
