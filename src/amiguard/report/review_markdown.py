"""A review of the trust policy as a comment or a page: at most 60,000 bytes, what does not fit is counted."""

from typing import TextIO

from amiguard.core.review import Review, ReviewedItem
from amiguard.core.review_types import ReviewFinding
from amiguard.report.finding import cut
from amiguard.report.markdown_paper import Paper, code, plain, row, table
from amiguard.report.review_words import TITLES, ReviewContext, headline, uses_words

# What a section leaves for those after it, so that each says at least how much there is.
_RESERVE_FINDINGS = 15_000
_RESERVE_ITEMS = {"Entries": 3_000, "Exceptions": 400}
_NAME_WIDTH = 128
_TEXT_WIDTH = 600


def render_review_markdown(found: Review, context: ReviewContext, stream: TextIO) -> None:
    """Write the counts, the findings by severity, and the uses, folded."""
    paper = Paper(stream)
    paper.write(f"## amiguard: review of the trust policy\n\n**{plain(headline(found))}**\n\n")
    for lead, text in context.lines():
        paper.write(f"- {lead}: {code(cut(text, _TEXT_WIDTH))}\n")
    for note in found.notes:
        paper.write(f"- **{plain(cut(note, _TEXT_WIDTH))}.**\n")
    for severity, title in TITLES.items():
        findings = [one for one in found.findings if one.severity is severity]
        if findings:
            paper.write(f"\n### {title}: {len(findings):,}\n\n{table('what', 'who', 'where', 'why', 'mend')}")
            paper.write_more(paper.write_rows(findings, _finding, _RESERVE_FINDINGS))
    for title, items in (("Entries", found.entries), ("Exceptions", found.exceptions)):
        if items:
            paper.write(f"\n<details>\n<summary>{title}: {len(items):,}</summary>\n\n{table('who', 'uses', 'where')}")
            paper.write_more(paper.write_rows(items, _item, _RESERVE_ITEMS[title]))
            paper.write("\n</details>\n")


def _finding(finding: ReviewFinding) -> str:
    return row(
        finding.kind.value,
        _who(finding.subject, finding.name),
        code(cut(finding.place or "", _TEXT_WIDTH)),
        code(cut(finding.message, _TEXT_WIDTH)),
        code(cut(finding.mend, _TEXT_WIDTH)),
    )


def _item(item: ReviewedItem) -> str:
    return row(_who(item.subject, item.name), uses_words(item), code(cut(item.place, _TEXT_WIDTH)))


def _who(subject: str, name: str | None) -> str:
    return f"{code(cut(subject, _NAME_WIDTH))} {code(cut(name or '', _NAME_WIDTH))}".rstrip()
