"""Audits of many accounts that are cut off, end early, or are shared among processes."""

import json
import os
import random
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Delay,
    Estate,
    FakeEc2,
    FakeOrganization,
    Fault,
    Hang,
    Rewrite,
)
from tests.cli.organization_estate import (
    ARGUMENTS,
    BUILD,
    MANAGER,
    ORGANIZATION,
    SANDBOX,
    SHOP,
    STRANGER,
    TREE,
    account,
    audit_json,
    estate,
    image,
    statuses,
    targets,
)
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment
from tests.fakes.killer import Killer


def test_a_deadline_ends_in_time_and_the_rest_is_unknown(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate(), faults=[Fault(Hang(), action="DescribeImageAttribute", account_id=SHOP)]) as fake:
        code, document = audit_json(run_amiguard, fake, *ARGUMENTS, "--deadline", "6s")
    assert code == 1
    assert statuses(document) == {"1/1": "pass", "2/2": "fail", "3/-": "unknown", "4/4": "pass"}
    assert ("3", "us-east-1", "failed") in targets(document)
    (unread,) = [one for one in document["results"] if one["image"] is None]
    assert unread["message"] == "The images could not be listed: the deadline passed"


def without_times_and_ids(document: dict[str, Any]) -> dict[str, Any]:
    audit = {
        key: value
        for key, value in document["audit"].items()
        if key not in ("id", "started_at", "finished_at", "directory")
    }
    return {**document, "audit": audit}


def test_two_workers_find_what_one_finds(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate(shop=account(image(3), roles={}))) as fake:
        alone = audit_json(run_amiguard, fake, *ARGUMENTS)
        together = audit_json(run_amiguard, fake, *ARGUMENTS, "--workers", "2")
    assert alone[0] == together[0]
    assert without_times_and_ids(alone[1]) == without_times_and_ids(together[1])


def large_estate() -> Estate:
    chance = random.Random(7)
    accounts = {
        account_id: account(
            *(image(int(account_id[0]) * 100 + number, *chance.choice([(), (STRANGER,)])) for number in range(30))
        )
        for account_id in (MANAGER, BUILD, SHOP, SANDBOX)
    }
    return Estate(accounts, FakeOrganization(ORGANIZATION, MANAGER, tree=TREE))


# `make crash` asks for more.
SEEDS = range(int(os.environ.get("CRASH_SEEDS", "2")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_audit_goes_on_and_gives_the_report_of_an_unbroken_one(
    run_amiguard: RunAmiguard, tmp_path: Path, seed: int
) -> None:
    checkpoint = str(tmp_path / "checkpoint")
    chance = random.Random(seed)
    arguments = (*ARGUMENTS, "--read-bucket", "none", "--workers", chance.choice(["1", "1", "2"]))
    slow = Fault(Delay(0.005), action="DescribeImageAttribute")
    with FakeEc2(large_estate(), faults=[slow]) as fake:
        _, unbroken = audit_json(run_amiguard, fake, *arguments)
        environment = scrubbed_environment(tmp_path, fake.environment(MANAGER))
        command = [str(PROGRAM), "audit", "--format", "json", "--trust", "own", *arguments, "--checkpoint", checkpoint]
        for _ in range(2):
            # Killed at a call and not at a time, so that the test does not depend on the machine's speed.
            killer = Killer()
            at_call = Fault(Rewrite(killer), action="DescribeImageAttribute", skip=chance.randrange(119), times=1)
            fake.set_faults(at_call, slow)
            killer.watch(
                subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            ).wait()
        fake.set_faults()
        code, document = audit_json(run_amiguard, fake, "--quiet", *arguments, "--checkpoint", checkpoint)
    assert code == 1
    assert without_times_and_ids(document) == without_times_and_ids(unbroken), f"seed {seed}"
    assert not Path(checkpoint).exists()


def test_ctrl_c_keeps_the_checkpoint_and_another_audit_is_refused(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    fault = Fault(Hang(), action="DescribeImageAttribute", account_id=SHOP)
    with FakeEc2(estate(), faults=[fault]) as fake:
        command = [
            str(PROGRAM),
            "audit",
            "--format",
            "jsonl",
            "--trust",
            "own",
            *ARGUMENTS,
            "--checkpoint",
            str(checkpoint),
        ]
        with subprocess.Popen(
            command, env=scrubbed_environment(tmp_path, fake.environment(MANAGER)), stdout=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            seen = [program.stdout.readline() for _ in range(4)]  # the header and three images
            program.send_signal(signal.SIGINT)
            program.stdout.read()
        assert program.returncode == 130
        assert len({json.loads(line)["account_id"] for line in seen[1:]}) == 3
        before = checkpoint.read_bytes()
        run = run_amiguard("audit", "--trust", "own", "--checkpoint", str(checkpoint), env=fake.environment(MANAGER))
        assert (run.code, run.out) == (2, "")
        assert "belongs to another audit" in run.err
        assert checkpoint.read_bytes() == before
        fake.set_faults()
        fake.reset()
        run = run_amiguard(
            "audit",
            "--format",
            "json",
            "--trust",
            "own",
            *ARGUMENTS,
            "--checkpoint",
            str(checkpoint),
            env=fake.environment(MANAGER),
        )
        assert run.code == 1
        assert re.match(r"going on with the audit of .*: \d+ targets are done\n", run.err)
        assert fake.stats.calls["DescribeImageAttribute"] == 1
    assert not checkpoint.exists()


def test_throttled_discovery_is_seen_through(run_amiguard: RunAmiguard) -> None:
    faults = [
        Fault(AwsError("Throttling", status=400), action="AssumeRole", times=2),
        Fault(AwsError("TooManyRequestsException", status=400), action="ListAccounts", times=1),
        Fault(AwsError("RequestLimitExceeded", status=503), action="DescribeRegions", times=2),
    ]
    with FakeEc2(estate(), faults=faults) as fake:
        code, document = audit_json(run_amiguard, fake, *ARGUMENTS)
    assert code == 1
    assert document["audit"]["complete"] is True
    assert document["summary"]["throttled"] == 5


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_audit_of_many_accounts_tells_what_is_known(tmp_path: Path, workers: str) -> None:
    """Ctrl-C while one account hangs: the results of the others are there, and what a worker had under way."""
    hang = Fault(Hang(), action="DescribeImageAttribute", image_id=image(7).id)
    shop = account(image(3, STRANGER), image(7))
    with FakeEc2(estate(shop=shop, build=account(image(2))), faults=[hang]) as fake:
        command = [str(PROGRAM), "audit", "--format", "jsonl", "--trust", "own", *ARGUMENTS, "--workers", workers]
        with subprocess.Popen(
            command,
            env=scrubbed_environment(tmp_path, fake.environment(MANAGER)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            lines = [program.stdout.readline() for _ in range(4)]  # the header, and all that does not hang
            program.send_signal(signal.SIGINT)
            lines += program.stdout.readlines()
            err = program.stderr.read()
    results = [json.loads(line) for line in lines if '"type":"result"' in line]
    summary = json.loads(lines[-1])
    assert (program.returncode, err) == (130, "")
    found = statuses({"results": results})
    # Image 3 is read beside the one that hangs: the signal may come before its reply.
    failing = found.pop("3/3", None)
    assert failing in ("fail", None)
    assert found == {"1/1": "pass", "2/2": "pass", "4/4": "pass", "3/-": "unknown"}
    assert (summary["complete"], summary["summary"]["fail"]) == (False, int(failing == "fail"))


def test_a_deadline_holds_for_workers_too(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate(), faults=[Fault(Hang(), action="DescribeImageAttribute", account_id=SHOP)]) as fake:
        code, document = audit_json(run_amiguard, fake, *ARGUMENTS, "--deadline", "12s", "--workers", "2")
    assert code == 1
    assert statuses(document) == {"1/1": "pass", "2/2": "fail", "3/-": "unknown", "4/4": "pass"}
