"""Two reports compared: what fails now and did not, what does not fail any more, and what is not known any more.

Results are recognised by their fingerprint. The later report is read first, and held as far as it fails or is unknown;
of what passes there, the fingerprint is held. The earlier one is then read past it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from amiguard.core.errors import InputError
from amiguard.report.compare_coverage import Absence, Coverage
from amiguard.report.compare_finding import Delta, Finding, FindingReader, delta_of, fingerprint_of
from amiguard.report.json_v1 import AuditV1, ResultV1, StatusV1
from amiguard.report.saved_report import SavedReport
from amiguard.report.verdict import number_of

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


class Kind(StrEnum):
    """What became of a finding from the one report to the other."""

    NEW = "new"
    """It fails; it did not fail, or was not there."""
    CHANGED = "changed"
    """It fails in both, with other grants, decisions, severity or switch."""
    RESOLVED = "resolved"
    """It failed, and passes, is suppressed or is gone."""
    UNKNOWN = "unknown"
    """It was known, or was not there, and cannot be told now."""
    NOT_LOOKED_AT = "not_looked_at"
    """It failed, and was not asked for the second time."""
    UNCHANGED = "unchanged"
    """It fails in both alike."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one finding.

    Attributes:
        finding: as it is in the later report, or in the earlier one if it is not in the later.
        before: its status in the earlier report, or why it has none.
        after: its status in the later report, or why it has none.
        reason: why it is resolved or unknown, or was not looked at, in words (of others, too); else empty.
        delta: what differs, if it has changed.
    """

    kind: Kind
    finding: Finding
    before: StatusV1 | Absence
    after: StatusV1 | Absence
    reason: str = ""
    delta: Delta | None = None

    @property
    def order(self) -> tuple[str, str, str, str]:
        """Where it stands among others: by account, region, image id and check id, as in reports."""
        found = self.finding
        return found.account_id, found.region, found.image_id or "", found.check_id


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be kept in mind: a sentence of ours, and words of others that belong to it."""

    sentence: str
    said: str = ""

    @property
    def text(self) -> str:
        """Both, without an end."""
        return f"{self.sentence}: {self.said}" if self.said else self.sentence


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of everything that fails, failed, or is unknown.

    Attributes:
        entries: of every kind, in order.
        still_unknown: results that were unknown, and are.
        others_unread: results that did not fail, of targets that failed or were skipped the second time.
        warnings: what the reports do not hold.
        notes: what is to be kept in mind when the two are compared.
        all_shown: whether the later report holds all that fails or is unknown.
    """

    old: SavedReport
    new: SavedReport
    entries: dict[Kind, list[Entry]]
    still_unknown: int
    others_unread: int
    warnings: tuple[str, ...]
    notes: tuple[Note, ...]
    all_shown: bool

    @property
    def counts(self) -> dict[Kind, int]:
        """How many entries there are of each kind."""
        return {kind: len(self.entries[kind]) for kind in Kind}

    @property
    def worse(self) -> int:
        """How many of the changed findings are worse than before."""
        return sum(one.delta is not None and one.delta.worse for one in self.entries[Kind.CHANGED])

    @property
    def fails(self) -> bool:
        """Whether something fails that did not, or is worse than it was."""
        return bool(self.entries[Kind.NEW]) or self.worse > 0

    @property
    def complete(self) -> bool:
        """Whether nothing is unknown that was not."""
        return self.all_shown and not self.entries[Kind.UNKNOWN]


@dataclass(slots=True)
class _Later:
    """The later report, by fingerprint: what fails or is unknown whole, and of the rest nothing else."""

    open: dict[bytes, Finding] = field(default_factory=dict)
    passing: set[bytes] = field(default_factory=set)
    suppressed: set[bytes] = field(default_factory=set)
    check_ids: set[str] = field(default_factory=set)


def compare(old: SavedReport, new: SavedReport) -> Comparison:
    """Compare two reports.

    Raises:
        InputError: a report has two results with one fingerprint, or its file was changed since it was opened.
    """
    return _Comparing(old, new).compare()


class _Comparing:
    def __init__(self, old: SavedReport, new: SavedReport) -> None:
        self._old = old
        self._new = new
        self._findings = FindingReader()
        self._entries: dict[Kind, list[Entry]] = {kind: [] for kind in Kind}
        self._still_unknown = 0
        self._others_unread = 0

    def compare(self) -> Comparison:
        later = self._read_later()
        coverage = Coverage(self._new, later.check_ids)
        check_ids = set()
        # What is met is forgotten: what is then left of what is open was not in the earlier report.
        met: set[bytes] = set()
        for result in self._old.results():
            check_ids.add(result["check_id"])
            fingerprint = fingerprint_of(result)
            if fingerprint in met:
                raise _twice(self._old)
            finding = later.open.pop(fingerprint, None)
            if finding is not None:
                met.add(finding.fingerprint)
            elif result["status"] == "fail":
                met.add(fingerprint)
            if finding is not None:
                self._note_open(result, finding)
            elif fingerprint in later.passing:
                self._note_better(result, "pass")
            elif fingerprint in later.suppressed:
                self._note_better(result, "suppressed")
            else:
                self._note_absent(result, coverage)
        # What the earlier report looked at is known only now.
        self._note_left(later.open.values(), Coverage(self._old, check_ids))
        for entries in self._entries.values():
            entries.sort(key=lambda one: one.order)
        return Comparison(
            old=self._old,
            new=self._new,
            entries=self._entries,
            still_unknown=self._still_unknown,
            others_unread=self._others_unread,
            warnings=tuple(_warnings(self._old, self._new)),
            notes=tuple(_notes(self._old, self._new)),
            all_shown=not {"fail", "unknown"} & set(self._new.not_shown),
        )

    def _read_later(self) -> _Later:
        later = _Later()
        for result in self._new.results():
            later.check_ids.add(result["check_id"])
            fingerprint = fingerprint_of(result)
            if fingerprint in later.open or fingerprint in later.passing or fingerprint in later.suppressed:
                raise _twice(self._new)
            match result["status"]:
                case "pass":
                    later.passing.add(fingerprint)
                case "suppressed":
                    later.suppressed.add(fingerprint)
                case "fail" | "unknown":
                    later.open[fingerprint] = self._findings.read(result)
        return later

    def _add(self, entry: Entry) -> None:
        self._entries[entry.kind].append(entry)

    def _note_open(self, result: ResultV1, finding: Finding) -> None:
        """A result of the earlier report that fails or is unknown in the later one."""
        before, status = result["status"], finding.status
        if status == "unknown":
            if before == "unknown":
                self._still_unknown += 1
            else:
                self._add(Entry(Kind.UNKNOWN, finding, before, status, finding.message))
        elif before == "fail":
            delta = delta_of(self._findings.read(result), finding)
            self._add(Entry(Kind.CHANGED if delta else Kind.UNCHANGED, finding, before, status, delta=delta))
        else:
            self._add(Entry(Kind.NEW, finding, before, status))

    def _note_better(self, result: ResultV1, status: StatusV1) -> None:
        if result["status"] == "fail":
            reason = "it passes" if status == "pass" else "it is suppressed: an exception accepts it"
            self._add(Entry(Kind.RESOLVED, self._findings.read(result), "fail", status, reason))

    def _note_absent(self, result: ResultV1, coverage: Coverage) -> None:
        image = result["image"]
        absent = coverage.why_absent(
            account_id=result["account_id"],
            region=result["region"],
            check_id=result["check_id"],
            image_id=image and image["id"],
        )
        if result["status"] != "fail":
            self._others_unread += absent.absence is Absence.NOT_READ
            return
        match absent.absence:
            case Absence.GONE | Absence.NOT_FAILING:
                kind = Kind.RESOLVED
            case Absence.NOT_READ | Absence.NOT_SHOWN:
                kind = Kind.UNKNOWN
            case Absence.NOT_LOOKED_AT:
                kind = Kind.NOT_LOOKED_AT
            case _:
                assert_never(absent.absence)
        self._add(Entry(kind, self._findings.read(result), "fail", absent.absence, absent.reason))

    def _note_left(self, left: Iterable[Finding], coverage: Coverage) -> None:
        """What fails or is unknown, and is not in the earlier report."""
        for finding in left:
            before = coverage.why_absent(
                account_id=finding.account_id,
                region=finding.region,
                check_id=finding.check_id,
                image_id=finding.image_id,
            ).absence
            if finding.status == "fail":
                self._add(Entry(Kind.NEW, finding, before, finding.status))
            else:
                self._add(Entry(Kind.UNKNOWN, finding, before, finding.status, finding.message))


def _twice(report: SavedReport) -> InputError:
    return InputError(
        f"{report.path} cannot be compared: two of its results have one fingerprint",
        hint="compare reports as `amiguard audit` wrote them",
    )


def _warnings(old: SavedReport, new: SavedReport) -> Iterator[str]:
    for name, report, of_it in (
        ("OLD", old, "what is new here may have failed before"),
        ("NEW", new, "what became of others cannot be told"),
    ):
        hidden = {status: number for status, number in report.not_shown.items() if status in ("fail", "unknown")}
        if hidden:
            listed = " and ".join(f"{number:,} {status}" for status, number in hidden.items())
            many = "result" if sum(hidden.values()) == 1 else "results"
            yield f"{name} does not hold {listed} {many} of its audit (--status): {of_it}"


def _notes(old: SavedReport, new: SavedReport) -> Iterator[Note]:
    if old.audit["id"] == new.audit["id"]:
        yield Note("Both are reports of the same audit")
    elif _is_later(old.audit, new.audit):
        yield Note(f"OLD is later than NEW: it began at {old.audit['started_at']}, NEW at {new.audit['started_at']}")
    if old.audit["trust_policy_digest"] != new.audit["trust_policy_digest"]:
        yield Note("The trust policy or the exceptions are others: what differs may be due to that")
    if _who(old.audit) != _who(new.audit):
        yield Note("The callers are others", f"{old.audit['caller_arn']}, and now {new.audit['caller_arn']}")
    for name, report in (("OLD", old), ("NEW", new)):
        if "narrowed_to" in report.audit:
            yield Note(f"{name} was narrowed to certain images or tags: it says nothing of others")
        statuses = Counter(target["status"] for target in report.targets)
        if statuses["failed"]:
            yield Note(f"{name} is incomplete: {number_of(statuses['failed'], 'target', 'targets')} failed")
    yield from _targets_of_one(old, new, "OLD", "NEW did not look at")
    yield from _targets_of_one(new, old, "NEW", "OLD did not look at")


def _targets_of_one(report: SavedReport, other: SavedReport, name: str, verb: str) -> Iterator[Note]:
    coverage = Coverage(other, ())
    targets = [one for one in report.targets if one["status"] == "audited"]
    missing = sum(not coverage.looked_at(one["account_id"], one["region"]) for one in targets)
    if missing:
        yield Note(f"{verb} {missing:,} of {number_of(len(targets), 'target', 'targets')} that {name} has audited")


def _is_later(one: AuditV1, other: AuditV1) -> bool:
    """Whether it began later; times that are not as version 1 writes them do not tell."""
    times = one["started_at"], other["started_at"]
    return all(map(_TIME.fullmatch, times)) and times[0] > times[1]


def _who(audit: AuditV1) -> str:
    """Who asked AWS; sessions of one role have different names."""
    arn = audit["caller_arn"]
    return arn.rsplit("/", 1)[0] if ":assumed-role/" in arn else arn
