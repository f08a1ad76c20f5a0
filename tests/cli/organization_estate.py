"""An organization to audit, and what its audit says."""

import json
from typing import Any

from benchmarks.fake_ec2 import (
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
    account_grant,
    by_id,
)
from tests.conftest import RunAmiguard

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
