"""Whether a text of a policy matches a value that is known, or known in part.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" (`*` and `?` in StringLike, and in each of the
six parts of an ARN).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import assert_never

ANYTHING = "\ue000"
"""In a value: any text, possibly none, that is not known. A private-use character, which no AWS id holds."""
_MANY, _ONE = "\ue001", "\ue002"
_RESERVED = re.compile("[\ue000-\ue002]|\\$\\{")
_ARN_PARTS = 6
_MOST_STEPS, _MOST_STEPS_OPEN = 100_000, 10_000
"""To match one pattern with one value that is known, or known in part: what needs more is left open."""


class Truth(IntEnum):
    """Whether something holds. Both hold: the least of the two; one of them does: the greatest."""

    NO = 0
    MAYBE = 1
    YES = 2

    @property
    def opposite(self) -> "Truth":
        """Whether it does not hold."""
        return Truth(2 - self)


def whole(pattern: str) -> str:
    """The part of a pattern that `Value.but_not` speaks of: all of it."""
    return pattern


def account_of_arn(pattern: str) -> str:
    """The part of a pattern that `Value.but_not` speaks of: the account of an ARN; empty if it is no ARN."""
    parts = pattern.split(":", 5)
    return parts[4] if len(parts) == _ARN_PARTS else ""


def organization_of_path(pattern: str) -> str:
    """The part of a pattern that `Value.but_not` speaks of: what an `aws:PrincipalOrgPaths` begins with."""
    return pattern.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Value:
    """What a condition key holds in the requests that are asked about.

    Attributes:
        text: the value; `ANYTHING` in it stands for what is not known.
        present: whether the requests have the key at all.
        but_not: what the value is known not to be.
        part: which part of a pattern `but_not` speaks of.
        several: the key may hold several values (a multivalued key), and so needs ForAnyValue or ForAllValues.
    """

    text: str
    present: Truth = Truth.YES
    but_not: frozenset[str] = field(default_factory=frozenset)
    part: Callable[[str], str] = whole
    several: bool = False


class Comparison(Enum):
    """How an operator compares."""

    EQUALS = auto()
    IGNORE_CASE = auto()
    LIKE = auto()
    ARN = auto()


def compare(pattern: str, value: Value, comparison: Comparison) -> Truth:
    """Whether one text of a policy matches the value; policy variables (`${...}`) are not resolved."""
    if _RESERVED.search(pattern):
        return Truth.MAYBE
    if value.part(pattern) in value.but_not:
        return Truth.NO
    match comparison:
        case Comparison.EQUALS:
            return _relation(pattern, value.text)
        case Comparison.IGNORE_CASE:
            return _relation(pattern.lower(), value.text.lower())
        case Comparison.LIKE:
            return like(pattern, value.text)
        case Comparison.ARN:
            return _like_arn(pattern, value.text)
        case _:
            assert_never(comparison)


def like(pattern: str, text: str) -> Truth:
    """Whether a pattern with `*` and `?` matches."""
    if _RESERVED.search(pattern):
        return Truth.MAYBE
    return _relation(pattern.replace("*", _MANY).replace("?", _ONE), text)


def _like_arn(pattern: str, text: str) -> Truth:
    parts, values = pattern.split(":", 5), text.split(":", 5)
    if len(parts) != len(values) or parts[0] != "arn":
        # What is no ARN is compared in a way that is not documented.
        return Truth.MAYBE
    return min(like(part, value) for part, value in zip(parts, values, strict=True))


def _relation(pattern: str, text: str) -> Truth:
    if not any(mark in pattern for mark in (_MANY, _ONE)) and ANYTHING not in text:
        return Truth.YES if pattern == text else Truth.NO
    if len(pattern) * len(text) > (_MOST_STEPS_OPEN if ANYTHING in text else _MOST_STEPS):
        return Truth.MAYBE
    if _matches(pattern, text):
        return Truth.YES
    return Truth.MAYBE if ANYTHING in text and _may_match(pattern, text) else Truth.NO


def _matches(pattern: str, text: str) -> bool:
    """Whether the pattern matches whatever `ANYTHING` stands for: only `*` swallows it. Linear for one `*`."""
    at = in_text = 0
    star = mark = -1
    while in_text < len(text):
        if at < len(pattern) and pattern[at] == _MANY:
            star, mark = at, in_text
            at += 1
        elif at < len(pattern) and text[in_text] != ANYTHING and pattern[at] in (_ONE, text[in_text]):
            at += 1
            in_text += 1
        elif star >= 0:
            mark += 1
            at, in_text = star + 1, mark
        else:
            return False
    return all(rest == _MANY for rest in pattern[at:])


def _may_match(pattern: str, text: str) -> bool:
    """Whether the pattern matches something that `ANYTHING` may stand for."""
    reached = _past_stars(pattern, {0})
    for letter in text:
        if not reached:
            return False
        if letter == ANYTHING:
            reached = set(range(min(reached), len(pattern) + 1))
            continue
        stepped: set[int] = set()
        for at in reached:
            if at < len(pattern) and pattern[at] == _MANY:
                stepped.add(at)
            elif at < len(pattern) and pattern[at] in (_ONE, letter):
                stepped.add(at + 1)
        reached = _past_stars(pattern, stepped)
    return len(pattern) in reached


def _past_stars(pattern: str, reached: set[int]) -> set[int]:
    closed = set(reached)
    for start in reached:
        at = start
        while at < len(pattern) and pattern[at] == _MANY:
            at += 1
            closed.add(at)
    return closed
