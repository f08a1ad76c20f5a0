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
"""The id of the first account of the measured estates, which manages their organization."""

_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Setup:
    """How the fake is set up.

    Attributes:
        regions: of each account.
        images_per_region: images in each of them.
        bucket: `CAPACITY+REFILL`.
        latency: seconds before every answer.
        accounts: how many there are.
        first_region_images: images in the first region of the first account, if not as many as elsewhere.
    """

    regions: int
    images_per_region: int
    bucket: str = "none"
    latency: float = 0.03
    accounts: int = 1
    first_region_images: int | None = None

    def truth(self) -> Truth:
        """Return what an audit of the estate must find."""
        return generate_estate(
            self.accounts,
            self.regions,
            self.images_per_region,
            first_region_images=self.first_region_images,
        )[1]


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
    command += ["--accounts", str(setup.accounts), "--images", str(setup.images_per_region)]
    if setup.first_region_images is not None:
        command += ["--first-region-images", str(setup.first_region_images)]
    command += ["--latency", str(setup.latency), "--bucket", setup.bucket]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        # Leaving Popen's block closes its standard input, which ends the fake.
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield FakeProcess(process.stdout.readline().strip())
