"""Refusals in code over whole runs: decoded once for each caller, region and action, where the caller may."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import AwsError, Denied, DeniedInCode, Fault, Hang
from tests.faults.estate import MEMBER, OWNER
from tests.faults.matrix import ARGUMENTS, Run
from tests.faults.play import Played, Stage, play
from tests.faults.stage import prepared

READ, CHANGE, DECODE = "DescribeImageAttribute", "ModifyImageAttribute", "DecodeAuthorizationMessage"
USER = f"arn:aws:iam::{OWNER}:user/auditor"


def played(home: Path, patch: pytest.MonkeyPatch, run: Run, *faults: Fault) -> Played:
    begun = prepared(run)
    begun.fill(home)
    return play(Stage(home, patch), begun.estate, ARGUMENTS[run], faults, OWNER)


def messages(run: Played) -> set[str]:
    results: list[dict[str, Any]] = json.loads(run.out)["results"]
    return {one["message"] for one in results if one["status"] == "unknown"}


def test_a_refused_read_says_what_would_allow_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = played(tmp_path, monkeypatch, Run.EVIDENCE, Fault(DeniedInCode(), action=READ))
    resource = "arn:aws:ec2:{}:" + OWNER + ":*"
    told = messages(run)
    for region in ("us-east-1", "eu-central-1"):
        hint = f"grant ec2:{READ} on {resource.format(region)} to {USER}: no policy allows it"
        assert any(hint in message for message in told), told
    assert run.fake.stats.calls[READ] == 9
    assert run.fake.stats.calls[DECODE] == 2
    assert json.loads(run.out)["summary"]["api_calls"][DECODE] == 2


@pytest.mark.parametrize("effect", [Denied(), Hang()])
def test_who_may_not_decode_or_is_not_answered_gets_the_usual_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, effect: Denied | Hang
) -> None:
    faults = Fault(DeniedInCode(explicit=True), action=READ), Fault(effect, action=DECODE)
    run = played(tmp_path, monkeypatch, Run.EVIDENCE, *faults)
    assert run.code == 3
    assert all(f"grant ec2:{READ} to the caller" in message for message in messages(run))


def test_a_refused_change_says_which_statement_denies_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = played(tmp_path, monkeypatch, Run.APPLY, Fault(DeniedInCode(explicit=True), action=CHANGE))
    assert run.code == 4
    told = " ".join(run.out.split())
    assert f"a policy explicitly denies ec2:{CHANGE} to {USER} (statement KeepOut): no grant overrides that" in told
    assert run.fake.stats.calls[DECODE] == 2


def test_a_session_that_is_refused_however_new_it_is_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is where this machine's clock is wrong: AWS says RequestExpired of whatever is signed."""
    run = played(tmp_path, monkeypatch, Run.AUDIT, Fault(AwsError("RequestExpired"), action=READ, account_id=MEMBER))
    assert run.code == 1
    assert any("the credentials have expired" in message for message in messages(run))
    assert not any("the deadline passed" in message for message in messages(run))
    assert run.fake.stats.calls["AssumeRole"] <= 4
