"""Whatever bytes a reader is given, it reads them or refuses them as documented, and what it reads makes sense."""

import time
import zlib

import pytest

from tests.fuzz.explore import HangError, explore, within
from tests.fuzz.findings import FINDINGS, Finding
from tests.fuzz.registry import TARGETS
from tests.fuzz.target import Form, Target, accepts
from tests.fuzz.values import deep
from tests.profiles import share

ENOUGH = 10_000
ORDINARY = 4
"""In CI's profile each target is given all of its examples, and in the others one of so many."""
targets = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
NESTED = ("plan", "journal", "notify-state", "directory", "checkpoint", "trail-record", "kms-policy", "report")


@targets
def test_any_bytes_are_read_or_refused(target: Target) -> None:
    examples = share(target.examples, ORDINARY)
    tried, accepted = explore(target, examples, number=zlib.crc32(target.name.encode()))
    assert tried >= examples
    assert accepted  # or the mutations would all be refused for the same reason


def test_all_targets_together_are_given_enough() -> None:
    assert sum(target.examples for target in TARGETS.values()) >= ENOUGH


@targets
def test_what_others_write_is_read(target: Target) -> None:
    for seed in target.seeds:
        target.run(seed)


@targets
def test_nothing_zeros_and_halves_do_no_harm(target: Target) -> None:
    for data in (b"", b"\0" * 5000, b"\xff\xfe", b"\n" * 5000, b"\xef\xbb\xbf", target.seeds[0][:-40]):
        accepts(target, data)


@pytest.mark.parametrize("name", NESTED)
def test_no_nesting_is_too_deep(name: str) -> None:
    # Python's limit counts its own stack: what could just be read may be too deep to be written.
    target = TARGETS[name]
    for depth in (*range(20, 200, 40), *range(850, 1000), 5000, 200_000):
        for nested in (deep(depth), deep(depth, '{"a":', "}").replace(":}", ":1}")):
            accepts(target, nested.encode())
            accepts(target, b'{"x":' + nested.encode() + b"," + target.seeds[0][1:])


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: f"{finding.target}: {finding.was}")
def test_what_was_found_stays_mended(finding: Finding) -> None:
    accepts(TARGETS[finding.target], finding.data)


def test_what_takes_too_long_is_stopped() -> None:
    def never_ends() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass

    with pytest.raises(HangError), within(0.01):
        never_ends()


def _broken(data: bytes) -> None:
    if b"@" in data:
        raise KeyError(data)
    raise ValueError


def test_a_finding_names_its_input() -> None:
    target = Target("t", Form.TEXT, _broken, (ValueError,), (b"a@b",), 10)
    with pytest.raises(KeyError) as caught:
        explore(target, 200, number=1)
    assert any("the input, for tests/fuzz/findings.py: ('t', b'" in note for note in caught.value.__notes__)


def test_a_seed_brings_the_same_inputs_again() -> None:
    def tried() -> list[bytes]:
        found: list[bytes] = []
        explore(Target("t", Form.LINES, found.append, (), TARGETS["journal"].seeds, 10), 50, number=7)
        return found

    assert tried() == tried()
