"""Evidence about the images that fail: what it costs, that nothing waits for it, and as fast as CloudTrail lets it."""

import json
import math
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from benchmarks.evidence_estate import BINNED, REPORT_SECONDS, TRUSTED, EvidenceEstate
from benchmarks.fake_ec2 import DOCUMENTED, Bucket, Call, FakeEc2
from benchmarks.fake_ec2.buckets import OTHERS, UNPAGED_SNAPSHOTS
from benchmarks.figures import Figure, Target, figure
from benchmarks.measure import Usage, measure
from benchmarks.observe import READ, Effort
from benchmarks.programs import AMIGUARD, surroundings

LOOK_UP: Final = "LookupEvents"
REPORTS: Final = "DescribeImageUsageReports"
ENCRYPTION: Final = "DescribeSnapshots"
KMS: Final = ("DescribeKey", "GetKeyPolicy", "ListGrants")
_READS: Final = Bucket(100, 100)
"""More than AWS documents, so that CloudTrail is what the audit waits for."""
_BUCKETS: Final = {**DOCUMENTED, OTHERS: _READS, UNPAGED_SNAPSHOTS: _READS}
_OPTIONS: Final = ("--trust", TRUSTED, "--read-bucket", f"{_READS.capacity}+{_READS.refill}", "--format", "jsonl")
_LATENCY: Final = 0.03
_SIGNATURES: Final = 64
_BATCH: Final = 200
_GATHERED: Final = 0.5
"""Seconds in which what is asked for in common comes together."""
_BETWEEN_POLLS: Final = 2.0
_OTHER_CALLS: Final = 20
"""Calls beside reads and evidence: regions, pages of images, the caller's identity."""
_ANSWERS: Final = (0, 1, 3)


@dataclass(slots=True)
class _Output:
    """What the lines of a run said, and when; `failed` has the image ids by fingerprint."""

    failed: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)
    evidence_lines: int = 0
    last_result: float = 0.0
    binned: int = 0
    started: float = field(default_factory=time.monotonic)

    def read(self, lines: IO[bytes]) -> None:
        """Read the standard output to its end."""
        for line in lines:
            item = json.loads(line)
            match item["type"]:
                case "result":
                    self.last_result = time.monotonic() - self.started
                    if item["status"] == "fail":
                        self.failed[item["fingerprint"]] = item["image"]["id"]
                case "evidence":
                    self.evidence_lines += 1
                    self.evidence[item["fingerprint"]] = item["evidence"]
                case "summary":
                    bins = (target.get("recycle_bin", {}) for target in item["targets"])
                    self.binned = sum(len(one.get("images", ())) for one in bins)
                case _:
                    pass  # the header


@dataclass(frozen=True, slots=True)
class _Run:
    """One audit: what it used, what it wrote, and what the fake saw of it."""

    usage: Usage
    output: _Output
    calls: tuple[tuple[float, Call], ...]
    throttled: Counter[str]
    refused: int

    def count(self, *actions: str) -> int:
        """Calls of these actions that were not throttled."""
        return sum(call.action in actions for _, call in self.calls) - sum(self.throttled[one] for one in actions)

    @property
    def all_calls(self) -> int:
        """All calls that were not throttled."""
        return len(self.calls) - self.throttled.total()

    @property
    def reading(self) -> float:
        """Seconds from the first read of a permission to the last: meanwhile, failing images are found."""
        moments = [at for at, call in self.calls if call.action == READ]
        return moments[-1] - moments[0]


def evidence(effort: Effort) -> list[Figure]:
    """Return the figures of 2,000 images of which 100 fail."""
    return _figures(effort, EvidenceEstate(200 if effort.small else 2_000), effort.paced_runs)


def whole_evidence(effort: Effort) -> list[Figure]:
    """Return the figures of 10,000 images of which 500 fail: six minutes."""
    return _figures(effort, EvidenceEstate(200 if effort.small else 10_000), 1)


def _figures(effort: Effort, estate: EvidenceEstate, runs: int) -> list[Figure]:
    pairs = [(_audit(estate), _audit(estate, "--evidence", "all")) for _ in range(runs)]
    plain, full = [one for one, _ in pairs], [one for _, one in pairs]
    case = f"evidence for {len(estate.failing):,} of {estate.images:,} images, 1 region, 30 ms, 2 look-ups a second"
    return [
        *_correctness(case, estate, full),
        *_calls(case, estate, full),
        *_pace(case, effort, estate, plain, full),
    ]


def _correctness(case: str, estate: EvidenceEstate, runs: Sequence[_Run]) -> list[Figure]:
    """Return what must be right before any time counts: verdicts, and what there is to be found about each image."""
    none, expected = Target("=", 0), estate.failing.keys()
    verdicts = [len(set(one.output.failed.values()) ^ expected) for one in runs]
    wrong = [len(expected) - _right(estate, one.output) for one in runs]
    # A second line about an image, or one about an image that does not fail.
    stray = [one.output.evidence_lines - len(one.output.failed.keys() & one.output.evidence) for one in runs]
    named = [sum(_is_evidence(call) and estate.names_passing(call) for _, call in one.calls) for one in runs]
    binned = [one.output.binned for one in runs]
    return [
        figure(case, f"amiguard: wrong verdicts, of {len(expected):,} failing images", verdicts, target=none),
        figure(case, "amiguard: failing images without all their evidence", wrong, target=none),
        figure(case, "amiguard: evidence that nobody asked for", stray, target=none),
        figure(case, "amiguard: images in the Recycle Bin", binned, target=Target("=", BINNED)),
        figure(case, "amiguard: evidence calls that name a passing image", named, target=none),
        figure(case, "amiguard: signatures refused", (one.refused for one in runs), target=none),
    ]


def _right(estate: EvidenceEstate, output: _Output) -> int:
    return sum(
        image_id in estate.failing
        and fingerprint in output.evidence
        and estate.is_right(image_id, output.evidence[fingerprint])
        for fingerprint, image_id in output.failed.items()
    )


def _is_evidence(call: Call) -> bool:
    words = ("Usage", "Snapshot", "Recycle")
    return call.service in {"cloudtrail", "kms"} or any(word in call.action for word in words)


def _calls(case: str, estate: EvidenceEstate, runs: Sequence[_Run]) -> list[Figure]:
    """Return the calls of each kind: as many as there is to ask, and where one call asks for many, at most so many."""
    failing, snapshots = len(estate.failing), len(estate.snapshots)
    exact = {
        READ: estate.images,
        LOOK_UP: failing,
        "CreateImageUsageReport": failing,
        "DescribeImageUsageReportEntries": failing,
        "DescribeSnapshotAttribute": snapshots,
        "ListImagesInRecycleBin": 1,
    }
    figures = [
        figure(case, f"amiguard: {action}", (one.count(action) for one in runs), target=Target("=", count))
        for action, count in exact.items()
    ]
    kms = 3 * len(estate.keys)
    figures.append(figure(case, "amiguard: calls of KMS", (one.count(*KMS) for one in runs), target=Target("=", kms)))
    for action in (REPORTS, ENCRYPTION):
        over = [one.count(action) - _most(action, estate, one) for one in runs]
        figures += [
            figure(case, f"amiguard: {action}", (one.count(action) for one in runs)),
            figure(case, "amiguard: the same over its budget", over, target=Target("<=", 0)),
        ]
    fixed = sum(exact.values()) + kms + _OTHER_CALLS
    over = [one.all_calls - fixed - _most(REPORTS, estate, one) - _most(ENCRYPTION, estate, one) for one in runs]
    return [
        *figures,
        figure(case, "amiguard: all calls", (one.all_calls for one in runs)),
        figure(case, "amiguard: the same over the budget", over, target=Target("<=", 0)),
    ]


def _most(action: str, estate: EvidenceEstate, run: _Run) -> int:
    """Return the calls of an action that asks about 200 at once: one for each 200, or for what comes in a moment."""
    moments = math.ceil(run.reading / _GATHERED)
    if action == ENCRYPTION:
        return math.ceil(len(estate.snapshots) / _BATCH) + moments
    batches = math.ceil(len(estate.failing) / _BATCH)
    return batches + moments + batches * math.ceil(run.usage.wall_seconds / _BETWEEN_POLLS)


def _pace(
    case: str, effort: Effort, estate: EvidenceEstate, plain: Sequence[_Run], full: Sequence[_Run]
) -> list[Figure]:
    bucket = DOCUMENTED[LOOK_UP]
    floor = (len(estate.failing) - bucket.capacity) / bucket.refill
    wall = [one.usage.wall_seconds for one in full]
    over = [one / floor for one in wall]
    without, beside = ([one.output.last_result for one in runs] for runs in (plain, full))
    later = [with_it / alone for with_it, alone in zip(beside, without, strict=True)]
    throttled = [100 * one.throttled[LOOK_UP] / one.count(LOOK_UP) for one in full]
    goal = effort.goal
    return [
        figure(case, f"amiguard: start to end, floor {floor:g} s", wall, "s", digits=1),
        figure(case, "amiguard: the same over the floor", over, "times", goal("<=", 1.1), digits=3),
        figure(case, "amiguard: look-ups throttled", throttled, "%", digits=2),
        figure(case, "amiguard: last verdict without evidence is out after", without, "s", digits=1),
        figure(case, "amiguard: last verdict beside evidence is out after", beside, "s", digits=1),
        figure(case, "amiguard: the second over the first", later, "times", goal("<=", 1.1), digits=3),
        figure(case, "amiguard: CPU without evidence", (one.usage.cpu_seconds for one in plain), "s", digits=2),
        figure(case, "amiguard: CPU with evidence", (one.usage.cpu_seconds for one in full), "s", digits=2),
        figure(case, "amiguard: peak memory", (one.usage.peak_mib for one in full), "MiB"),
    ]


def _audit(estate: EvidenceEstate, *options: str) -> _Run:
    """Audit once, with a fake of its own: reports of an earlier run would be used again."""
    # The fake is on a thread of this process, which only reads lines meanwhile, so that each call can be looked at.
    fake = FakeEc2(
        estate.estate(),
        latency=_LATENCY,
        bucket=_BUCKETS,
        verify_every=_SIGNATURES,
        report_seconds=REPORT_SECONDS,
        remember=1_000_000,
    )
    with fake, tempfile.TemporaryDirectory() as folder:
        output = _Output()
        usage = measure(
            [AMIGUARD, "audit", "--endpoint-url", fake.endpoint_url, *_OPTIONS, *options],
            Path(folder),
            surroundings(fake.endpoint_url, Path(folder)),
            expected=_ANSWERS,
            reader=output.read,
        )
        calls = tuple(zip(fake.stats.recent_at, fake.stats.recent, strict=True))
        return _Run(usage, output, calls, fake.stats.throttled.copy(), fake.stats.signature_failures)
