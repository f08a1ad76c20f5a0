"""Walk the whole matrix, record how each cell ended, and write the page: `make faults`, a quarter of an hour."""

import multiprocessing
import os
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


_CELLS = list(cells())


def _walked(number: int) -> tuple[str, Outcome]:
    return _CELLS[number].name, walk(_CELLS[number])


def _run_beside(name: str) -> tuple[str, Outcome]:
    return name, beside()[name]()


def main() -> None:
    """Walk and write; with `--page`, only write the page from the record."""
    if "--page" not in sys.argv[1:]:
        # Forked: what a kind of fault does is a function, which cannot be sent to another process.
        with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=10) as pool:
            walked = dict(pool.imap_unordered(_walked, range(len(_CELLS)), chunksize=10))
            apart = dict(pool.imap_unordered(_run_beside, beside()))
        save(Recorded({cell.name: walked[cell.name] for cell in _CELLS}, {name: apart[name] for name in beside()}))
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), render(load())), encoding="utf-8")


if __name__ == "__main__":
    main()
