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
    assert re.search(r"^\d+ of 123 images can be launched by grantees that are not trusted", run.out, re.MULTILINE)
    assert "The audit is complete." in run.out
    assert "Brightline Consulting)) lapsed after" in re.sub(r"\s+", " ", run.out)
    assert "\x9b" not in run.out
    assert re.search(r"^123456789012  us-east-1  Platform$", run.out, re.MULTILINE)
    assert re.search(r"^\d{12}  eu-central-1  Payments production$", run.out, re.MULTILINE)
    assert re.search(r"^\d{12}  us-east-1  Analytics$", run.out, re.MULTILINE)
    assert "amiguard audit --trust 111122223333" in run.err
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
        tips: list[list[str]] = []
        for line in program.stderr:
            if line.startswith("  export "):
                name, _, value = shlex.split(line.strip())[1].partition("=")
                environment[name] = value
            elif line.startswith("  amiguard "):
                tips.append(shlex.split(line)[1:])
            if "Ctrl-C" in line:
                break
        runs = {tip[0]: run_amiguard(*tip, env=environment) for tip in tips}
        saved = run_amiguard("trust", "snapshot", "directory.json", env=environment)
        run = run_amiguard(
            *("audit", "--quiet", "--format", "json", "--organization", "--role-name", "AmiguardAudit"),
            env=environment,
        )
        program.send_signal(signal.SIGINT)
        rest = program.stderr.read()
    assert program.returncode == 0
    assert rest == ""
    assert tips[0] == ["audit", "--organization", "--role-name", "AmiguardAudit"]
    # There is no terminal on which apply could ask.
    assert {name: tip.code for name, tip in runs.items()} == {"audit": 1, "trust": 0, "plan": 0, "apply": 2}
    assert "of 123 images can be launched" in runs["audit"].out
    assert re.match(r"saved directory\.json: organization o-\w+, 3 accounts and 5 units, as of ", saved.err)
    document = json.loads(run.out)
    assert run.code == 1
    assert document["audit"]["complete"] is True
    assert document["summary"]["images"] == 123
    assert document["summary"]["api_calls"]["AssumeRole"] == 2
    audited = {(one["account_name"], one["region"], one["status"]) for one in document["targets"]}
    assert audited == {
        (name, region, "audited")
        for name in ("Platform", "Payments production", "Analytics")
        for region in ("us-east-1", "eu-central-1", "ap-southeast-2")
    }


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
