"""One region of many images beside many small targets: the small ones must not wait for the large one."""

import time
from pathlib import Path
from typing import Final

from benchmarks.fake_ec2 import ImageKey, Truth
from benchmarks.fake_ec2.generate import REGION_NAMES
from benchmarks.fake_process import ACCOUNT, FakeProcess, Setup, fake_process
from benchmarks.figures import Figure, figure
from benchmarks.observe import READ, Effort, Observed, correctness, observe
from benchmarks.organization import OPTIONS
from benchmarks.programs import Audit, stream_amiguard

_SMALL_TARGETS: Final = 40


class _Watch:
    """Asks the fake how much of the large target is read, at the moment when the last small result is out."""

    def __init__(self, fake: FakeProcess, small_images: int) -> None:
        self._fake, self._left, self._started = fake, small_images, time.monotonic()
        self.large_reads: int | None = None
        self.seconds = 0.0

    def seen(self, key: ImageKey) -> None:
        """Note the result of an image."""
        if key.account_id == ACCOUNT:
            return
        self._left -= 1
        if self._left == 0:
            self.seconds = time.monotonic() - self._started
            self.large_reads = self._fake.stats()["by_target"].get(f"{ACCOUNT}/{REGION_NAMES[0]}/{READ}", 0)


def fairness(effort: Effort) -> list[Figure]:
    """Return the figures of 40 accounts beside one whose region has 50,000 images, and which comes first."""
    large = 2_000 if effort.small else 50_000
    setup = Setup(regions=1, images_per_region=25, accounts=_SMALL_TARGETS + 1, first_region_images=large)
    truth = setup.truth()
    with fake_process(setup) as fake:
        pairs = [_run(fake, truth, truth.images - large) for _ in range(effort.long_runs)]
    runs, watches = [run for run, _ in pairs], [watch for _, watch in pairs]
    # Small results that never came did not come before the end of the large target.
    shares = [100 * (large if watch.large_reads is None else watch.large_reads) / large for watch in watches]
    case = f"1 region of {large:,} images beside {_SMALL_TARGETS} targets of 25, 30 ms"
    return [
        *correctness(case, "amiguard", runs, truth),
        figure(case, "amiguard: wall", (run.audit.usage.wall_seconds for run in runs), "s", digits=1),
        figure(case, "amiguard: last small result is out after", (watch.seconds for watch in watches), "s", digits=1),
        figure(case, "amiguard: read of the large target by then", shares, "%", effort.goal("<", 5), digits=2),
    ]


def _run(fake: FakeProcess, truth: Truth, small_images: int) -> tuple[Observed, _Watch]:
    watch = _Watch(fake, small_images)

    def run(folder: Path) -> Audit:
        return stream_amiguard(fake, truth, folder, watch.seen, OPTIONS)

    return observe(fake, run), watch
