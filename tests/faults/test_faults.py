"""Faults on every call of whole runs: no traceback, no false pass, and an exit code that agrees with the report.

Each time a part of the matrix is walked, of every call and of every kind of fault some; all of it by `make faults`,
which also writes docs/reliability.md anew.
"""

import pytest

from tests.faults.beside import terminated_before_the_loop
from tests.faults.estate import OWNER
from tests.faults.judge import Outcome
from tests.faults.kinds import KINDS
from tests.faults.matrix import CALLS, Cell, Run, cells, daily, is_made_once
from tests.faults.record import PAGE, beside_names, load, render, replaced
from tests.faults.stage import prepared
from tests.faults.walk import walk
from tests.faults.write import beside
from tests.profiles import in_ci

SHARE = 24 if in_ci() else 32
RECORDED = load()
BESIDE = beside()
# A killed run starts the program twice, and each start costs a second.
DAILY_BESIDE = [
    *(name for name in BESIDE if not name.startswith("SIG")),
    *[name for name in BESIDE if name.startswith(("SIGINT", "SIGTERM"))][::6],
    "SIGKILL-audit-DescribeImageAttribute",
    "SIGKILL-apply-ModifyImageAttribute",
]


@pytest.mark.parametrize("cell", daily(SHARE), ids=lambda cell: cell.name)
def test_no_fault_makes_a_false_pass(cell: Cell) -> None:
    assert walk(cell) is RECORDED.outcomes[cell.name]


@pytest.mark.parametrize("name", DAILY_BESIDE)
def test_neither_names_nor_disks_nor_signals_do(name: str) -> None:
    assert BESIDE[name]() is RECORDED.beside[name]


def test_sigterm_before_anything_is_known_ends_the_program() -> None:
    assert terminated_before_the_loop() == -15


def test_some_of_every_call_and_of_every_kind_is_walked_each_time() -> None:
    walked = daily(SHARE)
    assert {cell.kind.name for cell in walked} == {kind.name for kind in KINDS}
    assert {(cell.run, cell.call) for cell in walked} == {(run, call) for run in Run for call in CALLS[run]}


@pytest.mark.parametrize("run", Run)
def test_the_matrix_knows_the_calls_of_a_run(run: Run) -> None:
    """A call that a run begins to make must enter the matrix."""
    calls = prepared(run).calls
    made_once = {call for call in CALLS[run] if calls[OWNER, call] == 1}
    assert made_once == {call for call in CALLS[run] if is_made_once(run, call)}
    assert all(calls[OWNER, call] for call in CALLS[run])
    assert {call for _, call in calls} <= {call for one in Run for call in CALLS[one]}


def test_the_record_is_of_this_matrix() -> None:
    assert set(RECORDED.outcomes) == {cell.name for cell in cells()}
    assert set(RECORDED.beside) == set(beside_names())
    assert set(RECORDED.outcomes.values()) == set(Outcome) - {Outcome.INTERRUPTED}


def test_the_page_is_made_of_the_record() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == replaced(page, render(RECORDED)), "write it anew: python -m tests.faults.write --page"
