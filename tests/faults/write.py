"""Walk the whole matrix, record how each cell ended, and write the page: `make faults`, a quarter of an hour."""

import signal
import sys
from collections.abc import Callable
from functools import partial

from tests.faults.beside import NAMES, ROOM, SIGNALLED, killed, signalled, without_name, without_room
from tests.faults.judge import Outcome
from tests.faults.matrix import CALLS, Run, cells
from tests.faults.record import PAGE, Recorded, beside_names, load, render, replaced, save
from tests.faults.walk import walk


def beside() -> dict[str, Callable[[], Outcome]]:
    """The runs with faults that belong to no single call, by name."""
    runs: list[Callable[[], Outcome]] = []
    for run, service in NAMES:
        runs += [partial(without_name, run, service, failures) for failures in (1, None)]
    for run, rooms in ROOM.items():
        runs += [partial(without_room, run, room) for room in rooms]
    for run, call in SIGNALLED:
        runs += [partial(signalled, run, call, number) for number in (signal.SIGINT, signal.SIGTERM)]
    for run in Run:
        runs += [partial(killed, run, call) for call in CALLS[run]]
    return dict(zip(beside_names(), runs, strict=True))


def main() -> None:
    """Walk and write; with `--page`, only write the page from the record."""
    if "--page" not in sys.argv[1:]:
        walked = {cell.name: walk(cell) for cell in cells()}
        save(Recorded(walked, {name: run() for name, run in beside().items()}))
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), render(load())), encoding="utf-8")


if __name__ == "__main__":
    main()
