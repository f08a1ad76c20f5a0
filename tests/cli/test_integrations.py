"""What runs amiguard elsewhere: the GitHub Action, the pre-commit hook, the container, cron and systemd."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from benchmarks.fake_ec2 import FakeEc2, FakeImage, everyone_grant, single_account
from tests.conftest import PROGRAM, scrubbed_environment

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
SETTINGS = "version: 1\ntrust:\n  accounts: ['222233334444']\n"
HOSTILE = "a'\"; touch pwned; $(touch pwned) `touch pwned` #"


def read_yaml(name: str) -> Any:
    return YAML(typ="safe").load(ROOT / name)


def sh(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        command,
        env=scrubbed_environment(folder, path | environment),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


# --- the GitHub Action


def action_step(name: str) -> dict[str, Any]:
    [step] = [step for step in read_yaml("action.yml")["runs"]["steps"] if step["name"] == name]
    found: dict[str, Any] = step
    return found


def run_step(name: str, folder: Path, inputs: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run a step as the runner does: inputs put in for their expressions, in `env` only."""
    step = action_step(name)
    defaults = {key: value["default"] for key, value in read_yaml("action.yml")["inputs"].items()}
    values = {f"${{{{ inputs.{key} }}}}": value for key, value in (defaults | inputs).items()}
    values["${{ steps.python.outputs.python-path }}"] = str(folder / "python")
    script = folder / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_OUTPUT": str(folder / "output")}
    environment = runner | {key: values[value] for key, value in step["env"].items()} | more
    return sh(["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], folder, environment)


def stub(path: Path, body: str) -> None:
    """A program that writes its arguments to `path`.args, one a line, and goes on with `body`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{path}.args"\n{body}\n', encoding="utf-8")
    path.chmod(0o755)


def test_the_action_names_what_it_uses_and_puts_no_input_into_a_script() -> None:
    action = read_yaml("action.yml")
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert "uses" not in step or re.search("@[0-9a-f]{40}$", step["uses"])
        assert "run" not in step or step["shell"] == "bash"
    assert {"config", "args", "format", "report"} <= action["inputs"].keys()
    assert {output["value"] for output in action["outputs"].values()} == {
        "${{ steps.audit.outputs.exit-code }}",
        "${{ steps.audit.outputs.report }}",
    }


def test_the_action_installs_from_its_own_folder_with_the_constraints(tmp_path: Path) -> None:
    stub(tmp_path / "python", "")
    stub(tmp_path / "amiguard" / "bin" / "python", "")
    done = run_step("Install amiguard", tmp_path, {"extras": "notify"})
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "python.args").read_text().split() == ["-m", "venv", f"{tmp_path}/amiguard"]
    pip = (tmp_path / "amiguard" / "bin" / "python.args").read_text()
    constrained = [
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--constraint",
        f"{ROOT}/constraints.txt",
    ]
    backend, package = (words.split() for words in pip.split("-m\n")[1:])
    assert backend == [*constrained, "hatchling"]
    assert package == [*constrained, "--no-build-isolation", f"{ROOT}[notify]"]


def test_the_action_hands_every_input_on_as_it_is(tmp_path: Path) -> None:
    stub(tmp_path / "amiguard" / "bin" / "amiguard", "exit 3")
    inputs = {
        "config": f"c {HOSTILE}",
        "args": f"--trust=own\r\n\n  {HOSTILE}\n*\n",
        "format": HOSTILE,
        "report": HOSTILE,
    }
    done = run_step("Audit", tmp_path, inputs)
    assert (done.returncode, done.stderr) == (3, "")
    assert (tmp_path / "amiguard" / "bin" / "amiguard.args").read_text().splitlines() == [
        "audit",
        f"--format={HOSTILE}={HOSTILE}",
        "--format=table",
        f"--config=c {HOSTILE}",
        "--trust=own",
        f"  {HOSTILE}",
        "*",
    ]
    assert (tmp_path / "output").read_text() == "exit-code=3\n"
    assert not (tmp_path / "pwned").exists()


def test_no_line_of_an_audit_is_a_command_to_the_runner(tmp_path: Path) -> None:
    stub(tmp_path / "amiguard" / "bin" / "amiguard", "echo ::add-mask::a; printf x >amiguard.sarif")
    first, second = (run_step("Audit", tmp_path, {}).stdout.splitlines() for _ in range(2))
    token = first[0].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert first == [f"::stop-commands::{token}", "::add-mask::a", f"::{token}::"]
    assert second[0] != first[0]


def test_a_report_of_an_earlier_run_is_not_taken_for_one_of_this_run(tmp_path: Path) -> None:
    stub(tmp_path / "amiguard" / "bin" / "amiguard", "exit 2")
    (tmp_path / "amiguard.sarif").write_text("old")
    assert run_step("Audit", tmp_path, {}).returncode == 2
    assert (tmp_path / "output").read_text() == "exit-code=2\n"


def test_the_name_of_a_report_sets_no_other_output(tmp_path: Path) -> None:
    stub(tmp_path / "amiguard" / "bin" / "amiguard", 'printf x >"$REPORT"')
    assert run_step("Audit", tmp_path, {"report": "r\nexit-code=0"}).returncode == 0
    assert (tmp_path / "output").read_text() == "exit-code=0\nreport=rexit-code=0\n"


def test_the_action_audits(tmp_path: Path) -> None:
    (tmp_path / "amiguard" / "bin").mkdir(parents=True)
    (tmp_path / "amiguard" / "bin" / "amiguard").symlink_to(PROGRAM)
    (tmp_path / "own.yaml").write_text(SETTINGS)
    with FakeEc2(estate()) as fake:
        inputs = {"config": "own.yaml", "args": "--region=us-east-1\n--read-bucket=none"}
        done = run_step("Audit", tmp_path, inputs, **fake.environment(ACCOUNT))
    assert (done.returncode, done.stderr) == (1, "")
    assert "ami-0000000000000000a" in done.stdout
    assert (tmp_path / "output").read_text() == "exit-code=1\nreport=amiguard.sarif\n"
    assert json.loads((tmp_path / "amiguard.sarif").read_text())["version"] == "2.1.0"


def estate() -> Any:
    return single_account(FakeImage("ami-0000000000000000a", name="shared", grants=(everyone_grant(),)))


# --- the pre-commit hook


def hook() -> dict[str, Any]:
    [found] = read_yaml(".pre-commit-hooks.yaml")
    one: dict[str, Any] = found
    return one


def test_the_hook_looks_at_settings_files() -> None:
    looks_at = re.compile(hook()["files"]).search
    assert looks_at("amiguard.yaml")
    assert looks_at("prod/amiguard.yml")
    assert not looks_at("my-amiguard.yaml")
    assert not looks_at("amiguard.yaml.bak")


def test_the_hook_checks_every_file(tmp_path: Path) -> None:
    good, bad, odd = "amiguard.yaml", "prod/amiguard.yaml", f"-{HOSTILE}/amiguard.yaml"
    for name, text in ((good, SETTINGS), (bad, "version: 1\n"), (odd, SETTINGS)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    entry = shlex.split(hook()["entry"])
    assert sh([*entry, good], tmp_path, {}).returncode == 0
    both = sh([*entry, bad, odd, good], tmp_path, {})
    assert both.returncode == 2
    assert bad in both.stderr
    assert f"{good}: valid" in both.stdout
    assert f"{odd}: valid" in both.stdout
    assert not (tmp_path / "pwned").exists()


# --- cron, systemd, the container


def here(text: str, folder: Path) -> str:
    """A line for a server, with this machine's program and folders."""
    (folder / "etc").mkdir()
    (folder / "etc" / "amiguard.yaml").write_text(SETTINGS)
    for there, instead in (
        ("/opt/amiguard/bin/amiguard", PROGRAM),
        ("/etc/amiguard", folder / "etc"),
        ("/var/lib/amiguard", folder),
    ):
        text = text.replace(there, str(instead))
    return text


def test_the_line_for_cron_audits_and_prints_only_what_is_to_be_mailed(tmp_path: Path) -> None:
    [line] = [line for line in (ROOT / "contrib/cron/amiguard").read_text().splitlines() if re.match("[0-9*]", line)]
    *when, user, command = line.split(maxsplit=6)
    assert (len(when), user) == (5, "amiguard")
    assert "%" not in command  # cron would end the line there
    command = here(command, tmp_path)
    with FakeEc2(estate()) as fake:
        failed = sh(["sh", "-c", command], tmp_path, fake.environment(ACCOUNT))
    assert "ami-0000000000000000a" in failed.stdout
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["fail"] == 1
    with FakeEc2(single_account()) as fake:
        clean = sh(["sh", "-c", command], tmp_path, fake.environment(ACCOUNT))
    assert (clean.returncode, clean.stdout, clean.stderr) == (0, "", "")


def test_the_service_audits(tmp_path: Path) -> None:
    unit = (ROOT / "contrib/systemd/amiguard.service").read_text().replace("\\\n", " ")
    [command] = re.findall("^ExecStart=(.*)$", here(unit, tmp_path), re.MULTILINE)
    folders = {"CREDENTIALS_DIRECTORY": str(tmp_path / "etc"), "STATE_DIRECTORY": str(tmp_path)}
    arguments = [re.sub(r"\$\{(\w+)\}", lambda match: folders[match[1]], word) for word in shlex.split(command)]
    with FakeEc2(estate()) as fake:
        done = sh(arguments, tmp_path, fake.environment(ACCOUNT))
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["fail"] == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    unit = (ROOT / "contrib/systemd/amiguard.service").read_text()
    (tmp_path / "amiguard.service").write_text(here(unit, tmp_path))
    shutil.copy(ROOT / "contrib/systemd/amiguard.timer", tmp_path)
    units = [str(tmp_path / "amiguard.service"), str(tmp_path / "amiguard.timer")]
    done = sh(["systemd-analyze", "verify", *units], tmp_path, {})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_gets_what_it_copies_and_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source for line in lines if line.startswith("COPY ") and "--from" not in line for source in line.split()[1:-1]
    }
    assert copied == sent
    assert all((ROOT / name).exists() for name in sent)
    last = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER 10001:10001" in last
    assert "HEALTHCHECK NONE" in last
    assert 'ENTRYPOINT ["amiguard"]' in last
    assert all("--constraint constraints.txt" in line for line in lines if "pip" in line and " install " in line)
