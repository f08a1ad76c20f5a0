"""The fake EC2 in a process of its own, so that it does not share an interpreter with what is measured."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.fake_ec2 import Truth, generate_estate

ACCOUNT: Final = "100000000000"
"""The id of the only account of the measured estates."""

_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Setup:
    """How the fake is set up: images in each region, seconds of latency, and the bucket as `CAPACITY+REFILL`."""

    regions: int
    images_per_region: int
    bucket: str = "none"
    latency: float = 0.03

    def truth(self) -> Truth:
        """Return what an audit of the estate must find."""
        return generate_estate(1, self.regions, self.images_per_region)[1]


@dataclass(frozen=True, slots=True)
class FakeProcess:
    """A running fake, at `url`."""

    url: str

    def stats(self) -> Any:
        """Return what was counted since the last reset."""
        with urllib.request.urlopen(f"{self.url}/_stats") as reply:  # noqa: S310 - the fake's own address
            return json.load(reply)

    def reset(self) -> None:
        """Forget what was counted, and fill the buckets."""
        request = urllib.request.Request(f"{self.url}/_reset", method="POST")  # noqa: S310 - as above
        urllib.request.urlopen(request).close()  # noqa: S310 - as above


@contextlib.contextmanager
def fake_process(setup: Setup) -> Iterator[FakeProcess]:
    """Start a fake, give it when it is ready, and end it."""
    command = [sys.executable, "-m", "benchmarks.fake_ec2", "--regions", str(setup.regions)]
    command += ["--images", str(setup.images_per_region)]
    command += ["--latency", str(setup.latency), "--bucket", setup.bucket]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        # Leaving Popen's block closes its standard input, which ends the fake.
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield FakeProcess(process.stdout.readline().strip())
