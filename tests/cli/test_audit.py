"""`amiguard audit` as installed, against the fake EC2: whole outputs, verdicts, filters, and what is asked of AWS."""

import json
import re
import stat
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeOrganization,
    FakeRegion,
    Fault,
    HttpReply,
    account_grant,
    by_id,
    organization_grant,
    raw_grant,
    single_account,
    unit_grant,
)
from tests.cli.audit_runs import (
    ACCOUNT,
    ORGANIZATION,
    PRIVATE,
    PUBLIC,
    SHARED_BADLY,
    SHARED_WELL,
    STRANGER,
    TRUSTED,
    audit_json,
    regions,
    statuses,
)
from tests.conftest import RunAmiguard


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


def test_the_report_goes_to_a_private_file_and_replaces_it_whole(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    with FakeEc2(regions(PRIVATE)) as fake:
        arguments = ("audit", "--trust", TRUSTED, "--format", "json", "--output", str(report))
        run = run_amiguard(*arguments, env=fake.environment(ACCOUNT))
    assert (run.code, run.out, run.err) == (0, "", "")
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert json.loads(report.read_text())["summary"]["pass"] == 1


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


def test_a_tag_that_no_image_has_is_an_error_and_a_narrowed_report_says_so(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, "--tag", "Team=wbe", env=fake.environment(ACCOUNT))
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith("amiguard: error: no image has the tags that were asked for: Team=wbe\n")
        _, document = audit_json(run_amiguard, fake, "--trust", TRUSTED, "--tag", "Team=web")
        assert document["audit"]["narrowed_to"] == {"images": [], "tags": ["Team=web"]}
        run = run_amiguard("audit", "--trust", TRUSTED, "--image", PRIVATE.id, env=fake.environment(ACCOUNT))
        assert f"Only these images were asked for: {PRIVATE.id}." in run.out
