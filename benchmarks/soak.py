"""A long audit with faults: memory and descriptors stay flat, and no image is lost: `python -m benchmarks.soak`."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Target, figure
from benchmarks.measure import ProgramFailedError
from benchmarks.soak_judge import curves
from benchmarks.soak_run import Plan, Soaked, soak

PAGE: Final = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN: Final = "<!-- Made by `make soak`: do not edit. -->"
END: Final = "<!-- Here the figures of the soak end. -->"
_MOST_DESCRIPTORS: Final = 256
"""128 connections at once, and as many again for those that the other side has just closed, files and the rest."""
_LEFT_DESCRIPTORS: Final = 32
"""Files, and what the event loop needs; what was left open after one fault in a hundred would be far more."""
_FEWEST_MINUTES: Final = 2
_REGIONS: Final = 16
_PACKAGES: Final = ("amiguard", "aiohttp", "botocore", "lxml")


def main() -> int:
    """Run it and print the figures; with `--update`, write them into docs/reliability.md too.

    Returns:
        0 if all targets are met, 1 if one is missed, 2 if it could not be run.
    """
    options = _options()
    if sys.platform != "linux":
        print("the samples are read from /proc, which Linux has", file=sys.stderr)
        return 2
    plan = Plan(options.minutes, _REGIONS, options.images)
    try:
        one = soak(plan)
    except ProgramFailedError as error:
        print(error, file=sys.stderr)
        return 2
    measured = figures(plan, one)
    print(as_table(measured))
    for reason, count in one.account.reasons.most_common():
        print(f"unknown, {count}: {reason}", file=sys.stderr)
    for disagreement in one.account.disagreements:
        print(f"disagreement: {disagreement}", file=sys.stderr)
    if options.update:
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), _section(plan, measured)), encoding="utf-8")
    return int(any(figure.missed for figure in measured))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="about how long; 10 by default, at least 2")
    parser.add_argument("--images", type=int, default=200_000, help="in 16 regions; 200000 by default")
    parser.add_argument("--update", action="store_true", help="write the figures into docs/reliability.md")
    options = parser.parse_args()
    if options.minutes < _FEWEST_MINUTES:
        parser.error(f"--minutes is at least {_FEWEST_MINUTES}: the first does not count")
    if options.images < _REGIONS or options.images % _REGIONS:
        parser.error(f"--images is a multiple of the {_REGIONS} regions")
    return options


def figures(plan: Plan, one: Soaked) -> list[Figure]:
    """Return the figures of a run beside their targets.

    Raises:
        statistics.StatisticsError: it ended before it had settled.
    """
    seen, account, none = curves(one.samples, plan.settled_after), one.account, Target("=", 0)
    struck = 100 * one.faults.total() / one.calls

    def line(name: str, value: float, unit: str = "", target: Target | None = None, *, digits: int = 0) -> Figure:
        return figure("soak", name, [value], unit, target, digits=digits)

    return [
        line("start to end", one.seconds / 60, "min", digits=1),
        line("calls", one.calls),
        line("calls that were struck by a fault", struck, "%", digits=2),
        line("resident memory: slope after the first minute", seen.memory_slope, "MB/min", Target("<", 1), digits=2),
        line("resident memory: peak", seen.peak, "MB"),
        line("file descriptors: slope", seen.descriptor_slope, "/min", Target("<", 1), digits=2),
        line("file descriptors: most", seen.most_descriptors, target=Target("<=", _MOST_DESCRIPTORS)),
        line("file descriptors: left at the end", seen.fewest_descriptors, target=Target("<=", _LEFT_DESCRIPTORS)),
        line("images that pass", account.statuses["pass"]),
        line("images that fail", account.statuses["fail"]),
        line("images that are unknown: never an answer, or refused", account.statuses["unknown"]),
        line("images that are missing", account.missing, target=none),
        line("images that are there twice", account.twice, target=none),
        line("results about no image of the estate", account.strange, target=none),
        line("statuses that are not the truth", account.wrong, target=none),
        line("unknown without a reason", account.silent, target=none),
        line("disagreements of summary, calls and exit code with that", len(account.disagreements), target=none),
    ]


def as_table(measured: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| figure | measured | target | met |", "|---|---:|---:|---|"]
    for one in measured:
        unit = f" {one.unit}" if one.unit else ""
        target = f"{one.target.symbol} {one.target.bound:,g}{unit}" if one.target else ""
        met = "" if one.target is None else "**no**" if one.missed else "yes"
        lines.append(f"| {one.name} | {one.median:,.{one.digits}f}{unit} | {target} | {met} |")
    return "\n".join(lines)


def replaced(page: str, made: str) -> str:
    """Return a page with its made part in the place of the one that it has.

    Raises:
        ValueError: it has none.
    """
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"{PAGE.name} has no {BEGIN} with {END} after it")
    return f"{before}{made}{after}"


def _section(plan: Plan, measured: Sequence[Figure]) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"""{BEGIN}

- {plan.images:,} images in {plan.regions} regions, {plan.refill:g} reads a second in each of them.
- Measured on {datetime.now(UTC):%d %B %Y}: {machine}; the server and other work ran on it as well.
- Versions: {packages}.

{as_table(measured)}

{END}"""


if __name__ == "__main__":
    sys.exit(main())
