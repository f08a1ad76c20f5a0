"""What became of changes, for people: what was not done comes first, and nothing is left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TextIO, TypeVar, assert_never

from rich.text import Text

from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, Edit, LaunchPermissionEdit
from amiguard.core.remediation import DONE, ChangeOutcome, ChangeState, ChangeStatus, StateOf
from amiguard.report.edit_words import SWITCH, edit_in_sum, images_in_sum, place
from amiguard.report.page import Page
from amiguard.report.sanitize import printable

_Word = TypeVar("_Word", ChangeStatus, ChangeState)

_INDENT = " " * 6
_NOT_DONE_WORDS = {
    ChangeStatus.DRIFTED: "drifted",
    ChangeStatus.NO_LONGER_WANTED: "no longer wanted",
    ChangeStatus.HELD: "held",
    ChangeStatus.FAILED: "failed",
    ChangeStatus.UNVERIFIED: "unverified",
    ChangeStatus.NOT_TRIED: "not tried",
}
_APPLY_WORDS = {
    ChangeStatus.APPLIED: "applied",
    ChangeStatus.WOULD_APPLY: "would be applied",
    ChangeStatus.ALREADY_DONE: "already done",
    **_NOT_DONE_WORDS,
}
_UNDO_WORDS = {
    ChangeStatus.APPLIED: "undone",
    ChangeStatus.WOULD_APPLY: "would be undone",
    ChangeStatus.ALREADY_DONE: "already undone",
    **_NOT_DONE_WORDS,
}
_STATE_WORDS = {
    ChangeState.APPLIED: "applied",
    ChangeState.AS_BEFORE: "as before",
    ChangeState.IN_PROGRESS: "in progress",
    ChangeState.DRIFTED: "drifted",
    ChangeState.UNREADABLE: "not read",
}
_SETTLED = frozenset({ChangeState.APPLIED, ChangeState.AS_BEFORE})
_ERRORS = frozenset({ChangeStatus.FAILED, ChangeStatus.UNVERIFIED, ChangeState.UNREADABLE})


@dataclass(frozen=True, slots=True)
class _Row:
    edit: Edit
    word: str
    style: str
    reason: str


def render_outcomes(outcomes: Iterable[ChangeOutcome], stream: TextIO, *, dry_run: bool, undoing: bool) -> None:
    """Write what became of each change, by account, region, image and snapshot, and the counts.

    Args:
        outcomes: in any order.
        stream: where to.
        dry_run: whether EC2 was only asked if it would.
        undoing: whether changes were rolled back; their edits are the inverse ones, as they were made.
    """
    found = tuple(outcomes)
    words = _UNDO_WORDS if undoing else _APPLY_WORDS
    page = Page(stream)
    for title, done in (("Not done", False), ("Done", True)):
        rows = (
            _Row(one.edit, words[one.status], _style(one.status, settled=done), _why(one))
            for one in found
            if (one.status in DONE) is done
        )
        _write_section(page, "Permitted, not done" if dry_run and done else title, rows)
    page.title("Result")
    # One line, however long: it is what is searched for in logs.
    page.line(Text(_result([one.status for one in found], words, dry_run=dry_run, undoing=undoing)))


def render_states(states: Iterable[StateOf], stream: TextIO) -> None:
    """Write in which state each journaled change is now, and the counts.

    Args:
        states: in any order.
        stream: where to.
    """
    found = tuple(states)
    page = Page(stream)
    for title, settled in (("Neither as before nor as the change left it", False), ("Settled", True)):
        rows = (
            _Row(one.change.edit, _STATE_WORDS[one.state], _style(one.state, settled=settled), _why_so(one))
            for one in found
            if (one.state in _SETTLED) is settled
        )
        _write_section(page, title, rows)
    page.title("Result")
    counts = _counts([one.state for one in found], _STATE_WORDS)
    page.line(Text(f"{counts}." if counts else "The journal holds no change."))


def _write_section(page: Page, title: str, rows: Iterable[_Row]) -> None:
    ordered = sorted(rows, key=lambda row: _order(row.edit))
    if not ordered:
        return
    page.title(f"{title} ({len(ordered):,})")
    width = max(len(row.word) for row in ordered)
    for target, of_target in groupby(ordered, key=lambda row: row.edit.target):
        page.line(Text(place(target), style="bold cyan"), blank_before=True)
        for row in of_target:
            line = Text("  ").append(f"{row.word:<{width}}", style=row.style)
            _describe(page, line, row.edit)
            page.line(line)
            if row.reason:
                page.paragraph(_INDENT, row.reason)


def _describe(page: Page, line: Text, edit: Edit) -> None:
    match edit:
        case LaunchPermissionEdit(image_id=image_id, image_name=image_name):
            line.append("  ").append(f"{printable(image_id):<21}", style="bold").append(f"  {edit_in_sum(edit)}  ")
            line.append(page.fit(printable(image_name) or "(no name)", line.cell_len))
        case CreateVolumePermissionEdit(snapshot_id=snapshot_id, image_ids=image_ids):
            line.append("  ").append(f"{printable(snapshot_id):<22}", style="bold").append(f"  {edit_in_sum(edit)}  ")
            line.append(page.fit(images_in_sum(image_ids), line.cell_len))
        case BlockPublicAccessEdit():
            line.append(f"  {SWITCH}", style="bold").append(f"  {edit_in_sum(edit)}")
        case _:
            assert_never(edit)


def _order(edit: Edit) -> tuple[str, str, int, str]:
    """By account, region and id: images, then snapshots, and last what is about the whole target."""
    place_of = (edit.target.account_id, edit.target.region)
    match edit:
        case LaunchPermissionEdit(image_id=image_id):
            return *place_of, 0, image_id
        case CreateVolumePermissionEdit(snapshot_id=snapshot_id):
            return *place_of, 1, snapshot_id
        case BlockPublicAccessEdit():
            return *place_of, 2, ""
        case _:
            assert_never(edit)


def _why(outcome: ChangeOutcome) -> str:
    hint = f" ({outcome.hint})" if outcome.hint else ""
    return printable(f"{outcome.reason}{hint}".strip())


def _why_so(one: StateOf) -> str:
    # The state says what is there; the journal, whether its run came to an end.
    cut = "the journal has no outcome of it: its run was cut" if one.change.status is None else ""
    return printable("; ".join(filter(None, (one.reason, cut))))


def _style(word: ChangeStatus | ChangeState, *, settled: bool) -> str:
    if settled:
        return "green"
    return "red" if word in _ERRORS else "yellow"


def _counts(found: Iterable[_Word], words: Mapping[_Word, str]) -> str:
    """`38 applied, 1 drifted`, in the order of the words."""
    numbers = Counter(found)
    return ", ".join(f"{numbers[one]:,} {word}" for one, word in words.items() if one in numbers)


def _result(statuses: list[ChangeStatus], words: Mapping[ChangeStatus, str], *, dry_run: bool, undoing: bool) -> str:
    if not statuses:
        return f"There was nothing to {'undo' if undoing else 'change'}."
    if set(statuses) == {ChangeStatus.ALREADY_DONE}:
        which = "the change" if len(statuses) == 1 else f"all {len(statuses):,} changes"
        return f"Nothing was changed: {which} had been {'undone' if undoing else 'made'} already."
    dry = "Nothing was changed, this was a dry run: " if dry_run else ""
    return f"{dry}{_counts(statuses, words)}."
