"""What the changes of one run share: the options, the journal, the way to stop, and how an outcome ends."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from amiguard.core.edit import Edit, Step
from amiguard.core.errors import OutputError
from amiguard.core.exception import ImageSelector
from amiguard.core.ports import ChangeJournal, OpenedTarget
from amiguard.core.remediation import DONE, ERRORS, ChangeOutcome, ChangeStatus

_SETTLING_SECONDS = 5.0
"""EC2 is eventually consistent: what a killed run called last may not show for a moment."""
UNSETTLED = (None, ChangeStatus.UNVERIFIED)
"""The last outcomes after which a call may just have been made whose effect does not show yet."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RemediationOptions:
    """How changes are made.

    Attributes:
        dry_run: ask EC2 whether each call would be permitted; nothing is changed, nothing is journaled.
        stop_on_error: begin nothing more after the first change that failed or could not be verified.
        undone: keys of edits that an earlier rollback of the same has made already: what is there again since is
            another's work, and `roll_back` leaves it.
        protected: images that are never changed by `apply`; `roll_back` restores them all the same.
    """

    dry_run: bool = False
    stop_on_error: bool = False
    undone: frozenset[str] = frozenset()
    protected: tuple[ImageSelector, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How one change ended."""

    status: ChangeStatus
    reason: str = ""
    hint: str | None = None


class StoppedError(Exception):
    """The run was stopped before the change had begun."""


class EditRecord:
    """What a run's journal knows of one edit, and what this run adds to it."""

    def __init__(self, journal: ChangeJournal, edit: Edit) -> None:
        self._journal = journal
        self.edit = edit
        known = journal.known(edit.key)
        same = known is not None and (known.edit.before, known.edit.after) == (edit.before, edit.after)
        self._known = known if same else None
        self.intended = False
        """Whether this run has journaled an intent."""
        self._may_have_effect = self.unsettled

    @property
    def done_earlier(self) -> bool:
        """An earlier run has made this edit."""
        return self._known is not None and self._known.status in DONE

    @property
    def unfinished(self) -> bool:
        """An earlier run has begun this edit, and has not ended it: something of it may be in force."""
        return self._known is not None and self._known.status not in DONE and self._known.may_have_effect

    @property
    def unsettled(self) -> bool:
        """An earlier run may have made a call just now whose effect does not show yet."""
        return self._known is not None and self._known.status in UNSETTLED

    def note_effect(self) -> None:
        """Something of this edit may be in force: a call was not refused, or the state is not the one before it."""
        self._may_have_effect = True

    def intend(self, step: Step | None) -> None:
        """Journal that a call is about to be made.

        Raises:
            OutputError: the journal cannot be written; the call must not be made.
        """
        self._journal.intend(self.edit, step)
        self.intended = True

    def conclude(self, ending: Ending) -> None:
        """Journal what became of it, if that says more than the journal does.

        Raises:
            OutputError: the journal cannot be written.
        """
        if self.intended or (self.unfinished and ending.status in DONE):
            may_have_effect = self._may_have_effect or ending.status in DONE
            self._journal.conclude(self.edit, ending.status, ending.reason, may_have_effect=may_have_effect)


class Run:
    """One apply or rollback.

    Args:
        stop: set by the caller, or by the run itself: nothing more is begun.
        tell: takes each outcome as it is known.
    """

    def __init__(
        self,
        journal: ChangeJournal,
        options: RemediationOptions,
        stop: asyncio.Event,
        tell: Callable[[ChangeOutcome], None],
    ) -> None:
        self.journal = journal
        self.options = options
        self._stop = stop
        self._tell = tell
        self._why_stopped = "the run was stopped before its turn"

    def stop(self, why: str) -> None:
        """Begin nothing more."""
        if not self._stop.is_set():
            self._why_stopped = f"the run was stopped before its turn: {why}"
            self._stop.set()

    def raise_if_stopped(self) -> None:
        """Before a change begins.

        Raises:
            StoppedError: it must not.
        """
        if self._stop.is_set():
            raise StoppedError

    async def before_stop(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Wait for something that precedes a change, and give it up when the run is stopped.

        Raises:
            StoppedError: it is stopped.
        """
        self.raise_if_stopped()
        working, stopping = asyncio.create_task(work()), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise StoppedError
            return working.result()
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    async def settle(self) -> None:
        """Let the last calls of a run that was killed show, before anything is read.

        Raises:
            StoppedError: the run is stopped meanwhile.
        """
        await self.before_stop(lambda: asyncio.sleep(_SETTLING_SECONDS))

    def end(self, record: EditRecord, ending: Ending) -> None:
        """Journal how a change ended, then tell it."""
        if not self.options.dry_run:
            try:
                record.conclude(ending)
            except OutputError as error:
                note = f"this outcome could not be journaled: {error.message}"
                ending = Ending(ending.status, f"{ending.reason}; {note}" if ending.reason else note, ending.hint)
                self.stop("the journal cannot be written")
        self.end_unbegun(record.edit, ending)

    def end_unbegun(self, edit: Edit, ending: Ending) -> None:
        """Tell how a change ended for which nothing was called."""
        self._tell(ChangeOutcome(edit, ending.status, ending.reason, ending.hint))
        if self.options.stop_on_error and ending.status in ERRORS:
            self.stop("another change failed")

    def end_all(self, edits: Iterable[Edit], ending: Ending) -> None:
        """Tell that several changes ended alike, with nothing called."""
        for edit in edits:
            self.end_unbegun(edit, ending)

    @property
    def not_tried(self) -> Ending:
        """How a change ends that the stop came before."""
        return Ending(ChangeStatus.NOT_TRIED, self._why_stopped)


@dataclass(frozen=True, slots=True)
class TargetWork:
    """An opened target in a run.

    Attributes:
        public_hindrance: why no image of it can be made public now; None where nothing is known to hinder it.
        public_until: image block public access has been switched off; up to this time (of the event loop's clock) EC2
            may go on refusing public images all the same. None where it was not switched.
    """

    run: Run
    opened: OpenedTarget
    public_hindrance: str | None = None
    public_until: float | None = None
