"""The estate that the tests of `plan`, `apply` and `rollback` remediate, as it is before and after."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeRegion,
    Grant,
    account_grant,
    by_id,
    everyone_grant,
    organization_grant,
    unit_grant,
)
from tests.conftest import Run, run_program, scrubbed_environment

OWNER, FRIEND, PARTNER, STRANGER = "111122223333", "444455556666", "222233334444", "999988887777"
FOREIGN = f"arn:aws:organizations::{STRANGER}:organization/o-foreign1234"
FOREIGN_UNIT = f"arn:aws:organizations::{STRANGER}:ou/o-foreign1234/ou-ab12-foreign1"
US, EU = "us-east-1", "eu-central-1"
TRUST = ("--trust", FRIEND, "--trust", PARTNER)
HOSTILE_NAME = "=cmd|'/C calc'!A0\n::error::pwned\n\x9b31mred \u202egpj.ima"
PLAN = "amiguard-plan.json"

State = dict[int, frozenset[str]]
"""By image number whom it is shared with."""

PLACES = {1: US, 2: US, 3: US, 4: US, 5: US, 6: EU, 7: EU}
NAMES = {1: "web-1", 2: "web-2", 3: "web-3", 4: HOSTILE_NAME, 5: "base-5", 6: "data-6", 7: "base-7"}
BEFORE: State = {
    1: frozenset({"all", FRIEND, STRANGER}),
    2: frozenset({"all", FRIEND}),
    3: frozenset({"all", FRIEND, PARTNER}),
    4: frozenset({FRIEND, STRANGER}),
    5: frozenset({FRIEND, PARTNER}),
    6: frozenset({FOREIGN, FOREIGN_UNIT, FRIEND}),
    7: frozenset({FRIEND, PARTNER}),
}
AFTER: State = {number: grants & {FRIEND, PARTNER} for number, grants in BEFORE.items()}
CHANGED = [number for number, grants in BEFORE.items() if grants != AFTER[number]]


def image_id(number: int) -> str:
    return f"ami-{number:017x}"


def grant(grantee: str) -> Grant:
    if grantee == "all":
        return everyone_grant()
    if ":ou/" in grantee:
        return unit_grant(grantee)
    return organization_grant(grantee) if grantee.startswith("arn:") else account_grant(grantee)


def image(number: int, grantees: Iterable[str], *, name: str = "image", **more: Any) -> FakeImage:
    return FakeImage(image_id(number), name=name, grants=tuple(map(grant, sorted(grantees))), **more)


def estate(state: State = BEFORE, **account: Any) -> Estate:
    """The account with its images in the given state."""
    regions = {
        place: FakeRegion(by_id(*(image(n, state[n], name=NAMES[n]) for n in PLACES if PLACES[n] == place)))
        for place in (US, EU)
    }
    return Estate({OWNER: FakeAccount(regions, **account)})


def many(count: int) -> Estate:
    """An account with so many images, each shared with a friend, a partner and a stranger."""
    images = by_id(*(image(number, {FRIEND, PARTNER, STRANGER}) for number in range(1, count + 1)))
    return Estate({OWNER: FakeAccount({US: FakeRegion(images)})})


def state_of(fake: FakeEc2) -> State:
    """Whom the images of `estate` are shared with now; an image that is gone is left out."""
    found = {number: fake.image(OWNER, place, image_id(number)) for number, place in PLACES.items()}
    return {number: grantees(one) for number, one in found.items() if one is not None}


def grantees(one: FakeImage | None) -> frozenset[str]:
    assert one is not None
    return frozenset(grant.value for grant in one.grants)


def changing_calls(fake: FakeEc2) -> int:
    """How many calls were made that could change something."""
    return sum(count for action, count in fake.stats.calls.items() if not re.match(r"Describe|Get|List|Assume", action))


def amiguard(home: Path, *arguments: str, env: Mapping[str, str]) -> Run:
    """Run the program, where the fixture `run_amiguard` would live too briefly."""
    return run_program(arguments, home, scrubbed_environment(home, env))


def made_plan(home: Path, served: Estate, *arguments: str) -> tuple[Run, Path]:
    """Let `amiguard plan` plan for an estate. Plans name no endpoint: any server with such images can be remediated."""
    with FakeEc2(served) as fake:
        run = amiguard(home, "plan", *TRUST, *arguments, env=fake.environment(OWNER))
        assert changing_calls(fake) == 0
    assert run.code == 0, run.err
    return run, home / PLAN


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def journals(home: Path) -> list[Path]:
    """The journals in the state folder of `run_amiguard`."""
    return sorted((home / ".local" / "state" / "amiguard" / "journals").glob("*"))
