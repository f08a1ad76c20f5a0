"""Text that someone else wrote, made fit for a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from amiguard.report.sanitize import printable, printable_lines

any_text = st.text(st.characters(), max_size=40)  # lone surrogates too
HARMLESS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"}
HARMLESS |= {"Sm", "Sc", "Sk", "So"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("golden-2026.05 (x86_64)", "golden-2026.05 (x86_64)"),
        ("Größe 日本 é", "Größe 日本 é"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\r\n\tb\x7f", r"a\r\n\tb\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("\ud800", r"\ud800"),
        ("\ue000\U000f0000", r"\ue000\U000f0000"),
        ("\uffff\U000e0041", r"\uffff\U000e0041"),
        ("no\xa0break\u3000", r"no\xa0break\u3000"),
        ("\u3164\u115f\u2800\ufe0f", r"\u3164\u115f\u2800\ufe0f"),
        ("", ""),
    ],
)
def test_what_is_not_plainly_visible_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(any_text)
def test_only_visible_characters_and_the_space_are_left(text: str) -> None:
    shown = printable(text)
    assert all(char == " " or unicodedata.category(char) in HARMLESS for char in shown)
    shown.encode()  # nothing that cannot be written


@given(any_text)
def test_what_went_through_once_does_not_change(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(any_text, any_text)
def test_a_text_is_as_wide_as_its_parts(left: str, right: str) -> None:
    # What rich measures is what is laid out: nothing in one cell changes the next.
    assert printable(left) + printable(right) == printable(left + right)
    assert cell_len(printable(left)) <= 2 * len(printable(left))


@given(any_text)
def test_lines_stay_lines(text: str) -> None:
    assert printable_lines(text).split("\n") == [printable(line) for line in text.split("\n")]
