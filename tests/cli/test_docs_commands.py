"""README and tutorial: every command runs on the demo's AWS as it is written, and ends and prints as the text says."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amiguard.demo import DemoAws, demo_aws
from tests.conftest import PROGRAM, scrubbed_environment
from tests.fakes.command_blocks import LANGUAGES, Block, Command, blocks, commands, missing
from tests.fakes.warm_program import run_warm

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial.md")
OTHER_LANGUAGES = {"json", "yaml"}
GIVEN = {"last.json": "report.json"}
"""What the reader has from an earlier day, and what stands for it."""
_SHELL = re.compile(r"[$`|;&<>*?~(){}\\]")


@pytest.fixture(scope="module")
def aws() -> Iterator[DemoAws]:
    with demo_aws() as running:
        yield running


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs_as_it_is_written(page: str, aws: DemoAws, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    environment = aws.environment_over(scrubbed_environment(tmp_path)) | {
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    settings = tmp_path / "settings-of-the-demo.yaml"
    settings.write_text(aws.settings_text, encoding="utf-8")
    done = 0
    for block in _command_blocks(page):
        around = environment | ({"AMIGUARD_CONFIG": str(settings)} if block.settings else {})
        for command in commands(block):
            code, out, err = _run(_for_today(command, tmp_path, folder), folder, around)
            where = f"{page}:{command.line}: {command.text}\n{out}\n{err}"
            assert code == command.exit_code, where
            assert command.shown is None or missing(command.shown, out) == "", where
            done += 1
    assert done >= 10


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    found = list(blocks((ROOT / page).read_text(encoding="utf-8")))
    assert {block.language for block in found} <= LANGUAGES | OTHER_LANGUAGES


def _command_blocks(page: str) -> list[Block]:
    found = blocks((ROOT / page).read_text(encoding="utf-8"))
    return [block for block in found if block.language in LANGUAGES and block.run]


def _for_today(command: Command, home: Path, folder: Path) -> str:
    """The command with what the reader puts in: the journal that was named, and dates that are still to come."""
    for name, stands_for in GIVEN.items():
        if name in command.text:
            shutil.copy(folder / stands_for, folder / name)
    to_come = f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"
    text = re.sub(r"\b20\d\d-\d\d-\d\d\b", to_come, command.text)
    if re.search(r"\bJOURNAL\b", text):
        [journal] = (home / ".local" / "state" / "amiguard" / "journals").glob("apply-*.jsonl")
        text = re.sub(r"\bJOURNAL\b", str(journal), text)
    return text


def _run(text: str, folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run a command on a terminal on which a person says yes: `amiguard` at once, what needs a shell in one."""
    output = folder.with_name("output")
    ours, theirs = pty.openpty()
    said: list[bytes] = []
    listener = threading.Thread(target=_listen, args=(ours, said))
    listener.start()
    os.write(ours, b"y\n")
    words = shlex.split(text, comments=True)
    if words[0] == "amiguard" and not _SHELL.search(text):
        code = run_warm(words[1:], folder, environment, os.ttyname(theirs), output)
    else:
        with output.open("wb") as out:
            code = subprocess.run(
                ["/bin/bash", "-c", text],
                cwd=folder,
                env=environment,
                stdin=theirs,
                stdout=out,
                stderr=theirs,
                check=False,
            ).returncode
    os.close(theirs)
    listener.join()
    os.close(ours)
    return code, output.read_text(encoding="utf-8"), b"".join(said).decode()


def _listen(terminal: int, said: list[bytes]) -> None:
    """Read what is said until the terminal is closed, which Linux tells by an error."""
    try:
        while text := os.read(terminal, 4096):
            said.append(text)
    except OSError:
        pass


TEXT = """\
Some text.

```console
$ one  # exit code 3
first
...
last
$ two \\
  more
```

<!-- not run: why -->
```sh
three
```

1. An item:

   <!-- with the settings of the demo -->
   ```sh
   cat > file <<'EOF'
   a line

   EOF
   four
   ```
"""


def test_blocks_are_read_as_a_person_reads_them() -> None:
    found = list(blocks(TEXT))
    assert [(block.language, block.run) for block in found] == [("console", True), ("sh", False), ("sh", True)]
    assert [block.settings for block in found] == [False, False, True]
    assert list(commands(found[0])) == [
        Command(4, "one  # exit code 3", 3, ("first", "...", "last")),
        Command(8, "two \\\n  more", 0, None),
    ]
    assert [command.text for command in commands(found[2])] == ["cat > file <<'EOF'\na line\n\nEOF", "four"]


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        (("one", "...", "three of 2027-01-31"), ""),
        (("three of 2027-01-31", "", "one", "two"), ""),
        (("...", "two", ""), ""),
        (("one", "three of 2027-01-31"), "one\nthree of 2027-01-31"),
        (("two", "...", "four", "..."), "four"),
        (("tw",), "tw"),
    ],
)
def test_what_is_shown_has_to_be_printed(shown: tuple[str, ...], left: str) -> None:
    assert missing(shown, "one\ntwo\nthree of 2026-11-24\n") == left
