"""The cases of one account, and all cases by name."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.evidence import evidence, whole_evidence
from benchmarks.fairness import fairness
from benchmarks.fake_ec2 import Truth
from benchmarks.fake_process import Setup, fake_process
from benchmarks.figures import Figure, Target, figure
from benchmarks.observe import READ, Effort, Observed, correctness, observe
from benchmarks.organization import organization
from benchmarks.programs import install_custodian, measure_help, run_amiguard, run_custodian
from benchmarks.remediation import remediation
from benchmarks.reports import reports
from benchmarks.scaling import scaling
from benchmarks.workers import workers


def large(effort: Effort) -> list[Figure]:
    """Many images and no throttling: the cost of a call, and the comparison with Cloud Custodian."""
    setup = Setup(regions=4, images_per_region=250 if effort.small else 2500)
    truth = setup.truth()
    case = f"{truth.images:,} images, 4 regions, 30 ms"
    if effort.peer_runs:
        install_custodian()
    with fake_process(setup) as fake:
        own = [
            observe(fake, lambda folder: run_amiguard(fake, truth, folder, ("--read-bucket", "none")))
            for _ in range(effort.runs)
        ]
        peer = [
            observe(fake, lambda folder: run_custodian(fake, setup, truth, folder)) for _ in range(effort.peer_runs)
        ]
    return [
        *correctness(case, "amiguard", own, truth),
        *_own_cost(case, effort, own, truth),
        *_peer(case, effort, own, peer, truth),
    ]


def _own_cost(case: str, effort: Effort, own: list[Observed], truth: Truth) -> list[Figure]:
    usages = [one.audit.usage for one in own]
    cpu = [one.cpu_milliseconds_a_call for one in own]
    wall = [usage.wall_seconds for usage in usages]
    return [
        figure(case, "amiguard: wall", wall, "s", effort.goal("<=", 6), digits=2),
        figure(case, "amiguard: CPU a call", cpu, "ms", effort.goal("<=", 0.5), digits=3),
        figure(case, "amiguard: peak memory", (usage.peak_mib for usage in usages), "MiB", effort.goal("<=", 110)),
        figure(case, "amiguard: permission reads", (one.reads for one in own), target=Target("=", truth.images)),
        figure(case, "amiguard: other calls", (one.other_calls for one in own), target=Target("<=", 20)),
    ]


def _peer(case: str, effort: Effort, own: list[Observed], peer: list[Observed], truth: Truth) -> list[Figure]:
    if not peer:
        return []
    usages = [one.audit.usage for one in peer]
    wall = figure(case, "Cloud Custodian: wall", (usage.wall_seconds for usage in usages), "s", digits=1)
    memory = figure(case, "Cloud Custodian: peak memory", (usage.peak_mib for usage in usages), "MiB")
    own_wall = figure(case, "", (one.audit.usage.wall_seconds for one in own))
    ratio = [wall.median / own_wall.median]
    return [
        *correctness(case, "Cloud Custodian", peer, truth),
        wall,
        memory,
        figure(case, "Cloud Custodian's wall over amiguard's", ratio, "times", effort.goal(">=", 25), digits=1),
    ]


def _paced(effort: Effort, capacity: int, refill: int, slack: float, most_throttled: float | None) -> list[Figure]:
    setup = Setup(regions=1, images_per_region=200 if effort.small else 1000, bucket=f"{capacity}+{refill}")
    truth = setup.truth()
    floor = (truth.images - capacity) / refill
    case = f"{truth.images:,} images, 1 region, 30 ms, bucket {capacity} + {refill}/s"
    with fake_process(setup) as fake:
        runs = [observe(fake, lambda folder: run_amiguard(fake, truth, folder)) for _ in range(effort.paced_runs)]
    spans = [one.stats["span_seconds"][READ] for one in runs]
    throttled = [100 * one.stats["throttled"].get(READ, 0) / one.reads for one in runs]
    ratios = [span / floor for span in spans]
    limit = None if most_throttled is None else effort.goal("<", most_throttled)
    return [
        *correctness(case, "amiguard", runs, truth),
        figure(case, f"amiguard: first read to last, floor {floor:g} s", spans, "s", digits=1),
        figure(case, "amiguard: the same over the floor", ratios, "times", effort.goal("<=", slack), digits=3),
        figure(case, "amiguard: reads throttled", throttled, "%", limit, digits=2),
    ]


def documented_bucket(effort: Effort) -> list[Figure]:
    """Return the figures with the bucket that AWS documents: pacing should be all but invisible."""
    return _paced(effort, 100, 20, 1.05, 1)


def halved_bucket(effort: Effort) -> list[Figure]:
    """Return the figures with half of that bucket: the pace has to be found."""
    return _paced(effort, 50, 10, 1.15, None)


def start(effort: Effort) -> list[Figure]:
    """Return the time that the program takes to say what it can do."""
    with tempfile.TemporaryDirectory() as folder:
        walls = [measure_help(Path(folder)).wall_seconds for _ in range(effort.runs)]
    return [figure("start", "amiguard --help: wall", walls, "s", Target("<=", 0.35), digits=2)]


CASES: Final[Mapping[str, Callable[[Effort], list[Figure]]]] = {
    "large": large,
    "bucket": documented_bucket,
    "half-bucket": halved_bucket,
    "evidence": evidence,
    "evidence-whole": whole_evidence,
    "remediation": remediation,
    "reports": reports,
    "organization": organization,
    "workers": workers,
    "fairness": fairness,
    "scaling": scaling,
    "start": start,
}
"""The cases by the names that `--case` takes, in the order of the results."""

ON_REQUEST: Final = frozenset({"evidence-whole"})
"""Those that run only if they are named: they take long, and show what another shows."""
