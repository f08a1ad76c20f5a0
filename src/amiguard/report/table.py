"""The format `table`: for people.

Every text that is not amiguard's own goes through `printable`; names come last on their line, where text that runs from
right to left cannot disturb the rest of it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.text import Text

from amiguard.core.result import ALL_REGIONS, Status
from amiguard.report.evidence_facts import EvidenceFacts, about_snapshots, has_evidence
from amiguard.report.evidence_groups import evidence_groups, grantees_words
from amiguard.report.evidence_tally import EvidenceTally
from amiguard.report.evidence_words import BIN_ADVICE, IN_USE, image_words, recycle_bins, tally_words
from amiguard.report.grant_v1 import DecisionV1, GrantV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ImageV1, ResultV1, StatusV1
from amiguard.report.page import Page
from amiguard.report.sanitize import printable
from amiguard.report.tally import Switch, Tally, failing, tally
from amiguard.report.verdict import account_of_it, headline, kind_nouns, next_steps, number_of

_INDENT = " " * 6
_GRANTEES_SHOWN = 4
_ACCOUNTS_SHOWN = 8
_GROUPS_WITH_EVIDENCE = 8
_ACCOUNT_ID = 12
"""Characters of an account id: so wide is the column of decisions."""
_SWITCHES_IN_ORDER: tuple[StatusV1, ...] = ("fail", "unknown", "pass")
_STYLES = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
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
    _Section(
        "Public: everyone may launch these images",
        Status.FAIL,
        lambda result: result["severity"] == "critical" and not about_snapshots(result),
    ),
    _Section(
        "Shared with grantees that are not trusted",
        Status.FAIL,
        lambda result: result["severity"] != "critical" and not about_snapshots(result),
    ),
    _Section(
        "Snapshots shared with grantees that are not trusted: they can copy what is in these images",
        Status.FAIL,
        about_snapshots,
    ),
    _Section("Unknown: not read, or not decided", Status.UNKNOWN, lambda _: True),
    _Section("Suppressed: accepted by an exception", Status.SUPPRESSED, lambda _: True),
    _Section("Pass", Status.PASS, lambda _: True),
)


def render_table(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the images that are shown, what is said of targets and what was not seen, the verdict, and what to do."""
    page = Page(stream)
    found = tally(report)
    names = {one["account_id"]: one["account_name"] for one in report.targets if "account_name" in one}
    for section in _SECTIONS:
        if shown.shows(section.status.value):
            _write_section(page, section, report, names)
    _write_switches(page, report, shown, found)
    _write_not_seen(page, report, found)
    _write_all_evidence(page, found.evidence)
    _write_recycle_bins(page, report)
    page.title("Verdict")
    page.paragraph("", headline(report, found), style=_verdict_style(report))
    page.paragraph("", account_of_it(report, found))
    _write_next_steps(page, report, found)


def _heading(account_id: str, region: str, names: Mapping[str, str]) -> str:
    """Account, region, and the account's name where it is known: last, as all names."""
    name = names.get(account_id)
    return "  ".join(map(printable, (account_id, region, *((name,) if name else ()))))


def _write_section(page: Page, section: _Section, report: Report, names: Mapping[str, str]) -> None:
    begun = False
    group: tuple[str, str] | None = None
    for result in report.results(StatusFilter.of((section.status,))):
        # What is said about a whole target stands below, in fewer lines.
        if result["image"] is None or result.get("baseline") == "known" or not section.belongs(result):
            continue
        if not begun:
            page.title(section.title)
            begun = True
        if group != (result["account_id"], result["region"]):
            group = result["account_id"], result["region"]
            page.line(Text(_heading(*group, names), style="bold cyan"), blank_before=True)
        _write_image(page, result, result["image"])


def _write_image(page: Page, result: ResultV1, image: ImageV1) -> None:
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
    if about_snapshots(result):
        page.paragraph(_INDENT, printable(result["message"]), style="dim")
    for (decision, reason), grants in reasons.items():
        # Core's reasons may begin with the decision: it stands before them already.
        why = printable(reason).removeprefix(f"{decision}: ")
        shown, more = _cut(decision, grants)
        page.paragraph(f"{_INDENT}{decision:<12}  ", f"{shown}: {why}", lead_style=style)
        if more:
            page.paragraph(f"{_INDENT}{'':<12}  ", more, style="dim")
    if has_evidence(result):
        _write_evidence(page, EvidenceFacts(result))
    if others := _others(result["grants"], explained):
        page.paragraph(_INDENT, f"also {others}", style="dim")


def _write_evidence(page: Page, facts: EvidenceFacts) -> None:
    lead = f"{_INDENT}{'':<12}  "
    groups = evidence_groups(facts)
    for group in groups[:_GROUPS_WITH_EVIDENCE]:
        _write_facts(page, grantees_words(group.grants), group.words)
    left_out = groups[_GROUPS_WITH_EVIDENCE:]
    if left_out:
        in_use = sum(len(group.grants) for group in left_out if group.in_use)
        users = f", of which {in_use:,} use it" if in_use else ""
        page.paragraph(lead, f"and {sum(len(group.grants) for group in left_out):,} more{users}", style="dim")
    _write_facts(page, "the image", tuple(image_words(facts)))


def _write_facts(page: Page, head: str, words: Sequence[str]) -> None:
    """What is known of something, below each other; a head that is too long for its column has a line of its own."""
    if words and len(head) > _ACCOUNT_ID:
        page.paragraph(_INDENT, f"{head}:")
        head = ""
    for number, one in enumerate(words):
        style = "bold" if one.startswith(IN_USE) else ""
        page.paragraph(f"{_INDENT}{'' if number else head:<{_ACCOUNT_ID}}  ", one, style=style)


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


def _write_switches(page: Page, report: Report, shown: StatusFilter, found: Tally) -> None:
    """Image block public access, where its results are shown. Of a failed target it is said already that it failed."""
    failed = {(one["account_id"], one["region"]) for one in report.targets if one["status"] == "failed"}
    switches = [
        one
        for one in found.switches
        if shown.shows(one.status) and not (one.status == "unknown" and (one.account_id, one.region) in failed)
    ]
    if shown.shows("pass"):
        passing = map(Switch.of, report.results(StatusFilter.of((Status.PASS,))))
        switches += [one for one in passing if one is not None]
    if not switches:
        return
    page.title("Image block public access")
    for status in _SWITCHES_IN_ORDER:
        said = ((one.severity, one.message, one.account_id, one.region) for one in switches if one.status == status)
        for severity, message, where in _by_place(said):
            label = f"fail {severity}" if status == "fail" else status
            style = _STYLES[severity if status == "fail" else status]
            page.paragraph(f"  {label:<13}  ", f"{where}: {printable(message)}", lead_style=style)


def _write_not_seen(page: Page, report: Report, found: Tally) -> None:
    """Targets that failed or were skipped; those with one reason and the same regions share an entry."""
    unseen = [
        (
            target["status"],
            found.target_messages.get((target["account_id"], target["region"]), target["reason"]),
            target["account_id"],
            target["region"],
        )
        for target in report.targets
        if target["status"] != "audited"
    ]
    if not unseen:
        return
    page.title("Not seen")
    for status, reason, where in _by_place(unseen):
        page.paragraph(f"  {status:<8} ", f"{where}: {printable(reason)}", lead_style=_STYLES[status])


def _write_all_evidence(page: Page, found: EvidenceTally) -> None:
    """What evidence comes to, how old it may be, and what could not be had of it: each reason once."""
    if not found.images:
        return
    page.title("Evidence")
    page.paragraph("  ", f"Collected for {number_of(found.images, 'failing image', 'failing images')}.")
    for kind, words in tally_words(found):
        page.paragraph(f"  {kind:<9}  ", words)
    for (kind, reason), images in found.missing.most_common():
        said = f"not known of {number_of(images, 'image', 'images')}: {printable(reason)}"
        page.paragraph(f"  {kind:<9}  ", said, lead_style=_STYLES["unknown"])


def _write_recycle_bins(page: Page, report: Report) -> None:
    bins = recycle_bins(report)
    if not bins:
        return
    page.title("Recycle Bin")
    for _, text, where in _by_place(("", words, account, region) for words, account, region in bins.said):
        page.paragraph("  ", f"{where}: {text}")
    if bins.empty:
        page.paragraph("  ", f"empty in {number_of(bins.empty, 'target', 'targets')}")
    if bins.images:
        page.paragraph("  ", BIN_ADVICE)


def _by_place(said: Iterable[tuple[str, str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """What is said of targets: (word, text, account, region), and those of which the same is said in one place."""
    regions: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for word, text, account, region in said:
        regions[word, text, account].append(region)
    accounts: defaultdict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (word, text, account), found_in in regions.items():
        accounts[word, text, tuple(found_in)].append(account)
    for (word, text, names), ids in sorted(accounts.items(), key=lambda item: (item[0][0], item[1], item[0][2])):
        who = ", ".join(map(printable, ids[:_ACCOUNTS_SHOWN]))
        if len(ids) > _ACCOUNTS_SHOWN:
            who += f" and {number_of(len(ids) - _ACCOUNTS_SHOWN, 'more account', 'more accounts')}"
        where = "all regions" if names == (ALL_REGIONS,) else ", ".join(map(printable, names))
        yield word, text, f"{who}  {where}"


def _verdict_style(report: Report) -> str:
    if failing(report):
        return "bold red"
    return "bold green" if report.audit["complete"] else "bold yellow"


def _write_next_steps(page: Page, report: Report, found: Tally) -> None:
    steps = next_steps(report, found)
    if not steps:
        return
    page.title("Next steps")
    for step in steps:
        page.paragraph("  - ", step.text)
        if step.command:
            # Never wrapped: it is there to be copied.
            page.line(Text(f"      {step.command}", style="bold"))
