"""What the other tests run is what is installed: the same outputs, whether it starts cold or is forked off."""

import os
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import FakeEc2
from tests.cli.remediation_estate import OWNER, TRUST, estate
from tests.conftest import RunAmiguard, run_program, scrubbed_environment
from tests.fakes.warm_program import WarmTimeoutError


@pytest.mark.parametrize(
    "arguments",
    [(), ("--help",), ("--version",), ("audit", "--no-such-option"), ("trust", "schema"), ("policy", "audit")],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_without_aws_it_says_the_same(run_amiguard: RunAmiguard, arguments: tuple[str, ...]) -> None:
    assert run_amiguard(*arguments, cold=False) == run_amiguard(*arguments, cold=True)


@pytest.mark.parametrize("command", [("audit",), ("audit", "--workers", "2"), ("plan", "--quiet")], ids=" ".join)
def test_with_aws_it_says_the_same(run_amiguard: RunAmiguard, command: tuple[str, ...]) -> None:
    with FakeEc2(estate()) as fake:
        warm, cold = (
            run_amiguard(*command, *TRUST, env=fake.environment(OWNER), cold=one_of_both)
            for one_of_both in (False, True)
        )
    assert (warm.code, warm.err) == (cold.code, cold.err)
    assert warm.out.splitlines()[:20] == cold.out.splitlines()[:20]


def test_it_reads_what_it_is_told_and_has_no_other_environment(tmp_path: Path) -> None:
    assert "HOME" in os.environ
    runs = [
        run_program(
            ["trust", "add", "111122223333"],
            tmp_path,
            {"PATH": "/usr/bin", "AMIGUARD_CONFIG": f"{cold}.yaml"},
            cold=cold,
        )
        for cold in (False, True)
    ]
    assert runs[0].code == runs[1].code
    assert runs[0].err.replace("False", "True") == runs[1].err


def test_a_run_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with FakeEc2(estate()) as fake, pytest.raises(WarmTimeoutError):
        run_program(["demo", "--keep"], tmp_path, scrubbed_environment(tmp_path, fake.environment(OWNER)), timeout=0.01)
