"""Shell completion: what `docs/install.md` says about it, typed into a real bash."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment


def in_bash(home: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = scrubbed_environment(home)
    environment["PATH"] = f"{PROGRAM.parent}:{environment['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],  # noqa: S607 - bash is looked up in PATH, as everywhere
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


def offered(home: Path, setup: str, *words: str) -> list[str]:
    typed = " ".join(f"'{word}'" for word in words)
    script = (
        f"{setup}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}\n"
        '_amiguard_completion amiguard; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = in_bash(home, script)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_installed_in_bash_it_offers_commands_and_options(tmp_path: Path) -> None:
    done = in_bash(tmp_path, "amiguard --install-completion; exit $?")
    assert (done.returncode, done.stderr) == (0, "")
    bashrc = ". ./.bashrc"
    assert {"audit", "apply"} <= set(offered(tmp_path, bashrc, "amiguard", "a"))
    assert set(offered(tmp_path, bashrc, "amiguard", "trust", "c")) == {"check"}
    assert set(offered(tmp_path, bashrc, "amiguard", "audit", "--base")) == {"--baseline"}


def test_values_from_a_short_list_are_offered(tmp_path: Path) -> None:
    script = 'eval "$(_AMIGUARD_COMPLETE=source_bash amiguard)"'
    assert set(offered(tmp_path, script, "amiguard", "audit", "--format", "json")) == {"json", "jsonl"}
    assert set(offered(tmp_path, script, "amiguard", "report", "x.json", "-f", "mark")) == {"markdown"}
    assert set(offered(tmp_path, script, "amiguard", "audit", "--evidence", "")) >= {"usage", "all", "none"}
    assert set(offered(tmp_path, script, "amiguard", "audit", "--check", "ami-b")) == {"ami-block-public-access"}
    assert set(offered(tmp_path, script, "amiguard", "audit", "--status", "un")) == {"unknown"}


def test_the_script_that_packages_ship_is_the_one_that_is_installed(tmp_path: Path) -> None:
    script = 'eval "$(_AMIGUARD_COMPLETE=source_bash amiguard)"'
    assert set(offered(tmp_path, script, "amiguard", "roll")) == {"rollback"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(run_amiguard: RunAmiguard, shell: str) -> None:
    run = run_amiguard(env={"_AMIGUARD_COMPLETE": f"source_{shell}"})
    assert (run.code, run.err) == (0, "")
    assert f"_AMIGUARD_COMPLETE=complete_{shell}" in run.out
