"""The scope that the settings and the command line come to."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from amiguard.cli.target_options import (
    AccountOption,
    ExternalIdOption,
    OrganizationOption,
    RoleNameOption,
    requested_scope,
)
from amiguard.core.exception import TagSelector
from amiguard.core.scope import AccountSelector, AccountTarget, NamedRole, OrganizationTarget, RoleOptions, Scope

A, B, C = (digit * 12 for digit in "123")
TRIAL = AccountSelector(tags=(TagSelector("Env", "trial"),))
ENTRY = AccountTarget(A, f"arn:aws:iam::{A}:role/Own", "its id", regions=("us-east-1",))
SETTINGS = Scope(
    regions=("eu-central-1",),
    accounts=(ENTRY, AccountTarget(B)),
    organization=OrganizationTarget("Audit", "secret", exclude=TRIAL),
    roles=RoleOptions(chain=("arn:of:a:hub",)),
    suspended_fail=True,
)


@pytest.mark.parametrize("scope", [Scope(), SETTINGS])
def test_without_options_it_is_the_settings(scope: Scope) -> None:
    assert requested_scope(scope) == scope
    assert requested_scope(scope, accounts=[], regions=[]) == scope


def test_accounts_take_the_place_of_accounts_and_organization() -> None:
    assert requested_scope(SETTINGS, accounts=[C, A, C]) == replace(
        SETTINGS, accounts=(AccountTarget(C), ENTRY), organization=None, role=NamedRole("Audit", "secret")
    )


def test_accounts_without_settings() -> None:
    assert requested_scope(Scope(), accounts=[A]) == Scope(accounts=(AccountTarget(A),))
    assert requested_scope(Scope(), accounts=[A], role_name="audit/R", external_id="xx") == Scope(
        accounts=(AccountTarget(A),), role=NamedRole("audit/R", "xx")
    )


def test_the_organization_without_settings_is_all_of_it() -> None:
    assert requested_scope(Scope(), organization=True, role_name="R", external_id="xx") == Scope(
        organization=OrganizationTarget("R", "xx"), role=NamedRole("R", "xx")
    )


def test_the_organization_of_the_settings_keeps_what_it_excludes() -> None:
    assert requested_scope(SETTINGS, organization=True) == SETTINGS
    assert requested_scope(SETTINGS, organization=True, role_name="R") == replace(
        SETTINGS, organization=OrganizationTarget("R", "secret", exclude=TRIAL), role=NamedRole("R", "secret")
    )


def test_the_organization_beside_the_accounts_of_the_settings() -> None:
    settings = replace(SETTINGS, organization=None)

    assert requested_scope(settings, organization=True, role_name="R") == replace(
        settings, organization=OrganizationTarget("R"), role=NamedRole("R")
    )


def test_a_role_and_its_external_id_take_the_place_of_the_settings() -> None:
    assert requested_scope(SETTINGS, role_name="R", external_id="xx") == replace(
        SETTINGS, organization=OrganizationTarget("R", "xx", exclude=TRIAL), role=NamedRole("R", "xx")
    )
    assert requested_scope(SETTINGS, external_id="xx") == replace(
        SETTINGS, organization=OrganizationTarget("Audit", "xx", exclude=TRIAL)
    )
    assert requested_scope(SETTINGS, accounts=[C], external_id="xx").role == NamedRole("Audit", "xx")


def test_regions_count_for_all_accounts() -> None:
    assert requested_scope(SETTINGS, regions=["us-west-2", "us-west-2"]) == replace(
        SETTINGS, regions=("us-west-2",), accounts=(replace(ENTRY, regions=None), AccountTarget(B))
    )
    assert requested_scope(SETTINGS, accounts=[A], regions=["us-west-2"]).accounts == (replace(ENTRY, regions=None),)


@pytest.mark.parametrize(
    ("options", "parameter", "message"),
    [
        ({"accounts": ["1234"]}, "--account", "an account id has 12 digits, this has 4"),
        ({"accounts": ["all"]}, "--account", "expected a 12-digit account id"),
        (
            {"accounts": [f"arn:aws:iam::{A}:role/R"]},
            "--account",
            "expected a 12-digit account id, this is an ARN: write the id, and a role's ARN under role_arn",
        ),
        (
            {"accounts": [A], "organization": True, "role_name": "R"},
            "--account",
            "does not go with --organization: name accounts, or audit all",
        ),
        (
            {"organization": True},
            "--organization",
            "nothing says which role to assume in its accounts: add --role-name",
        ),
        (
            {"organization": True, "role_name": "/R"},
            "--role-name",
            "write the role without a slash before it: R",
        ),
        (
            {"organization": True, "role_name": ""},
            "--role-name",
            "the name of a role reads <1 to 64 of A-Za-z0-9_+=,.@->, after its path if it has one",
        ),
        (
            {"role_name": "R"},
            "--role-name",
            "no account is audited but your own, and that directly: add --organization or --account",
        ),
        ({"external_id": "xx"}, "--external-id", "there is no role that it could be for: add --role-name"),
        (
            {"accounts": [A], "role_name": "R", "external_id": ""},
            "--external-id",
            "an external id reads <2 to 1224 of A-Za-z0-9_+=,.@:/->",
        ),
    ],
)
def test_usage_errors(options: dict[str, Any], parameter: str, message: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        requested_scope(Scope(), **options)

    assert (caught.value.param_hint, caught.value.message) == (parameter, message)


def test_options_cost_no_heavy_import() -> None:
    program = (
        "import sys, amiguard.cli.target_options\n"
        "print([name for name in ('pydantic', 'ruamel', 'botocore', 'aiohttp', 'lxml') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"


def test_the_options_as_a_command_takes_them() -> None:
    app = typer.Typer()

    @app.command()
    def command(
        account: AccountOption = None,
        organization: OrganizationOption = False,  # noqa: FBT002 - as typer's commands are written
        role_name: RoleNameOption = None,
        external_id: ExternalIdOption = None,
    ) -> None:
        scope = requested_scope(
            Scope(), accounts=account, organization=organization, role_name=role_name, external_id=external_id
        )
        typer.echo([one.account_id for one in scope.accounts], nl=False)
        typer.echo(f" {scope.organization} {scope.role}")

    run = CliRunner().invoke(app, ["--account", A, "--account", B, "--role-name", "R", "--external-id", "xx"])
    assert run.output == f"['{A}', '{B}'] None {NamedRole('R', 'xx')}\n"
    run = CliRunner().invoke(app, ["--organization", "--role-name", "R"])
    assert run.output == f"[] {OrganizationTarget('R')} {NamedRole('R')}\n"
    assert CliRunner().invoke(app, ["--organization"]).exit_code == 2
