"""Several edits of one settings file at once."""

import subprocess
from pathlib import Path

from tests.conftest import PROGRAM, scrubbed_environment


def test_edits_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    settings = tmp_path / "amiguard.yaml"
    settings.write_text('version: 1\ntrust:\n  accounts:\n    - "111122223333"\n')
    ids = [f"90000000000{number}" for number in range(6)]
    programs = [
        subprocess.Popen(
            [PROGRAM, "trust", "add", account_id],
            env=scrubbed_environment(tmp_path),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for account_id in ids
    ]
    assert [program.wait(60) for program in programs] == [0] * len(ids)
    assert all(account_id in settings.read_text() for account_id in ids)
