"""Runs of `amiguard apply`, and what they say."""

from benchmarks.fake_ec2 import FakeEc2
from tests.cli.remediation_estate import (
    OWNER,
    PLAN,
    TRUST,
)
from tests.conftest import Run, RunAmiguard

DONE = """\
Done (5)

111122223333  eu-central-1
  {word}  ami-00000000000000006  - o-foreign1234, ou-ab12-foreign1  data-6

111122223333  us-east-1
  {word}  ami-00000000000000001  - everyone, 999988887777  web-1
  {word}  ami-00000000000000002  - everyone  web-2
  {word}  ami-00000000000000003  - everyone  web-3
  {word}  ami-00000000000000004  - 999988887777  =cmd|'/C calc'!A0\\n::error::pwned\\n\\x9b31mred \\u202egpj.ima

Result
{result}
"""
APPLIED = DONE.format(word="applied", result="5 applied.")


def apply(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str, trust: tuple[str, ...] = TRUST) -> Run:
    return run_amiguard("apply", PLAN, *trust, *arguments, env=fake.environment(OWNER))


def counts(run: Run) -> str:
    """The last line of the table."""
    return run.out.splitlines()[-1]
