"""The program as a whole: version, help, usage errors."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest

from tests.conftest import RunAmiguard, scrubbed_environment


def test_version_says_its_own_first_then_those_of_what_it_runs_on(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("--version")
    assert (run.code, run.err) == (0, "")
    first, python, *dependencies = run.out.splitlines()
    assert first == f"amiguard {version('amiguard')}"
    assert python.startswith(f"Python {platform.python_version()} (")
    said = dict(line.split(" ", 1) for line in dependencies)
    for name in ("aiohttp", "botocore", "lxml", "pydantic", "typer", "apprise", "moto", "python-hcl2"):
        assert said[name] == version(name)
    assert "pytest" not in said


def test_version_names_an_extra_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from amiguard.cli import versions

    def installed(name: str) -> str:
        if name == "apprise":
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(versions, "version", installed)
    monkeypatch.setattr(
        versions, "requires", lambda _: ["lxml>=5", "apprise>=2; extra == 'notify'", "mypy; extra == 'dev'"]
    )
    assert list(versions.version_lines())[2:] == ["lxml 1.2", "apprise is not installed (amiguard[notify] brings it)"]


def test_every_extra_for_users_is_among_the_versions() -> None:
    from amiguard.cli.versions import EXTRAS

    assert set(metadata("amiguard").get_all("Provides-Extra", [])) - {"dev", "test"} == set(EXTRAS)


def test_no_command_shows_help(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard()
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("Usage: amiguard [OPTIONS] COMMAND [ARGS]...")


@pytest.mark.parametrize("command", ["audit", "demo", "trust"])
def test_every_command_is_listed_and_has_help(run_amiguard: RunAmiguard, command: str) -> None:
    assert f"\n  {command} " in run_amiguard("--help").out
    run = run_amiguard(command, "--help")
    assert (run.code, run.err) == (0, "")
    assert f"Usage: amiguard {command} [OPTIONS]" in run.out


@pytest.mark.parametrize("arguments", [("adit",), ("audit", "--regoin", "x"), ("audit", "extra")])
def test_a_typing_error_is_a_usage_error(run_amiguard: RunAmiguard, arguments: tuple[str, ...]) -> None:
    run = run_amiguard(*arguments)
    assert (run.code, run.out) == (2, "")
    assert "Usage: amiguard" in run.err


def test_help_loads_nothing_that_only_an_audit_needs(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['amiguard', '--help']\n"
        "from amiguard.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'aiohttp', 'botocore', 'lxml', 'pydantic', 'ruamel', 'moto', 'boto3'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=scrubbed_environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


def test_python_m_amiguard_is_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "amiguard", "--version"],
        env=scrubbed_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"amiguard {version('amiguard')}\n")
