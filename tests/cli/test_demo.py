"""`amiguard demo` as installed."""

import json
import re
import shlex
import signal
import subprocess
from pathlib import Path

from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment


def test_the_demo_finds_what_is_wrong_and_says_how_to_go_on(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("demo")
    assert run.code == 1
    assert run.out.startswith("Public: everyone may launch these images\n")
    assert re.search(r"^\d+ of 93 images can be launched by grantees that are not trusted", run.out, re.MULTILINE)
    assert "The audit is complete." in run.out
    assert "Brightline Consulting)) lapsed after" in re.sub(r"\s+", " ", run.out)
    assert "\x9b" not in run.out
    assert "amiguard audit --trust 123456789012" in run.err
    assert "Traceback" not in run.err


def test_a_demo_that_is_kept_serves_other_commands_until_it_is_interrupted(
    tmp_path: Path, run_amiguard: RunAmiguard
) -> None:
    with subprocess.Popen(
        [PROGRAM, "demo", "--keep"],
        env=scrubbed_environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stderr is not None
        environment: dict[str, str] = {}
        for line in program.stderr:
            if line.startswith("  export "):
                name, _, value = shlex.split(line.strip())[1].partition("=")
                environment[name] = value
            if "Ctrl-C" in line:
                break
        run = run_amiguard("audit", "--quiet", "--format", "json", env=environment)
        program.send_signal(signal.SIGINT)
        rest = program.stderr.read()
    assert program.returncode == 0
    assert rest == ""
    assert run.code == 1
    assert json.loads(run.out)["summary"]["images"] == 93


def test_without_its_extra_the_demo_says_what_to_install(tmp_path: Path) -> None:
    """The extra is hidden by a module of its name that cannot be imported."""
    (tmp_path / "moto.py").write_text("raise ModuleNotFoundError(\"No module named 'moto'\", name='moto')")
    done = subprocess.run(
        [PROGRAM, "demo"],
        env=scrubbed_environment(tmp_path, {"PYTHONPATH": str(tmp_path)}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'amiguard[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
