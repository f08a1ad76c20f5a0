"""One run of the soak: the estate with its faults, the program beside it, and the samples of its process."""

import itertools
import json
import os
import shlex
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.fake_ec2 import Bucket, FakeEc2, FakeImage, ImageKey, credentials_for, generate_estate
from benchmarks.fake_process import ACCOUNT
from benchmarks.measure import ProgramFailedError
from benchmarks.programs import AMIGUARD, surroundings
from benchmarks.soak_faults import Throttle, Weather
from benchmarks.soak_judge import Account, Expected, Sample, account_for

_ANSWERS: Final = (0, 1, 3)
_LATENCY: Final = 0.03
_SIGNATURES: Final = 64
_BURST: Final = 100
_LOST_TO_FAULTS: Final = 1.2
"""How many times as fast the bucket is as the duration alone asks for: throttled calls and silence slow it down."""
_SESSIONS: Final = 1000
_KEYS: Final = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, and what of.

    Attributes:
        minutes: about how long the audit is to last: the bucket follows from it.
        regions: of the one account, at most 17.
        images: in all regions together, a multiple of their number.
        unreadable_every: of the images, one in so many never has an answer, and about one in so many the caller is
            refused; 0 for none.
        sample_every: seconds between two samples.
        settled_after: seconds after which the curves count.
    """

    minutes: float
    regions: int
    images: int
    unreadable_every: int = 2000
    weather: Weather = field(default_factory=Weather)
    sample_every: float = 1.0
    settled_after: float = 60.0

    @property
    def refill(self) -> float:
        """Reads a second in each region with which the audit lasts as long."""
        return round(self.images / self.regions / (60 * self.minutes) * _LOST_TO_FAULTS, 1)


@dataclass(frozen=True, slots=True)
class Soaked:
    """One run: what was sampled, and how its report accounts for the images.

    Attributes:
        seconds: from the program's start to its end.
        calls: that arrived.
        faults: that struck, by effect.
    """

    samples: tuple[Sample, ...]
    account: Account
    seconds: float
    calls: int
    faults: Counter[str]


def soak(plan: Plan) -> Soaked:
    """Audit the estate of a plan, watch the process meanwhile, and judge its report.

    Raises:
        ProgramFailedError: it did not end with a report.
    """
    estate, truth = generate_estate(1, plan.regions, plan.images // plan.regions, plan.weather.seed)
    images = {name: region.images for name, region in estate.accounts[ACCOUNT].regions.items()}
    broken, refused = _some(plan, images, 0), _some(plan, images, plan.unreadable_every // 2)
    faults = plan.weather.faults(*(frozenset(key.image_id for key in keys) for keys in (broken, refused)))
    # Twice what amiguard asks for: it is throttled by injected faults alone.
    bucket = Bucket(2 * _BURST, 2 * plan.refill)
    with (
        FakeEc2(estate, latency=_LATENCY, bucket=bucket, faults=faults, verify_every=_SIGNATURES) as fake,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        command: list[str | Path] = [
            AMIGUARD,
            "audit",
            "--endpoint-url",
            fake.endpoint_url,
            "--read-bucket",
            f"{_BURST}+{plan.refill}",
        ]
        command += [part for account_id in truth.trusted_accounts for part in ("--trust", account_id)]
        report = folder / "report.json"
        begun = time.monotonic()
        samples, exit_code = _watched([*command, "--format", f"json={report}"], folder, fake, plan.sample_every)
        seconds = time.monotonic() - begun
        stats = fake.stats
        if stats.signature_failures:
            raise ProgramFailedError(f"{stats.signature_failures} signatures were refused")
        expected = Expected(
            lambda key: key.account_id == ACCOUNT and key.image_id in images.get(key.region, ()),
            truth.images,
            truth.untrusted(),
            broken | refused,
            dict(stats.calls),
            stats.throttled.total() + stats.faults[Throttle.__name__],
        )
        account = account_for(report, exit_code, expected)
        return Soaked(samples, account, seconds, stats.calls.total(), Counter(stats.faults))


def _some(plan: Plan, images: Mapping[str, Mapping[str, FakeImage]], start: int) -> frozenset[ImageKey]:
    """One image of each region in `unreadable_every`."""
    if not plan.unreadable_every:
        return frozenset()
    return frozenset(
        ImageKey(ACCOUNT, name, image_id)
        for name, of_region in images.items()
        for image_id in itertools.islice(of_region, start, None, plan.unreadable_every)
    )


def _watched(
    command: Sequence[str | Path], folder: Path, fake: FakeEc2, every: float
) -> tuple[tuple[Sample, ...], int]:
    """Run a program with credentials that are new each time they are asked for, and sample it until it ends."""
    environment = {name: text for name, text in surroundings(fake.endpoint_url, folder).items() if name not in _KEYS}
    environment |= {"AWS_CONFIG_FILE": str(_credentials(folder)), "TMPDIR": str(folder)}
    log = folder / "output.log"
    samples: list[Sample] = []
    with log.open("wb") as output:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            while process.returncode is None:
                try:
                    process.wait(every)
                except subprocess.TimeoutExpired:
                    samples += _sample(process.pid, time.monotonic() - begun)
        finally:
            process.kill()
            process.wait()
    if process.returncode not in _ANSWERS:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise ProgramFailedError(f"amiguard ended with {process.returncode}:\n{tail}")
    return tuple(samples), process.returncode


def _sample(pid: int, seconds: float) -> Iterator[Sample]:
    """Yield what a process holds; nothing if it has just ended."""
    folder = Path("/proc", str(pid))
    with suppress(OSError):
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        if pages:
            yield Sample(seconds, pages * os.sysconf("SC_PAGE_SIZE"), descriptors)


def _credentials(folder: Path) -> Path:
    """Return a configuration whose credentials come from a process, as those of single sign-on do."""
    lines = [
        json.dumps(
            {
                "Version": 1,
                "AccessKeyId": one.access_key_id,
                "SecretAccessKey": one.secret_access_key,
                "SessionToken": one.session_token,
            }
        )
        for one in (credentials_for(ACCOUNT, session=number) for number in range(_SESSIONS))
    ]
    (folder / "sessions").write_text("\n".join(lines) + "\n", encoding="ascii")
    script, config = folder / "next-session", folder / "config"
    # Two that ask at the same moment may get the same ones, which does no harm.
    script.write_text('cd "$(dirname "$0")"; echo >> asked; sed -n "$(wc -l < asked)p" sessions\n', encoding="ascii")
    config.write_text(f"[default]\ncredential_process = /bin/sh {shlex.quote(str(script))}\n", encoding="utf-8")
    return config
