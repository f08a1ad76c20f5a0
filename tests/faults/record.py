"""The recorded outcomes of the whole matrix, and the page that is made of them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.beside import NAMES, ROOM, SIGNALLED
from tests.faults.judge import Outcome
from tests.faults.kinds import KINDS, Family
from tests.faults.matrix import CALLS, Run, cells, places

RECORD: Final = Path(__file__).with_name("outcomes.json")
PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN: Final = "<!-- Made by `make faults`: do not edit. -->"
END: Final = "<!-- Here the made part ends. -->"
_NOT_THERE: Final = "·"


@dataclass(frozen=True)
class Recorded:
    """How every cell of the matrix ended, by its name, and every fault beside it."""

    outcomes: Mapping[str, Outcome]
    beside: Mapping[str, Outcome]


def beside_names() -> Iterator[str]:
    """Every fault that belongs to no single call."""
    for run, service in NAMES:
        yield from (f"dns-{run.name.lower()}-{service}-{how}" for how in ("first", "ever"))
    for run, rooms in ROOM.items():
        yield from (f"disk-{run.name.lower()}-{room}" for room in rooms)
    for run, call in SIGNALLED:
        yield from (f"{number}-{run.name.lower()}-{call}" for number in ("SIGINT", "SIGTERM"))
    for run in Run:
        yield from (f"SIGKILL-{run.name.lower()}-{call}" for call in CALLS[run])


def load() -> Recorded:
    """Read the record."""
    document = json.loads(RECORD.read_text(encoding="utf-8"))
    outcomes = {}
    for cell in cells():
        told = document["cells"][cell.run.name.lower()][cell.call][cell.kind.name].split()
        outcomes[cell.name] = Outcome[told[places(cell.run, cell.call, cell.kind).index(cell.at)]]
    return Recorded(outcomes, {name: Outcome[word] for name, word in document["beside"].items()})


def save(recorded: Recorded) -> None:
    """Write the record."""
    written: dict[str, dict[str, dict[str, str]]] = {}
    for cell in cells():
        calls = written.setdefault(cell.run.name.lower(), {}).setdefault(cell.call, {})
        calls[cell.kind.name] = f"{calls.get(cell.kind.name, '')} {recorded.outcomes[cell.name].name}".strip()
    document = {"cells": written, "beside": {name: one.name for name, one in recorded.beside.items()}}
    RECORD.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def render(recorded: Recorded) -> str:
    """The made part of the page: what was tried, and how it ended. There are no times in it."""
    counts = Counter(recorded.outcomes.values())
    calls = sum(len(one) for one in CALLS.values())
    lines = [
        BEGIN,
        "",
        f"**{len(KINDS)} kinds of faults on {calls} calls: {len(recorded.outcomes):,} runs of the program, and "
        f"{len(recorded.beside):,} more for names, disks and signals. No image passed that was not read, nothing was "
        "taken that the plan does not name, and no run ended with a traceback.**",
        "",
        "| sign | what it means | runs |",
        "|---|---|---:|",
        *(f"| {one.value} | {one.words} | {counts[one]:,} |" for one in Outcome if counts[one]),
        "",
        "Each field has one sign for the fault at the first such call, one at a call in the middle (where there are "
        "more than one; in apply and rollback, at the reading that verifies a change), and one at every such call. "
        f"{_NOT_THERE} stands where the fault cannot come.",
    ]
    for family in Family:
        lines += ["", f"### {family.value}", "", *_table(recorded, family)]
    return "\n".join([*lines, "", "### Names, disks and signals", "", *_beside(recorded), "", END])


def _table(recorded: Recorded, family: Family) -> Iterator[str]:
    kinds = [one for one in KINDS if one.family is family]
    yield "| call | " + " | ".join(one.words for one in kinds) + " | runs |"
    yield "|---|" + "---|" * len(kinds) + "---:|"
    for run in Run:
        yield f"| **{run.value}** |" + " |" * (len(kinds) + 1)
        for call in CALLS[run]:
            fields = [_field(recorded, run, call, kind.name) for kind in kinds]
            tried = sum(len(one.split()) for one in fields if one != _NOT_THERE)
            if tried:
                yield f"| `{call}` | " + " | ".join(fields) + f" | {tried} |"


def _field(recorded: Recorded, run: Run, call: str, kind: str) -> str:
    found = (recorded.outcomes[cell.name].value for cell in cells(run) if cell.call == call and cell.kind.name == kind)
    return " ".join(found) or _NOT_THERE


def _beside(recorded: Recorded) -> Iterator[str]:
    words = {
        "dns": "a service's name does not resolve: once, or ever",
        "disk": "no file can grow beyond so many bytes: report, spool, checkpoint, journal",
        "SIGINT": "Ctrl-C during a call",
        "SIGTERM": "SIGTERM during a call",
        "SIGKILL": "killed during a call, then run again",
    }
    yield "| fault | run | how it ended | runs |"
    yield "|---|---|---|---:|"
    for kind, told in words.items():
        for run in Run:
            found = Counter(
                one for name, one in recorded.beside.items() if name.startswith(f"{kind}-{run.name.lower()}-")
            )
            signs = ", ".join(f"{one.value} ({found[one]})" for one in Outcome if found[one])
            if found:
                yield f"| {told} | {run.value} | {signs} | {found.total()} |"


def replaced(page: str, made: str) -> str:
    """A page with its made part in the place of the one that it has."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{made}{after}"
