"""`--format jsonl` on stdout: results leave as soon as their target has ended."""

from amiguard.auditor import AccountOpened, AccountUnreadable
from amiguard.core.result import TargetReport
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import HeaderV1
from amiguard.report.jsonl import write_header, write_results, write_summary
from amiguard.report.output import open_output
from amiguard.report.spool import Spool


class ResultStream:
    """Writes the lines of an audit as they become known; nothing before there is something to tell.

    Args:
        spool: where the results are kept.
        header: the first line.
        shown: which results are written.
    """

    def __init__(self, spool: Spool, header: HeaderV1, shown: StatusFilter) -> None:
        self._spool = spool
        self._header: HeaderV1 | None = header
        self._shown = shown

    def account_opened(self, account: AccountOpened | AccountUnreadable) -> None:  # noqa: ARG002 - see Listener
        """Write the header: the audit has begun."""
        self._begin()

    def target_ended(self, report: TargetReport) -> None:
        """Write its results."""
        self._begin()
        with open_output(None) as stream:
            write_results(self._spool.results(report.target, self._shown), stream)
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
