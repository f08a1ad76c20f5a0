"""`amiguard audit --evidence` as installed: what it collects, what that costs, and that no verdict hangs on it."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    Denied,
    Estate,
    FakeAccount,
    FakeBinnedImage,
    FakeBlockDevice,
    FakeEc2,
    FakeKey,
    FakeRegion,
    FakeSnapshot,
    FakeUsage,
    FakeUse,
    Fault,
    Hang,
    account_grant,
    admitting,
    by_id,
    by_snapshot_id,
    key_policy,
    share_event,
)
from benchmarks.fake_ec2.usage_data import NEVER_DONE
from tests.cli.remediation_estate import EU, FRIEND, OWNER, STRANGER, US, image, image_id
from tests.conftest import PROGRAM, Run, RunAmiguard, scrubbed_environment
from tests.integration.evidence_estate import DAY, NOW

OPEN, SEALED = "snap-00000000000000001", "snap-00000000000000002"
KEY = FakeKey("1234abcd-12ab-34cd-56ef-1234567890ab", key_policy(admitting(f"arn:aws:iam::{OWNER}:root")))
KEY_ARN = f"arn:aws:kms:{US}:{OWNER}:key/{KEY.id}"
USED, QUIET, PASSING = image_id(1), image_id(2), image_id(3)
IMAGES = by_id(
    image(
        1,
        {STRANGER, FRIEND},
        block_devices=(FakeBlockDevice("/dev/sda1", OPEN),),
        last_launched_time="2026-11-20T00:00:00.000Z",
    ),
    image(2, {STRANGER}, block_devices=(FakeBlockDevice("/dev/sda1", SEALED),)),
    image(3, {FRIEND}, block_devices=(FakeBlockDevice("/dev/sda1", "snap-00000000000000003"),)),
)
REGION = FakeRegion(
    IMAGES,
    snapshots=by_snapshot_id(
        FakeSnapshot(OPEN, grants=(account_grant(STRANGER),)), FakeSnapshot(SEALED, kms_key_id=KEY_ARN)
    ),
    usage={USED: FakeUsage((FakeUse(STRANGER, count=14),), seconds=0), QUIET: FakeUsage(seconds=0)},
    recycle_bin=(FakeBinnedImage(image_id(9), name="old"),),
    events=(share_event(USED, [account_grant(STRANGER)], at=NOW - 10 * DAY, event_id="e-1", session="dana"),),
    keys=(KEY,),
)


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    elsewhere = FakeRegion(by_id(image(4, {FRIEND})))
    with FakeEc2(Estate({OWNER: FakeAccount({US: REGION, EU: elsewhere})})) as server:
        yield server


def audit(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str) -> Run:
    return run_amiguard("audit", "--trust", FRIEND, *arguments, env=fake.environment(OWNER))


def results(document: Any) -> dict[str, Any]:
    return {one["image"]["id"]: one for one in document["results"]}


def test_the_four_kinds(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    run = audit(run_amiguard, fake, "--evidence", "all", "--format", "json")
    assert (run.code, run.err) == (1, "")
    document = json.loads(run.out)
    found = results(document)
    assert {image_id for image_id, one in found.items() if "evidence" in one} == {USED, QUIET}
    used, quiet = found[USED]["evidence"], found[QUIET]["evidence"]
    assert used["usage"]["entries"] == [{"account_id": STRANGER, "resource_type": "ec2:Instance", "count": 14}]
    assert used["last_launched_time"].startswith("2026-11-20")
    assert quiet["usage"]["entries"] == []
    [share] = used["author"]["shares"]
    assert (share["event_id"], share["session"], share["added"]) == (
        "e-1",
        "dana",
        [{"kind": "account", "grantee": STRANGER}],
    )
    assert quiet["author"] == {"status": "known", "shares": [], "origin": None, "truncated": False}
    [shared] = used["snapshots"]
    assert [(one["grantee"], one["decision"]) for one in shared["grants"]] == [(STRANGER, "untrusted")]
    assert used["keys"]["unencrypted"] == [OPEN]
    [key] = quiet["keys"]["keys"]
    assert (key["arn"], [one["admission"] for one in key["admissions"]]) == (KEY_ARN, ["does_not_admit"])
    bins = {one["region"]: [image["id"] for image in one["recycle_bin"]["images"]] for one in document["targets"]}
    assert bins == {US: [image_id(9)], EU: []}


def test_no_call_names_an_image_that_passes(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    run = audit(run_amiguard, fake, "--evidence", "all", "--format", "json")
    calls = json.loads(run.out)["summary"]["api_calls"]
    assert calls == dict(fake.stats.calls) | calls
    once_a_failing_image = ("CreateImageUsageReport", "LookupEvents", "DescribeSnapshotAttribute")
    assert {name: calls[name] for name in once_a_failing_image} == dict.fromkeys(once_a_failing_image, 2)
    assert (calls["DescribeSnapshots"], calls["ListImagesInRecycleBin"]) == (1, 2)
    assert (calls["GetKeyPolicy"], calls["ListGrants"]) == (1, 1)


def test_without_it_nothing_of_it_is_called(run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path) -> None:
    settings = f'version: 1\ntrust: {{accounts: ["{FRIEND}"]}}\nevidence: {{collect: all}}\n'
    (tmp_path / "amiguard.yaml").write_text(settings, encoding="utf-8")
    run = audit(run_amiguard, fake, "--evidence", "none", "--format", "json")
    assert run.code == 1
    assert set(fake.stats.calls) == {
        "GetCallerIdentity",
        "DescribeRegions",
        "DescribeImages",
        "DescribeImageAttribute",
    }
    assert not any("evidence" in one for one in json.loads(run.out)["results"])
    run = run_amiguard("audit", "--format", "json", env=fake.environment(OWNER))
    assert "evidence" in results(json.loads(run.out))[USED], "the settings ask for it"


def test_no_verdict_hangs_on_it(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    plain = audit(run_amiguard, fake, "--format", "json")
    fake.set_faults(*(Fault(Denied(), action=action) for action in _EVIDENCE_CALLS))
    denied = audit(run_amiguard, fake, "--evidence", "all", "--format", "json")
    assert (plain.code, denied.code) == (1, 1)
    before, after = json.loads(plain.out), json.loads(denied.out)
    found = results(after)
    for one in (USED, QUIET):
        evidence = found[one].pop("evidence")
        assert evidence["usage"]["status"] == evidence["author"]["status"] == "unavailable"
        assert {snapshot["status"] for snapshot in evidence["snapshots"]} == {"unavailable"}
    assert list(found.values()) == before["results"]
    assert after["audit"]["complete"]


_EVIDENCE_CALLS = (
    "CreateImageUsageReport",
    "DescribeImageUsageReports",
    "DescribeImageUsageReportEntries",
    "LookupEvents",
    "DescribeSnapshots",
    "DescribeSnapshotAttribute",
    "DescribeKey",
    "GetKeyPolicy",
    "ListGrants",
    "ListImagesInRecycleBin",
)


@pytest.mark.parametrize("action", _EVIDENCE_CALLS)
def test_a_call_that_is_denied_is_named(run_amiguard: RunAmiguard, fake: FakeEc2, action: str) -> None:
    fake.set_faults(Fault(Denied(), action=action))
    run = audit(run_amiguard, fake, "--evidence", "all")
    assert (run.code, action in run.out) == (1, True), run.out


def test_the_deadline_ends_the_waiting(run_amiguard: RunAmiguard) -> None:
    usage = {USED: FakeUsage(seconds=NEVER_DONE)}
    region = FakeRegion(by_id(image(1, {STRANGER})), usage=usage)
    with FakeEc2(Estate({OWNER: FakeAccount({US: region})})) as fake:
        run = audit(run_amiguard, fake, "--evidence", "usage,author", "--evidence-deadline", "1s", "--format", "json")
    assert run.code == 1
    evidence = results(json.loads(run.out))[USED]["evidence"]
    assert evidence["usage"] == {
        "status": "unavailable",
        "reason": "the evidence deadline passed before it was known",
        "hint": "give --evidence-deadline more time",
    }
    assert evidence["author"]["status"] == "known"


def test_a_service_that_never_answers_does_not_put_off_the_end(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    fake.set_faults(*(Fault(Hang(), action=action) for action in ("LookupEvents", "DescribeKey", "GetKeyPolicy")))
    begun = time.monotonic()
    run = audit(run_amiguard, fake, "--evidence", "all", "--evidence-deadline", "2s", "--format", "json")
    assert run.code == 1
    evidence = results(json.loads(run.out))[USED]["evidence"]
    assert evidence["author"]["reason"] == "the evidence deadline passed before it was known"
    assert evidence["snapshots"][0]["status"] == "known"
    assert time.monotonic() - begun < 9, "less than any call is waited for"


def test_an_interruption_while_evidence_is_waited_for_loses_nothing_else(tmp_path: Path) -> None:
    usage = {USED: FakeUsage(seconds=NEVER_DONE)}
    region = FakeRegion(by_id(image(1, {STRANGER})), usage=usage)
    with FakeEc2(Estate({OWNER: FakeAccount({US: region})})) as fake:
        arguments = ("audit", "--trust", FRIEND, "--evidence", "usage", "--format", "json=report.json")
        environment = scrubbed_environment(tmp_path, fake.environment(OWNER))
        with subprocess.Popen([PROGRAM, *arguments], cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as program:
            while fake.stats.calls["CreateImageUsageReport"] == 0 and program.poll() is None:
                pass
            program.send_signal(signal.SIGINT)
            try:
                program.communicate(timeout=60)
            finally:
                program.kill()
    assert program.returncode == 130
    [result] = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["results"]
    assert result["status"] == "fail"
    assert result["evidence"]["usage"]["reason"] == "it was interrupted before it was known"


def test_lines_of_evidence_follow_their_results(run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path) -> None:
    run = audit(run_amiguard, fake, "--evidence", "usage,keys", "--format", "jsonl")
    lines = [json.loads(line) for line in run.out.splitlines()]
    types = [line["type"] for line in lines]
    assert (types[0], types[-1], types.count("evidence")) == ("header", "summary", 2)
    places = {line["fingerprint"]: place for place, line in enumerate(lines) if line["type"] == "result"}
    for place, line in enumerate(lines):
        if line["type"] == "evidence":
            assert places[line["fingerprint"]] < place
    (tmp_path / "saved.jsonl").write_text(run.out, encoding="utf-8")
    again = run_amiguard("report", "saved.jsonl", "--format", "json")
    assert {image_id for image_id, one in results(json.loads(again.out)).items() if "evidence" in one} == {USED, QUIET}


def test_workers_and_checkpoints_bring_the_same(run_amiguard: RunAmiguard, fake: FakeEc2) -> None:
    def evidence(run: Run) -> dict[str, Any]:
        found = {key: one["evidence"] for key, one in results(json.loads(run.out)).items() if "evidence" in one}
        for one in found.values():
            del one["usage"]["reused"]
        return found

    alone = audit(run_amiguard, fake, "--evidence", "all", "--format", "json")
    for more in (("--account", OWNER, "--workers", "2"), ("--checkpoint", "checkpoint")):
        assert evidence(audit(run_amiguard, fake, "--evidence", "all", "--format", "json", *more)) == evidence(alone)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--evidence", "use"), "there is no evidence 'use': there are usage, author, snapshots, keys, and `all`"),
        (("--evidence", "none,usage"), "`none` goes with no other kind"),
        (("--evidence", ""), "there is no evidence ''"),
        (("--evidence-deadline", "soon"), "'soon' is no time"),
    ],
)
def test_bad_options(run_amiguard: RunAmiguard, arguments: tuple[str, ...], message: str) -> None:
    run = run_amiguard("audit", "--trust", FRIEND, *arguments)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.replace("│", " ").split())


def test_a_plan_from_a_report_asks_for_none(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("plan", "--trust", FRIEND, "--from", "report.json", "--evidence", "usage")
    assert run.code == 2
    assert "a plan from a report uses the evidence that the report has" in " ".join(run.err.replace("│", " ").split())
