"""`amiguard import`: the installed program, its whole output and its exit codes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Run, RunAmiguard

A, B = "111111111111", "222222222222"
SETTINGS = f"# ours\nversion: 1\ntrust:\n  accounts:\n    - '{A}' # the first\n"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(f"{A}\n2222-2222-2222\n333\n", encoding="utf-8")
    return path


TOLD = (
    "worth a look: 1\n"
    "  list.txt:2: 2222-2222-2222\n"
    f"      read as the account id {B}\n"
    "not carried: 1\n"
    "  list.txt:3: 333\n"
    "      an account id has 12 digits, this has 3; if zeros at its start were lost, add it yourself: "
    "`amiguard trust add 000000000333`\n"
)


def test_an_import_into_the_file_that_counts(run_amiguard: RunAmiguard, tmp_path: Path, listed: Path) -> None:
    path = tmp_path / "amiguard.yaml"
    path.write_text(SETTINGS, encoding="utf-8")

    assert run_amiguard("import", "list.txt") == Run(
        0,
        "amiguard.yaml: changed\n  trusted     1 added\n  exceptions  0 added\n"
        f"  {A} (list.txt:1): there already, amiguard.yaml:5:7: trust.accounts[0]\n",
        TOLD,
    )
    written = f'{SETTINGS}    - {{id: "{B}", reason: "imported {today()} from the list list.txt"}}\n'
    assert path.read_text(encoding="utf-8") == written
    again = run_amiguard("import", "list.txt")
    assert (again.code, again.out.splitlines()[0]) == (0, "amiguard.yaml: unchanged")
    assert path.read_text(encoding="utf-8") == written


def test_a_new_file_is_one_that_other_commands_read(run_amiguard: RunAmiguard, tmp_path: Path, listed: Path) -> None:
    assert run_amiguard("import", "list.txt", "--into", "new.yaml").out.startswith("new.yaml: begun\n")
    assert run_amiguard("trust", "check", "--config", "new.yaml").code == 0
    assert not (tmp_path / "amiguard.yaml").exists()


def test_a_dry_run_shows_and_writes_nothing(run_amiguard: RunAmiguard, tmp_path: Path, listed: Path) -> None:
    run = run_amiguard("import", "list.txt", "--dry-run")
    assert run.code == 0
    assert f'    - {{id: "{B}", reason: "imported {today()} from the list list.txt"}}\n' in run.out
    assert run.err.startswith("amiguard.yaml: would be begun\n")
    assert not (tmp_path / "amiguard.yaml").exists()

    (tmp_path / "amiguard.yaml").write_text(SETTINGS, encoding="utf-8")
    run = run_amiguard("import", "list.txt", "--dry-run")
    assert run.out == (
        "--- amiguard.yaml\n+++ amiguard.yaml\n@@ -3,3 +3,4 @@\n trust:\n   accounts:\n"
        f'     - \'{A}\' # the first\n+    - {{id: "{B}", reason: "imported {today()} from the list list.txt"}}\n'
    )
    assert (tmp_path / "amiguard.yaml").read_text(encoding="utf-8") == SETTINGS


def test_json_tells_everything(run_amiguard: RunAmiguard, tmp_path: Path, listed: Path) -> None:
    run = run_amiguard("import", "list.txt", "--format", "json")

    document = json.loads(run.out)
    assert (run.code, run.err) == (0, "")
    assert document["import"] == {
        "into": "amiguard.yaml",
        "files": ["list.txt"],
        "dry_run": False,
        "created": True,
        "changed": True,
    }
    assert [one["id"] for one in document["trusted"]] == [A, B]
    assert document["not_carried"][0]["place"] == "list.txt:3"
    assert document["settings"] == (tmp_path / "amiguard.yaml").read_text(encoding="utf-8")


def test_nothing_is_written_if_one_file_is_bad(run_amiguard: RunAmiguard, tmp_path: Path, listed: Path) -> None:
    (tmp_path / "page.json").write_text("<html>", encoding="utf-8")

    assert run_amiguard("import", "list.txt", "page.json", "no.json") == Run(
        2,
        "",
        "amiguard: error: 2 files cannot be imported\n"
        "page.json: this is HTML or XML, not data: a page was saved (a login, an error), not what it should show\n"
        "no.json: cannot be read: No such file or directory\n",
    )
    assert not (tmp_path / "amiguard.yaml").exists()


def test_losses_alone_are_told_and_refused(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('["\\u001b]0;x\\u0007"]', encoding="utf-8")

    assert run_amiguard("import", "list.json") == Run(
        2,
        "",
        'not carried: 1\n  list.json: [0]: "\\u001b]0;x\\u0007"\n      expected a 12-digit account id, an organization '
        "id or ARN (o-...), or a unit (o-.../ou-..., or its ARN)\n"
        "amiguard: error: nothing was found that can be imported: no settings were written\n",
    )


def test_an_owner_is_words(run_amiguard: RunAmiguard, listed: Path) -> None:
    run = run_amiguard("import", "list.txt", "--owner", "a\nb")
    assert run.code == 2
    assert "--owner" in run.err
