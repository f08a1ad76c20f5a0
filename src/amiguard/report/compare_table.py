"""A comparison of two reports for people: the counts first, then what is new, and so on.

Every finding begins with the sign of what became of it, in colour or not, so that a search for `+ fail` finds what is
new. Names come last on their line.
"""

from itertools import groupby
from typing import TextIO

from rich.text import Text

from amiguard.report.compare import Comparison, Entry, Kind
from amiguard.report.compare_words import (
    COUNTED,
    SIGNS,
    TITLES,
    account_of_it,
    differences,
    grantee_words,
    headline,
    when,
    why,
)
from amiguard.report.page import Page
from amiguard.report.sanitize import printable

_INDENT = " " * 8
_SHOWN = 8
_STYLES = {
    Kind.NEW: "bold red",
    Kind.CHANGED: "yellow",
    Kind.RESOLVED: "green",
    Kind.UNKNOWN: "yellow",
    Kind.NOT_LOOKED_AT: "cyan",
    Kind.UNCHANGED: "",
}
_SIGN_STYLES = {"+": "red", "-": "green", "~": "yellow"}


def render_comparison(found: Comparison, stream: TextIO) -> None:
    """Write the counts and what is to be kept in mind, then every finding but those that are unchanged."""
    page = Page(stream)
    page.line(_counts(found))
    style = "bold red" if found.fails else "bold green" if found.complete else "bold yellow"
    page.paragraph("", headline(found), style=style)
    page.paragraph("OLD  ", printable(when(found.old)), style="dim")
    page.paragraph("NEW  ", printable(when(found.new)), style="dim")
    for warning in found.warnings:
        page.paragraph("  ! ", f"{printable(warning)}.", style="yellow")
    for note in account_of_it(found):
        page.paragraph("  * ", f"{printable(note.text)}.")
    for kind, title in TITLES.items():
        if not found.entries[kind]:
            continue
        page.title(title)
        for place, entries in groupby(found.entries[kind], key=lambda one: one.order[:2]):
            page.line(Text("  ".join(map(printable, place)), style="bold cyan"), blank_before=True)
            for entry in entries:
                _write_entry(page, entry)


def _counts(found: Comparison) -> Text:
    line = Text()
    for kind, number in found.counts.items():
        worse = f" ({found.worse:,} worse)" if kind is Kind.CHANGED and found.worse else ""
        line.append("   " if line else "")
        line.append(f"{SIGNS[kind]}{number:,} {COUNTED[kind]}{worse}", style=_STYLES[kind] if number else "dim")
    return line


def _write_entry(page: Page, entry: Entry) -> None:
    finding = entry.finding
    label = "unknown" if entry.after == "unknown" else f"fail {finding.severity}"
    line = Text(f"  {SIGNS[entry.kind]} ", style=_STYLES[entry.kind])
    line.append(f"{label:<13}  ", style=_STYLES[entry.kind])
    if finding.image_id is None:
        line.append(page.fit(f"(the whole target)  {printable(finding.check_id)}", line.cell_len))
    else:
        line.append(f"{printable(finding.image_id):<21}  ", style="bold")
        line.append(page.fit(printable(finding.image_name) or "(no name)", line.cell_len))
    page.line(line)
    if entry.kind is Kind.NEW:
        page.paragraph(_INDENT, _what_fails(entry))
    for sign, words in differences(entry.delta) if entry.delta else ():
        page.paragraph(f"{_INDENT}{sign} ", printable(words), lead_style=_SIGN_STYLES[sign])
    if said := why(entry):
        page.paragraph(_INDENT, printable(said), style="dim")


def _what_fails(entry: Entry) -> str:
    untrusted = [one.grantee for one in entry.finding.grants if one.decision == "untrusted"]
    if not untrusted:
        return printable(entry.finding.message)
    more = f" and {len(untrusted) - _SHOWN:,} more" if len(untrusted) > _SHOWN else ""
    return f"untrusted: {', '.join(printable(grantee_words(one)) for one in untrusted[:_SHOWN])}{more}"
