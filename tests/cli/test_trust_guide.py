"""The guide to organizations: its settings are valid, and its options are there."""

import re
from datetime import date
from pathlib import Path

import pytest

from amiguard.files.settings import settings_of
from tests.conftest import RunAmiguard

TEXT = (Path(__file__).parents[2] / "docs" / "organization.md").read_text(encoding="utf-8")
SETTINGS = [text for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if text.startswith("version: 1\n")]


@pytest.mark.parametrize("example", SETTINGS)
def test_settings_are_valid(example: str) -> None:
    assert settings_of(example, Path("amiguard.yaml"), today=date(2026, 8, 1)).scope.organization is not None


def test_every_option_is_one_of_audit(run_amiguard: RunAmiguard) -> None:
    assert len(SETTINGS) == 2
    # What the AWS CLI is asked for stands in blocks of its own.
    ours = re.sub(r"^aws .*?(?<!\\)\n", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", ours))
    offered = set(re.findall(r"--[a-z][a-z-]*", run_amiguard("audit", "--help").out))
    assert named - offered == {"--keep"}
