"""What the soak asserts: curves that are flat by their samples, and a report that accounts for every image."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

from benchmarks.fake_ec2 import ImageKey

MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held at a moment: `seconds` after its start, bytes of resident memory, open descriptors."""

    seconds: float
    resident: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Curves:
    """The samples of a run after it has settled.

    Attributes:
        memory_slope: MB of resident memory a minute, by least squares.
        peak: the most resident memory in the whole run, in MB.
        descriptor_slope: file descriptors a minute, by least squares.
        fewest_descriptors: at the end, when the report is written and no connection is needed, or before.
    """

    memory_slope: float
    peak: float
    descriptor_slope: float
    fewest_descriptors: int
    most_descriptors: int


def curves(samples: Sequence[Sample], settled_after: float) -> Curves:
    """Return what the samples say; those of the first `settled_after` seconds count for the peak alone.

    Raises:
        statistics.StatisticsError: there are fewer than two samples after that.
    """
    settled = [one for one in samples if one.seconds >= settled_after]
    minutes = [one.seconds / 60 for one in settled]
    descriptors = [one.descriptors for one in settled]
    return Curves(
        linear_regression(minutes, [one.resident / MEGABYTE for one in settled]).slope,
        max(one.resident for one in samples) / MEGABYTE,
        linear_regression(minutes, descriptors).slope,
        min(descriptors),
        max(descriptors),
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """What the report must say.

    Attributes:
        is_listed: whether there is such an image.
        images: how many there are.
        untrusted: those that fail.
        unreadable: those that must be unknown.
        calls: all calls that arrived, by action.
        throttled: calls that were throttled.
    """

    is_listed: Callable[[ImageKey], bool]
    images: int
    untrusted: Collection[ImageKey]
    unreadable: Collection[ImageKey]
    calls: Mapping[str, int]
    throttled: int

    def status(self, key: ImageKey) -> str:
        """Return the status that the report must give an image."""
        if key in self.unreadable:
            return "unknown"
        return "fail" if key in self.untrusted else "pass"

    @property
    def exit_code(self) -> int:
        """The exit code of the audit."""
        if any(key not in self.unreadable for key in self.untrusted):
            return 1
        return 3 if self.unreadable else 0


@dataclass(slots=True)
class Account:
    """How a report accounts for the images of the estate; all from `missing` on should be nothing.

    Attributes:
        statuses: results by status.
        about_images: results that are not about a whole region.
        reasons: unknown results by message, without its hint.
        missing: images without a result.
        twice: results of images that have one already.
        strange: results that are about no image of the estate.
        wrong: results with a status that is not that of the truth.
        silent: unknown results without a reason.
        disagreements: where summary, completeness or exit code differ from the results and the calls, in words.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    about_images: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    twice: int = 0
    strange: int = 0
    wrong: int = 0
    silent: int = 0
    disagreements: list[str] = field(default_factory=list)


def account_for(report: Path, exit_code: int, expected: Expected) -> Account:
    """Compare a report in the format `json` with the truth; only what is known about each image is held in memory."""
    found, seen = Account(), set[ImageKey]()
    with report.open(encoding="utf-8") as lines:
        head = _head(lines)
        for result in _results(lines):
            _judge(result, expected, seen, found)
    found.missing = expected.images - len(seen)
    found.disagreements += _disagreements(head, exit_code, expected, found)
    return found


def _head(lines: Iterator[str]) -> dict[str, Any]:
    """Everything before the results; the format has one line for each of them."""
    text = "".join(itertools.takewhile(lambda line: not line.startswith('"results":['), lines))
    document: dict[str, Any] = json.loads(text.rstrip().removesuffix(",") + "}")
    return document


def _results(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.startswith("]"):
            yield json.loads(line.rstrip().removesuffix(","))


def _judge(result: Mapping[str, Any], expected: Expected, seen: set[ImageKey], found: Account) -> None:
    found.statuses[result["status"]] += 1
    if result["status"] == "unknown":
        found.reasons[result["message"].partition(" (")[0]] += 1
        found.silent += not result["message"]
    image = result["image"]
    found.about_images += image is not None
    key = ImageKey(result["account_id"], result["region"], image["id"]) if image else None
    if key is None or not expected.is_listed(key):
        found.strange += 1
    elif key in seen:
        found.twice += 1
    else:
        seen.add(key)
        found.wrong += result["status"] != expected.status(key)


def _disagreements(head: Mapping[str, Any], exit_code: int, expected: Expected, found: Account) -> Iterator[str]:
    summary = head["summary"]
    pairs = [(status, summary[status], found.statuses[status]) for status in ("pass", "fail", "suppressed", "unknown")]
    pairs += [
        ("images", summary["images"], found.about_images),
        ("images of the targets", sum(target["images"] for target in head["targets"]), summary["images"]),
        ("vanished", summary["vanished"], 0),
        ("throttled", summary["throttled"], expected.throttled),
        ("complete", head["audit"]["complete"], not found.statuses["unknown"]),
        ("exit code", exit_code, expected.exit_code),
    ]
    pairs += [(action, summary["api_calls"].get(action, 0), calls) for action, calls in expected.calls.items()]
    return (f"{name}: {told}, and not {right}" for name, told, right in pairs if told != right)
