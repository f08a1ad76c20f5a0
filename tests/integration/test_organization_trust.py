"""Trust by unit, in an organization that the AWS CLI made: nested units are covered; who moves out is not."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from amiguard.demo.server import running_server
from tests.conftest import RunAmiguard, scrubbed_environment
from tests.fakes.aws_cli import aws_cli

PARTNER_UNIT = "arn:aws:organizations::666677778888:ou/o-nq4w7kz2mv/ou-h3xd-6t9rbw1c"
STRANGER = "999988887777"

Aws = Callable[..., Any]
Decisions = dict[str, str]


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server(["us-east-1"]) as url:
        yield url


@pytest.fixture
def environment(moto: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": moto, "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def aws(tmp_path: Path, environment: dict[str, str]) -> Aws:
    """Runs the AWS CLI: `aws("organizations", "list-roots")`."""

    def run(*arguments: str) -> Any:
        return aws_cli(*arguments, environment=scrubbed_environment(tmp_path, environment))

    return run


def make_unit(aws: Aws, parent_id: str, name: str) -> tuple[str, str]:
    """Id and ARN."""
    made = aws("organizations", "create-organizational-unit", "--parent-id", parent_id, "--name", name)
    return made["OrganizationalUnit"]["Id"], made["OrganizationalUnit"]["Arn"]


def make_account(aws: Aws, root: str, name: str, unit_id: str | None) -> str:
    made = aws("organizations", "create-account", "--account-name", name, "--email", f"{name}@example.com")
    account_id: str = made["CreateAccountStatus"]["AccountId"]
    if unit_id is not None:
        move(aws, account_id, root, unit_id)
    return account_id


def move(aws: Aws, account_id: str, source: str, destination: str) -> None:
    aws(
        *("organizations", "move-account", "--account-id", account_id),
        *("--source-parent-id", source, "--destination-parent-id", destination),
    )


def share(aws: Aws, name: str, *grants: str) -> None:
    image = aws("ec2", "register-image", "--name", name, "--root-device-name", "/dev/sda1")
    added = ",".join(f"{{{grant}}}" for grant in grants)
    aws(
        *("ec2", "modify-image-attribute", "--image-id", image["ImageId"]),
        *("--launch-permission", f"Add=[{added}]"),
    )


def test_trust_by_unit_follows_the_tree(aws: Aws, environment: dict[str, str], run_amiguard: RunAmiguard) -> None:
    organization = aws("organizations", "create-organization")["Organization"]["Id"]
    root = aws("organizations", "list-roots")["Roots"][0]["Id"]
    workloads, workloads_arn = make_unit(aws, root, "Workloads")
    production, production_arn = make_unit(aws, workloads, "Production")
    payments, payments_arn = make_unit(aws, production, "Payments")
    sandbox, sandbox_arn = make_unit(aws, root, "Sandbox")
    with ThreadPoolExecutor(3) as pool:
        homes = {"w": workloads, "p": production, "y": payments, "s": sandbox, "r": None}
        made = {name: pool.submit(make_account, aws, root, name, unit_id) for name, unit_id in homes.items()}
        ids = {name: one.result() for name, one in made.items()}
        units = {"W": workloads_arn, "P": production_arn, "Y": payments_arn, "S": sandbox_arn}
        accounts = [f"UserId={account_id}" for account_id in (*ids.values(), STRANGER)]
        shared = [
            pool.submit(share, aws, "by account", *accounts),
            pool.submit(
                share, aws, "by unit", *(f"OrganizationalUnitArn={arn}" for arn in (*units.values(), PARTNER_UNIT))
            ),
        ]
        for one in shared:
            one.result()
    names = {**{account_id: name for name, account_id in ids.items()}, **{arn: name for name, arn in units.items()}}
    names |= {STRANGER: "stranger", PARTNER_UNIT: "partner"}

    def trusted(unit_id: str) -> str:
        """Who is trusted by that unit, in letters: accounts, and units in capitals; all others must be untrusted."""
        run = run_amiguard(
            *("audit", "--quiet", "--format", "json", "--trust", f"{organization}/{unit_id}"), env=environment
        )
        assert (run.code, run.err) == (1, "")
        decided: Decisions = {
            names[grant["grantee"]]: grant["decision"]
            for result in json.loads(run.out)["results"]
            for grant in result["grants"]
        }
        assert decided.keys() == set(names.values())
        assert set(decided.values()) == {"trusted", "untrusted"}
        return "".join(sorted(name for name, decision in decided.items() if decision == "trusted"))

    assert trusted(workloads) == "PWYpwy"
    assert trusted(production) == "PYpy"
    assert trusted(payments) == "Yy"
    assert trusted(sandbox) == "Ss"
    move(aws, ids["y"], payments, root)
    assert trusted(workloads) == "PWYpw"
    move(aws, ids["y"], root, production)
    assert trusted(workloads) == "PWYpwy"
