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


def test_with_evidence_the_demo_shows_what_decides(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("demo", "--evidence", "all", "--format", "json")
    assert run.code == 1
    document = json.loads(run.out)
    assert document["audit"]["complete"] is True
    assert document["summary"]["unknown"] == 0
    failing = {
        (one["check_id"], one["image"]["name"], one["region"]): one["evidence"]
        for one in document["results"]
        if one["status"] == "fail"
    }

    in_use = failing["ami-cross-account-access", "erp-windows-2022-20260811", "eu-central-1"]
    used = {(one["account_id"], one["resource_type"]): one["count"] for one in in_use["usage"]["entries"]}
    assert used["555566667777", "ec2:Instance"] == 14
    assert "ImageEngineer/dana.kim@example.com" in json.dumps(in_use["author"])
    unused = failing["ami-cross-account-access", "monitoring-collector-20260210", "us-east-1"]
    assert unused["usage"]["entries"] == []
    locked = failing["ami-cross-account-access", "card-settlement-1.9", "eu-central-1"]
    assert "does_not_admit" in json.dumps(locked["keys"])
    assert ("ami-cross-account-access", "ledger-db-7.2.0", "us-east-1") not in failing
    assert "333344445555" in json.dumps(
        failing["ami-snapshot-cross-account", "ledger-db-7.2.0", "us-east-1"]["snapshots"]
    )

    legacy = failing["ami-cross-account-access", "legacy-webshop-2019", "ap-southeast-2"]
    assert (legacy["author"]["shares"], legacy["author"]["origin"]) == ([], None)
    binned = [image["name"] for target in document["targets"] for image in target["recycle_bin"]["images"]]
    assert binned == ["erp-windows-2022-20260414"]


def test_the_demo_refuses_evidence_that_there_is_not(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("demo", "--evidence", "alles")
    assert run.code == 2
    assert "there is no evidence 'alles'" in run.err
    assert "Starting" not in run.err


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
        in_the_way: list[str] = []
        for line in program.stderr:
            if line.startswith("  export "):
                name, _, value = shlex.split(line.strip())[1].partition("=")
                environment[name] = value
            elif line.startswith("  unset "):
                in_the_way = line.split()[1:]
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
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2"} <= set(in_the_way)
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
