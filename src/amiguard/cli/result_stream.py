"""`--format jsonl` on stdout: results leave as soon as their target has ended."""

from collections.abc import Callable, Iterator

from amiguard.auditor import AccountOpened, AccountUnreadable
from amiguard.core.result import CheckResult, Target, TargetReport
from amiguard.report.evidence_v1 import EvidenceV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import HeaderV1
from amiguard.report.jsonl import write_evidence, write_header, write_results, write_summary
from amiguard.report.output import open_output
from amiguard.report.spool import Spool


class ResultStream:
    """Writes the lines of an audit as they become known; nothing before there is something to tell.

    Args:
        spool: where the results are kept.
        header: the first line.
        shown: which results are written.
        marked: puts marks on the lines of results; None leaves them as they are.
    """

    def __init__(
        self,
        spool: Spool,
        header: HeaderV1,
        shown: StatusFilter,
        marked: Callable[[Iterator[str]], Iterator[str]] | None = None,
    ) -> None:
        self._spool = spool
        self._header: HeaderV1 | None = header
        self._shown = shown
        self._marked = marked
        self._ended: set[Target] = set()
        self._waiting: dict[Target, list[tuple[str, EvidenceV1]]] = {}

    def account_opened(self, account: AccountOpened | AccountUnreadable) -> None:  # noqa: ARG002 - see Listener
        """Write the header: the audit has begun."""
        self._begin()

    def target_ended(self, report: TargetReport) -> None:
        """Write its results."""
        self._begin()
        lines = self._spool.results(report.target, self._shown)
        with open_output(None) as stream:
            write_results(self._marked(lines) if self._marked else lines, stream)
            for fingerprint, evidence in self._waiting.pop(report.target, ()):
                write_evidence(fingerprint, evidence, stream)
            stream.flush()
        self._ended.add(report.target)

    def note_evidence(self, result: CheckResult, evidence: EvidenceV1) -> None:
        """Write the evidence of a result that is shown, once the result itself is out."""
        if not self._shown.shows("fail"):
            return
        if result.target not in self._ended:
            self._waiting.setdefault(result.target, []).append((result.fingerprint, evidence))
            return
        with open_output(None) as stream:
            write_evidence(result.fingerprint, evidence, stream)
            stream.flush()

    def end(self, report: Report) -> None:
        """Write the summary."""
        self._begin()
        with open_output(None) as stream:
            write_summary(report, stream)

    def _begin(self) -> None:
        if self._header is not None:
            with open_output(None) as stream:
                write_header(self._header, stream)
                stream.flush()
            self._header = None
