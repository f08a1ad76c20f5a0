"""The long profile: `python -m tests.fuzz.run` (`make fuzz`) tries every target in rounds, each with seeds of its own.

`FUZZ_MINUTES` (10) says how long, `FUZZ_EXAMPLES` (500) how many inputs a target gets a round, `FUZZ_SEED` begins with
the rounds of an earlier run, and `FUZZ_TARGETS` (names, with commas) leaves out the others. Where atheris is installed,
it has as many minutes again.
"""

import importlib.util
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import settings

from tests.fuzz.explore import explore
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Target

SLOWEST = 10.0
"""Seconds that one input may take."""


def main() -> int:
    """Run until the time is over; 1 if anything was found."""
    settings.register_profile("fuzz", database=None, print_blob=True, deadline=None)
    settings.load_profile("fuzz")
    minutes = float(os.environ.get("FUZZ_MINUTES", "10"))
    examples = int(os.environ.get("FUZZ_EXAMPLES", "500"))
    first = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
    names = [name for name in os.environ.get("FUZZ_TARGETS", "").split(",") if name] or list(TARGETS)
    print(f"FUZZ_SEED={first}: {len(names)} targets, {examples} inputs a round, {minutes:g} minutes", flush=True)  # noqa: T201
    failed = _by_hypothesis([TARGETS[name] for name in names], first, examples, minutes * 60)
    if importlib.util.find_spec("atheris") is not None:
        failed |= _by_atheris(names, minutes * 60)
    for name in sorted(failed):
        _tell(f"FOUND in {name}: see above; put the input into tests/fuzz/findings.py")
    return 1 if failed else 0


def _by_hypothesis(targets: list[Target], first: int, examples: int, seconds: float) -> set[str]:
    tried, accepted, failed = Counter[str](), Counter[str](), set[str]()
    until = time.monotonic() + seconds
    number = first
    while time.monotonic() < until and len(failed) < len(targets):
        for target in random.Random(number).sample(targets, len(targets)):
            if target.name in failed or time.monotonic() >= until:
                continue
            try:
                more = explore(target, examples, number=number, seconds=SLOWEST)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failed.add(target.name)
                _report(target, number, error)
            else:
                tried[target.name] += more[0]
                accepted[target.name] += more[1]
        number += 1
    for target in targets:
        _tell(f"{target.name:24}{tried[target.name]:>9,} tried{accepted[target.name]:>9,} accepted")
    _tell(f"{'all':24}{tried.total():>9,} tried{accepted.total():>9,} accepted, {number - first} rounds")
    return failed


def _report(target: Target, number: int, error: BaseException) -> None:
    import traceback

    _tell(f"--- {target.name}: FUZZ_SEED={number} FUZZ_TARGETS={target.name}")
    _tell("".join(traceback.format_exception(error)))


def _by_atheris(names: list[str], seconds: float) -> set[str]:
    """A process for each target: libFuzzer ends its process."""
    failed = set()
    for name in names:
        command = [
            sys.executable,
            "-m",
            "tests.fuzz.by_atheris",
            name,
            f"-max_total_time={int(seconds / len(names)) + 1}",
        ]
        if subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode:
            failed.add(name)
    return failed


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program's output


if __name__ == "__main__":
    sys.exit(main())
