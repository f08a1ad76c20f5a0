"""`amiguard trust`: the installed program, its whole output and its exit codes."""

import json
import os
import re
from importlib.resources import files
from pathlib import Path

import pytest

from amiguard.files.trust_starter import STARTER
from tests.conftest import Run, RunAmiguard

POLICY = """\
version: 1
trust:
  accounts:
    - {id: "123456789012", name: Staging, expires: 2999-01-31}
    - {id: "210987654321", expires: 2020-01-31}
    - "333333333333"
  organizations: [o-abcdefghij]
exceptions:
  - images: {ids: [ami-0123456789abcdef0]}
    grantees: [everyone]
    reason: marketplace image
    owner: platform@example.com
    expires: 2020-01-01
targets:
  regions: [eu-central-1, us-east-1]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "amiguard.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def test_init_check_add_explain_remove(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    assert run_amiguard("trust", "init") == Run(
        0,
        "",
        "wrote amiguard.yaml: it trusts the organization of the audited account\n"
        "next: read it, then `amiguard trust add ID` or `amiguard trust check`\n",
    )
    path = tmp_path / "amiguard.yaml"
    assert path.read_text(encoding="utf-8") == STARTER

    checked = run_amiguard("trust", "check")
    assert re.sub("[0-9a-f]{64}", "DIGEST", checked.out) == (
        "amiguard.yaml: valid\n"
        "  trusts      1 organization\n"
        "  exceptions  none\n"
        "  targets     the account of your credentials\n"
        "  regions     all\n"
        "  digest      DIGEST\n"
    )
    assert (checked.code, checked.err) == (0, "")

    added = run_amiguard(
        "trust", "add", "012345670123", "--name", "Stage", "--reason", "x: y", "--expires", "2999-12-31"
    )
    assert added == Run(0, "", "amiguard.yaml:19:7: trust.accounts[0]: added 012345670123\n")
    assert path.read_text(encoding="utf-8") == STARTER.replace(
        "  accounts:\n",
        '  accounts:\n    - {id: "012345670123", name: "Stage", reason: "x: y", expires: 2999-12-31}\n',
    )

    assert run_amiguard("trust", "explain", "012345670123") == Run(
        0,
        "012345670123 (account): trusted\n"
        "  because   trusted: account 012345670123 (Stage), until 2999-12-31\n"
        "  see       amiguard.yaml:19:7: trust.accounts[0]\n",
        "",
    )

    assert run_amiguard("trust", "remove", "012345670123") == Run(
        0, "", "amiguard.yaml: removed 012345670123 (Stage)\n"
    )
    assert path.read_text(encoding="utf-8") == STARTER


def test_init_writes_where_it_is_told(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    assert run_amiguard("trust", "init", "--config", "a.yaml").code == 0
    assert run_amiguard("trust", "init", env={"AMIGUARD_CONFIG": "b.yaml"}).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]


def test_init_never_overwrites(run_amiguard: RunAmiguard, settings: Path, tmp_path: Path) -> None:
    assert run_amiguard("trust", "init") == Run(
        2,
        "",
        "amiguard: error: amiguard.yaml is there already: it stays as it is\n  hint: name another file, or move it\n",
    )
    assert settings.read_text(encoding="utf-8") == POLICY

    (tmp_path / "link.yaml").symlink_to("gone.yaml")
    assert run_amiguard("trust", "init", "-c", "link.yaml").code == 2
    assert not (tmp_path / "gone.yaml").exists()


def test_init_into_a_folder_that_is_not_there(run_amiguard: RunAmiguard) -> None:
    assert run_amiguard("trust", "init", "-c", "no/amiguard.yaml") == Run(
        2, "", "amiguard: error: no/amiguard.yaml cannot be written: No such file or directory\n"
    )


def test_check_sums_up_and_warns(run_amiguard: RunAmiguard, settings: Path) -> None:
    run = run_amiguard("trust", "check")

    assert re.sub("[0-9a-f]{64}", "DIGEST", run.out) == (
        "amiguard.yaml: valid\n"
        "  trusts      3 accounts, 1 organization (1 lapsed)\n"
        "  exceptions  1 (1 lapsed)\n"
        "  targets     the account of your credentials\n"
        "  regions     eu-central-1, us-east-1\n"
        "  digest      DIGEST\n"
    )
    assert run.err == (
        "amiguard: warning: amiguard.yaml:5:37: trust.accounts[1].expires: lapsed after 2020-01-31 and "
        "decides nothing: "
        "set a later day, or delete it\n"
        "amiguard: warning: amiguard.yaml:13:14: exceptions[0].expires: lapsed after 2020-01-01 and decides nothing: "
        "set a later day, or delete it\n"
    )
    assert run.code == 0


def test_check_of_a_policy_that_trusts_nobody(run_amiguard: RunAmiguard, settings: Path) -> None:
    settings.write_text("version: 1\ntrust: nobody\n", encoding="utf-8")

    assert "  trusts      nobody\n" in run_amiguard("trust", "check").out


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ('accounts: ["123456789012"]', "1 account"),
        ("organization: {role_name: Audit}", "the organization of your credentials (role Audit)"),
        (
            'accounts: ["123456789012", "210987654321"]\n'
            "  organization:\n"
            "    role_name: path/Audit\n"
            "    include: {units: [ou-ab12-cdefghij], tags: [a, b=c]}\n"
            '    exclude: {accounts: ["333333333333"]}',
            "2 accounts, the organization of your credentials (role path/Audit) only 1 unit, 2 tags without 1 account",
        ),
    ],
)
def test_check_says_what_would_be_audited(run_amiguard: RunAmiguard, settings: Path, targets: str, told: str) -> None:
    settings.write_text(f"version: 1\ntrust: nobody\ntargets:\n  {targets}\n", encoding="utf-8")
    run = run_amiguard("trust", "check")
    assert run.code == 0
    assert f"\n  targets     {told}\n  regions     all\n" in run.out


def test_check_tells_every_mistake(run_amiguard: RunAmiguard, settings: Path) -> None:
    settings.write_text(
        "version: 1\ntrust:\n  accounts:\n    - 12345678901\n    - {id: '123456789012', nmae: x}\n", encoding="utf-8"
    )

    assert run_amiguard("trust", "check") == Run(
        2,
        "",
        "amiguard: error: amiguard.yaml cannot be used: 2 mistakes\n"
        "amiguard.yaml:4:7: trust.accounts[0]: an account id has 12 digits, this has 11\n"
        "amiguard.yaml:5:28: trust.accounts[1].nmae: unknown key, did you mean `name`?\n",
    )


def test_a_file_cannot_write_to_the_terminal(run_amiguard: RunAmiguard, settings: Path) -> None:
    settings.write_text(
        'version: 1\ntrust:\n  accounts:\n    - {id: "123456789012", name: "\\e]0;x\\a\\nfake"}\n  "\\e[31m": x\n',
        encoding="utf-8",
    )
    run = run_amiguard("trust", "check")
    assert run == Run(
        2,
        "",
        "amiguard: error: amiguard.yaml cannot be used: 1 mistake\n"
        'amiguard.yaml:5:3: trust."\\u001b[31m": unknown key; known here: accounts, '
        "organizational_units, organizations\n",
    )

    settings.write_text(
        'version: 1\ntrust:\n  accounts: ["333333333333", {id: "123456789012", name: "\\e]0;x\\a\\nfake"}]\n',
        encoding="utf-8",
    )
    assert run_amiguard("trust", "explain", "123456789012").out == (
        "123456789012 (account): trusted\n"
        "  because   trusted: account 123456789012 (\\x1b]0;x\\x07\\nfake)\n"
        "  see       amiguard.yaml:3:30: trust.accounts[1]\n"
    )
    assert run_amiguard("trust", "remove", "123456789012").err == (
        "amiguard.yaml: removed 123456789012 (\\x1b]0;x\\x07\\nfake)\n"
    )


@pytest.mark.parametrize(
    "command", [("check",), ("add", "123456789012"), ("remove", "123456789012")], ids=["check", "add", "remove"]
)
def test_without_a_settings_file(run_amiguard: RunAmiguard, command: tuple[str, ...]) -> None:
    assert run_amiguard("trust", *command) == Run(
        2,
        "",
        "amiguard: error: there is no settings file\n  hint: `amiguard trust init` writes one to start from\n",
    )
    assert run_amiguard("trust", *command, env={"AMIGUARD_CONFIG": "no.yaml"}) == Run(
        2,
        "",
        "amiguard: error: there is no settings file no.yaml (AMIGUARD_CONFIG)\n"
        "  hint: `amiguard trust init` writes one to start from\n",
    )


def usage_error(command: str, argument: str, message: str) -> Run:
    return Run(
        2,
        "",
        f"Usage: amiguard trust {command} [OPTIONS] {{{argument}}}\n"
        f"Try 'amiguard trust {command} -h' for help.\n\nError: Invalid value for {message}\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("12345678901",), "ID: an account id has 12 digits, this has 11"),
        (("1234-5678-9012",), 'ID: write the account id without separators: "123456789012"'),
        (
            ("arn:aws:iam::123456789012:role/admin",),
            'ID: this ARN names neither an organization nor a unit; to trust its account, write "123456789012"',
        ),
        (("444444444444", "--name", " "), "--name: expected words on one line, without control characters"),
        (("444444444444", "--reason", "a\nb"), "--reason: expected words on one line, without control characters"),
        (("444444444444", "--expires", "tomorrow"), "--expires: expected a day, YYYY-MM-DD"),
        (("444444444444", "--expires", "2999-02-30"), "--expires: the calendar has no day 2999-02-30"),
        (
            ("444444444444", "--expires", "2020-01-01"),
            "--expires: 2020-01-01 is past: such an entry would decide nothing",
        ),
    ],
)
def test_what_add_refuses(run_amiguard: RunAmiguard, settings: Path, arguments: tuple[str, ...], message: str) -> None:
    assert run_amiguard("trust", "add", *arguments) == usage_error("add", "ID", message)
    assert settings.read_text(encoding="utf-8") == POLICY


def test_add_and_remove_refuse_what_changes_nothing(run_amiguard: RunAmiguard, settings: Path) -> None:
    assert run_amiguard("trust", "add", "123456789012") == Run(
        2, "", "amiguard: error: amiguard.yaml:4:7: trust.accounts[0]: 123456789012 stands here already\n"
    )
    assert run_amiguard("trust", "remove", "444444444444") == Run(
        2, "", "amiguard: error: amiguard.yaml: no entry of the trust policy names 444444444444\n"
    )
    assert settings.read_text(encoding="utf-8") == POLICY


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_add_to_a_folder_that_must_not_be_written(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "amiguard.yaml").write_text(POLICY, encoding="utf-8")
    folder.chmod(0o500)
    try:
        run = run_amiguard("trust", "add", "444444444444", cwd=folder)
    finally:
        folder.chmod(0o700)

    assert run == Run(2, "", "amiguard: error: amiguard.yaml cannot be written: Permission denied\n")


def test_schema_prints_what_is_published(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("trust", "schema")

    assert (run.code, run.err) == (0, "")
    assert run.out == files("amiguard.files").joinpath("settings.schema.json").read_text(encoding="utf-8")
    assert json.loads(run.out)["title"] == "amiguard.yaml"
