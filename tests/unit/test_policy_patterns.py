"""Patterns of policies against values that are known in part."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.policy_patterns import ANYTHING, Comparison, Truth, Value, compare, like

patterns = st.text("ab*?", max_size=5)
values = st.text(f"ab{ANYTHING}", max_size=5)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*", f"a{ANYTHING}", Truth.YES),
        ("*", ANYTHING, Truth.YES),
        ("a?", f"a{ANYTHING}", Truth.MAYBE),
        ("ab", f"a{ANYTHING}", Truth.MAYBE),
        ("b*", f"a{ANYTHING}", Truth.NO),
        ("*b", f"{ANYTHING}a", Truth.NO),
        ("a?c*", "abcd", Truth.YES),
        ("a?c*", "ab", Truth.NO),
        ("${aws:username}", "x", Truth.MAYBE),
        (ANYTHING, "x", Truth.MAYBE),
        ("*a" * 500, "a" * 500, Truth.MAYBE),
    ],
)
def test_like(pattern: str, text: str, expected: Truth) -> None:
    assert like(pattern, text) is expected


@given(patterns, values, st.lists(st.text("ab", max_size=3), min_size=5, max_size=5))
def test_what_is_certain_holds_for_each_value_that_it_may_be(pattern: str, text: str, fillings: list[str]) -> None:
    whole = "".join(fillings.pop() if letter == ANYTHING else letter for letter in text)
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    matches = re.fullmatch(wild, whole) is not None

    assert like(pattern, text) is not (Truth.NO if matches else Truth.YES)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("arn:aws:iam::111111111111:role/*", Truth.YES),
        ("arn:*:iam::*:role/?", Truth.YES),
        ("arn:aws:iam:*:role/x", Truth.MAYBE),
        ("*", Truth.MAYBE),
        ("arn:aws:iam::222222222222:role/*", Truth.NO),
    ],
)
def test_each_part_of_an_arn_is_matched_by_itself(pattern: str, expected: Truth) -> None:
    value = Value("arn:aws:iam::111111111111:role/x")

    assert compare(pattern, value, Comparison.ARN) is expected


def test_what_a_value_is_known_not_to_be() -> None:
    value = Value(ANYTHING, but_not=frozenset({"a"}))

    assert compare("a", value, Comparison.EQUALS) is Truth.NO
    assert compare("b", value, Comparison.EQUALS) is Truth.MAYBE
    assert compare("*", value, Comparison.LIKE) is Truth.YES
