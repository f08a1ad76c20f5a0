"""What the formats of a review say alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from amiguard.core.directory import Directory
from amiguard.core.review import Review, ReviewedItem
from amiguard.core.review_types import ReviewSeverity, counted
from amiguard.report.json_v1 import rfc3339
from amiguard.report.saved_report import SavedReport

TITLES = {
    ReviewSeverity.PROBLEM: "Problems",
    ReviewSeverity.WARNING: "Warnings",
    ReviewSeverity.INFORMATION: "For your information",
}


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """What a review was made of.

    Attributes:
        settings: the settings file.
        today: the day (UTC) by which dates were judged.
        within: what expired in this time expired soon.
        directory_source: where the directory came from.
        vendors: the list of vendors.
    """

    settings: str
    today: date
    within: timedelta
    report: SavedReport | None = None
    directory: Directory | None = None
    directory_source: Literal["aws", "file"] = "file"
    vendors: str | None = None

    def lines(self) -> Iterator[tuple[str, str]]:
        """What was reviewed and what it was held against, for people."""
        yield "settings", f"{self.settings}, as of {self.today}"
        if self.report is not None:
            audit = self.report.audit
            yield "report", f"{self.report.path}: audit {audit['id']} of {audit['finished_at']}"
        if self.directory is not None:
            read = f"read {rfc3339(self.directory.read_at)}"
            accounts = counted(len(self.directory.accounts), "account")
            yield "directory", f"{self.directory.organization_id}, {accounts}, {read}"
        if self.vendors is not None:
            yield "vendors", self.vendors


def headline(found: Review) -> str:
    """The counts in one sentence."""
    counts = found.counts
    numbers = [
        counted(counts[ReviewSeverity.PROBLEM], "problem"),
        counted(counts[ReviewSeverity.WARNING], "warning"),
        f"{counts[ReviewSeverity.INFORMATION]:,} for your information",
    ]
    what = f"{len(found.entries):,} {'entry' if len(found.entries) == 1 else 'entries'} and "
    return f"{what}{counted(len(found.exceptions), 'exception')} reviewed: {', '.join(numbers)}."


def uses_words(item: ReviewedItem) -> str:
    """How often an entry or exception is used."""
    if item.uses is None:
        words = "not known"
    elif item.may_use:
        words = f"{item.uses:,} to {item.uses + item.may_use:,} grants"
    else:
        words = counted(item.uses, "grant")
    return words if item.in_force else f"{words}, expired"
