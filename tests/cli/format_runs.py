"""Audits whose reports are written to files, in every format."""

import subprocess
from pathlib import Path

from benchmarks.fake_ec2 import AwsError, FakeEc2, FakeImage, Fault, account_grant, raw_grant
from tests.cli.audit_runs import ACCOUNT, PRIVATE, PUBLIC, SHARED_BADLY, SHARED_WELL, STRANGER, TRUSTED, regions
from tests.conftest import PROGRAM, scrubbed_environment

FORMATS = ("table", "text", "json", "jsonl", "csv", "markdown", "html", "sarif", "junit", "ocsf", "asff", "conformity")
HOSTILE = FakeImage("ami-0000000000000000e", name="=cmd|'/C calc'!A0 <b>&\n\x9b31m", grants=(account_grant(STRANGER),))
ACCEPTED = FakeImage("ami-0000000000000000f", name="accepted", grants=(account_grant(STRANGER),))
ODD = FakeImage("ami-00000000000000010", name="odd", grants=(raw_grant("<newKind>x</newKind>"),))
CROWD = FakeImage(
    "ami-00000000000000011", name="crowd", grants=tuple(account_grant(f"70000000000{n}") for n in range(8))
)
IMAGES = (PRIVATE, SHARED_WELL, SHARED_BADLY, PUBLIC, HOSTILE, ACCEPTED, ODD, CROWD)
ESTATE = regions(*IMAGES, disabled=("af-south-1",))
SETTINGS = f"""version: 1
trust:
  accounts:
    - {{id: "{TRUSTED}", name: Staging}}
exceptions:
  - images: {{ids: [{ACCEPTED.id}]}}
    grantees: any
    reason: a demonstration
    owner: alice@example.com
"""


def to_files(formats: tuple[str, ...] = FORMATS) -> list[str]:
    """The options for a file of each format, named by it."""
    return [part for name in formats for part in ("--format", f"{name}={name}")]


def audit_to_files(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Audit the estate to a file of each format in a folder."""
    (folder / "amiguard.yaml").write_text(SETTINGS, encoding="utf-8")
    denied = Fault(AwsError("UnauthorizedOperation", status=403), action="DescribeImages", region="eu-central-1")
    with FakeEc2(ESTATE, faults=[denied]) as fake:
        return subprocess.run(
            [PROGRAM, "audit", *to_files()],
            env=scrubbed_environment(folder, fake.environment(ACCOUNT)),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")
