"""The reference of the settings file: its examples load, and it names every key and command."""

import re
from datetime import date
from pathlib import Path

import pytest

from amiguard.cli.trust import app
from amiguard.files.settings import settings_of
from amiguard.files.settings_model import MODELS

TEXT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid(example: str) -> None:
    settings_of(example, Path("amiguard.yaml"), today=date(2026, 8, 1))


def test_every_key_is_described() -> None:
    keys = {key for model in MODELS.values() for key in model.model_fields}

    assert len(EXAMPLES) == 10
    assert sorted(key for key in keys if not re.search(rf"^\| `([a-z_]+\.)?{key}`", TEXT, re.MULTILINE)) == []


def test_every_command_is_described() -> None:
    names = [command.name for command in app.registered_commands]

    assert [name for name in names if not re.search(rf"^\| `{name}( [A-Z]+)?` \|", TEXT, re.MULTILINE)] == []
