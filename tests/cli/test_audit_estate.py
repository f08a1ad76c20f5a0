"""`amiguard audit` over many accounts: organization, roles, completeness, checkpoint, deadline, workers."""

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
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeMember,
    FakeOrganization,
    FakeRegion,
    FakeRole,
    FakeTree,
    FakeUnit,
    Fault,
    Hang,
    Rewrite,
    account_grant,
    by_id,
    credentials_for,
)
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment
from tests.fakes.killer import Killer

MANAGER, BUILD, SHOP, SANDBOX, CLOSED = (f"{number}" * 12 for number in range(1, 6))
STRANGER = "999988887777"
ORGANIZATION = "o-abcdefghij"
WORKLOADS, PROD, SAND = "ou-ab12-workload", "ou-ab12-prodprod", "ou-ab12-sandbox0"
TREE = FakeTree(
    accounts=(FakeMember(MANAGER, "Management"),),
    units=(
        FakeUnit(
            WORKLOADS,
            "Workloads",
            accounts=(FakeMember(BUILD, "Build"),),
            units=(FakeUnit(PROD, "Production", accounts=(FakeMember(SHOP, "Shop", tags=(("stage", "prod"),)),)),),
        ),
        FakeUnit(
            SAND,
            "Sandbox",
            accounts=(FakeMember(SANDBOX, "Playground"), FakeMember(CLOSED, "Old", state="SUSPENDED")),
        ),
    ),
)
ROLES = {"AmiguardAudit": FakeRole()}
ARGUMENTS = ("--organization", "--role-name", "AmiguardAudit")


def image(number: int, *grants: str, name: str = "image") -> FakeImage:
    return FakeImage(f"ami-{number:017x}", name=name, grants=tuple(map(account_grant, grants)))


def account(*images: FakeImage, roles: dict[str, FakeRole] | None = None) -> FakeAccount:
    regions = {
        "us-east-1": FakeRegion(by_id(*images)),
        "eu-central-1": FakeRegion(),
        "af-south-1": FakeRegion(opt_in_status="not-opted-in"),
    }
    return FakeAccount(regions, ROLES if roles is None else roles)


def estate(**changes: FakeAccount) -> Estate:
    accounts = {
        MANAGER: account(image(1, BUILD)),
        BUILD: account(image(2, SHOP, STRANGER)),
        SHOP: account(image(3)),
        SANDBOX: account(image(4)),
    }
    named = {"shop": SHOP, "sandbox": SANDBOX, "build": BUILD}
    accounts |= {named[name]: changed for name, changed in changes.items()}
    return Estate(accounts, FakeOrganization(ORGANIZATION, MANAGER, tree=TREE))


def audit_json(
    run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str, account_id: str = MANAGER
) -> tuple[int, dict[str, Any]]:
    run = run_amiguard("audit", "--format", "json", "--trust", "own", *arguments, env=fake.environment(account_id))
    assert run.err == ""
    return run.code, json.loads(run.out)


def statuses(document: dict[str, Any]) -> dict[str, str]:
    """`account/image number` -> status; `account/-` for a whole target."""
    return {
        f"{result['account_id'][0]}/{int(result['image']['id'][4:], 16) if result['image'] else '-'}": result["status"]
        for result in document["results"]
    }


def targets(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(one["account_id"][0], one["region"], one["status"]) for one in document["targets"]}


def reasons(document: dict[str, Any]) -> dict[str, str]:
    return {one["account_id"][0]: one["reason"] for one in document["targets"] if one["region"] == "*"}


def test_one_command_audits_every_account_of_the_organization(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate()) as fake:
        code, document = audit_json(run_amiguard, fake, *ARGUMENTS)
        assert fake.stats.calls["AssumeRole"] == 3
        assert fake.stats.calls["DescribeOrganization"] == 1
        assert fake.stats.calls["ListAccounts"] == 1
        assert fake.stats.signature_failures == 0
    assert code == 1
    assert statuses(document) == {"1/1": "pass", "2/2": "fail", "3/3": "pass", "4/4": "pass"}
    audited = {(number, region, "audited") for number in "1234" for region in ("eu-central-1", "us-east-1")}
    skipped = {(number, "af-south-1", "skipped") for number in "1234"} | {("5", "*", "skipped")}
    assert targets(document) == audited | skipped
    assert reasons(document) == {"5": "the account is suspended"}
    assert document["audit"]["complete"] is True
    assert {one["account_id"][0]: one["account_name"] for one in document["targets"]} == {
        "1": "Management",
        "2": "Build",
        "3": "Shop",
        "4": "Playground",
        "5": "Old",
    }
    assert document["summary"]["api_calls"]["AssumeRole"] == 3


def test_the_table_names_accounts_and_ends_with_what_was_not_seen(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate(shop=account(image(3), roles={}))) as fake:
        run = run_amiguard("audit", "--trust", "own", *ARGUMENTS, env=fake.environment(MANAGER))
    assert run.code == 1
    assert f"\n{BUILD}  us-east-1  Build\n" in run.out
    not_seen = run.out[run.out.index("Not seen") : run.out.index("Verdict")]
    assert re.search(rf"failed +{SHOP}  all regions: .*AmiguardAudit", re.sub(r"\s*\n\s+", " ", not_seen))
    assert re.search(rf"skipped +{CLOSED}  all regions: the account is suspended", not_seen)
    assert "The audit is incomplete: 1 target failed, 1 result is unknown." in re.sub(r"\s+", " ", run.out)


@pytest.mark.parametrize(
    "roles",
    [
        {},
        {"AmiguardAudit": FakeRole(trusts=frozenset({STRANGER}))},
        {"AmiguardAudit": FakeRole(external_id="another")},
        {"AmiguardAudit": FakeRole(leads_to=STRANGER)},
    ],
    ids=["no role", "trusts someone else", "wrong external id", "leads elsewhere"],
)
def test_an_account_that_cannot_be_entered_is_failed_and_the_rest_goes_on(
    run_amiguard: RunAmiguard, roles: dict[str, FakeRole]
) -> None:
    with FakeEc2(estate(shop=account(image(3), roles=roles), build=account(image(2)))) as fake:
        code, document = audit_json(run_amiguard, fake, *ARGUMENTS, "--external-id", "mine")
    assert code == 3
    assert statuses(document) == {"1/1": "pass", "2/2": "pass", "3/-": "unknown", "4/4": "pass"}
    assert ("3", "*", "failed") in targets(document)
    assert document["audit"]["complete"] is False


def test_a_role_that_asks_for_the_external_id_gets_it(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(estate(shop=account(image(3), roles={"AmiguardAudit": FakeRole(external_id="mine")}))) as fake:
        code, document = audit_json(run_amiguard, fake, *ARGUMENTS, "--external-id", "mine")
    assert statuses(document)["3/3"] == "pass"
    assert code == 1


SETTINGS = """\
version: 1
trust:
  organizations: [own]
targets:
  organization:
    role_name: AmiguardAudit
"""


@pytest.mark.parametrize(
    ("selection", "audited", "skipped"),
    [
        ("", "1234", {"5": "the account is suspended"}),
        (
            f"    include: {{units: [{WORKLOADS}]}}\n",
            "23",
            {"1": "not included", "4": "not included", "5": "not included"},
        ),
        (
            f"    exclude: {{units: [{SAND}]}}\n",
            "123",
            {"4": f"excluded by unit {SAND} (Sandbox)", "5": f"excluded by unit {SAND} (Sandbox)"},
        ),
        (
            "    include: {tags: [stage=prod]}\n",
            "3",
            {"1": "not included", "2": "not included", "4": "not included", "5": "the account is suspended"},
        ),
        (
            f'    exclude: {{accounts: ["{BUILD}"]}}\n',
            "134",
            {"2": "excluded by account id", "5": "the account is suspended"},
        ),
    ],
)
def test_include_and_exclude(
    run_amiguard: RunAmiguard, tmp_path: Path, selection: str, audited: str, skipped: dict[str, str]
) -> None:
    (tmp_path / "amiguard.yaml").write_text(SETTINGS + selection)
    with FakeEc2(estate(build=account(image(2)))) as fake:
        run = run_amiguard("audit", "--quiet", "--format", "json", env=fake.environment(MANAGER))
    document = json.loads(run.out)
    assert run.code == 0
    assert {number for number, _, status in targets(document) if status == "audited"} == set(audited)
    assert reasons(document) == skipped


def test_suspended_accounts_fail_if_the_settings_say_so(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(SETTINGS + "  suspended: fail\n")
    with FakeEc2(estate(build=account(image(2)))) as fake:
        run = run_amiguard("audit", "--format", "json", env=fake.environment(MANAGER))
    assert run.code == 3
    assert statuses(json.loads(run.out))["5/-"] == "unknown"


@pytest.mark.parametrize(
    ("arguments", "account_id", "err"),
    [
        (
            ARGUMENTS,
            BUILD,
            "amiguard: error: the accounts of the organization could not be listed: not permitted: "
            f"organizations:ListAccounts (AWS answers it to the management account {MANAGER} and to delegated "
            "administrators only)\n"
            "  hint: use credentials of the management account or of a delegated administrator, or a directory that "
            "was saved there (`amiguard trust snapshot`, then --directory)\n",
        ),
        (
            ("--account", BUILD),
            MANAGER,
            f"amiguard: error: {BUILD} is not the account of your credentials, and nothing says which role to assume "
            "there: give it a role_arn or a profile under targets.accounts, or add --role-name\n",
        ),
    ],
)
def test_what_cannot_be_audited_is_said_before_anything_is_done(
    run_amiguard: RunAmiguard, arguments: tuple[str, ...], account_id: str, err: str
) -> None:
    with FakeEc2(estate()) as fake:
        run = run_amiguard("audit", "--trust", STRANGER, *arguments, env=fake.environment(account_id))
        assert "DescribeImages" not in fake.stats.calls
    assert (run.code, run.out, run.err) == (2, "", err)


def test_an_unknown_unit_is_an_error_that_names_it(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(SETTINGS + "    exclude: {units: [ou-ab12-sandbox1]}\n")
    with FakeEc2(estate()) as fake:
        run = run_amiguard("audit", "--quiet", env=fake.environment(MANAGER))
    assert (run.code, run.out) == (2, "")
    assert "ou-ab12-sandbox1" in run.err
    assert SAND in run.err


def test_named_accounts_by_role_one_of_them_outside_the_organization(run_amiguard: RunAmiguard) -> None:
    accounts = dict(estate().accounts) | {STRANGER: account(image(9, BUILD))}
    with FakeEc2(
        Estate(accounts, FakeOrganization(ORGANIZATION, MANAGER, members=frozenset({MANAGER, BUILD, SHOP}), tree=TREE))
    ) as fake:
        code, document = audit_json(
            run_amiguard, fake, "--account", STRANGER, "--account", BUILD, "--role-name", "AmiguardAudit"
        )
    # `own` is the organization of the audited account: the outsider belongs to none, so that nobody is its own.
    assert statuses(document) == {"2/2": "fail", "9/9": "fail"}
    assert code == 1


def test_a_member_account_resolves_its_organization_by_a_saved_directory(
    run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    directory = tmp_path / "directory.json"
    with FakeEc2(estate()) as fake:
        code, document = audit_json(run_amiguard, fake, account_id=BUILD)
        assert (code, statuses(document)) == (3, {"2/2": "unknown"})
        saved = run_amiguard("trust", "snapshot", str(directory), env=fake.environment(MANAGER))
        assert saved.code == 0
        code, document = audit_json(run_amiguard, fake, "--directory", str(directory), account_id=BUILD)
        assert (code, statuses(document)) == (1, {"2/2": "fail"})
        assert [grant["decision"] for grant in document["results"][0]["grants"]] == ["trusted", "untrusted"]
        assert document["audit"]["directory"]["source"] == "file"
        old = json.loads(directory.read_text())
        old["read_at"] = "2020-01-01T00:00:00Z"
        directory.write_text(json.dumps(old))
        run = run_amiguard(
            "audit", "--trust", "own", "--directory", str(directory), "--format", "json", env=fake.environment(BUILD)
        )
        assert run.code == 3
        assert "older than 7 days" in run.err


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


def settings_with(targets: str) -> str:
    return f"version: 1\ntrust:\n  accounts: ['{BUILD}']\ntargets:\n{targets}"


def profiles(tmp_path: Path, **accounts: str) -> dict[str, str]:
    """An AWS configuration with a profile of each account's own keys."""
    file = tmp_path / "aws-credentials"
    lines = []
    for name, account_id in accounts.items():
        keys = credentials_for(account_id)
        lines += [
            f"[{name}]",
            f"aws_access_key_id={keys.access_key_id}",
            f"aws_secret_access_key={keys.secret_access_key}",
        ]
    file.write_text("\n".join(lines) + "\n")
    return {"AWS_SHARED_CREDENTIALS_FILE": str(file)}


def test_accounts_by_profile_by_a_role_from_a_profile_and_by_a_hub(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    """A role that trusts the hub only is reached through it; one that trusts a profile's account, from there."""
    hub = account(image(2), roles={"Hub": FakeRole()})
    spoke = account(image(3), roles={"Spoke": FakeRole(trusts=frozenset({BUILD}))})
    other = account(image(4, STRANGER), roles={"Other": FakeRole(trusts=frozenset({SHOP}))})
    (tmp_path / "amiguard.yaml").write_text(
        settings_with(
            f"""\
  accounts:
    - {{id: "{BUILD}", profile: build}}
    - {{id: "{SHOP}", role_arn: "arn:aws:iam::{SHOP}:role/Spoke"}}
    - {{id: "{SANDBOX}", profile: shop, role_arn: "arn:aws:iam::{SANDBOX}:role/Other", regions: [us-east-1]}}
  roles:
    chain: ["arn:aws:iam::{BUILD}:role/Hub"]
    session_name: nightly
"""
        )
    )
    with FakeEc2(estate(build=hub, shop=spoke, sandbox=other)) as fake:
        environment = fake.environment(MANAGER) | profiles(tmp_path, build=BUILD, shop=SHOP)
        run = run_amiguard("audit", "--format", "json", env=environment)
        sessions = [call.parameters["RoleSessionName"] for call in fake.stats.recent if call.action == "AssumeRole"]
    assert run.err == ""
    document = json.loads(run.out)
    assert statuses(document) == {"2/2": "pass", "3/3": "pass", "4/4": "fail"}
    assert {region for number, region, _ in targets(document) if number == "4"} == {"us-east-1"}
    assert sessions == ["nightly"] * 3
    assert run.code == 1


@pytest.mark.parametrize(
    ("profile", "reason"),
    [("shop", f"is in account {SHOP}, and not in {BUILD}"), ("nope", "could not be found")],
)
def test_a_profile_that_leads_elsewhere_is_no_audit_of_another_account(
    run_amiguard: RunAmiguard, tmp_path: Path, profile: str, reason: str
) -> None:
    (tmp_path / "amiguard.yaml").write_text(settings_with(f'  accounts: [{{id: "{BUILD}", profile: {profile}}}]\n'))
    with FakeEc2(estate()) as fake:
        environment = fake.environment(MANAGER) | profiles(tmp_path, shop=SHOP)
        run = run_amiguard("audit", "--format", "json", env=environment)
        assert "DescribeImages" not in fake.stats.calls
    assert run.code == 3
    (unread,) = json.loads(run.out)["results"]
    assert (unread["status"], unread["account_id"], unread["image"]) == ("unknown", BUILD, None)
    assert reason in unread["message"]
