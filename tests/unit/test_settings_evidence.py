"""The settings `evidence`: what they come to, and every mistake."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from amiguard.core.errors import SettingsError
from amiguard.core.evidence import EvidenceKind, EvidenceSettings
from amiguard.files.settings import settings_of
from amiguard.files.settings_record import Settings

HEAD = "version: 1\ntrust: nobody\n"


def load(section: str) -> Settings:
    return settings_of(HEAD + section, Path("f.yaml"), today=date(2026, 8, 1))


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("", EvidenceSettings()),
        ("evidence: {collect: all}", EvidenceSettings(frozenset(EvidenceKind))),
        ("evidence: {collect: [keys]}", EvidenceSettings(frozenset({EvidenceKind.KEYS}))),
        ("evidence: {deadline: 90s}", EvidenceSettings(deadline=timedelta(seconds=90))),
        (
            "evidence: {collect: [usage, author], usage_max_age: 30d, deadline: 2h}",
            EvidenceSettings(
                frozenset({EvidenceKind.USAGE, EvidenceKind.AUTHOR}), timedelta(days=30), timedelta(hours=2)
            ),
        ),
    ],
)
def test_what_the_section_comes_to(section: str, expected: EvidenceSettings) -> None:
    assert load(section).evidence == expected


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("evidence:", "3:1: evidence: expected keys, found nothing: write them, or delete the key"),
        ("evidence: {}", "3:11: evidence: is empty: write collect, or delete the key"),
        ("evidence: all", "3:11: evidence: expected keys, found text"),
        (
            "evidence: {collect: usage}",
            "3:21: evidence.collect: expected a list of kinds of evidence, or `all`",
        ),
        (
            "evidence: {collect: [all]}",
            "3:22: evidence.collect[0]: for every kind write `collect: all`, without a list",
        ),
        (
            "evidence: {collect: [use]}",
            "3:22: evidence.collect[0]: unknown kind of evidence; known: usage, author, snapshots, keys",
        ),
        ("evidence: {collect: []}", "3:21: evidence.collect: is empty: list at least one value"),
        (
            "evidence: {usage_max_age: 24}",
            "3:27: evidence.usage_max_age: expected a span of time: a number with s, m, h or d (30m, 24h)",
        ),
        ("evidence: {deadline: 0s}", "3:22: evidence.deadline: expected more than nothing and at most 30d"),
        ("evidence: {usage_max_age: 31d}", "3:27: evidence.usage_max_age: expected more than nothing and at most 30d"),
        ("evidence: {colect: all}", "3:12: evidence.colect: unknown key, did you mean `collect`?"),
    ],
)
def test_mistakes(section: str, line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(section)
    assert caught.value.message.split("\n")[1:] == [f"f.yaml:{line}"]
