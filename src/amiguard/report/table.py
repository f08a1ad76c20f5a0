"""The format `table`: for people. Lines are laid out here; rich measures and colours them.

Layout does not depend on colour, so that the same report looks the same in a terminal and in a file. Every text that is
not amiguard's own goes through `printable`; names come last on their line, where text that runs from right to left
cannot disturb the rest of it.
"""

import errno
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from amiguard.core.result import ALL_REGIONS, Status
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import DecisionV1, GrantV1, ImageV1, ResultV1, StatusV1
from amiguard.report.sanitize import printable
from amiguard.report.tally import Tally, tally
from amiguard.report.verdict import account_of_it, headline, kind_nouns, next_steps, number_of

_PIPED_WIDTH = 100
_INDENT = " " * 6
_LEAST_WIDTH = 60
_LEAST_NAME = 8
_GRANTEES_SHOWN = 4
_ACCOUNTS_SHOWN = 8
_STYLES = {
    "critical": "bold red",
    "high": "red",
    "failed": "red",
    "unknown": "yellow",
    "suppressed": "cyan",
    "skipped": "cyan",
    "pass": "green",
}
# Which decisions explain a status; grantees with the others are only counted.
_EXPLAINED_BY: dict[StatusV1, tuple[DecisionV1, ...]] = {
    "fail": ("untrusted", "undetermined"),
    "unknown": ("undetermined",),
    "suppressed": ("excepted",),
    "pass": ("trusted",),
}


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    status: Status
    belongs: Callable[[ResultV1], bool]


# One pass over the results for each: what is most urgent comes first, and nothing has to be held back.
_SECTIONS = (
    _Section("Public: everyone may launch these images", Status.FAIL, lambda result: result["severity"] == "critical"),
    _Section("Shared with grantees that are not trusted", Status.FAIL, lambda result: result["severity"] != "critical"),
    _Section("Unknown: not read, or not decided", Status.UNKNOWN, lambda _: True),
    _Section("Suppressed: accepted by an exception", Status.SUPPRESSED, lambda _: True),
    _Section("Pass", Status.PASS, lambda _: True),
)


def render_table(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the images that are shown, then what was not seen, the verdict, and what to do next."""
    page = _Page(stream)
    found = tally(report)
    names = {one["account_id"]: one["account_name"] for one in report.targets if "account_name" in one}
    for section in _SECTIONS:
        if shown.shows(section.status.value):
            _write_section(page, section, report, names)
    _write_not_seen(page, report, found)
    page.title("Verdict")
    page.paragraph("", headline(report, found), style=_verdict_style(report))
    page.paragraph("", account_of_it(report, found))
    _write_next_steps(page, report, found)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the caller, as the other formats do: rich would end the program with an exit code of its own."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class _Page:
    """Writes lines of a given width."""

    def __init__(self, stream: TextIO) -> None:
        # Rich keeps bold and dim under NO_COLOR; here it means no escape sequences at all.
        self._console = _Console(
            file=stream,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=True,
        )
        known = self._console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
        self._width = max(self._console.width, _LEAST_WIDTH) if known else _PIPED_WIDTH
        self._begun = False

    def title(self, text: str) -> None:
        """A heading after a blank line, except at the top."""
        self.line(Text(text, style="bold"), blank_before=True)

    def line(self, text: Text, *, blank_before: bool = False) -> None:
        """One line as it is, however long."""
        if blank_before and self._begun:
            self._console.print()
        self._console.print(text)
        self._begun = True

    def paragraph(self, lead: str, text: str, *, style: str = "", lead_style: str = "") -> None:
        """The text beside the lead, wrapped; its lines stand below each other."""
        indent = cell_len(lead)
        lines = self._wrap(text, self._width - indent)
        block = Text().append(lead, style=lead_style)
        block.append(f"\n{' ' * indent}".join(lines), style=style)
        self.line(block)

    def fit(self, text: str, taken: int) -> str:
        """The text, cut to what is left of a line."""
        room = max(self._width - taken, _LEAST_NAME)
        if cell_len(text) <= room:
            return text
        cut = Text(text, overflow="crop")
        cut.truncate(room - 3)
        return f"{cut.plain}..."

    def _wrap(self, text: str, width: int) -> list[str]:
        if cell_len(text) <= width:
            return [text]
        return [line.plain.rstrip() for line in Text(text).wrap(self._console, width)]


def _heading(account_id: str, region: str, names: Mapping[str, str]) -> str:
    """Account, region, and the account's name where it is known: last, as all names."""
    name = names.get(account_id)
    return "  ".join(map(printable, (account_id, region, *((name,) if name else ()))))


def _write_section(page: _Page, section: _Section, report: Report, names: Mapping[str, str]) -> None:
    begun = False
    group: tuple[str, str] | None = None
    for result in report.results(StatusFilter.of((section.status,))):
        # What is said about a whole target stands under what was not seen.
        if result["image"] is None or not section.belongs(result):
            continue
        if not begun:
            page.title(section.title)
            begun = True
        if group != (result["account_id"], result["region"]):
            group = result["account_id"], result["region"]
            page.line(Text(_heading(*group, names), style="bold cyan"), blank_before=True)
        _write_image(page, result, result["image"])


def _write_image(page: _Page, result: ResultV1, image: ImageV1) -> None:
    status = result["status"]
    label = f"fail {result['severity']}" if status == "fail" else status
    style = _STYLES[result["severity"] if status == "fail" else status]
    line = Text().append(f"  {label:<13}  ", style=style)
    line.append(f"{printable(image['id']):<21}", style="bold")
    line.append(f"  {printable(image['creation_date'])[:10]:<10}  ")
    line.append(page.fit(printable(image["name"]) or "(no name)", line.cell_len))
    page.line(line)
    explained = _EXPLAINED_BY[status]
    reasons: defaultdict[tuple[DecisionV1, str], list[GrantV1]] = defaultdict(list)
    for grant in sorted(result["grants"], key=lambda grant: grant["decision"] != explained[0]):
        if grant["decision"] in explained:
            reasons[grant["decision"], grant["reason"]].append(grant)
    if not reasons:
        page.paragraph(_INDENT, printable(result["message"]))
        return
    for (decision, reason), grants in reasons.items():
        # Core's reasons may begin with the decision: it stands before them already.
        why = printable(reason).removeprefix(f"{decision}: ")
        shown, more = _cut(decision, grants)
        page.paragraph(f"{_INDENT}{decision:<12}  ", f"{shown}: {why}", lead_style=style)
        if more:
            page.paragraph(f"{_INDENT}{'':<12}  ", more, style="dim")
    if others := _others(result["grants"], explained):
        page.paragraph(_INDENT, f"also {others}", style="dim")


def _cut(decision: DecisionV1, grants: Sequence[GrantV1]) -> tuple[str, str]:
    """The first grantees, and how many there are besides."""
    # "and 1 more" would save nothing.
    shown = grants if len(grants) <= _GRANTEES_SHOWN + 1 else grants[:_GRANTEES_SHOWN]
    names = ["everyone" if grant["kind"] == "everyone" else printable(grant["grantee"]) for grant in shown]
    more = grants[len(shown) :]
    kinds = {grant["kind"] for grant in more}
    nouns = kind_nouns(kinds.pop()) if len(kinds) == 1 else ("grantee", "grantees")
    return ", ".join(names), f"and {len(more):,} more {decision} {nouns[1]}" if more else ""


def _others(grants: Iterable[GrantV1], explained: Sequence[DecisionV1]) -> str:
    """`3 trusted, 1 excepted`: the grantees that do not explain the status."""
    counts: defaultdict[str, int] = defaultdict(int)
    for grant in grants:
        if grant["decision"] not in explained:
            counts[grant["decision"]] += 1
    return ", ".join(f"{number:,} {decision}" for decision, number in counts.items())


def _write_not_seen(page: _Page, report: Report, found: Tally) -> None:
    """Targets that failed or were skipped; those with one reason and the same regions share an entry."""
    regions: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for target in report.targets:
        if target["status"] != "audited":
            reason = found.target_messages.get((target["account_id"], target["region"]), target["reason"])
            regions[target["status"], reason, target["account_id"]].append(target["region"])
    accounts: defaultdict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (status, reason, account), found_in in regions.items():
        accounts[status, reason, tuple(found_in)].append(account)
    if not accounts:
        return
    page.title("Not seen")
    for (status, reason, names), ids in sorted(accounts.items(), key=lambda item: (item[0][0], item[1], item[0][2])):
        who = ", ".join(map(printable, ids[:_ACCOUNTS_SHOWN]))
        if len(ids) > _ACCOUNTS_SHOWN:
            who += f" and {number_of(len(ids) - _ACCOUNTS_SHOWN, 'more account', 'more accounts')}"
        where = "all regions" if names == (ALL_REGIONS,) else ", ".join(map(printable, names))
        text = f"{who}  {where}: {printable(reason)}"
        page.paragraph(f"  {status:<8} ", text, lead_style=_STYLES[status])


def _verdict_style(report: Report) -> str:
    if report.summary["fail"]:
        return "bold red"
    return "bold green" if report.audit["complete"] else "bold yellow"


def _write_next_steps(page: _Page, report: Report, found: Tally) -> None:
    steps = next_steps(report, found)
    if not steps:
        return
    page.title("Next steps")
    for step in steps:
        page.paragraph("  - ", step.text)
        if step.command:
            # Never wrapped: it is there to be copied.
            page.line(Text(f"      {step.command}", style="bold"))
