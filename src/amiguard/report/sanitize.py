"""Neutralise text that someone else wrote (image names, tags, AWS's messages) before a person sees it."""

# `str.isprintable` is false for control, format, surrogate, private-use and unassigned characters, and for every space
# but " ": each can make a terminal or an editor show something other than what is there. These it lets through, though
# they show nothing (Unicode: Default_Ignorable_Code_Point, and the blank Braille pattern).
_INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def printable(text: str) -> str:
    r"""The text on one line, with invisible and control characters shown as escapes (`\x1b`, `\u202e`).

    Backslashes stay as they are, so that a text that went through here before does not change.
    """
    if text.isprintable() and (text.isascii() or _INVISIBLE.isdisjoint(text)):
        return text
    return "".join(char if char.isprintable() and char not in _INVISIBLE else _escape(char) for char in text)


def printable_lines(text: str) -> str:
    """As `printable`, but line feeds stay: for messages that amiguard itself breaks into lines."""
    return "\n".join(map(printable, text.split("\n")))


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()
