"""The format `json`: one document with everything in order, one result a line, so that two reports can be compared."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import TextIO

from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import SCHEMA_VERSION, encode


def render_json(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the document; the results come last and are not held in memory."""
    stream.write(f'{{"schema_version":{encode(SCHEMA_VERSION)},\n')
    stream.write(f'"tool":{encode(report.tool)},\n')
    stream.write(f'"audit":{encode(report.audit)},\n')
    stream.write(f'"summary":{encode(report.summary)},\n')
    stream.write('"targets":[')
    stream.writelines(_members(map(encode, report.targets)))
    stream.write('],\n"results":[')
    stream.writelines(_members(report.source.ordered(shown)))
    stream.write("]}\n")


def _members(lines: Iterator[str]) -> Iterator[str]:
    """The members of an array, each on a line of its own."""
    found = False
    for separator, line in zip(chain(("\n",), repeat(",\n")), lines, strict=False):
        found = True
        yield separator
        yield line
    if found:
        yield "\n"
