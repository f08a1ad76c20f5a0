"""Images of one account, and runs of `amiguard audit` that look at them."""

import json
from typing import Any

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeRegion,
    account_grant,
    by_id,
    everyone_grant,
)
from tests.conftest import Run, RunAmiguard

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


PUBLIC = FakeImage("ami-0000000000000000d", name="public", grants=(everyone_grant(),))
