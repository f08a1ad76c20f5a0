r"""Texts that others wrote, made so that no service takes a part of them for anything but text.

Chat services, mail and web hooks each know another markup, and what Apprise escapes differs between its plugins. So
nothing is left to them: what any service could take for a mention, a link, an emoji or markup is shown as an escape
(`\x40`), and what names are mostly made of (letters, digits, spaces and `-_./(),+=`) stays as it is.
"""

import re

_KEPT = frozenset(" -/(),+=;%'\"")
_SHOWS_NOTHING = frozenset("\u115f\u1160\u3164\uffa0")  # letters to Unicode, and blank
_MORE = "..."
_ORGANIZATION_ARN = re.compile(
    r"arn:[a-z-]+:organizations::[0-9]{12}:(?:organization|ou)/(o-[a-z0-9]+(?:/ou-[a-z0-9-]+)?)"
)
_ONE_BYTE, _TWO_BYTES = 0x100, 0x10000


def plain(text: str, limit: int) -> str:
    """The text on one line, without markup for anybody, of at most `limit` characters."""
    shown: list[str] = []
    length = 0
    for at, char in enumerate(text[: limit + 1]):
        piece = char if _is_harmless(text, at) else _escaped(char)
        length += len(piece)
        shown.append(piece)
    if length <= limit:
        return "".join(shown)
    while length > limit - len(_MORE):
        length -= len(shown.pop())
    return "".join(shown) + _MORE


def plain_grantee(grantee: str, limit: int) -> str:
    """A grantee; ARNs of organizations and units by their ids alone."""
    arn = _ORGANIZATION_ARN.fullmatch(grantee)
    return plain(arn[1] if arn else grantee, limit)


def _is_harmless(text: str, at: int) -> bool:
    char = text[at]
    if char == "_":
        # `_a_` is emphasis, a_b is not; `__a__` is, wherever it stands.
        return _is_word(text[at - 1 : at]) and _is_word(text[at + 1 : at + 2])
    if char == ".":
        # Before a letter it may begin the last part of a host's name, which becomes a link.
        following = text[at + 1 : at + 2]
        return not following or following in "0123456789" or following in _KEPT
    return char in _KEPT or (char.isalnum() and char not in _SHOWS_NOTHING)


def _is_word(char: str) -> bool:
    return char.isalnum()


def _escaped(char: str) -> str:
    code = ord(char)
    if code < _ONE_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _TWO_BYTES else f"\\U{code:08x}"
