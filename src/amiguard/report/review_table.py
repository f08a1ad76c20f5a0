"""A review of the trust policy for people: the findings, the worst first, then how often each entry is used."""

from collections.abc import Sequence
from itertools import groupby
from typing import TextIO

from rich.text import Text

from amiguard.core.review import Review, ReviewedItem
from amiguard.core.review_types import ReviewFinding, ReviewSeverity
from amiguard.report.page import Page
from amiguard.report.review_words import TITLES, ReviewContext, headline, uses_words
from amiguard.report.sanitize import printable

_INDENT = " " * 6
_STYLES = {
    ReviewSeverity.PROBLEM: "bold red",
    ReviewSeverity.WARNING: "yellow",
    ReviewSeverity.INFORMATION: "cyan",
}
_ID_WIDTH = 14


def render_review(found: Review, context: ReviewContext, stream: TextIO) -> None:
    """Write what was reviewed, what was not looked at, the findings, and the uses."""
    page = Page(stream)
    style = "bold yellow" if found.needs_attention else "bold green"
    page.paragraph("", printable(headline(found)), style="bold red" if found.counts[ReviewSeverity.PROBLEM] else style)
    for lead, text in context.lines():
        page.paragraph(f"{lead:<10}", printable(text), style="dim")
    for note in found.notes:
        page.paragraph("  ! ", f"{printable(note)}.", style="yellow")
    for severity, findings in groupby(found.findings, key=lambda one: one.severity):
        page.title(TITLES[severity])
        for finding in findings:
            _write_finding(page, finding)
    _write_items(page, "Entries", found.entries)
    _write_items(page, "Exceptions", found.exceptions)


def _write_finding(page: Page, finding: ReviewFinding) -> None:
    line = Text("  ")
    line.append(finding.kind.value, style=_STYLES[finding.severity])
    line.append("  ")
    line.append(printable(finding.subject), style="bold")
    if finding.name:
        line.append(f"  {page.fit(printable(finding.name), line.cell_len + 2)}")
    page.line(line)
    if finding.place:
        page.line(Text(f"{_INDENT}{printable(finding.place)}", style="dim"))
    page.paragraph(_INDENT, f"{printable(finding.message)}.")
    page.paragraph(f"{_INDENT}mend: ", printable(finding.mend), style="dim")


def _write_items(page: Page, title: str, items: Sequence[ReviewedItem]) -> None:
    if not items:
        return
    page.title(title)
    # Ids of units are four times as long as those of accounts: one of them should not push all names away.
    for item in items:
        line = Text(f"  {uses_words(item):>18}  ")
        subject = printable(item.subject)
        line.append(subject, style="bold" if item.in_force else "dim")
        if item.name:
            line.append(" " * (max(_ID_WIDTH - len(subject), 0) + 2))
            line.append(page.fit(printable(item.name), line.cell_len))
        page.line(line)
