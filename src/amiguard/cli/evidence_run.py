"""Evidence in a command that audits: asked for as failing results come, and waited for at the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from amiguard.auditor import AccountOpened, AccountUnreadable
from amiguard.aws.evidence.opener import Ec2EvidenceOpener
from amiguard.cli.audit_scope import Accounts
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.audit_workers import INTERRUPTED
from amiguard.cli.progress import shown_line
from amiguard.core.evidence import Evidence, RecycleBin
from amiguard.core.image import Unreadable
from amiguard.core.result import CheckResult, Status, TargetReport
from amiguard.investigator import Investigator
from amiguard.report.interface import StatusFilter
from amiguard.report.json_v1 import decode_result
from amiguard.report.saved_report import core_result
from amiguard.report.spool import Spool

_FAIL = StatusFilter.of((Status.FAIL,))

Tell = Callable[[CheckResult, Evidence], None]
TellBin = Callable[[RecycleBin], None]


class EvidenceRun:
    """The evidence of one run: a listener of its collector. Without an investigator it does nothing.

    Args:
        investigator: collects it; None if none is wanted.
        spool: holds the results of targets that were audited elsewhere.
        deadline: how long to wait for it at the end.
    """

    def __init__(self, investigator: Investigator | None, spool: Spool, deadline: timedelta) -> None:
        self._investigator = investigator
        self._spool = spool
        self._deadline = deadline

    def takes(self, result: CheckResult) -> bool:
        """Take a result as this process finds it, if there will be evidence about it."""
        return self._investigator is not None and self._investigator.take(result)

    def note(self, result: CheckResult) -> None:
        """As `takes`, for those who do not wait for the evidence."""
        self.takes(result)

    def adopted(self, report: TargetReport) -> None:
        """Take the failing results of a target that a worker, or an earlier run, has audited."""
        if self._investigator is not None:
            for line in self._spool.results(report.target, _FAIL):
                self._investigator.take(core_result(decode_result(line)))

    def account_opened(self, account: AccountOpened | AccountUnreadable) -> None:
        """See `Listener`: nothing is asked before something fails."""

    def target_ended(self, report: TargetReport) -> None:
        """See `Listener`."""
        if self._investigator is not None:
            self._investigator.target_ended(report)

    async def finish(self, early: str | None, *, seconds_left: float | None, wanted: bool) -> str | None:
        """Wait for what is not known yet.

        Args:
            early: why the audit ended early: then nothing is waited for; None if it came to its end.
            seconds_left: until the end of the whole run; None if it has none.
            wanted: whether to show a progress line.

        Returns:
            Why the run ended early; None if it did not.
        """
        investigator = self._investigator
        if investigator is None:
            return early
        if early is not None:
            await investigator.stop(Unreadable(f"{early} before it was known"))
            return early
        seconds = min(self._deadline.total_seconds(), float("inf") if seconds_left is None else seconds_left)
        begun = time.monotonic()

        def line() -> str:
            waited = int(time.monotonic() - begun)
            return f"images {investigator.told:,}/{investigator.taken:,}  {waited // 60}:{waited % 60:02}"

        try:
            with shown_line("collecting evidence", line, wanted=wanted):
                await investigator.finish(seconds)
        except asyncio.CancelledError:
            return INTERRUPTED
        return None


@asynccontextmanager
async def evidence_run(
    session: AuditSession, found: Accounts, spool: Spool, *, tell: Tell, tell_bin: TellBin | None
) -> AsyncIterator[EvidenceRun]:
    """The evidence that the session's request asks for, with its own ways into the accounts.

    Args:
        session: the run.
        found: its accounts.
        spool: holds the results.
        tell: takes the evidence of each failing result.
        tell_bin: takes what is in the Recycle Bin of each target; None if that is not wanted.
    """
    wanted = session.request.evidence
    if not wanted.kinds:
        yield EvidenceRun(None, spool, wanted.deadline)
        return
    async with session.open_estate(found) as estate:
        accounts = {one.account_id: one for one in found.selection.audited}
        opener = Ec2EvidenceOpener(estate, accounts, usage_max_age=wanted.usage_max_age)
        investigator = Investigator(opener, wanted.kinds, session.rules, tell=tell, tell_bin=tell_bin)
        try:
            yield EvidenceRun(investigator, spool, wanted.deadline)
        finally:
            await investigator.stop(Unreadable("the run ended before it was known"))
