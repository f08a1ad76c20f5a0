"""`amiguard audit` over many accounts: organization, roles, profiles, and what was not seen."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    Estate,
    FakeEc2,
    FakeOrganization,
    FakeRole,
    credentials_for,
)
from tests.cli.organization_estate import (
    ARGUMENTS,
    BUILD,
    CLOSED,
    MANAGER,
    ORGANIZATION,
    SAND,
    SANDBOX,
    SHOP,
    STRANGER,
    TREE,
    WORKLOADS,
    account,
    audit_json,
    estate,
    image,
    statuses,
    targets,
)
from tests.conftest import RunAmiguard


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
