"""`--workers`: several processes share the accounts of one audit; each account belongs to one of them.

A worker takes the next account when it has room for one, keeps results in a spool of its own, and tells the parent what
has ended and where its results lie. Every worker knows all accounts of the run; a shared counter says which is next.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from amiguard.auditor import AccountOpened, AccountUnreadable
from amiguard.aws.call_book import CallBook
from amiguard.aws.pacing import Pacer
from amiguard.cli.audit_work import WorkOrder, audit_accounts, expected_targets, open_estate
from amiguard.cli.collector import Collector
from amiguard.cli.log import log_to_stderr
from amiguard.cli.progress import Progress
from amiguard.core.errors import AmiguardError
from amiguard.core.result import ALL_REGIONS, Target, TargetReport, TargetStatus
from amiguard.core.selection import AuditedAccount
from amiguard.report.spool import Extent, Spool

INTERRUPTED = "interrupted"
_LAST_WORDS = 10.0
"""Seconds that workers have to tell what they know when the audit is ended early."""


@dataclass(frozen=True, slots=True)
class _Spent:
    calls: Mapping[str, int]
    throttled: int


@dataclass(frozen=True, slots=True)
class _Opened:
    event: AccountOpened | AccountUnreadable
    spent: _Spent


@dataclass(frozen=True, slots=True)
class _Ended:
    report: TargetReport
    results: Extent
    spent: _Spent


@dataclass(frozen=True, slots=True)
class _Failed:
    """The worker cannot go on."""

    error: AmiguardError


@dataclass(frozen=True, slots=True)
class _Done:
    """The worker has nothing left to do.

    Attributes:
        rest: what it has spent on no target in particular.
    """

    rest: _Spent


_Message = _Opened | _Ended | _Failed | _Done


class WorkersError(AmiguardError):
    """A worker ended without having said that it was done."""


async def audit_in_workers(
    order: WorkOrder, accounts: Sequence[AuditedAccount], collector: Collector, *, workers: int, folder: Path
) -> None:
    """Audit accounts in several processes into one collector.

    Args:
        order: what to do.
        accounts: all of them.
        collector: takes what is found.
        workers: how many processes.
        folder: where they keep their results meanwhile; private.

    Raises:
        WorkersError: a worker died; what it had under way is not in the collector.
        AmiguardError: a worker could not go on.
    """
    context = multiprocessing.get_context("spawn")
    following: Synchronized[int] = context.Value("i", 0)
    processes: list[SpawnProcess] = []
    ends: list[Connection] = []
    for _ in range(workers):
        here, there = context.Pipe()
        process = context.Process(target=_work, args=(order, tuple(accounts), following, there, folder), daemon=True)
        process.start()
        there.close()
        processes.append(process)
        ends.append(here)
    listening = asyncio.gather(*(_listen(end, collector, order.caller.partition) for end in ends))
    try:
        await asyncio.shield(listening)
    except asyncio.CancelledError:
        for process in processes:
            process.terminate()
        # Their last words are worth waiting for: results of targets that were under way.
        await asyncio.wait([listening], timeout=_LAST_WORDS)
        raise
    finally:
        if not listening.done() or listening.exception() is not None:
            for process in processes:
                process.kill()
        for end in ends:
            end.close()
        for process in processes:
            process.join()


async def _listen(end: Connection, collector: Collector, partition: str) -> None:
    """Take what a worker tells until it is done; closing the connection then lets it go."""
    while True:
        try:
            message: _Message = await asyncio.to_thread(end.recv)
        except (EOFError, OSError) as error:
            raise WorkersError(
                "a worker process ended unexpectedly", hint="is there enough memory? try fewer --workers"
            ) from error
        match message:
            case _Opened(event, spent):
                collector.count(Target(event.account_id, ALL_REGIONS, partition), spent.calls, spent.throttled)
                collector.note(event)
            case _Ended(report, results, spent):
                collector.adopt(report, results.pieces(), spent.calls, spent.throttled)
            case _Failed(failure):
                raise failure
            case _Done(rest):
                collector.count(None, rest.calls, rest.throttled)
                return


def _work(
    order: WorkOrder,
    accounts: tuple[AuditedAccount, ...],
    following: "Synchronized[int]",
    end: Connection,
    folder: Path,
) -> None:
    """A worker's main function."""
    # Ctrl-C reaches the whole process group; the parent decides, and says so by SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if order.verbose:
        log_to_stderr()
    # A parent that was killed is gone in the middle of a message: there is nobody left to tell.
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), Spool(folder) as spool:
        try:
            end.send(_Done(asyncio.run(_audit(order, accounts, following, end, spool))))
        except AmiguardError as error:
            end.send(_Failed(error))
        # The parent reads results from this spool's files: they go when it has hung up.
        end.recv()


async def _audit(
    order: WorkOrder,
    accounts: tuple[AuditedAccount, ...],
    following: "Synchronized[int]",
    end: Connection,
    spool: Spool,
) -> _Spent:
    taken: list[AuditedAccount] = []

    def next_accounts() -> Iterator[AuditedAccount]:
        while True:
            with following.get_lock():
                number = following.value
                following.value += 1
            if number >= len(accounts):
                return
            taken.append(accounts[number])
            yield accounts[number]

    calls, pacer = CallBook(), Pacer(order.buckets)
    collector = Collector(
        spool,
        calls,
        partition=order.caller.partition,
        checks=order.checks,
        progress=Progress.silent(),
        listeners=[_Teller(end, spool, calls, order.caller.partition)],
        warnings=None,
    )
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - for mypy: this runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    session = order.open_session(calls)
    try:
        async with open_estate(order, session, calls, pacer) as estate:
            await audit_accounts(order, estate, next_accounts(), collector)
    except asyncio.CancelledError:
        collector.fail_unfinished(expected_targets(taken, order.caller.partition), INTERRUPTED)
    rest = calls.rest()
    return _Spent(dict(rest.calls), rest.throttled)


class _Teller:
    """Tells the parent what can be relied on."""

    def __init__(self, end: Connection, spool: Spool, calls: CallBook, partition: str) -> None:
        self._end = end
        self._spool = spool
        self._calls = calls
        self._partition = partition

    def account_opened(self, account: AccountOpened | AccountUnreadable) -> None:
        """Tell what opening the account has spent."""
        self._end.send(_Opened(account, self._spent(Target(account.account_id, ALL_REGIONS, self._partition))))

    def target_ended(self, report: TargetReport) -> None:
        """Tell where the target's results lie; of skipped ones the parent knows with their account."""
        if report.status is TargetStatus.SKIPPED:
            return
        self._end.send(_Ended(report, self._spool.extent(report.target), self._spent(report.target)))

    def _spent(self, target: Target) -> _Spent:
        stats = self._calls.of(target)
        return _Spent(dict(stats.calls), stats.throttled)
