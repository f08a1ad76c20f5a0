"""`amiguard policy` as installed: what is printed where, bad input, and what the documentation shows."""

import json
import re
import shlex
from pathlib import Path

import pytest

from amiguard.core.iam.guardrails import LONGEST_SCP
from tests.conftest import RunAmiguard

DOCS = (Path(__file__).parents[2] / "docs" / "iam.md").read_text(encoding="utf-8")
SETTINGS = re.findall(r"```yaml\n(version.*?)```", DOCS, re.DOTALL)
SHOWN = re.findall(r"```console\n\$ amiguard (policy [^\n]*)\n(.*?)```", DOCS, re.DOTALL)
PRINCIPAL = "arn:aws:iam::*:role/AmiguardRemediation"


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_the_documentation_shows_what_is_printed(
    run_amiguard: RunAmiguard, tmp_path: Path, command: str, output: str
) -> None:
    [settings] = SETTINGS
    (tmp_path / "org.yaml").write_text(settings)

    run = run_amiguard(*shlex.split(command))

    assert (run.code, run.out) == (0, output)


def test_the_documentation_shows_every_command() -> None:
    shown = {command.split()[1] for command, _ in SHOWN}
    assert shown == {"audit", "remediation", "organization", "guardrails"}


def test_stdout_is_the_policy_and_stderr_says_why(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("policy", "audit", "--check", "ami-block-public-access")
    quiet = run_amiguard("policy", "audit", "--check", "ami-block-public-access", "-q")
    explained = run_amiguard("policy", "audit", "--check", "ami-block-public-access", "--explain")

    actions = re.findall(r'"([a-z0-9]+:[A-Za-z]+)"', run.out)
    assert sorted(line.split(": ")[0] for line in run.err.splitlines()) == sorted(actions)
    assert "without it every image is unknown" in run.err
    assert (quiet.out, quiet.err) == (run.out, "")
    assert explained.err == ""
    assert sorted(re.findall(r"^\| `(\S+)` \|", explained.out, re.MULTILINE)) == sorted(actions)


def test_the_role_of_audits_reads_what_wider_plans_need(run_amiguard: RunAmiguard) -> None:
    for option, check in (
        ("--snapshots", "ami-snapshot-cross-account"),
        ("--block-public-access", "ami-block-public-access"),
    ):
        for command in ("audit", "organization"):
            named = ("policy", command, "--role-name", "Audit") if command == "organization" else ("policy", command)
            by_option, by_check = run_amiguard(*named, option), run_amiguard(*named, "--check", check)
            assert (by_option.code, by_option.out, by_option.err) == (0, by_check.out, by_check.err)
    plain = run_amiguard("policy", "audit")
    assert plain.out != run_amiguard("policy", "audit", "--snapshots").out

    template = run_amiguard("policy", "organization", "--remediation", "--snapshots", "--format", "cloudformation")
    roles = json.loads(template.out)["Resources"]
    statements = {
        kind: {one["Sid"] for one in roles[kind]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]}
        for kind in ("AuditRole", "RemediationRole")
    }
    assert all("ReadSnapshotPermissions" in sids for sids in statements.values())
    assert ["ChangeSnapshotPermissions" in sids for sids in statements.values()] == [False, True]


def test_hostile_texts_of_the_settings_reach_no_terminal_as_they_are(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        "version: 1\ntrust: nobody\nremediation:\n  protected_images:\n"
        '    {names: ["\\e[31mred\\u202e|<b>"], tags: ["\\u202ek=v"]}\n'
    )
    run = run_amiguard("policy", "remediation")
    explained = run_amiguard("policy", "remediation", "--explain")

    assert run.code == explained.code == 0
    for text in (run.out, run.err, explained.out):
        assert not set("\x1b\u202e") & set(text)
    assert "<b>" not in explained.out
    json.loads(run.out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("audit", "--partition", "AWS"), "is no partition"),
        (("audit", "--check", "ami-snapshots"), "there is no check"),
        (("audit", "--evidence", "nothing"), "--evidence"),
        (("audit", "--external-id", "7f3c9a"), "add --role-name"),
        (("audit", "--config", "none.yaml"), "none.yaml"),
        (("remediation", "--role-name", "a b"), "the name of a role"),
        (("remediation", "--external-id", "7f3c9a"), "add --role-name"),
        (("organization",), "nothing says which role is assumed"),
        (("organization", "--role-name", "A", "--chain-role", "arn:aws:iam::1:role/B"), "there is none"),
        (
            ("organization", "--role-name", "A", "--chain-role", "x", "--format", "cloudformation"),
            "not those of the chain",
        ),
        (("guardrails",), "--allow-principal"),
        (("guardrails", "--allow-principal", "*"), "is not the ARN"),
        (("guardrails", "--allow-principal", f"{PRINCIPAL}\n"), "is not the ARN"),
        (
            ("guardrails", "--allow-principal", "arn:aws:sts::111122223333:assumed-role/R/me"),
            "name its role, arn:aws:iam::111122223333:role/R",
        ),
        (("guardrails", "--allow-principal", "arn:aws:iam::*:role/*"), "has wildcards alone for a name: a role of"),
        (("guardrails", "--allow-principal", "arn:aws:iam::*:role/ops/*?"), "each with --allow-principal"),
        (("guardrails", "--allow-principal", "arn:aws:iam::111122223333:user/**"), "a user of whatever name"),
        (
            ("guardrails", "--allow-principal", PRINCIPAL, "--role-admin", "arn:aws-cn:iam::*:role/admin"),
            "the principals are of several partitions",
        ),
        (("audit", "--partition", "aws-gov"), "'aws-gov' is no partition of AWS: aws, aws-cn, aws-us-gov, aws-eusc"),
        (("guardrails", "--allow-principal", PRINCIPAL, "--role-admin", "*"), "Invalid value for --role-admin"),
        (
            ("guardrails", "--allow-principal", PRINCIPAL, "--role-admin", "arn:aws:iam::*:role/*"),
            "each with --role-admin: arn:aws:iam::*:role/NAME",
        ),
    ],
)
def test_bad_input_is_told_and_prints_nothing(
    run_amiguard: RunAmiguard, arguments: tuple[str, ...], message: str
) -> None:
    run = run_amiguard("policy", *arguments)

    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.split())


def test_guardrails_become_short_before_they_become_an_error(run_amiguard: RunAmiguard) -> None:
    def printed(accounts: int) -> tuple[int, str, str]:
        trusted = [argument for number in range(accounts) for argument in ("--trust", f"{number:012}")]
        run = run_amiguard("policy", "guardrails", "--allow-principal", PRINCIPAL, *trusted, "-q")
        return run.code, run.out.rstrip("\n"), run.err

    for accounts, lines in ((100, True), (200, False)):
        code, out, _ = printed(accounts)
        assert code == 0
        assert len(out) <= LONGEST_SCP
        assert ("\n" in out) is lines
        assert len(json.loads(out)["Statement"]) == 5
    code, out, err = printed(300)
    assert (code, out) == (2, "")
    assert "Organizations takes 5,120" in err


def test_guardrails_say_who_may_change_the_named_principals(run_amiguard: RunAmiguard) -> None:
    guardrails = ("policy", "guardrails", "--allow-principal", PRINCIPAL)
    admin = "arn:aws:iam::*:role/stacksets-exec-*"
    nobody, somebody = (
        run_amiguard(*guardrails, *more) for more in ((), ("--role-admin", admin, "--role-admin", admin))
    )
    user = run_amiguard("policy", "guardrails", "--allow-principal", "arn:aws:iam::111122223333:user/pipeline")
    root = run_amiguard("policy", "guardrails", "--allow-principal", "arn:aws:iam::111122223333:root")

    assert "in member accounts nobody may create and change the named principals" in nobody.err
    assert "Condition" not in json.loads(nobody.out)["Statement"][-1]
    assert "in member accounts only those of --role-admin may create and change" in somebody.err
    kept = json.loads(somebody.out)["Statement"][-1]
    assert kept["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": admin}}
    assert kept["Resource"] == [PRINCIPAL, admin]
    assert "iam:UpdateAssumeRolePolicy: lets others into the role" in nobody.err
    assert "read their trust policies" in nobody.err
    assert ("iam:CreateAccessKey: " in user.err, "iam:CreateRole: " in user.err) == (True, False)
    assert ["put into groups" in run.err for run in (nobody, user, root)] == [False, True, False]
    assert ["protects a root user" in run.err for run in (nobody, user, root)] == [False, False, True]


def test_guardrails_say_that_the_remediation_role_is_left_out(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        "version: 1\ntrust: {organizations: [own]}\nremediation: {role_name: ops/Fix}\n"
    )
    notes = [
        run_amiguard("policy", "guardrails", "--allow-principal", principal).err
        for principal in (PRINCIPAL, "arn:aws:iam::*:role/ops/F*")
    ]

    assert ["`amiguard apply` is denied" in one for one in notes] == [True, False]
    assert all("members of the organizations" in one for one in notes)
