"""The picture of the HTML report, and how its words are cut."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.grantee import Account
from amiguard.core.result import CheckResult, Target
from amiguard.report.html import survey as survey_module
from amiguard.report.html.picture import Picture, draw
from amiguard.report.html.survey import survey
from amiguard.report.html.words import cut, moment
from amiguard.report.interface import ALL
from tests.unit.html_pages import estate, html_of, page_of, sample_page, text_of
from tests.unit.report_samples import (
    CROWD,
    FRANKFURT,
    HEADER,
    OUTCOME,
    PARTNER,
    RESULTS,
    STAGING,
    STRANGER,
    image,
    judged,
)


def drawn(results: Sequence[CheckResult]) -> Picture | None:
    with estate(results) as spool:
        report = spool.report(HEADER, OUTCOME)
        return draw(report, survey(report, ALL), {}, {})


def test_few_images_are_drawn_one_by_one() -> None:
    picture = drawn(RESULTS)
    assert picture is not None
    assert picture.by_image
    assert [node.label for node in picture.right][:2] == ["golden-2026.05", "crowd"]
    assert picture.left[0].label == "Everyone"
    assert picture.left[0].detail == "untrusted for 1 image, excepted for 1"
    assert sum(node.label.startswith("and ") for node in picture.left) == 1
    (rest,) = (node for node in picture.left if node.label.startswith("and "))
    untrusted = [node for node in picture.left if node.style == "untrusted"]
    assert len(untrusted) - 1 + int(rest.label.split()[1].replace(",", "")) == 1 + 1001 + 1
    assert picture.styles == ("untrusted", "undetermined", "excepted", "trusted")


def test_many_images_are_drawn_by_account_and_region() -> None:
    results = [
        judged(image(Target(f"{account:012d}", "eu-west-1", "aws"), number, "x"), *CROWD[number : number + 2], STAGING)
        for account in range(30)
        for number in range(5)
    ]
    picture = drawn(results)
    assert picture is not None
    assert not picture.by_image
    assert picture.right[-1].label == "and 16 more places"
    assert sum(node.number for node in picture.right) == len(results)
    # Every image is reached from the one trusted account, through whichever entry it stands in.
    assert {link.right for link in picture.links if link.style == "trusted"} == set(range(len(picture.right)))
    assert len(picture.left) <= 20


def test_one_more_image_than_can_be_drawn_changes_the_side() -> None:
    most = survey_module.MOST_IMAGES_DRAWN
    for number, by_image in ((most, True), (most + 1, False)):
        picture = drawn([judged(image(FRANKFURT, one, "x"), PARTNER) for one in range(number)])
        assert picture is not None
        assert picture.by_image is by_image


@given(st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=6), min_size=1, max_size=40))
def test_no_grant_is_missing_from_the_picture(shares: list[list[int]]) -> None:
    picture = drawn(
        [
            judged(
                image(Target(f"{number % 20:012d}", "eu-west-1", "aws"), number, "x"),
                *(Account(f"{one:012d}") for one in share),
            )
            for number, share in enumerate(shares)
        ]
    )
    assert picture is not None
    assert {link.right for link in picture.links} == set(range(len(picture.right)))
    assert {link.left for link in picture.links} == set(range(len(picture.left)))
    labels = Counter(node.label for node in picture.left)
    assert max(labels.values()) == 1


def test_the_picture_is_told_in_words_too() -> None:
    page = sample_page()
    assert page.xpath("//svg[@role='img']/@aria-labelledby") == ["who-title who-text"]
    words = text_of(page, "//details[@class='astable']")
    assert "Everyone untrusted for 1 image, excepted for 1untrusted2" in words


def test_accounts_and_regions_are_counted_and_cut() -> None:
    results = [
        judged(image(Target(f"{n:012d}", "eu-west-1", "aws"), n, "x"), *([STRANGER] if n == 39 else []))
        for n in range(40)
    ]
    with estate(results) as spool:
        page = page_of(html_of(spool.report(HEADER, OUTCOME, {f"{39:012d}": "The last"})))
    accounts, regions = page.xpath("//table[contains(@class, 'places')]")
    rows = [text_of(row, ".") for row in accounts.xpath("tbody/tr")]
    assert rows[0].startswith("The last 000000000039")
    assert len(rows) == 31
    assert rows[-1].startswith("and 10 more")
    assert [text_of(cell, ".") for cell in regions.xpath("tbody/tr/*")] == ["eu-west-1", "40", "0", "1", "0", "0", "39"]


@pytest.mark.parametrize(
    ("text", "cells", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab\u2026"),
        ("\u65e5\u672c\u8a9e", 4, "\u65e5\u2026"),
        ("\x00" * 9, 5, "\\x00\u2026"),
    ],
)
def test_texts_are_cut_by_what_is_seen(text: str, cells: int, short: str) -> None:
    assert cut(text, cells) == short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-05-06T10:00:59.000Z", "2026-05-06 10:00"),
        ("2026-05-06T10:00:00+02:00", "2026-05-06 08:00"),
        ("", ""),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("<script>", "<script>"),
    ],
)
def test_times_are_in_utc_and_other_texts_are_left(text: str, shown: str) -> None:
    assert moment(text) == shown
