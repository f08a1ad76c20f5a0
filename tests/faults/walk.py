"""One cell of the matrix, walked."""

import tempfile
from pathlib import Path

import pytest

from tests.faults.estate import OWNER
from tests.faults.judge import Outcome, judge
from tests.faults.matrix import ARGUMENTS, Cell
from tests.faults.play import Stage, play
from tests.faults.stage import prepared


def walk(cell: Cell) -> Outcome:
    """Run the program with the fault of a cell, and judge what came of it."""
    begun = prepared(cell.run)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        begun.fill(folder)
        faults = cell.faults(begun.calls[cell.kind.account_id, cell.call])
        played = play(Stage(folder, patch), begun.estate, ARGUMENTS[cell.run], faults, OWNER)
        return judge(cell.run, played, begun, hidden=cell.kind.name == "missing")
