"""An organization of many accounts: what a call costs all told, how close time and memory come to what they must be."""

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from typing import Final

from benchmarks.fake_process import Setup, fake_process
from benchmarks.figures import Figure, Target, figure
from benchmarks.observe import Effort, Observed, correctness, observe
from benchmarks.programs import run_amiguard

OPTIONS: Final = ("--organization", "--role-name", "AmiguardAudit", "--read-bucket", "none")
CORES: Final = 2
"""What client and fake share in these cases."""
_CONNECTIONS: Final = 128
"""Requests that amiguard has under way at once: with the latency, they bound what one process can ask."""


def estate(effort: Effort, *, accounts: int = 1000) -> Setup:
    """Return an organization whose accounts have few images in each of 4 regions."""
    if effort.small:
        return Setup(regions=4, images_per_region=5, accounts=accounts // 50)
    return Setup(regions=4, images_per_region=25, accounts=accounts)


def case_name(setup: Setup) -> str:
    """Return how the results call an organization."""
    return f"{setup.accounts:,} accounts x {setup.regions} regions x {setup.images_per_region} images, 30 ms"


@cache
def audits(effort: Effort, setup: Setup, workers: int = 1) -> tuple[Observed, ...]:
    """Return the runs over an organization; they are the same ones for every case that asks."""
    truth = setup.truth()
    with _two_cores(), fake_process(setup) as fake:
        return tuple(
            observe(fake, lambda folder: run_amiguard(fake, truth, folder, (*OPTIONS, "--workers", str(workers))))
            for _ in range(effort.long_runs)
        )


def organization(effort: Effort) -> list[Figure]:
    """Return the figures of 1,000 accounts in one process, and their memory beside that of 100."""
    setup, fewer = estate(effort), estate(effort, accounts=100)
    runs, fewer_runs = audits(effort, setup), audits(effort, fewer)
    case = case_name(setup)
    peaks = [one.audit.usage.peak_mib for one in runs]
    fewer_peaks = [one.audit.usage.peak_mib for one in fewer_runs]
    growth = [peak / fewer for peak, fewer in zip(peaks, fewer_peaks, strict=True)]
    roles = [one.stats["calls"].get("AssumeRole", 0) for one in runs]
    return [
        *correctness(case, "amiguard", runs, setup.truth()),
        figure(case, "amiguard: calls", (one.calls for one in runs)),
        figure(case, "amiguard: roles assumed", roles, target=Target("=", setup.accounts - 1)),
        *_cost(case, effort, setup, runs),
        figure(case, "amiguard: peak memory", peaks, "MiB", effort.goal("<=", 200)),
        figure(case, f"amiguard: peak memory with {fewer.accounts:,} accounts", fewer_peaks, "MiB"),
        figure(case, "amiguard: the first over the second", growth, "times", effort.goal("<=", 1.2), digits=2),
    ]


def _cost(case: str, effort: Effort, setup: Setup, runs: tuple[Observed, ...]) -> list[Figure]:
    cpu_a_call = [one.cpu_milliseconds_a_call for one in runs]
    cpu = [one.audit.usage.cpu_seconds for one in runs]
    latency = [one.calls * setup.latency / _CONNECTIONS for one in runs]
    wall = [one.audit.usage.wall_seconds for one in runs]
    over = [took / max(bounds) for took, *bounds in zip(wall, cpu, latency, strict=True)]
    return [
        figure(case, "amiguard: CPU a call, all told", cpu_a_call, "ms", effort.goal("<=", 0.55), digits=3),
        figure(case, "amiguard: CPU", cpu, "s", digits=1),
        figure(case, f"amiguard: latency over {_CONNECTIONS} connections", latency, "s", digits=1),
        figure(case, "amiguard: wall", wall, "s", digits=1),
        figure(case, "amiguard: wall over the greater of the two", over, "times", effort.goal("<=", 1.3), digits=2),
    ]


@contextlib.contextmanager
def _two_cores() -> Iterator[None]:
    """Keep what is started meanwhile, the fake included, on two cores, where the system can do that."""
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
