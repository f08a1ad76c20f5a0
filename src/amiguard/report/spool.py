"""Results on disk while an audit runs: as they come in one file, and sorted in another as the targets end.

An audit of thousands of accounts has more results than fit in memory, they come interleaved, and reports want them in
order. What stays in memory is a bounded buffer and, for each target, where its results lie. (A file for each target
would cost more than all the rest: opening thousands of files again and again is slow.)
"""

import mmap
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from amiguard.core.checks.ami_cross_account_access import METADATA as CROSS_ACCOUNT
from amiguard.core.errors import OutputError
from amiguard.core.result import CheckResult, Status, Target, TargetReport, TargetStatus
from amiguard.report.interface import ALL, AuditHeader, AuditOutcome, Report, StatusFilter, audit_v1, header_v1
from amiguard.report.json_v1 import ResultV1, SummaryV1, TargetV1, encode, result_v1, target_v1

_BUFFERED = 16 << 20
"""Characters held in memory, over all targets together: thousands may be under way at once, each with few of them."""


_PIECE = 1 << 20
"""Bytes of a segment that are in memory at once."""


@dataclass(slots=True)
class _Unfinished:
    """A target under way: the lines that are still in memory, and where the others lie in the file of the unsorted."""

    lines: list[str] = field(default_factory=list)
    extents: list[tuple[int, int]] = field(default_factory=list)
    images: int = 0
    whole: set[str] = field(default_factory=set)
    """The checks whose result about the whole target is among them."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of a file; reading it raises OSError if the file is gone."""

    path: Path
    start: int
    end: int

    def pieces(self) -> Iterator[bytes]:
        """Its bytes, a bounded number at a time."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.end - self.start
            while left and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                yield piece


@dataclass(frozen=True, slots=True)
class _Finished:
    """A target that has ended, and where its results lie in the sorted file."""

    report: TargetReport
    start: int
    end: int


class Spool:
    """Takes results in any order and gives them back by account, region, image id and check id.

    Use it in a `with` statement: its files, which only the user may read, are removed at the end of it.

    Args:
        folder: where to make the temporary folder; the system's choice (`TMPDIR`) by default.
        buffered: how many characters to hold in memory before they go to disk.
    """

    def __init__(self, folder: Path | None = None, *, buffered: int = _BUFFERED) -> None:
        self._limit = buffered
        self._buffered = 0
        self._unfinished: dict[Target, _Unfinished] = {}
        self._finished: dict[Target, _Finished] = {}
        self._counts: Counter[Status] = Counter()
        with _spooling():
            self._folder = tempfile.TemporaryDirectory(prefix="amiguard-", dir=folder)
            self._unsorted_path = Path(self._folder.name, "unsorted")
            self._unsorted = _append_to(self._unsorted_path)
            self._sorted_path = Path(self._folder.name, "sorted")
            self._sorted = _append_to(self._sorted_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._unsorted, self._sorted):
            # What a full disk did not take is not wanted any more.
            with suppress(OSError):
                file.close()
        self._folder.cleanup()

    def add(self, result: CheckResult) -> None:
        """Keep one result.

        Raises:
            ValueError: the result's target has already ended.
        """
        self.keep(result.target, result_v1(result))

    def keep(self, target: Target, result: ResultV1) -> None:
        """Keep one result that is a value of version 1 already.

        Raises:
            ValueError: its target has already ended.
        """
        unfinished = self._unfinished.get(target) or self._begin(target)
        line = _line(result)
        unfinished.lines.append(line)
        if result["image"] is None:
            unfinished.whole.add(result["check_id"])
        # The other checks have further results about the same images.
        elif result["check_id"] == CROSS_ACCOUNT.check_id:
            unfinished.images += 1
        self._counts[Status(result["status"])] += 1
        self._buffered += len(line)
        if self._buffered > self._limit:
            self._spill()

    def finish(self, report: TargetReport) -> None:
        """End one target: put its results in order.

        Raises:
            ValueError: the target has already ended.
        """
        self._refuse_finished(report.target)
        unfinished = self._unfinished.get(report.target)
        with _spooling():
            start = self._sorted.tell()
            if unfinished is not None:
                self._write_sorted(unfinished)
                self._sorted.flush()
            self._finished[report.target] = _Finished(report, start, self._sorted.tell())
        if unfinished is not None:
            del self._unfinished[report.target]
            self._buffered -= sum(map(len, unfinished.lines))

    def extent(self, target: Target) -> Extent:
        """Where the results of one target that has ended lie, for `adopt` to take them elsewhere or later."""
        one = self._finished[target]
        return Extent(self._sorted_path, one.start, one.end)

    def adopt(self, report: TargetReport, segment: Iterable[bytes]) -> None:
        """Take one target that has ended whose results another spool, or a file, has kept.

        Raises:
            ValueError: the target has already ended, or the segment is none.
        """
        self._refuse_finished(report.target)
        with _spooling():
            start = self._sorted.tell()
            rest = b""
            for piece in segment:
                self._sorted.write(piece)
                *lines, rest = (rest + piece).split(b"\n")
                self._counts.update(Status(line.split(b"\t", 2)[1].decode("ascii")) for line in lines)
            if rest:
                raise ValueError("the segment ends in the middle of a line")
            self._sorted.flush()
            self._finished[report.target] = _Finished(report, start, self._sorted.tell())

    def unfinished(self, reason: str) -> tuple[TargetReport, ...]:
        """Reports with which to `finish` the targets that an interruption left with results and without an end.

        Args:
            reason: why they did not end.
        """
        return tuple(
            TargetReport(target, TargetStatus.FAILED, reason, one.images)
            for target, one in sorted(self._unfinished.items(), key=lambda item: _target_order(item[0]))
        )

    def told_of(self, target: Target) -> frozenset[str]:
        """The checks that have a result about the whole of a target that has not ended yet."""
        unfinished = self._unfinished.get(target)
        return frozenset(unfinished.whole) if unfinished else frozenset()

    def results(self, target: Target, shown: StatusFilter = ALL) -> Iterator[str]:
        """The results of one target that has ended, by image id; those about the whole target come first."""
        return self._read((self._finished[target],), shown)

    def ordered(self, shown: StatusFilter = ALL) -> Iterator[str]:
        """The results of all targets that have ended, as lines of JSON (see `interface.ResultSource`)."""
        return self._read(self._in_order(), shown)

    def targets(self, names: Mapping[str, str] | None = None) -> Iterator[TargetV1]:
        """The targets that have ended, by account and region; `names` are account names by account id."""
        known = names or {}
        return (target_v1(one.report, known.get(one.report.target.account_id)) for one in self._in_order())

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many results of each status there are."""
        return {status: self._counts[status] for status in Status}

    @property
    def complete(self) -> bool:
        """Whether every target has ended without failing, and nothing in them is unknown."""
        failed = any(one.report.status is TargetStatus.FAILED for one in self._finished.values())
        return not (failed or self._unfinished or self._counts[Status.UNKNOWN])

    def summary(self, outcome: AuditOutcome) -> SummaryV1:
        """The counts over everything kept."""
        reports = [one.report for one in self._finished.values()]
        return {
            "targets": len(reports),
            "images": sum(report.images for report in reports),
            "pass": self._counts[Status.PASS],
            "fail": self._counts[Status.FAIL],
            "suppressed": self._counts[Status.SUPPRESSED],
            "unknown": self._counts[Status.UNKNOWN],
            "vanished": sum(report.vanished for report in reports),
            "api_calls": dict(sorted(outcome.api_calls.items())),
            "throttled": outcome.throttled,
        }

    def report(self, header: AuditHeader, outcome: AuditOutcome, names: Mapping[str, str] | None = None) -> Report:
        """Everything kept, for a format to render while the spool is open; `names` are account names by account id."""
        return Report(
            tool=header_v1(header)["tool"],
            audit=audit_v1(header, outcome),
            summary=self.summary(outcome),
            targets=tuple(self.targets(names)),
            source=self,
        )

    def _begin(self, target: Target) -> _Unfinished:
        self._refuse_finished(target)
        self._unfinished[target] = unfinished = _Unfinished()
        return unfinished

    def _refuse_finished(self, target: Target) -> None:
        if target in self._finished:
            raise ValueError(f"the target has already ended: {target}")

    def _spill(self) -> None:
        with _spooling():
            for unfinished in self._unfinished.values():
                self._append_unsorted(unfinished)
        self._buffered = 0

    def _append_unsorted(self, unfinished: _Unfinished) -> None:
        if unfinished.lines:
            start = self._unsorted.tell()
            self._unsorted.write(_as_bytes(unfinished.lines))
            unfinished.extents.append((start, self._unsorted.tell()))
            unfinished.lines.clear()

    def _write_sorted(self, unfinished: _Unfinished) -> None:
        if not unfinished.extents:
            lines = _as_bytes(unfinished.lines)
            self._sorted.writelines(_by_image(lines, [(0, len(lines))]))
            return
        self._buffered -= sum(map(len, unfinished.lines))
        self._append_unsorted(unfinished)
        self._unsorted.flush()
        with self._unsorted_path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as everything:
            self._sorted.writelines(_by_image(everything, unfinished.extents))

    def _in_order(self) -> list[_Finished]:
        return sorted(self._finished.values(), key=lambda one: _target_order(one.report.target))

    def _read(self, targets: Iterable[_Finished], shown: StatusFilter) -> Iterator[str]:
        wanted = {status.encode("ascii") for status in shown.statuses}
        with _spooling(), self._sorted_path.open("rb") as file:
            for one in targets:
                file.seek(one.start)
                position = one.start
                while position < one.end:
                    line = file.readline()
                    position += len(line)
                    _, status, text = line.split(b"\t", 2)
                    if status in wanted:
                        yield text[:-1].decode("ascii")


def _line(values: ResultV1) -> str:
    """Sort key, status and JSON: what sorting and filtering look at stands before the JSON, which they need not read.

    No part holds a raw tab or line feed, and a space sorts before all that an id can hold, so that `ami-1` comes
    before `ami-10`, and results without image first.
    """
    image = values["image"]
    image_id = encode(image["id"])[1:-1] if image else ""
    return f"{image_id} {values['check_id']}\t{values['status']}\t{encode(values)}\n"


def _as_bytes(lines: Iterable[str]) -> bytes:
    return "".join(lines).encode("ascii")


def _by_image(data: bytes | mmap.mmap, extents: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The lines in order. Only keys and offsets are held: one target may have a hundred thousand images."""
    index: list[tuple[bytes, int, int]] = []
    for start, end in extents:
        position = start
        while position < end:
            following = data.find(b"\n", position) + 1
            index.append((data[position : data.find(b"\t", position)], position, following))
            position = following
    index.sort()
    for _, position, following in index:
        yield data[position:following]


def _target_order(target: Target) -> tuple[str, str, str]:
    return target.account_id, target.region, target.partition


def _append_to(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


@contextmanager
def _spooling() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"results cannot be kept in the temporary folder: {error.strerror or error}",
            hint="set TMPDIR to a folder with room; a hundred thousand images need about 200 MB",
        ) from error
