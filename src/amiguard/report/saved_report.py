"""A report that was saved: version 1 of `json` and `jsonl`, read back and checked.

Additions to version 1 are passed over. What is missing, is of another type or is a word that version 1 does not know
is refused: a plan is made from it.
"""

import json
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NotRequired, TextIO, TypedDict, cast

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.errors import InputError
from amiguard.core.image import Image
from amiguard.core.result import CheckResult, Severity, Status, Target
from amiguard.report.evidence_v1 import EvidenceV1
from amiguard.report.evidence_values import core_decision, core_snapshot
from amiguard.report.json_shape import MistakeError, reader_of
from amiguard.report.json_stream import JsonStream
from amiguard.report.json_v1 import (
    SCHEMA_VERSION,
    AuditBegunV1,
    AuditV1,
    DirectoryV1,
    NarrowedV1,
    ResultV1,
    StatusV1,
    SummaryV1,
    TargetV1,
    ToolV1,
    encode,
)

_HINT = "write one with `amiguard audit --format json --output FILE`"
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_COUNTED: tuple[StatusV1, ...] = ("pass", "fail", "suppressed", "unknown")


class _DocumentV1(TypedDict):
    """All of the format `json` but the results."""

    tool: ToolV1
    audit: AuditV1
    summary: SummaryV1
    targets: list[TargetV1]


class _HeaderLineV1(TypedDict):
    """The first line of `jsonl`."""

    tool: ToolV1
    audit: AuditBegunV1


class _EvidenceLineV1(TypedDict):
    """A line of `jsonl` with what was learned about a result that stands before it."""

    fingerprint: str
    evidence: EvidenceV1


class _SummaryLineV1(TypedDict):
    """The last line of `jsonl`."""

    finished_at: str
    complete: bool
    directory: NotRequired[DirectoryV1]
    narrowed_to: NotRequired[NarrowedV1]
    summary: SummaryV1
    targets: list[TargetV1]


_read_document = reader_of(_DocumentV1)
_read_header_line = reader_of(_HeaderLineV1)
_read_summary_line = reader_of(_SummaryLineV1)
_read_result = reader_of(ResultV1)
_read_evidence_line = reader_of(_EvidenceLineV1)


class _FaultError(Exception):
    """What is wrong with a file; follows its name."""

    def __init__(self, text: str, hint: str = _HINT) -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class SavedReport:
    """A report in a file; its results stay there.

    Attributes:
        tool: the program that wrote it.
        not_shown: how many results the summary counts and the file does not hold, by status: the report was
            narrowed when it was written (`--status`). Statuses with none are absent.
    """

    path: Path
    tool: ToolV1
    audit: AuditV1
    summary: SummaryV1
    targets: tuple[TargetV1, ...]
    not_shown: Mapping[StatusV1, int]
    _evidence: Mapping[str, str] = field(default_factory=dict)
    """By fingerprint, as JSON: what `jsonl` says of results on lines that come later."""

    def results(self) -> Iterator[ResultV1]:
        """Every result, in the order of the file, read anew each time.

        Raises:
            InputError: the file has been changed since it was opened, and cannot be used any more.
        """
        with _reading(self.path) as stream:
            for number, one in enumerate(_Reader(stream).results()):
                result = _result(one, number)
                if (evidence := self._evidence.get(result["fingerprint"])) is not None:
                    result["evidence"] = json.loads(evidence)
                yield result


def open_saved_report(path: Path) -> SavedReport:
    """Open a report in the format `json` or `jsonl`, and check all of it once.

    Raises:
        InputError: there is no such file, it is no whole report of version 1, or something in it is not as version 1
            has it.
    """
    statuses: Counter[StatusV1] = Counter()
    fault: _FaultError | None = None
    with _reading(path) as stream:
        reader = _Reader(stream)
        for number, result in enumerate(reader.results()):
            try:
                statuses[_result(result, number)["status"]] += 1
            except _FaultError as error:
                # In a report of another version that is no mistake: the version may stand after the results.
                fault = fault or error
        document = reader.document()
        if fault is not None:
            raise fault
    summary = document["summary"]
    return SavedReport(
        path=path,
        tool=document["tool"],
        audit=document["audit"],
        summary=summary,
        targets=tuple(document["targets"]),
        not_shown={one: summary[one] - statuses[one] for one in _COUNTED if summary[one] > statuses[one]},
        _evidence=reader.evidence,
    )


def core_result(result: ResultV1) -> CheckResult:
    """One result as the check gave it, as far as version 1 holds it.

    Raises:
        InputError: a grantee is not written as its kind is.
    """
    account_id, region, partition = result["account_id"], result["region"], result["partition"]
    image = result["image"]
    return CheckResult(
        check_id=result["check_id"],
        status=Status(result["status"]),
        severity=Severity(result["severity"]),
        target=Target(account_id, region, partition),
        image=image
        and Image(
            image_id=image["id"],
            account_id=account_id,
            region=region,
            partition=partition,
            name=image["name"],
            creation_date=image["creation_date"],
            state=image["state"],
            public=image["public"],
            tags=tuple(image["tags"].items()),
            snapshot_ids=tuple(image.get("snapshot_ids", ())),
            last_launched=image.get("last_launched_time", ""),
        ),
        decisions=tuple(map(core_decision, result["grants"])),
        message=result["message"],
        block_public_access=_block_public_access(result),
        snapshots=tuple(map(core_snapshot, result.get("snapshots", ()))),
    )


def _block_public_access(result: ResultV1) -> BlockPublicAccessState | None:
    if "block_public_access" not in result:
        return None
    switch = result["block_public_access"]
    return BlockPublicAccessState(BlockPublicAccess(switch["state"]), switch["managed_by"])


def _result(value: object, number: int) -> ResultV1:
    try:
        return cast("ResultV1", _read_result(value))
    except MistakeError as error:
        raise _FaultError(f"is not a whole report: results[{number}]{error}") from error


class _Reader:
    """One pass over a file: first the results as they stand there, then all else.

    Attributes:
        evidence: what lines of their own say of results, by fingerprint, as JSON.
    """

    def __init__(self, stream: TextIO) -> None:
        self._json = JsonStream(stream)
        self._first: dict[str, object] = {}
        self._last: dict[str, object] | None = None
        self.evidence: dict[str, str] = {}

    def results(self) -> Iterator[object]:
        """What stands where a result should."""
        match self._json.peek():
            case "":
                raise _FaultError("is empty")
            case "{":
                pass
            case _:
                raise _FaultError("is not a report of amiguard in the format json or jsonl")
        for key in self._json.members():
            if key in self._first:
                raise _FaultError(f"is not a whole report: it has {key!r} twice")
            if key == "results" and self._json.peek() == "[":
                self._first[key] = ()
                yield from self._json.elements()
            else:
                self._first[key] = self._json.value()
        if self._first.get("type") == "header":
            yield from self._results_of_lines()
        elif self._json.peek():
            raise _FaultError("is not a whole report: something follows its end")

    def _results_of_lines(self) -> Iterator[object]:
        _check_version(self._first)
        while self._json.peek():
            if self._last is not None:
                raise _FaultError("is not a whole report: something follows its summary line")
            line = self._json.value()
            match line:
                case {"type": "result"}:
                    yield line
                case {"type": "evidence"}:
                    self._keep_evidence(line)
                case dict() if line.get("type") == "summary":
                    self._last = line
                case {"type": str(kind)} if kind != "header":
                    pass  # an addition to version 1
                case _:
                    raise _FaultError("is not a whole report: one of its lines is none of a report")
        if self._last is None:
            raise _FaultError(
                "was cut: it has no summary line", "audit again: its audit was ended before it was complete"
            )

    def _keep_evidence(self, line: object) -> None:
        try:
            read = cast("_EvidenceLineV1", _read_evidence_line(line))
        except MistakeError as error:
            raise _FaultError(f"is not a whole report: in a line of evidence, {str(error)[1:]}") from error
        self.evidence[read["fingerprint"]] = encode(read["evidence"])

    def document(self) -> _DocumentV1:
        """All but the results, when these have been read."""
        _check_version(self._first)
        if self._last is None and self._first.get("results") != ():
            raise _FaultError("is not a report of `amiguard audit`: it has no results")
        try:
            if self._last is None:
                document = cast("_DocumentV1", _read_document(self._first))
            else:
                document = _joined(_read_header_line(self._first), _read_summary_line(self._last))
        except MistakeError as error:
            raise _FaultError(f"is not a whole report: {str(error).removeprefix('.')}") from error
        if document["tool"]["name"] != "amiguard":
            raise _FaultError("is not a report of amiguard")
        for name, text in (
            ("started_at", document["audit"]["started_at"]),
            ("finished_at", document["audit"]["finished_at"]),
        ):
            if not _is_time(text):
                raise _FaultError(f"is not a whole report: audit.{name} is no time in UTC")
        return document


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None


def _joined(header: _HeaderLineV1, end: _SummaryLineV1) -> _DocumentV1:
    begun = header["audit"]
    audit: AuditV1 = {
        "id": begun["id"],
        "started_at": begun["started_at"],
        "caller_arn": begun["caller_arn"],
        "trust_policy_digest": begun["trust_policy_digest"],
        "finished_at": end["finished_at"],
        "complete": end["complete"],
    }
    if "trust_policy" in begun:
        audit["trust_policy"] = begun["trust_policy"]
    if "directory" in end:
        audit["directory"] = end["directory"]
    if "narrowed_to" in end:
        audit["narrowed_to"] = end["narrowed_to"]
    return {"tool": header["tool"], "audit": audit, "summary": end["summary"], "targets": end["targets"]}


def _check_version(members: Mapping[str, object]) -> None:
    version = members.get("schema_version")
    if not isinstance(version, str):
        raise _FaultError("is not a report of amiguard: it has no schema_version")
    if version != SCHEMA_VERSION:
        newer = re.fullmatch("[1-9][0-9]{0,8}", version) is not None and int(version) > int(SCHEMA_VERSION)
        raise _FaultError(
            f"is of version {version!r}, and this amiguard reads {SCHEMA_VERSION!r}",
            "install the amiguard that wrote it, or a later one" if newer else _HINT,
        )


def _check_regular(path: Path) -> None:
    # A pipe is not even opened: there may be nobody who ever writes to it, and it can be read only once.
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise _FaultError("is a folder", "name the report in it")
    if not stat.S_ISREG(mode):
        raise _FaultError("is not a regular file", "save the report to a file first: it is read more than once")


@contextmanager
def _reading(path: Path) -> Iterator[TextIO]:
    try:
        _check_regular(path)
        with path.open(encoding="utf-8") as stream:
            yield stream
    except _FaultError as error:
        raise InputError(f"{path} {error}", hint=error.hint) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON, or was cut", hint=_HINT) from error
