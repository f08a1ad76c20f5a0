"""Measures amiguard against its targets and against Cloud Custodian: `python -m benchmarks.run`."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.cases import CASES, ON_REQUEST
from benchmarks.figures import Figure, as_table
from benchmarks.measure import ProgramFailedError
from benchmarks.observe import Effort
from benchmarks.programs import CUSTODIAN_VERSION

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
_PACKAGES: Final = ("amiguard", "aiohttp", "botocore", "lxml")


def main() -> int:
    """Run the chosen cases and print their figures; a full run is also written to RESULTS.md.

    Returns:
        0 if all targets are met, 1 if one is missed, 2 if a program failed.
    """
    options = _options()
    effort = Effort(options.runs or 5, options.peer_runs, options.paced_runs, options.runs or 3)
    if options.quick:
        effort = Effort(runs=1, peer_runs=min(1, options.peer_runs), paced_runs=1, long_runs=1, small=True)
    figures: list[Figure] = []
    try:
        for name in options.case or (name for name in CASES if name not in ON_REQUEST):
            print(f"running {name}", file=sys.stderr, flush=True)
            figures += CASES[name](effort)
    except ProgramFailedError as error:
        print(error, file=sys.stderr)
        return 2
    table = as_table(figures)
    print(table)
    if options.update:
        RESULTS.write_text(_updated(RESULTS.read_text(encoding="utf-8"), figures), encoding="utf-8")
    elif not options.quick and not options.case:
        RESULTS.write_text(_document(table), encoding="utf-8")
    return int(any(one.missed for one in figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--runs", type=int, help="runs of amiguard without throttling; 5, or 3 of the long cases")
    parser.add_argument(
        "--peer-runs", type=int, default=1, help="runs of Cloud Custodian, three minutes each; may be 0"
    )
    parser.add_argument("--paced-runs", type=int, default=3, help="runs with a bucket, one to two minutes each")
    parser.add_argument("--case", action="append", choices=CASES, help="this case only; repeatable")
    parser.add_argument("--quick", action="store_true", help="small estates, once: to see that it works")
    parser.add_argument(
        "--update", action="store_true", help="with --case: put these cases into RESULTS.md, and leave the others there"
    )
    options = parser.parse_args()
    if options.update and (options.quick or not options.case):
        parser.error("--update goes with --case, and without --quick")
    return options


def _updated(document: str, figures: Sequence[Figure]) -> str:
    """The results with the rows of these figures' cases in place of those that they had, or at the end."""
    cases = {one.case for one in figures}
    rows = as_table(figures).splitlines()[2:]
    lines = document.splitlines()
    stay = [line for line in lines if line.split(" | ")[0].removeprefix("| ") not in cases]
    gone = next((place for place, line in enumerate(lines) if line not in stay), len(stay))
    said = f"- Measured again or added on {datetime.now(UTC):%d %B %Y}: {'; '.join(sorted(cases))}."
    stay[gone:gone] = rows
    about = next(place for place, line in enumerate(stay) if line.startswith("- Figures are medians"))
    stay.insert(about + 1, said)
    return "\n".join(stay) + "\n"


def _document(table: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"""# Results

Written by `make bench` on {datetime.now(UTC):%d %B %Y}. How it is measured is in [README.md](README.md).

- Machine: {machine}, Python {platform.python_version()}; the fake EC2 runs on it as well.
- Versions: {packages}; Cloud Custodian {CUSTODIAN_VERSION}.
- Figures are medians. Machines differ, and so do days: trust the ratios more than single figures.

{table}
"""


if __name__ == "__main__":
    sys.exit(main())
