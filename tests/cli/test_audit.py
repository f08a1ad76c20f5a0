"""`amiguard audit` as installed, against the fake EC2: whole outputs, exit codes, and what is asked of AWS."""

import json
import os
import re
import signal
import stat
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Disconnect,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    Fault,
    Hang,
    HttpReply,
    Rewrite,
    TruncatedXml,
    account_grant,
    by_id,
    everyone_grant,
    organization_grant,
    raw_grant,
    single_account,
    unit_grant,
)
from tests.conftest import PROGRAM, Run, RunAmiguard, scrubbed_environment

ACCOUNT = "111122223333"
TRUSTED = "222233334444"
STRANGER = "999988887777"
PRIVATE = FakeImage("ami-0000000000000000a", name="private")
SHARED_WELL = FakeImage("ami-0000000000000000b", name="shared", grants=(account_grant(TRUSTED),))
SHARED_BADLY = FakeImage(
    "ami-0000000000000000c",
    name="leaked",
    tags=(("Team", "web"),),
    grants=(account_grant(TRUSTED), account_grant(STRANGER)),
)
PUBLIC = FakeImage("ami-0000000000000000d", name="public", grants=(everyone_grant(),))
ORGANIZATION = "o-abcdefghij"


def regions(*images: FakeImage, others: tuple[str, ...] = ("eu-central-1",), disabled: tuple[str, ...] = ()) -> Estate:
    account: dict[str, FakeRegion] = {"us-east-1": FakeRegion(by_id(*images))}
    account |= {name: FakeRegion() for name in others}
    account |= {name: FakeRegion(opt_in_status="not-opted-in") for name in disabled}
    return Estate({ACCOUNT: FakeAccount(account)})


def audit_json(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str) -> tuple[Run, dict[str, Any]]:
    run = run_amiguard("audit", "--format", "json", *arguments, env=fake.environment(ACCOUNT))
    assert run.err == ""
    document: dict[str, Any] = json.loads(run.out)
    return run, document


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {result["image"]["name"] if result["image"] else "-": result["status"] for result in document["results"]}


def test_a_clean_account_ends_0(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_WELL)) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 0
    assert statuses(document) == {"private": "pass", "shared": "pass"}
    assert document["audit"]["complete"] is True
    assert document["audit"]["caller_arn"] == f"arn:aws:iam::{ACCOUNT}:user/auditor"
    assert document["summary"]["api_calls"] == {
        "DescribeImageAttribute": 2,
        "DescribeImages": 2,
        "DescribeRegions": 1,
        "GetCallerIdentity": 1,
    }


def test_the_table(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_WELL, SHARED_BADLY, PUBLIC, disabled=("af-south-1",))) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT))
    assert run.code == 1
    assert run.err == ""
    assert run.out == (Path(__file__).parent / "expected" / "audit_table.txt").read_text(encoding="utf-8")


def test_jsonl_has_a_header_the_results_and_a_summary(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, "--format", "jsonl", env=fake.environment(ACCOUNT))
    lines = [json.loads(line) for line in run.out.splitlines()]
    assert run.code == 1
    assert [line["type"] for line in lines] == ["header", "result", "result", "summary"]
    assert lines[-1]["complete"] is True
    assert [target["region"] for target in lines[-1]["targets"]] == ["eu-central-1", "us-east-1"]


def test_jsonl_writes_nothing_where_nothing_is_done(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE)) as fake:
        arguments = ("audit", "--trust", TRUSTED, "--format", "jsonl", "--region", "mars-1")
        run = run_amiguard(*arguments, env=fake.environment(ACCOUNT))
    assert (run.code, run.out) == (2, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_audit_that_is_stopped_before_it_began_is_no_traceback(tmp_path: Path, number: signal.Signals) -> None:
    organization = FakeOrganization(ORGANIZATION, ACCOUNT)
    stopper = Stopper(number)
    fault = Fault(Rewrite(stopper), action="DescribeOrganization")
    with (
        FakeEc2(Estate(regions(PRIVATE).accounts, organization), faults=[fault]) as fake,
        subprocess.Popen(
            [PROGRAM, "audit", "--trust", "own"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        stopper.watch(program)
        out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (130, "", "")


class Stopper:
    """Sends a signal to a program in the middle of a call."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        self._started = threading.Event()

    def watch(self, program: "subprocess.Popen[str]") -> None:
        self._program = program
        self._started.set()

    def __call__(self, body: bytes) -> bytes:
        self._started.wait(60)
        self._program.send_signal(self._number)
        return body


def test_filters_on_what_is_shown_change_neither_counts_nor_the_exit_code(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED, "--status", "pass")
    assert run.code == 1
    assert statuses(document) == {"private": "pass"}
    assert document["summary"]["fail"] == 1


def test_filters_on_what_is_asked_narrow_the_audit(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED, "--image", PRIVATE.id)
        assert (run.code, statuses(document)) == (0, {"private": "pass"})
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED, "--tag", "Team=web")
        assert (run.code, statuses(document)) == (1, {"leaked": "fail"})
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED, "--region", "eu-central-1")
        assert (run.code, statuses(document)) == (0, {})
        assert fake.stats.calls["DescribeImageAttribute"] == 2


def test_a_named_image_that_is_nowhere_is_an_error(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE)) as fake:
        arguments = ("audit", "--trust", TRUSTED, "--image", PRIVATE.id, "--image", "ami-0000000000000dead")
        run = run_amiguard(*arguments, env=fake.environment(ACCOUNT))
        assert (run.code, run.out) == (2, "")
        assert run.err == (
            "amiguard: error: not found among the images that were asked for: ami-0000000000000dead\n"
            "  hint: check the id, the account and --region\n"
        )
        # Where a region could not be read, it may be there.
        fake.set_faults(Fault(AwsError("UnauthorizedOperation"), action="DescribeImages", region="eu-central-1"))
        assert run_amiguard(*arguments, env=fake.environment(ACCOUNT)).code == 3


@pytest.mark.parametrize(("images", "code"), [((PRIVATE,), 3), ((PRIVATE, SHARED_BADLY), 1)])
def test_one_of_four_regions_denied(run_amiguard: RunAmiguard, images: tuple[FakeImage, ...], code: int) -> None:
    denied = AwsError(
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/auditor is not "
        "authorized to perform: ec2:DescribeImages with an explicit deny in a service control policy",
        403,
    )
    estate = regions(*images, others=("eu-central-1", "eu-west-1", "us-west-2"))
    with FakeEc2(estate, faults=[Fault(denied, action="DescribeImages", region="eu-west-1")]) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == code
    assert document["audit"]["complete"] is False
    assert {target["region"]: target["status"] for target in document["targets"]} == {
        "eu-central-1": "audited",
        "eu-west-1": "failed",
        "us-east-1": "audited",
        "us-west-2": "audited",
    }
    (unread,) = [result for result in document["results"] if result["image"] is None]
    assert (unread["status"], unread["region"]) == ("unknown", "eu-west-1")
    assert unread["message"] == (
        "The images could not be listed: a service control policy denies ec2:DescribeImages "
        "(an administrator of the organization can allow it; --region leaves a region out)"
    )


def test_a_denied_image_is_unknown_and_names_the_missing_action(run_amiguard: RunAmiguard) -> None:
    fault = Fault(AwsError("UnauthorizedOperation", "No.", 403), action="DescribeImageAttribute", image_id=PRIVATE.id)
    with FakeEc2(regions(PRIVATE, SHARED_WELL), faults=[fault]) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 3
    assert statuses(document) == {"private": "unknown", "shared": "pass"}
    assert "grant ec2:DescribeImageAttribute to the caller" in document["results"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (
            ("--region", "eu-centrl-1"),
            "amiguard: error: there is no region 'eu-centrl-1'\n  hint: did you mean eu-central-1, us-east-1?\n",
        ),
        (
            ("--region", "af-south-1"),
            "amiguard: error: the region af-south-1 is not enabled in this account\n"
            "  hint: enable it under Account, AWS Regions; or leave it out\n",
        ),
    ],
)
def test_a_wrong_region_is_a_usage_error(run_amiguard: RunAmiguard, arguments: tuple[str, ...], err: str) -> None:
    with FakeEc2(regions(PRIVATE, disabled=("af-south-1",))) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, *arguments, env=fake.environment(ACCOUNT))
    assert (run.code, run.out, run.err) == (2, "", err)


def test_regions_that_are_not_enabled_are_skipped_and_said(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, disabled=("af-south-1",))) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 0
    assert document["targets"][0] == {
        "account_id": ACCOUNT,
        "region": "af-south-1",
        "status": "skipped",
        "reason": "the region is not enabled",
        "images": 0,
    }


def test_without_describe_regions_the_named_regions_are_taken(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(
        regions(SHARED_BADLY), faults=[Fault(AwsError("UnauthorizedOperation"), action="DescribeRegions")]
    ) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT))
        assert (run.code, run.err) == (
            2,
            "amiguard: error: the regions of the account could not be listed: not permitted: ec2:DescribeRegions\n"
            "  hint: grant ec2:DescribeRegions to the caller; or name the regions with --region\n",
        )
        run = run_amiguard("audit", "--trust", TRUSTED, "--region", "us-east-1", env=fake.environment(ACCOUNT))
        assert (run.code, run.err) == (
            1,
            f"amiguard: warning: {ACCOUNT}: the regions could not be checked, and are taken as named: "
            "not permitted: ec2:DescribeRegions\n",
        )


@pytest.mark.parametrize(
    ("trust", "organization", "expected"),
    [
        (
            "own",
            FakeOrganization(ORGANIZATION, ACCOUNT),
            {"account": "fail", "organization": "pass", "unit": "pass"},
        ),
        # Another account manages it: a member may ask which organization it is, and not who is in it.
        (
            "own",
            FakeOrganization(ORGANIZATION, TRUSTED),
            {"account": "unknown", "organization": "pass", "unit": "pass"},
        ),
        ("own", None, {"account": "fail", "organization": "fail", "unit": "fail"}),
        (
            "own",
            FakeOrganization(ORGANIZATION, ACCOUNT, denied=frozenset({ACCOUNT})),
            {"account": "unknown", "organization": "unknown", "unit": "unknown"},
        ),
        (
            "o-zzzzzzzzzz",
            FakeOrganization(ORGANIZATION, ACCOUNT),
            {"account": "fail", "organization": "fail", "unit": "fail"},
        ),
        (
            f"{ORGANIZATION}/ou-root-aaaaaaaa",
            FakeOrganization(ORGANIZATION, ACCOUNT),
            {"account": "fail", "organization": "fail", "unit": "unknown"},
        ),
    ],
)
def test_organizations(
    run_amiguard: RunAmiguard, trust: str, organization: FakeOrganization | None, expected: dict[str, str]
) -> None:
    manager = organization.management_account if organization else ACCOUNT
    arn = f"arn:aws:organizations::{manager}:organization/{ORGANIZATION}"
    unit = f"arn:aws:organizations::{manager}:ou/{ORGANIZATION}/ou-root-bbbbbbbb"
    images = (
        FakeImage("ami-0000000000000000a", name="account", grants=(account_grant(STRANGER),)),
        FakeImage("ami-0000000000000000b", name="organization", grants=(organization_grant(arn),)),
        FakeImage("ami-0000000000000000c", name="unit", grants=(unit_grant(unit),)),
    )
    account = FakeAccount({"us-east-1": FakeRegion(by_id(*images))})
    with FakeEc2(Estate({ACCOUNT: account}, organization)) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", trust)
        assert fake.stats.calls["DescribeOrganization"] == 1
    assert statuses(document) == expected
    assert run.code == (1 if "fail" in expected.values() else 3)


def test_an_image_that_this_version_does_not_understand_is_unknown(run_amiguard: RunAmiguard) -> None:
    image = FakeImage(PRIVATE.id, name="future", grants=(account_grant(TRUSTED), raw_grant("<newKind>x</newKind>")))
    with FakeEc2(regions(image)) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 3
    assert [grant["decision"] for grant in document["results"][0]["grants"]] == ["trusted", "undetermined"]


def test_a_thousand_grantees(run_amiguard: RunAmiguard) -> None:
    grants = tuple(account_grant(f"{number:012}") for number in range(1000))
    with FakeEc2(regions(FakeImage(PRIVATE.id, grants=grants))) as fake:
        _, document = audit_json(run_amiguard, fake, "--trust", "000000000007")
        table = run_amiguard("audit", "--trust", "000000000007", env=fake.environment(ACCOUNT))
    decisions = [grant["decision"] for grant in document["results"][0]["grants"]]
    assert (decisions.count("untrusted"), decisions.count("trusted")) == (999, 1)
    assert "995 more untrusted accounts" in re.sub(r"\s+", " ", table.out)


HOSTILE_NAMES = [
    "\x9b31m\x85",
    "right\u202eleft",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "[red]markup[/red]",
    "two\nlines\t::error::x",
    "a\u200bb\ufeff",
    "name",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_reach_no_terminal(run_amiguard: RunAmiguard, name: str) -> None:
    image = FakeImage(PRIVATE.id, name=name, tags=((name, name),), grants=(account_grant(STRANGER),))
    with FakeEc2(regions(image)) as fake:
        table = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT))
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert (table.code, run.code) == (1, 1)
    for text in (table.out, run.out):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    assert document["results"][0]["image"]["name"] == name
    assert document["results"][0]["image"]["tags"] == {name: name}


def test_no_trust_policy_says_what_to_write(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("audit")
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: no trust policy: nothing says whom you trust to launch your images\n"
        "  hint: name them with --trust ID, or write a settings file with `amiguard trust init`\n",
    )


def test_settings_and_trust_add_up(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        f"""\
version: 1
trust:
  accounts:
    - {{id: "{TRUSTED}", name: Staging, expires: 2020-01-31}}
exceptions:
  - images: {{ids: [{PUBLIC.id}]}}
    grantees: [everyone]
    reason: marketplace
    owner: web@example.com
targets:
  regions: [us-east-1]
"""
    )
    with FakeEc2(regions(SHARED_WELL, PUBLIC)) as fake:
        run = run_amiguard("audit", "--format", "json", env=fake.environment(ACCOUNT))
        document = json.loads(run.out)
        assert run.code == 1
        assert statuses(document) == {"shared": "fail", "public": "suppressed"}
        assert [target["region"] for target in document["targets"]] == ["us-east-1"]
        assert "expires" in run.err
        run = run_amiguard("audit", "--quiet", "--trust", TRUSTED, "--format", "json", env=fake.environment(ACCOUNT))
        assert (run.code, run.err) == (0, "")


def test_no_credentials(run_amiguard: RunAmiguard) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    run = run_amiguard("audit", "--trust", TRUSTED, env=environment)
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: no AWS credentials were found\n"
        "  hint: set AWS_PROFILE or --profile, run `aws sso login`, or export AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY\n",
    )


def test_a_profile_that_does_not_exist(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("audit", "--trust", TRUSTED, "--profile", "nope")
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: The config profile (nope) could not be found\n"
        "  hint: `aws configure list-profiles` lists those that exist\n",
    )


def test_expired_credentials(run_amiguard: RunAmiguard) -> None:
    fault = Fault(AwsError("ExpiredToken", "The security token included in the request is expired", 403))
    with FakeEc2(regions(PRIVATE), faults=[fault]) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT, session=True))
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: could not ask AWS who is calling: the credentials have expired\n"
        "  hint: renew them (`aws sso login`, or new keys), and run the command again\n",
    )


def test_credentials_that_expire_during_the_audit_leave_no_false_pass(run_amiguard: RunAmiguard) -> None:
    images = tuple(FakeImage(f"ami-{number:017x}", name=str(number)) for number in range(50))
    fault = Fault(AwsError("RequestExpired"), action="DescribeImageAttribute", skip=10)
    with FakeEc2(regions(*images), faults=[fault]) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 3
    assert len(document["results"]) == 50
    assert document["summary"]["pass"] == 10
    assert document["summary"]["unknown"] == 40


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not a url", "ftp://127.0.0.1/"])
def test_a_wrong_endpoint(run_amiguard: RunAmiguard, url: str) -> None:
    run = run_amiguard("audit", "--trust", TRUSTED, "--endpoint-url", url, env={"AWS_MAX_ATTEMPTS": "1"})
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("amiguard: error: ")
    assert "Traceback" not in run.err
    assert "AWS_ENDPOINT_URL" in run.err


def test_a_server_that_speaks_html(run_amiguard: RunAmiguard) -> None:
    page = HttpReply(200, b"<!DOCTYPE html><html><body>Log in</body></html>", "text/html")
    with FakeEc2(regions(PRIVATE), faults=[Fault(page)]) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT))
        assert (run.code, run.out) == (2, "")
        assert "Traceback" not in run.err
        fake.set_faults(Fault(page, action="DescribeImages"))
        run = run_amiguard("audit", "--trust", TRUSTED, "--region", "us-east-1", env=fake.environment(ACCOUNT))
    assert run.code == 3
    assert "HTTP 200: the reply is HTML" in run.out


@pytest.mark.parametrize("effect", [Disconnect(), TruncatedXml()], ids=repr)
def test_a_connection_that_breaks_once_is_tried_again(
    run_amiguard: RunAmiguard, effect: Disconnect | TruncatedXml
) -> None:
    with FakeEc2(regions(SHARED_BADLY), faults=[Fault(effect, action="DescribeImageAttribute", times=2)]) as fake:
        run, _ = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 1


def test_the_report_goes_to_a_private_file_and_replaces_it_whole(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    with FakeEc2(regions(PRIVATE)) as fake:
        arguments = ("audit", "--trust", TRUSTED, "--format", "json", "--output", str(report))
        run = run_amiguard(*arguments, env=fake.environment(ACCOUNT))
    assert (run.code, run.out, run.err) == (0, "", "")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert json.loads(report.read_text())["summary"]["pass"] == 1


def test_an_unwritable_file_is_found_before_anything_is_asked(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(regions(PRIVATE)) as fake:
        arguments = ("audit", "--trust", TRUSTED, "--output", str(tmp_path / "no" / "report.txt"))
        run = run_amiguard(*arguments, env=fake.environment(ACCOUNT))
        assert not fake.stats.calls
    assert (run.code, run.out) == (2, "")
    assert "does not exist" in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--image", "i-123"), "is no image id"),
        (("--tag", "=x"), "has no key"),
        (("--read-bucket", "fast"), "is neither BURST+REFILL (100+20) nor none"),
        (("--read-bucket", "0+20"), "is neither BURST+REFILL (100+20) nor none"),
        (("--trust", "12345678901"), "an account id has 12 digits, this has 11"),
        (("--format", "xml"), "there is no format 'xml'"),
    ],
)
def test_bad_options_are_usage_errors(run_amiguard: RunAmiguard, arguments: tuple[str, ...], message: str) -> None:
    run = run_amiguard("audit", "--trust", TRUSTED, *arguments)
    assert (run.code, run.out) == (2, "")
    assert message in re.sub(r"\s+", " ", run.err)


def test_an_interrupted_audit_writes_what_it_knows(tmp_path: Path) -> None:
    """SIGINT while one region hangs: the other's results are there, the hanging one is failed, and it ends 130."""
    fault = Fault(Hang(), action="DescribeImageAttribute", region="eu-central-1")
    account = {"us-east-1": FakeRegion(by_id(SHARED_BADLY)), "eu-central-1": FakeRegion(by_id(PRIVATE))}
    with FakeEc2(Estate({ACCOUNT: FakeAccount(account)}), faults=[fault]) as fake:
        program = subprocess.Popen(
            [PROGRAM, "audit", "--trust", TRUSTED, "--format", "jsonl"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with program:
            assert program.stdout is not None
            assert program.stderr is not None
            lines = [program.stdout.readline(), program.stdout.readline()]  # the header, and us-east-1 has ended
            program.send_signal(signal.SIGINT)
            lines += program.stdout.readlines()
            err = program.stderr.read()
    header, leaked, unread, summary = map(json.loads, lines)
    assert program.returncode == 130
    assert err == ""
    assert header["type"] == "header"
    assert leaked["status"] == "fail"
    assert (unread["image"], unread["status"], unread["region"]) == (None, "unknown", "eu-central-1")
    assert unread["message"] == "The images could not be listed: interrupted"
    assert summary["complete"] is False
    assert {target["region"]: target["status"] for target in summary["targets"]} == {
        "eu-central-1": "failed",
        "us-east-1": "audited",
    }


def test_a_reader_that_went_away_is_no_traceback(tmp_path: Path) -> None:
    images = tuple(FakeImage(f"ami-{number:017x}", grants=(account_grant(STRANGER),)) for number in range(2000))
    with FakeEc2(regions(*images)) as fake:
        environment = scrubbed_environment(tmp_path, fake.environment(ACCOUNT))
        command = f"'{PROGRAM}' audit --trust {TRUSTED} --read-bucket none | head -n 1"
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.stdout, done.stderr) == ("Shared with grantees that are not trusted\n", "")


def test_the_log_is_structured_and_holds_no_secret(run_amiguard: RunAmiguard) -> None:
    fault = Fault(AwsError("RequestLimitExceeded", status=503), action="DescribeImageAttribute", times=1)
    with FakeEc2(regions(PRIVATE), faults=[fault, Fault(HttpReply(502), action="DescribeImages", times=1)]) as fake:
        environment = fake.environment(ACCOUNT, session=True)
        run = run_amiguard("audit", "--trust", TRUSTED, "--verbose", env=environment)
    assert run.code == 0
    events = [json.loads(line) for line in run.err.splitlines()]
    assert {event["event"] for event in events} == {"images listed", "throttled", "trying again", "target ended"}
    for secret in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert environment[secret] not in run.err + run.out


def test_every_request_is_signed_and_only_reads(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(single_account(PRIVATE, SHARED_WELL, SHARED_BADLY), verify_every=1) as fake:
        audit_json(run_amiguard, fake, "--trust", TRUSTED)
        assert fake.stats.signature_failures == 0
        assert fake.stats.signatures_checked == fake.stats.calls.total()
        assert all(action.startswith(("Describe", "Get")) for action in fake.stats.calls)


def test_no_progress_where_nobody_watches_and_progress_on_a_terminal(tmp_path: Path) -> None:
    with FakeEc2(regions(PRIVATE)) as fake:
        controller, terminal = os.openpty()
        environment = scrubbed_environment(tmp_path, {**fake.environment(ACCOUNT), "TERM": "xterm"})
        shown: list[bytes] = []

        def watch() -> None:
            try:
                while chunk := os.read(controller, 4096):
                    shown.append(chunk)
            except OSError:  # the other side has closed the terminal
                pass

        watcher = threading.Thread(target=watch)
        watcher.start()
        done = subprocess.run(
            [PROGRAM, "audit", "--trust", TRUSTED],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=False,
        )
        os.close(terminal)
        watcher.join()
        os.close(controller)
    assert done.returncode == 0
    assert b"auditing: targets" in b"".join(shown)
    assert b"auditing" not in done.stdout


def test_a_tag_that_no_image_has_is_an_error_and_a_narrowed_report_says_so(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, "--tag", "Team=wbe", env=fake.environment(ACCOUNT))
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith("amiguard: error: no image has the tags that were asked for: Team=wbe\n")
        _, document = audit_json(run_amiguard, fake, "--trust", TRUSTED, "--tag", "Team=web")
        assert document["audit"]["narrowed_to"] == {"images": [], "tags": ["Team=web"]}
        run = run_amiguard("audit", "--trust", TRUSTED, "--image", PRIVATE.id, env=fake.environment(ACCOUNT))
        assert f"Only these images were asked for: {PRIVATE.id}." in run.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output", "a", "--checkpoint", "./a"), "--checkpoint and the table report are one file: a"),
        (("--output", "amiguard.yaml"), "the settings file and the table report are one file: amiguard.yaml"),
        (("--checkpoint", "d", "--directory", "d"), "--checkpoint and --directory are one file: d"),
    ],
)
def test_a_file_that_is_read_or_written_is_not_written_over(
    run_amiguard: RunAmiguard, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    settings = f'version: 1\ntrust:\n  accounts: ["{TRUSTED}"]\n'
    (tmp_path / "amiguard.yaml").write_text(settings)
    run = run_amiguard("audit", *arguments)
    assert (run.code, run.out) == (2, "")
    assert run.err.split(": ", 2)[2].startswith(message.split(": ", maxsplit=1)[0])
    assert (tmp_path / "amiguard.yaml").read_text() == settings


@pytest.mark.parametrize(
    ("arguments", "redirect"),
    [
        (("audit", "--trust", TRUSTED), ">&-"),
        (("audit", "--trust", TRUSTED), ">/dev/full"),
        (("audit", "--trust", TRUSTED, "--format", "jsonl"), ">/dev/full"),
        (("trust", "schema"), ">/dev/full"),
    ],
)
def test_an_output_that_cannot_be_written_is_no_finding(
    tmp_path: Path, arguments: tuple[str, ...], redirect: str
) -> None:
    """Python would end with 1 and a traceback, and 1 says that untrusted sharing was found."""
    with FakeEc2(regions(SHARED_BADLY)) as fake:
        done = subprocess.run(
            ["/bin/sh", "-c", f"'{PROGRAM}' {' '.join(arguments)} {redirect}"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("amiguard: error: ")
    assert "Traceback" not in done.stderr
