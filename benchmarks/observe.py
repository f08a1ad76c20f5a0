"""Runs of programs beside the fake, and what must be right about them before any time counts."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.fake_ec2 import Truth
from benchmarks.fake_process import FakeProcess
from benchmarks.figures import Figure, Target, figure
from benchmarks.programs import Audit

READ: Final = "DescribeImageAttribute"
"""The call that reads a launch permission."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each program runs; `small` estates show that everything works, and their figures mean little."""

    runs: int = 5
    peer_runs: int = 1
    paced_runs: int = 3
    long_runs: int = 3
    small: bool = False

    def goal(self, symbol: str, bound: float) -> Target | None:
        """Return a target for a cost; with small estates there is none, for the start of a program is most of it."""
        return None if self.small else Target(symbol, bound)


@dataclass(frozen=True, slots=True)
class Observed:
    """One audit, and what the fake saw of it."""

    audit: Audit
    stats: Mapping[str, Any]

    @property
    def calls(self) -> int:
        """All calls, throttled ones included."""
        return int(sum(self.stats["calls"].values()))

    @property
    def reads(self) -> int:
        """Calls that read a launch permission, throttled ones included."""
        return int(self.stats["calls"].get(READ, 0))

    @property
    def other_calls(self) -> int:
        """All other calls."""
        return self.calls - self.reads

    @property
    def cpu_milliseconds_a_call(self) -> float:
        """The CPU time of the program, start and end of it included, over its calls."""
        return 1000 * self.audit.usage.cpu_seconds / self.calls

    @property
    def fake_cpu_milliseconds_a_call(self) -> float:
        """The CPU time of the fake over the calls that it answered."""
        return 1000 * float(self.stats["process_cpu_seconds"]) / self.calls


def observe(fake: FakeProcess, run: Callable[[Path], Audit]) -> Observed:
    """Run a program in a folder of its own, and return what the fake saw of it and nothing else."""
    fake.reset()
    with tempfile.TemporaryDirectory() as folder:
        audit = run(Path(folder))
    return Observed(audit, fake.stats())


def correctness(case: str, who: str, observed: Sequence[Observed], truth: Truth) -> list[Figure]:
    """Return what must be right before any time counts: verdicts, images that nobody judged, and signatures."""
    expected, none = truth.untrusted(), Target("=", 0)
    wrong = [len(one.audit.flagged ^ expected) for one in observed]
    figures = [figure(case, f"{who}: wrong verdicts, of {len(expected):,} untrusted images", wrong, target=none)]
    unjudged = [one.audit.unjudged for one in observed if one.audit.unjudged is not None]
    if unjudged:
        figures.append(figure(case, f"{who}: images not judged", unjudged, target=none))
    refused = [one.stats["signature_failures"] for one in observed]
    checked = observed[0].stats["signatures_checked"]
    return [*figures, figure(case, f"{who}: signatures refused, of {checked:,} checked", refused, target=none)]
