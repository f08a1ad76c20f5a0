"""The ids of a listing in little memory: they behave as a set does."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.aws.listed_ids import ListedIds

LONG = st.integers(0, 2**68 - 1).map("ami-{:017x}".format)
NEAR = st.integers(0, 1).flatmap(lambda high: st.integers(0, 600).map(lambda low: f"ami-{high}{low:016x}"))
ODD = st.sampled_from(
    [
        *("", "ami-", "ami-12345678", "ami-0123456789abcdef", "ami-0123456789abcdef012", "ami-0123456789abcdef0\n"),
        *("ami-0123456789ABCDEF0", "ami-0_23456789abcdef0", "ami-+123456789abcdef0", "ami-\u0660123456789abcdef0"),
        *("snap-0123456789abcdef0", "ami-0123456789abcdef0"),
    ]
)


@given(st.lists(LONG | NEAR | ODD | st.text(max_size=30)))
def test_an_id_is_new_once_whatever_it_looks_like(ids: list[str]) -> None:
    listed, seen = ListedIds(), set[str]()
    for image_id in ids:
        assert listed.add(image_id) is (image_id not in seen)
        seen.add(image_id)
    assert not any(map(listed.add, ids))


@pytest.mark.parametrize("number", [0, 1, 2**60, 2**64, 2**68 - 1])
def test_ids_that_differ_in_one_digit_are_not_the_same(number: int) -> None:
    listed = ListedIds()
    digits = f"{number:017x}"
    for place, digit in enumerate(digits):
        other = "0" if digit == "f" else "f"
        assert listed.add(f"ami-{digits[:place]}{other}{digits[place + 1 :]}")
    assert listed.add(f"ami-{digits}")


def test_twenty_thousand_ids_take_a_fraction_of_the_memory_of_a_set() -> None:
    step = 0x9E3779B97F4A7C15
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        listed = ListedIds()
        for number in range(20_000):
            assert listed.add(f"ami-{number * step % 2**68:017x}")
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 20_000 * 20
    assert not listed.add(f"ami-{step:017x}")
