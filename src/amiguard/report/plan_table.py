"""A plan for people: what is taken away and added, what is not and why, and what it comes to.

A line that begins with `-` takes away and one with `+` adds, in colour or not. The line of an image has its id and all
its counts, so that a search for the id finds what is to become of it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TextIO, assert_never

from rich.text import Text

from amiguard.core.edit import BlockPublicAccessEdit
from amiguard.core.effects import BlastRadius, blast_radius
from amiguard.core.grantee import Grantee, GranteeKind
from amiguard.core.plan import (
    BlockPublicAccessChange,
    Effect,
    ImageChange,
    InUse,
    LeftOut,
    NotInUse,
    Plan,
    Removal,
    SnapshotChange,
    Unplanned,
    UseUnknown,
)
from amiguard.core.plan_words import usage_report, use_in_words
from amiguard.report.edit_words import SWITCH, counted, grantee_words, grantees_in_sum, images_in_sum, place
from amiguard.report.page import Page
from amiguard.report.sanitize import printable
from amiguard.report.verdict import number_of

_LISTED = 50
_IDS_SHOWN = 10
_REASONS_SHOWN = 3
_INDENT = " " * 6
_EFFECT = {Effect.KEEPS_ACCESS: "no effect", Effect.MAY_KEEP_ACCESS: "may have no effect"}


def render_plan(plan: Plan, stream: TextIO) -> None:
    """Write the changes, by account and region, then what is left out and what could not be planned, then the sum."""
    page = Page(stream)
    for target, changes in groupby(plan.changes, key=lambda change: change.edit.target):
        page.line(Text(place(target), style="bold cyan"), blank_before=True)
        for change in changes:
            match change:
                case ImageChange():
                    _write_image(page, change)
                case SnapshotChange():
                    _write_snapshot(page, change)
                case BlockPublicAccessChange(edit):
                    _write_switch(page, edit)
                case _:
                    assert_never(change)
    _write_list(page, "Left out on purpose", "cyan", [_left_out(one) for one in plan.left_out])
    _write_list(page, "Not planned: not read, or not decided", "yellow", [_unplanned(one) for one in plan.unplanned])
    page.title("Summary")
    for sentence in _summary(plan, blast_radius(plan)):
        page.paragraph("", sentence)


def _write_image(page: Page, change: ImageChange) -> None:
    edit = change.edit
    line = Text("  ").append(f"{printable(edit.image_id):<21}", style="bold")
    if change.removals:
        line.append(f"  -{len(change.removals):,}", style="red")
    if change.additions:
        line.append(f"  +{len(change.additions):,}", style="green")
    line.append("  ")
    page.line(line.append(page.fit(printable(edit.image_name) or "(no name)", line.cell_len)))
    _write_removals(page, change.removals)
    for addition in change.additions:
        text = f"{grantee_words(addition.grantee)}: {printable(addition.reason)}"
        page.paragraph("    + ", text, style="green", lead_style="green")
    _write_staying(page, edit.before, change.removals)


def _write_snapshot(page: Page, change: SnapshotChange) -> None:
    edit = change.edit
    line = Text("  ").append(f"{printable(edit.snapshot_id):<21}", style="bold")
    page.line(line.append(f"  -{len(change.removals):,}", style="red"))
    page.paragraph(_INDENT, images_in_sum(edit.image_ids), style="dim")
    _write_removals(page, change.removals)
    _write_staying(page, edit.before, change.removals)


def _write_removals(page: Page, removals: Sequence[Removal]) -> None:
    for removal in removals:
        text = f"{grantee_words(removal.grantee)}: {printable(removal.reason)}"
        page.paragraph("    - ", text, style="red", lead_style="red")
        if note := _note(removal):
            page.paragraph(_INDENT, note, style="yellow")
        if use := _use(removal):
            page.paragraph(_INDENT, use, style="yellow")
        for note in removal.notes:
            page.paragraph(_INDENT, printable(note), style="dim")


def _write_staying(page: Page, before: Sequence[Grantee], removals: Sequence[Removal]) -> None:
    removed = {removal.grantee for removal in removals}
    stays = [grantee for grantee in before if grantee not in removed]
    page.paragraph(_INDENT, f"stays: {grantees_in_sum(stays)}" if stays else "no grant stays", style="dim")


def _note(removal: Removal) -> str:
    if removal.effect is Effect.LOSES_ACCESS:
        return ""
    return f"{_EFFECT[removal.effect]}: {printable(removal.effect_reason)}"


def _use(removal: Removal) -> str:
    match removal.use:
        case InUse() as use:
            return f"in use: {printable(use_in_words(use))}"
        case NotInUse(as_of):
            return f"not in use, by {usage_report(as_of)}"
        case UseUnknown(reason):
            # That nobody asked is said once, in the sum.
            return f"use unknown: {printable(reason)}" if reason else ""
        case _:
            assert_never(removal.use)


def _write_switch(page: Page, edit: BlockPublicAccessEdit) -> None:
    page.line(Text(f"  {SWITCH}: {edit.before.value} -> {edit.after.value}", style="bold"))
    # Sources: EC2 User Guide, "Block public access to your AMIs"; EC2 Developer Guide, request throttling.
    page.paragraph(
        _INDENT,
        "takes up to 10 minutes; undone before images are made public again, at 0.1 calls a second",
        style="dim",
    )


def _left_out(one: LeftOut) -> str:
    name = f"  {printable(one.image_name)}" if one.image_name else ""
    return f"{_what(one)}: {printable(one.reason)}{name}"


def _unplanned(one: Unplanned) -> str:
    return f"{_what(one)}: {printable(one.reason)}"


def _what(one: LeftOut | Unplanned) -> str:
    snapshot = f"  {printable(one.snapshot_id)}" if one.snapshot_id else ""
    return f"{place(one.target)}  {'the whole target' if one.image_id is None else printable(one.image_id)}{snapshot}"


def _write_list(page: Page, title: str, style: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    page.title(f"{title} ({len(lines):,})")
    # "and 1 more" would save nothing.
    shown = lines if len(lines) <= _LISTED + 1 else lines[:_LISTED]
    for line in shown:
        page.paragraph("  ", line, style=style)
    if more := len(lines) - len(shown):
        page.paragraph("  ", f"and {more:,} more", style="dim")


def _summary(plan: Plan, radius: BlastRadius) -> Iterator[str]:
    audited = f"{number_of(plan.audited.images, 'image', 'images')} with "
    audited += number_of(plan.audited.grants, "grant", "grants")
    if radius.images:
        yield (
            f"{number_of(radius.images, 'image', 'images')} would be changed{_less_public(radius)}: "
            f"{number_of(radius.grants_removed, 'grant', 'grants')} removed, {radius.grants_added:,} added. "
            f"The audit read {audited}."
        )
    else:
        yield f"{'No image would be changed' if plan.changes else 'Nothing to change'}. The audit read {audited}."
    yield from _losing_access(radius)
    if without := radius.images_without_effect:
        images = number_of(without, "image", "images")
        yield f"Without effect on {images}: a grant that stays still covers who is removed."
    if uncertain := radius.images_uncertain:
        images = number_of(uncertain, "image", "images")
        yield f"Perhaps without effect on {images}: a grant that stays may still cover who is removed."
    yield from _use_in_sum(plan)
    if snapshots := sum(1 for _ in plan.snapshot_changes):
        changed = number_of(snapshots, "snapshot", "snapshots")
        yield f"{changed} would be changed: {number_of(plan.snapshot_removals, 'grant', 'grants')} removed."
    if switched := sum(isinstance(change, BlockPublicAccessChange) for change in plan.changes):
        yield f"Image block public access would be switched on in {number_of(switched, 'target', 'targets')}."
    left_out, unplanned = len(plan.left_out), len(plan.unplanned)
    if left_out or unplanned:
        yield f"Not in the plan: {left_out:,} left out on purpose, {unplanned:,} not read or not decided."


def _use_in_sum(plan: Plan) -> Iterator[str]:
    """How much of what takes access away is in use, and how to learn it where it is not known."""
    left_out = sum(one.removal is not None for one in plan.left_out)
    taking = [
        removal
        for change in plan.image_changes
        for removal in change.removals
        if removal.effect is not Effect.KEEPS_ACCESS
    ]
    if left_out:
        grants = number_of(left_out, "grant", "grants")
        it = "it" if left_out == 1 else "them"
        yield f"In use, and left out: {grants}. --revoke-in-use takes {it} back all the same."
    if revoked := sum(isinstance(one.use, InUse) for one in taking):
        yield f"In use, and removed all the same: {number_of(revoked, 'grant', 'grants')}."
    unknown = Counter(one.use.reason for one in taking if isinstance(one.use, UseUnknown))
    if not_asked := unknown.pop("", 0):
        grants = number_of(not_asked, "grant", "grants")
        yield f"Use unknown of {grants}: `amiguard plan --evidence usage` asks EC2 who uses the images."
    if unknown:
        grants = number_of(unknown.total(), "grant", "grants")
        reasons = "; ".join(printable(reason) for reason, _ in unknown.most_common(_REASONS_SHOWN))
        more = len(unknown) - _REASONS_SHOWN
        yield f"Use unknown of {grants}: {reasons}" + (f"; and {more:,} more reasons." if more > 0 else ".")


def _less_public(radius: BlastRadius) -> str:
    """` (2 made private, 1 no longer public)`."""
    sums = ((radius.made_private, "made private"), (radius.no_longer_public, "no longer public"))
    parts = [f"{number:,} {word}" for number, word in sums if number]
    return f" ({', '.join(parts)})" if parts else ""


def _losing_access(radius: BlastRadius) -> Iterator[str]:
    losing = (
        (GranteeKind.ACCOUNT, radius.accounts),
        (GranteeKind.ORGANIZATION, radius.organizations),
        (GranteeKind.ORGANIZATIONAL_UNIT, radius.units),
    )
    parts = ["everyone"] if radius.everyone else []
    parts += [
        counted(len(ids), kind) + (f" ({', '.join(map(printable, ids))})" if len(ids) <= _IDS_SHOWN else "")
        for kind, ids in losing
        if ids
    ]
    if parts:
        yield f"Losing access: {', '.join(parts)}."
