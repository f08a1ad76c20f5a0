"""What `apply` and `rollback` have in common: asking, the journal, the run and the way to stop it, the exit code."""

import asyncio
import os
import shlex
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import typer

from amiguard.aws.target_opener import Ec2TargetOpener
from amiguard.cli.audit_scope import Accounts
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.progress import shown_line
from amiguard.cli.talk import say
from amiguard.core.edit import Edit
from amiguard.core.errors import AmiguardError, InputError
from amiguard.core.ports import ChangeJournal
from amiguard.core.remediation import DONE, ChangeOutcome, ChangeStatus
from amiguard.core.selection import AuditedAccount
from amiguard.files.journal import Journal, open_journal
from amiguard.files.journal_record import JournalHeader
from amiguard.files.no_journal import NoJournal
from amiguard.files.state_folder import journal_path, remediation_lock, state_folder
from amiguard.report.outcome_table import render_outcomes
from amiguard.report.output import open_output

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunOptions(Protocol):
    """What both commands take on the command line that says how the run goes."""

    @property
    def dry_run(self) -> bool:
        """Only ask EC2 whether it would."""

    @property
    def deadline(self) -> timedelta | None:
        """After which nothing more is begun; None for never."""

    @property
    def quiet(self) -> bool:
        """Show no live line."""

    @property
    def verbose(self) -> bool:
        """Log, in place of a live line."""


@dataclass(frozen=True, slots=True)
class Work:
    """The changes that a run makes, and how.

    Attributes:
        doing: what is done, for the live line.
        edits: of all changes, as they are made.
        accounts: how each account is entered, by id.
        begin: makes the changes; is given the way to the targets, the journal and the event that stops it.
        undoing: whether changes are rolled back.
        found: the accounts and organizations that are known; None to find those of the settings.
    """

    doing: str
    edits: Sequence[Edit]
    accounts: Mapping[str, AuditedAccount]
    begin: Callable[[Ec2TargetOpener, ChangeJournal, asyncio.Event], AsyncGenerator[ChangeOutcome]]
    undoing: bool = False
    found: Accounts | None = None


def ask(question: str, *, yes: bool) -> None:
    """Go on only if the person says so.

    Args:
        question: ends with a question mark.
        yes: `--yes`: nobody is asked.

    Raises:
        AmiguardError: the person says no, or there is nobody to ask.
    """
    if yes:
        return
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise AmiguardError(
            "there is no terminal to ask on: nothing was done", hint="say --yes to go on without being asked"
        )
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise AmiguardError("you did not agree: nothing was done")


def refuse_unasked(*, yes: bool, dry_run: bool) -> None:
    """Say at once, before anything is read, that there will be nobody to ask.

    Raises:
        AmiguardError: there is no terminal, and no `--yes`.
    """
    if not dry_run and not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        ask("", yes=yes)


@contextmanager
def opened_journal(header: JournalHeader, path: Path | None, *, source: Path, quiet: bool) -> Iterator[Journal]:
    """The journal of this run, locked, and no other apply or rollback beside it.

    Args:
        header: of this run.
        path: `--journal`; None for a file in the user's state folder.
        source: the plan or journal that this run reads: it is not written to.
        quiet: do not say where the journal is before anything is called.

    Raises:
        AmiguardError: another run is under way, or the journal cannot be written or is another's.
    """
    folder = state_folder(os.environ)
    with remediation_lock(folder):
        chosen = path or journal_path(folder, header.kind, header.of)
        if os.path.realpath(chosen) == os.path.realpath(source):
            raise InputError(f"--journal is the file that is read: {chosen}", hint="name another one")
        with open_journal(chosen, header) as journal:
            if not quiet:
                say(f"journal: {chosen}")
            yield journal


class Interruption:
    """The way to end a run early: the first signal lets what is under way end, the second does not."""

    def __init__(self, deadline: timedelta | None = None) -> None:
        self.stop = asyncio.Event()
        """Once it is set, nothing more is begun, and throttled calls are not made again."""
        self.interrupted = False
        self._deadline = deadline

    async def stopping(self, give_up: Callable[[], None]) -> None:
        """Set `stop` at the deadline, if there is one, and give up repeated calls once it is set.

        Args:
            give_up: lets calls that are only tried again and again end.
        """
        seconds = None if self._deadline is None else self._deadline.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            say("the deadline has passed: what is under way is brought to its end")
            self.stop.set()
        give_up()

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        """Listen for SIGINT and SIGTERM."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: this runs in one

        def interrupt() -> None:
            if self.interrupted:
                task.cancel()
                return
            self.interrupted = True
            say("interrupted: what is under way is brought to its end; once more to leave it as it is")
            self.stop.set()

        for number in _SIGNALS:
            loop.add_signal_handler(number, interrupt)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


async def collect(
    outcomes: AsyncGenerator[ChangeOutcome],
    edits: Sequence[Edit],
    *,
    tell: Callable[[ChangeOutcome], None],
    stopping: Coroutine[None, None, None],
) -> tuple[ChangeOutcome, ...]:
    """Wait for all outcomes; a change whose outcome never came is one that was left in the middle.

    Args:
        outcomes: as they come; closed at the end.
        edits: of all changes.
        tell: is given each outcome as it comes.
        stopping: runs beside, and is cancelled at the end.
    """
    beside = asyncio.create_task(stopping)
    found: dict[str, ChangeOutcome] = {}
    try:
        async with aclosing(outcomes):
            async for outcome in outcomes:
                found[outcome.edit.key] = outcome
                tell(outcome)
    except asyncio.CancelledError:
        reason = "interrupted in the middle: `amiguard rollback --check` says where it stands"
        left = (edit for edit in edits if edit.key not in found)
        return (*found.values(), *(ChangeOutcome(edit, ChangeStatus.UNVERIFIED, reason) for edit in left))
    finally:
        beside.cancel()
    return tuple(found.values())


def report(
    outcomes: Sequence[ChangeOutcome], *, dry_run: bool, undoing: bool, interrupted: bool, journal: Path | None
) -> ExitCode:
    """Print what was done, and say how it ended.

    Args:
        outcomes: of all changes.
        dry_run: whether EC2 was only asked if it would.
        undoing: whether changes were rolled back.
        interrupted: whether the run was ended early.
        journal: where it is written down; None if nothing was.
    """
    with open_output(None) as stream:
        render_outcomes(outcomes, stream, dry_run=dry_run, undoing=undoing)
    if journal is not None and any(one.status is not ChangeStatus.ALREADY_DONE for one in outcomes):
        command = f"amiguard rollback {shlex.quote(str(journal))}"
        say(f"What was done is written down in {journal}; to undo it: {command}")
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.CLEAN if all(one.status in DONE for one in outcomes) else ExitCode.UNFINISHED


def carry_out(work: Work, options: RunOptions, session: AuditSession, journal: Journal | None) -> ExitCode:
    """Do the work, print what was done, and say how it ended.

    Args:
        work: the changes.
        options: of the command line.
        session: of the run.
        journal: where it is written down; None for a dry run.

    Raises:
        AmiguardError: nothing could be begun: nothing was done.
    """
    outcomes, interrupted = asyncio.run(_do(work, options, session, journal or NoJournal()))
    path = journal.path if journal else None
    return report(outcomes, dry_run=options.dry_run, undoing=work.undoing, interrupted=interrupted, journal=path)


async def _do(
    work: Work, options: RunOptions, session: AuditSession, journal: ChangeJournal
) -> tuple[tuple[ChangeOutcome, ...], bool]:
    interruption = Interruption(options.deadline)
    count = Count(len(work.edits))
    wanted = not (options.quiet or options.verbose)
    with interruption.by_signals(), shown_line(work.doing, count.line, wanted=wanted):
        found = work.found or await session.find_accounts()
        async with session.open_estate(found) as estate:
            outcomes = await collect(
                work.begin(Ec2TargetOpener(estate, work.accounts), journal, interruption.stop),
                work.edits,
                tell=count.note,
                stopping=interruption.stopping(estate.stop_repeating),
            )
    return outcomes, interruption.interrupted


def changes(number: int) -> str:
    """`1 change`, `2 changes`."""
    return "1 change" if number == 1 else f"{number} changes"


class Count:
    """How far a run is, for the live line."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._ended: Counter[bool] = Counter()

    def note(self, outcome: ChangeOutcome) -> None:
        """Count one outcome."""
        self._ended[outcome.status in DONE] += 1

    def line(self) -> str:
        """`changes 12/40  1 not done`."""
        parts = [f"changes {self._ended.total():,}/{self._total:,}"]
        if missed := self._ended[False]:
            parts.append(f"{missed:,} not done")
        return "  ".join(parts)
