"""The programs that are compared: how each is asked for untrusted images, and how its answer is read."""

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from benchmarks.fake_ec2 import ImageKey, Truth, environment
from benchmarks.fake_ec2.generate import REGION_NAMES
from benchmarks.fake_process import ACCOUNT, FakeProcess, Setup
from benchmarks.measure import Usage, measure

AMIGUARD: Final = Path(sys.executable).with_name("amiguard")
CUSTODIAN_VERSION: Final = "0.9.53"
_CUSTODIAN_HOME: Final = Path(sys.prefix) / "bench-c7n"
_POLICY: Final = "shared-images"
_ANSWERS: Final = (0, 1, 3)
"""Exit codes of audits that answered; whether the answer is right is seen from the report."""


@dataclass(frozen=True, slots=True)
class Audit:
    """One run: what it used, the images that it flagged, and how many images it could not judge (`None`: not told)."""

    usage: Usage
    flagged: frozenset[ImageKey]
    unjudged: int | None


def surroundings(url: str, folder: Path) -> dict[str, str]:
    """Return the whole environment of a program measured beside the fake at `url`: nothing of the user's reaches it."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", **environment(url, ACCOUNT)}


def run_amiguard(fake: FakeProcess, truth: Truth, folder: Path, options: Sequence[str] = ()) -> Audit:
    """Audit the estate of the fake with amiguard."""
    report = folder / "report.json"
    command = [*_amiguard(fake, truth), "--format", "json", "--output", report, *options]
    usage = measure(command, folder, surroundings(fake.url, folder), expected=_ANSWERS, product=report)
    document = json.loads(report.read_text(encoding="utf-8"))
    flagged = frozenset(map(_key, (result for result in document["results"] if result["status"] == "fail")))
    return Audit(usage, flagged, _unjudged(document["summary"], truth))


def stream_amiguard(
    fake: FakeProcess, truth: Truth, folder: Path, seen: Callable[[ImageKey], None], options: Sequence[str] = ()
) -> Audit:
    """Audit with amiguard, and tell of each image as soon as its result is out."""
    flagged: set[ImageKey] = set()
    unjudged: list[int] = []

    def read(output: IO[bytes]) -> None:
        for line in output:
            item = json.loads(line)
            if item["type"] == "result" and item["image"]:
                key = _key(item)
                seen(key)
                if item["status"] == "fail":
                    flagged.add(key)
            elif item["type"] == "summary":
                unjudged.append(_unjudged(item["summary"], truth))

    command = [*_amiguard(fake, truth), "--format", "jsonl", *options]
    usage = measure(command, folder, surroundings(fake.url, folder), expected=_ANSWERS, reader=read)
    return Audit(usage, frozenset(flagged), sum(unjudged) if unjudged else truth.images)


def _amiguard(fake: FakeProcess, truth: Truth) -> list[str | Path]:
    trust = [part for account_id in truth.trusted_accounts for part in ("--trust", account_id)]
    return [AMIGUARD, "audit", "--endpoint-url", fake.url, *trust]


def _key(result: dict[str, Any]) -> ImageKey:
    return ImageKey(result["account_id"], result["region"], result["image"]["id"])


def _unjudged(summary: dict[str, int], truth: Truth) -> int:
    return truth.images - summary["pass"] - summary["fail"] - summary["suppressed"]


def measure_help(folder: Path) -> Usage:
    """Return what `amiguard --help` uses."""
    return measure([AMIGUARD, "--help"], folder, {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"})


def install_custodian() -> Path:
    """Return the program of Cloud Custodian, put into an environment of its own if it is not there yet."""
    program = _CUSTODIAN_HOME / "bin" / "custodian"
    if not program.exists():
        venv.create(_CUSTODIAN_HOME, with_pip=True)
        pip = _CUSTODIAN_HOME / "bin" / "pip"
        subprocess.run([pip, "install", "--quiet", f"c7n=={CUSTODIAN_VERSION}"], check=True)
    return program


def run_custodian(fake: FakeProcess, setup: Setup, truth: Truth, folder: Path) -> Audit:
    """Filter the estate of the fake with Cloud Custodian's `cross-account` filter of AMIs."""
    policy, output = folder / "policy.json", folder / "output"
    whitelist = {"type": "cross-account", "whitelist": list(truth.trusted_accounts)}
    policies = [{"name": _POLICY, "resource": "aws.ami", "filters": [whitelist]}]
    policy.write_text(json.dumps({"policies": policies}), encoding="utf-8")
    names = REGION_NAMES[: setup.regions]
    regions = [part for name in names for part in ("--region", name)]
    command: list[str | Path] = [
        install_custodian(),
        "run",
        *regions,
        "--cache-period",
        "0",
        "--output-dir",
        output,
        policy,
    ]
    usage = measure(command, folder, surroundings(fake.url, folder))
    flagged = frozenset(
        ImageKey(ACCOUNT, name, image["ImageId"])
        for name in names
        for image in json.loads((output / name / _POLICY / "resources.json").read_text(encoding="utf-8"))
    )
    return Audit(usage, flagged, None)
