"""A comparison of two reports as a comment on a pull request: at most 60,000 bytes, what does not fit is counted."""

from typing import TextIO

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
from amiguard.report.finding import cut, region_name
from amiguard.report.markdown_paper import Paper, code, plain, row, table

_TITLES = {
    "fails": "amiguard: something new fails",
    "incomplete": "amiguard: nothing new fails, but not everything is known",
    "clean": "amiguard: nothing new fails",
}
# What a section leaves for those after it, so that each says at least how much there is.
_RESERVES = {
    Kind.NEW: 25_000,
    Kind.CHANGED: 15_000,
    Kind.RESOLVED: 9_000,
    Kind.UNKNOWN: 2_000,
    Kind.NOT_LOOKED_AT: 400,
}
_FOLDED = (Kind.RESOLVED, Kind.NOT_LOOKED_AT)
_GRANTEES_SHOWN = 4
_NAME_WIDTH = 128
_TEXT_WIDTH = 240
_SENTENCE_WIDTH = 600


def render_comparison_markdown(found: Comparison, stream: TextIO) -> None:
    """Write the counts, and a table for each kind of finding but those that are unchanged."""
    paper = Paper(stream)
    word = "fails" if found.fails else "clean" if found.complete else "incomplete"
    paper.write(f"## {_TITLES[word]}\n\n**{plain(headline(found))}**\n\n{table('', 'findings', 'number')}")
    for kind, number in found.counts.items():
        worse = f" ({found.worse:,} worse)" if kind is Kind.CHANGED and found.worse else ""
        paper.write(row(code(SIGNS[kind]), f"{COUNTED[kind]}{worse}", f"{number:,}"))
    paper.write("\n")
    for name, report in (("OLD", found.old), ("NEW", found.new)):
        paper.write(f"- {name}: {code(cut(when(report), _SENTENCE_WIDTH))}\n")
    for warning in found.warnings:
        paper.write(f"- **{plain(warning)}.**\n")
    for note in account_of_it(found):
        said = f": {code(cut(note.said, _SENTENCE_WIDTH))}" if note.said else ""
        paper.write(f"- {plain(note.sentence)}{said}.\n")
    for kind, title in TITLES.items():
        entries = found.entries[kind]
        if not entries:
            continue
        heading = f"{title}: {len(entries):,}"
        folded = kind in _FOLDED
        head = f"<details>\n<summary>{heading}</summary>" if folded else f"### {heading}"
        paper.write(f"\n{head}\n\n{table('', 'severity', 'account', 'region', 'image', 'what')}")
        paper.write_more(paper.write_rows(entries, _row, _RESERVES[kind]))
        if folded:
            paper.write("\n</details>\n")


def _row(entry: Entry) -> str:
    finding = entry.finding
    if finding.image_id is None:
        image = f"(all of the target) {code(cut(finding.check_id, _NAME_WIDTH))}"
    else:
        image = f"{code(cut(finding.image_id, _NAME_WIDTH))} {code(cut(finding.image_name, _NAME_WIDTH))}".rstrip()
    return row(
        code(SIGNS[entry.kind]),
        f"**{finding.severity}**" if entry.after == "fail" else finding.severity,
        code(cut(finding.account_id, _NAME_WIDTH)),
        code(cut(region_name(finding.region), _NAME_WIDTH)),
        image,
        _what(entry),
    )


def _what(entry: Entry) -> str:
    parts = []
    if entry.kind is Kind.NEW:
        untrusted = [grantee_words(one.grantee) for one in entry.finding.grants if one.decision == "untrusted"]
        parts = untrusted or [entry.finding.message]
    elif entry.delta is not None:
        parts = [f"{sign} {words}" for sign, words in differences(entry.delta)]
    said = [code(cut(one, _TEXT_WIDTH)) for one in parts[:_GRANTEES_SHOWN]]
    if len(parts) > _GRANTEES_SHOWN:
        said.append(f"and {len(parts) - _GRANTEES_SHOWN:,} more")
    if words := why(entry):
        said.append(code(cut(words, _TEXT_WIDTH)))
    return "; ".join(filter(None, said))
