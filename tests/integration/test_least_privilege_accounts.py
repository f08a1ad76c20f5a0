"""Accounts that are named one by one: entered directly, by a role or by a profile, under exactly what is printed."""

import json
import re

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from tests.integration.least_privilege_world import (
    AUDIT,
    EXTERNAL_ID,
    IMAGES,
    REMEDIATION,
    REST,
    SETTINGS,
    STRANGER,
    TRUST,
    Document,
    Result,
    World,
    without,
)
from tests.integration.moto_clients import ACCOUNT as HUB
from tests.integration.moto_clients import code_of, opened

ALL = ("--check", "all", "--evidence", "all")
PROFILE = "elsewhere"
PLAN, JOURNAL = "plan.json", "journal.jsonl"


def role_of(account_id: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:role/{name}"


def name_accounts(world: World, *entries: str) -> None:
    listed = "\n".join(f"    - {{{one}}}" for one in entries)
    world.settings(f"version: 1\n{TRUST}\ntargets:\n  accounts:\n{listed}\n{REST}\n")


def by_role(world: World) -> str:
    return f'id: "{world.member}", role_arn: "{role_of(world.member, f"audit/{AUDIT}")}", external_id: {EXTERNAL_ID}'


OWN = f'id: "{HUB}"'


def test_the_own_account_is_audited_beside_one_behind_a_role(world: World) -> None:
    name_accounts(world, OWN, by_role(world))
    runner, role = world.printed("organization", *ALL), world.printed("audit", *ALL)

    with world.permitted(runner, role):
        run = world.run("audit", "--format", "json", *ALL)
    assert (run.code, run.report["audit"]["complete"]) == (1, True)
    assert run.of(IMAGES, HUB) == ["pass"]
    assert run.of(IMAGES, world.member) == ["fail", "fail"]

    with world.permitted(without(runner, "ec2:DescribeImageAttribute"), role):
        blind = world.run("audit", "--format", "json", *ALL)
    assert (blind.of(IMAGES, HUB), blind.of(IMAGES, world.member)) == (["unknown"], ["fail", "fail"])


def test_the_own_account_may_be_the_only_one_that_is_named(world: World) -> None:
    name_accounts(world, OWN)

    with world.permitted(world.printed("organization")):
        run = world.run("audit", "--format", "json")
    assert (run.code, run.of(IMAGES, HUB)) == (0, ["pass"])


@pytest.mark.parametrize(
    "options", [("--snapshots",), ("--block-public-access",), ("--snapshots", "--block-public-access")]
)
def test_a_wider_plan_reads_what_is_printed_for_its_options(world: World, options: tuple[str, ...]) -> None:
    with world.permitted(world.printed("organization", *options), world.printed("audit", *options)):
        run = world.run("plan", *options, "--revoke-in-use", "--output", "wide.json", "--quiet")
    (world.folder / "wide.json").unlink()
    assert run.code == 0, run.err

    with world.permitted(world.printed("organization", *options), world.printed("audit")):
        blind = world.run("plan", *options, "--revoke-in-use", "--output", "wide.json", "--quiet")
    (world.folder / "wide.json").unlink()
    assert blind.code == 3


def let_profile(world: World, monkeypatch: pytest.MonkeyPatch, *roles: str) -> None:
    """Another user of the hub, who may assume these roles and nothing else, is the profile."""
    file = world.folder / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [*roles]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with opened(world.url, "iam") as iam:
        if not file.exists():
            iam.create_user(UserName=PROFILE)
            key = iam.create_access_key(UserName=PROFILE)["AccessKey"]
            id_, secret = key["AccessKeyId"], key["SecretAccessKey"]
            file.write_text(f"[{PROFILE}]\naws_access_key_id = {id_}\naws_secret_access_key = {secret}\n")
        iam.put_user_policy(UserName=PROFILE, PolicyName="exactly", PolicyDocument=policy)


def apply_under(world: World, runner: Document, role: Document) -> Result:
    (world.folder / JOURNAL).unlink(missing_ok=True)
    with world.permitted(runner, role, name=REMEDIATION):
        return world.run("apply", PLAN, "--journal", JOURNAL, "--yes", "--quiet")


def test_a_profile_applies_by_the_role_that_is_named_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.permitted(world.printed("organization"), world.printed("audit")):
        made = world.run("plan", "--account", world.member, "--revoke-in-use", "--output", PLAN, "--quiet")
    assert made.code == 0, made.err
    name_accounts(world, OWN, f"{by_role(world)}, profile: {PROFILE}")
    runner, role = world.printed("organization", "--remediation"), world.printed("remediation")
    notes = world.run("policy", "organization", "--remediation").err
    named = re.findall(rf"profile {PROFILE} need sts:AssumeRole on ([^\s,]+)", notes)
    assert named == [role_of(world.member, REMEDIATION)]

    let_profile(world, monkeypatch, role_of(world.member, f"audit/{AUDIT}"))
    refused = apply_under(world, runner, role)
    assert (refused.code, world.shared_with()[0]) == (4, {STRANGER})

    let_profile(world, monkeypatch, *named)
    run = apply_under(world, runner, role)
    assert (run.code, world.shared_with()[0]) == (0, set()), run.err


def test_no_role_of_another_organization_is_entered_where_ones_own_is_named(world: World) -> None:
    with opened(world.url, "organizations") as organizations:
        organization_id = organizations.describe_organization()["Organization"]["Id"]
        root = organizations.list_roots()["Roots"][0]["Id"]
        unit = organizations.create_organizational_unit(ParentId=root, Name="left out")["OrganizationalUnit"]["Id"]
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
            ],
        }
    )
    iam_backends[STRANGER]["aws"].create_role(AUDIT, trust, "/audit/", None, "", [], "3600")
    keys = {name.lower(): value for name, value in world.keys.items()}
    trap = {"RoleArn": role_of(STRANGER, f"audit/{AUDIT}"), "RoleSessionName": "it", "ExternalId": EXTERNAL_ID}

    with world.permitted(world.printed("organization")), opened(world.url, "sts", **keys) as sts:
        assert sts.assume_role(**trap)["Credentials"], "the trap is one"
    world.settings(SETTINGS.replace("exclude: {", f"exclude: {{units: [{organization_id}/{unit}], "))
    with world.permitted(world.printed("organization"), world.printed("audit")):
        with opened(world.url, "sts", **keys) as sts, pytest.raises(ClientError) as refused:
            sts.assume_role(**trap)
        run = world.run("audit", "--format", "json")
    assert code_of(refused) == "AccessDenied"
    assert (run.code, run.report["audit"]["complete"]) == (1, True)
    assert run.of(IMAGES, world.member) == ["fail", "fail"]
