"""Two processes on two cores: how much of what the cores allow they reach, beside one process."""

from benchmarks.figures import Figure, Target, figure
from benchmarks.observe import READ, Effort, Observed, correctness
from benchmarks.organization import CORES, audits, case_name, estate


def workers(effort: Effort) -> list[Figure]:
    """Return the figures of the organization with `--workers 2`, and what one process reaches."""
    setup = estate(effort)
    two, one = audits(effort, setup, workers=2), audits(effort, setup)
    case = f"{case_name(setup)}, --workers 2"
    return [
        *correctness(case, "amiguard", two, setup.truth()),
        *_throughput(case, "two workers", two, effort.goal(">=", 85)),
        *_throughput(case, "one process", one, None),
    ]


def _throughput(case: str, who: str, runs: tuple[Observed, ...], goal: Target | None) -> list[Figure]:
    client = [one.cpu_milliseconds_a_call for one in runs]
    fake = [one.fake_cpu_milliseconds_a_call for one in runs]
    bound = [1000 * CORES / sum(both) for both in zip(client, fake, strict=True)]
    rate = [one.calls / one.audit.usage.wall_seconds for one in runs]
    share = [100 * reached / most for reached, most in zip(rate, bound, strict=True)]
    # Before the first read the accounts are listed, at the pace that AWS documents for ListAccounts (8 calls a second,
    # 20 accounts each): no core is busy then, and none could make it shorter. So the target is for the reading.
    reading = [one.calls / one.stats["span_seconds"][READ] for one in runs]
    reading_share = [100 * reached / most for reached, most in zip(reading, bound, strict=True)]
    return [
        figure(case, f"{who}: wall", (one.audit.usage.wall_seconds for one in runs), "s", digits=1),
        figure(case, f"{who}: CPU a call, all processes", client, "ms", digits=3),
        figure(case, f"{who}: CPU of the fake a call", fake, "ms", digits=3),
        figure(case, f"{who}: calls that {CORES} cores allow", bound, "/s"),
        figure(case, f"{who}: calls, start to end", rate, "/s"),
        figure(case, f"{who}: of what the cores allow", share, "%", digits=1),
        figure(case, f"{who}: the same from the first read to the last", reading_share, "%", goal, digits=1),
    ]
