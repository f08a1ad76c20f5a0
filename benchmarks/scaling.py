"""Ever more images of one account: the CPU time must grow with them and no faster."""

import contextlib
import itertools
import math
from pathlib import Path
from typing import Final

from benchmarks.fake_ec2 import Truth
from benchmarks.fake_process import FakeProcess, Setup, fake_process
from benchmarks.figures import Figure, figure
from benchmarks.observe import Effort, Observed, correctness, observe
from benchmarks.programs import Audit, run_amiguard

_REGIONS: Final = 4
_SIZES: Final = (10_000, 20_000, 40_000, 80_000, 100_000)
_FOR_TWICE: Final = 2.1
"""How many times the CPU time twice the images may cost."""


def scaling(effort: Effort) -> list[Figure]:
    """Return the CPU time of each size, and its growth from one to the next and from the first to the last."""
    sizes = [size // 50 for size in _SIZES] if effort.small else list(_SIZES)
    setups = {size: Setup(regions=_REGIONS, images_per_region=size // _REGIONS) for size in sizes}
    truths = {size: setup.truth() for size, setup in setups.items()}
    runs: dict[int, list[Observed]] = {size: [] for size in sizes}
    with contextlib.ExitStack() as stack:
        fakes = {size: stack.enter_context(fake_process(setup)) for size, setup in setups.items()}
        # Size by size in each round, so that a machine that slows down meanwhile does so for all of them.
        for _ in range(effort.long_runs):
            for size, fake in fakes.items():
                runs[size].append(_run(fake, truths[size]))
    case = f"{sizes[0]:,} to {sizes[-1]:,} images, {_REGIONS} regions, 30 ms"
    cpu = {size: [one.audit.usage.cpu_seconds for one in of_size] for size, of_size in runs.items()}
    figures = correctness(case, f"amiguard, {sizes[-1]:,} images", runs[sizes[-1]], truths[sizes[-1]])
    figures += [figure(case, f"amiguard: CPU of {size:,} images", cpu[size], "s", digits=2) for size in sizes]
    steps = [*itertools.pairwise(sizes[:-1]), (sizes[0], sizes[-1])]
    return figures + [_growth(case, effort, cpu, *step) for step in steps]


def _run(fake: FakeProcess, truth: Truth) -> Observed:
    def run(folder: Path) -> Audit:
        return run_amiguard(fake, truth, folder, ("--read-bucket", "none"))

    return observe(fake, run)


def _growth(case: str, effort: Effort, cpu: dict[int, list[float]], smaller: int, larger: int) -> Figure:
    """Return the CPU time of a size over that of a smaller one; so many doublings may cost so many times 2.1."""
    goal = effort.goal("<=", round(_FOR_TWICE ** math.log2(larger / smaller), 1))
    growth = [most / least for least, most in zip(cpu[smaller], cpu[larger], strict=True)]
    return figure(case, f"amiguard: CPU of {larger:,} images over that of {smaller:,}", growth, "times", goal, digits=2)
