"""A large saved report in every format: what `amiguard report` takes, and that nothing of it is lost on the way."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from amiguard.report.interface import ALL
from amiguard.report.json_document import render_json
from benchmarks.figures import Figure, Target, figure
from benchmarks.html_estates import made_report
from benchmarks.measure import Usage, measure
from benchmarks.observe import Effort
from benchmarks.programs import AMIGUARD

# By name: what is measured is the program, and it may be another one than what is imported here.
_FORMATS: Final = ("json", "jsonl", "csv", "text", "markdown", "table", "html", "sarif", "junit", "ocsf", "asff")
_SHOW_ALL: Final = ("--status", "pass", "--status", "fail", "--status", "suppressed", "--status", "unknown")
_LINES: Final[Mapping[str, Callable[[int, int], int]]] = {
    # The header and the summary.
    "jsonl": lambda results, _: results + 2,
    # The verdict.
    "text": lambda results, _: results + 1,
    "ocsf": lambda results, _: results,
    # The brackets of the array.
    "asff": lambda _, failing: failing + 2,
}
"""How many lines a format with a line for each result has, by the number of results and of those that fail."""


def reports(effort: Effort) -> list[Figure]:
    """Return the figures of every format, and the lines that are missing in those that have one for each result."""
    images = 5_000 if effort.small else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saved = folder / "saved.json"
        with made_report(images) as report, saved.open("w", encoding="utf-8") as stream:
            render_json(report, ALL, stream)
            failing = report.summary["fail"]
        case = f"report of {images:,} results ({failing:,} fail), {saved.stat().st_size / 1e6:.0f} MB of JSON"
        return [one for name in _FORMATS for one in _of_format(case, effort, name, saved, (images, failing))]


def _of_format(case: str, effort: Effort, name: str, saved: Path, counts: tuple[int, int]) -> list[Figure]:
    product = saved.with_name(f"report.{name}")
    usages = [_write(name, saved, product) for _ in range(effort.long_runs)]
    wall, memory = [one.wall_seconds for one in usages], [one.peak_mib for one in usages]
    size = product.stat().st_size / 1e6
    figures = [
        figure(case, f"{name}, {size:.1f} MB: wall", wall, "s", effort.goal("<=", 10), digits=2),
        figure(case, f"{name}: peak memory", memory, "MiB", effort.goal("<=", 150)),
    ]
    if name == "json":
        missing = counts[0] - len(json.loads(product.read_bytes())["results"])
        figures.append(figure(case, f"{name}: results that are missing", [missing], target=Target("=", 0)))
    if name in _LINES:
        with product.open("rb") as stream:
            missing = _LINES[name](*counts) - sum(1 for _ in stream)
        figures.append(figure(case, f"{name}: lines that are missing", [missing], target=Target("=", 0)))
    product.unlink()
    return figures


def _write(name: str, saved: Path, product: Path) -> Usage:
    # All results in formats for people, too: what they hold by default would be a tenth.
    command: list[str | Path] = [AMIGUARD, "report", saved, *_SHOW_ALL, "--format", f"{name}={product}"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(saved.parent), "LANG": "C.UTF-8"}
    return measure(command, saved.parent, environment, product=product)
