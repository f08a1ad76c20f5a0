"""The threat model names its tests: each is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "docs" / "threat-model.md"
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", MODEL.read_text(encoding="utf-8"))))


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_is_there(file: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in functions_of(file)


def rows() -> list[list[str]]:
    """The cells of the tables of threats, without their heads."""
    text = MODEL.read_text(encoding="utf-8").partition("\n## Threats, ")[2]
    lines = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    return [line for line in lines if line[0].strip() not in {"threat", "---"}]


def test_every_threat_has_a_test() -> None:
    assert len(rows()) > 30
    untested = [cells[0].strip() for cells in rows() if "::test_" not in cells[-1]]
    assert untested == ["Archives that grow"]  # no archive is read
    assert not re.search(r"::(?!test_)", MODEL.read_text(encoding="utf-8"))


def test_how_to_report_is_said_and_nobody_is_named() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "private security" in text
    assert "docs/threat-model.md" in text
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", text)
