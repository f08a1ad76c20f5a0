"""An apply that is killed at any moment: nothing is lost, and it is gone on with or undone."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import (
    Delay,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeRegion,
    Fault,
    Grant,
    Rewrite,
    account_grant,
    by_id,
    everyone_grant,
)
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment
from tests.fakes.killer import Killer

OWN, TRUSTED, ALSO_TRUSTED = "111122223333", "222233334444", "333344445555"
STRANGERS = ("999900000001", "999900000002", "999900000003")
REGIONS = ("eu-central-1", "us-east-1")
IMAGES_A_REGION = 20
# `make crash` asks for more.
SEEDS = range(int(os.environ.get("CRASH_SEEDS", "2")))

Grants = dict[tuple[str, str], frozenset[Grant]]


def image_of(number: int, chance: random.Random) -> FakeImage:
    strangers = [account_grant(one) for one in chance.sample(STRANGERS, chance.randrange(1, 4))]
    public = [everyone_grant()] if chance.random() < 0.3 else []
    return FakeImage(f"ami-{number:017x}", grants=(account_grant(TRUSTED), *strangers, *public))


def estate(chance: random.Random) -> Estate:
    regions = {
        region: FakeRegion(by_id(*(image_of(place * 100 + number, chance) for number in range(IMAGES_A_REGION))))
        for place, region in enumerate(REGIONS)
    }
    return Estate({OWN: FakeAccount(regions)})


def grants_of(fake: FakeEc2, keys: Grants | None = None) -> Grants:
    every = keys or {
        (region, f"ami-{place * 100 + number:017x}"): frozenset()
        for place, region in enumerate(REGIONS)
        for number in range(IMAGES_A_REGION)
    }
    found: Grants = {}
    for region, image_id in every:
        image = fake.image(OWN, region, image_id)
        assert image is not None
        found[region, image_id] = frozenset(image.grants)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_apply_is_gone_on_with_or_undone(run_amiguard: RunAmiguard, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    slow = Fault(Delay(0.003))
    with FakeEc2(estate(chance), faults=[slow]) as fake:
        environment = fake.environment(OWN)
        before = grants_of(fake)
        trust = ("--trust", TRUSTED, "--trust", ALSO_TRUSTED)
        # Adding someone makes a change of two calls, with a state between them.
        sharing = chance.choice([(), ("--share-with", ALSO_TRUSTED)])
        assert run_amiguard("plan", *trust, *sharing, "--quiet", env=environment).code == 0, f"seed {seed}"
        added = {account_grant(ALSO_TRUSTED)} if sharing else set()
        after = {key: frozenset({account_grant(TRUSTED), *added}) for key in before}

        journal = tmp_path / "journal"
        apply = ("apply", "amiguard-plan.json", *trust, "--yes", "--force", "--quiet", "--journal", str(journal))
        for _ in range(chance.choice([1, 1, 2])):
            kill(fake, chance, slow, tmp_path, [str(PROGRAM), *apply])
            # No trusted grant is missing, and nobody has access that neither the plan nor the before names.
            for key, present in grants_of(fake, before).items():
                assert before[key] & after[key] <= present <= before[key] | after[key], f"seed {seed}"

        if not journal.exists() or len(journal.read_bytes().splitlines()) < 2:
            # Killed before anything was written down: then nothing was called.
            assert grants_of(fake, before) == before, f"seed {seed}"
        else:
            check = run_amiguard("rollback", "--check", str(journal), env=environment)
            assert check.code == 0, f"seed {seed}: {check.out}{check.err}"
            if chance.random() < 0.5:
                undone = run_amiguard("rollback", str(journal), "--yes", "--quiet", env=environment)
                assert undone.code == 0, f"seed {seed}: {undone.out}{undone.err}"
                assert grants_of(fake, before) == before, f"seed {seed}"
                return
        done = run_amiguard(*apply, env=environment)
        assert done.code == 0, f"seed {seed}: {done.out}{done.err}"
        assert grants_of(fake, before) == after, f"seed {seed}"


def kill(fake: FakeEc2, chance: random.Random, slow: Fault, home: Path, command: list[str]) -> None:
    """Run a program and kill it at a random call: EC2 has served it, and the program has not read the reply."""
    killer = Killer()
    action, calls = chance.choice(
        [("ModifyImageAttribute", 40), ("ModifyImageAttribute", 80), ("DescribeImageAttribute", 120)]
    )
    at_call = Fault(Rewrite(killer), action=action, skip=chance.randrange(calls), times=1)
    fake.set_faults(at_call, slow)
    with killer.watch(
        subprocess.Popen(
            command,
            cwd=home,
            env=scrubbed_environment(home, fake.environment(OWN)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    ) as program:
        program.wait()
    fake.set_faults(slow)
