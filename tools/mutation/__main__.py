"""`make mutation`: mutate `src/amiguard/core`, run the unit tests, and print who survived.

It ends with 0 if at least 90 % of the mutants are killed, and with 1 if fewer are. There are thousands of mutants, so a
sample with a fixed seed is taken of every module; `--all` takes all. What survives is judged by a person: a mutant may
mean the same as the code, or change words only.
"""

import argparse
import math
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.mutation.judge import Fate, check, judge, watch
from tools.mutation.mutants import Mutant, mutants_of

_SOURCE = Path("src/amiguard/core")
_TESTS = Path("tests/unit")
_SEED = 8
_SHARE = 0.25
_ENOUGH_PERCENT = 90.0
_DEAD = {Fate.KILLED, Fate.ENDED}
# Tests of other rooms run the core too, but they are slow and ask little of it.
_TEST_FILES = (
    *("account_slips", "block_public_access", "check_properties", "core_*", "decision", "directory", "edit", "effects"),
    *("evidence_keys", "exception", "grantee", "guards", "iam*", "image_use", "key_*", "planning*", "policy_*"),
    *("planted_*", "remediation_access", "review", "review_typos", "review_vendors", "scope*", "snapshot_*", "trust"),
)


class _Mutation:
    """A pytest plugin that judges mutants where pytest would run the tests."""

    def __init__(self, mutants: Sequence[Mutant], jobs: int) -> None:
        self._mutants, self._jobs = mutants, jobs
        self.fates: dict[Mutant, Fate] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Watch the tests once, then judge."""
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        print(f"{len(session.items)} tests watch {len(self._mutants)} mutants", flush=True)
        witnesses = watch(session.items, _SOURCE)
        check(witnesses)
        for mutant, fate in judge(self._mutants, witnesses, self._jobs):
            self.fates[mutant] = fate
            if fate not in _DEAD:
                print(f"{fate}: {mutant.name}", flush=True)
        return True


def main() -> int:
    """Mutate, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths below src/amiguard/core (default: all)")
    parser.add_argument("--all", action="store_true", help="every mutant, not a sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    mutants = _chosen([_SOURCE / name for name in asked.modules] or sorted(_SOURCE.rglob("*.py")), everything=asked.all)
    plugin = _Mutation(mutants, asked.jobs)
    files = sorted({str(path) for name in _TEST_FILES for path in _TESTS.glob(f"test_{name}.py")})
    arguments = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=no", *files]
    code = pytest.main(arguments, plugins=[plugin])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return int(code)
    return _report(plugin.fates)


def _chosen(paths: Sequence[Path], *, everything: bool) -> list[Mutant]:
    chosen: list[Mutant] = []
    for path in paths:
        mutants = list(mutants_of(path))
        if not everything:
            chance = random.Random(f"{_SEED} {path}")  # noqa: S311 - to be the same each time is what it is for
            mutants = sorted(chance.sample(mutants, k=math.ceil(len(mutants) * _SHARE)), key=lambda one: one.number)
        chosen += mutants
    return chosen


def _report(fates: dict[Mutant, Fate]) -> int:
    by_module: dict[Path, Counter[Fate]] = defaultdict(Counter)
    for mutant, fate in fates.items():
        by_module[mutant.path][fate] += 1
    for path, counts in sorted(by_module.items()):
        print(f"{path.relative_to(_SOURCE).as_posix():38} {_share(counts)}")
    total = Counter(fates.values())
    print(f"{'all':38} {_share(total)}")
    return 0 if _percent(total) >= _ENOUGH_PERCENT else 1


def _share(counts: Counter[Fate]) -> str:
    return f"{counts.total() - _alive(counts):5} of {counts.total():5} killed, {_percent(counts):5.1f} %"


def _percent(counts: Counter[Fate]) -> float:
    return 100 * (counts.total() - _alive(counts)) / max(counts.total(), 1)


def _alive(counts: Counter[Fate]) -> int:
    return counts[Fate.SURVIVED] + counts[Fate.UNTESTED]


if __name__ == "__main__":
    sys.exit(main())
