"""The format `markdown`: a comment on a pull request, or the summary of a job.

Texts of others stand in `<code>`, where GitHub and GitLab look for neither mentions nor references, and every character
that means something to Markdown is a character reference: backslashes would be read differently inside of tables.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from heapq import nsmallest
from itertools import chain
from operator import itemgetter
from typing import Literal, TextIO

from amiguard.core.result import Status
from amiguard.report.evidence_facts import EvidenceFacts, about_snapshots, has_evidence
from amiguard.report.evidence_groups import evidence_groups, grantees_words
from amiguard.report.evidence_tally import EvidenceTally
from amiguard.report.evidence_words import BIN_ADVICE, RecycleBins, image_words, recycle_bins, tally_words
from amiguard.report.finding import (
    account_names,
    cut,
    explaining,
    first_grantees,
    not_seen,
    region_name,
    verdict_word,
)
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, SeverityV1
from amiguard.report.markdown_paper import Paper, code, plain, row, table
from amiguard.report.tally import tally
from amiguard.report.verdict import account_of_it, headline, number_of

# What a section leaves for each one after it, so that this says at least how much there is.
_ROOM_UNKNOWN = 8_000
_ROOM_NOT_SEEN = 6_000
_ROOM_REST = 6_000
_ROOM_END = 400
_ROOM_MISSING = 3_000
_ROOM_BINS = 3_000
_ROWS = 1_000
"""More rows than fit, however short they are: so many are held to find the worst."""
_NAME_WIDTH = 128
_TEXT_WIDTH = 240
_EVIDENCE_WIDTH = 1_000
_GROUPS_WITH_EVIDENCE = 3
_ACCOUNT_OF_IT_WIDTH = 1_500
_GRANTEES_SHOWN = 4
_TARGETS_SHOWN = 8
_SEVERITIES: dict[SeverityV1, int] = {"critical": 0, "high": 1, "medium": 2, "informational": 3}
_TITLES = {
    "fail": "amiguard: this needs attention",
    "incomplete": "amiguard: nothing fails, but the audit is incomplete",
    "clean": "amiguard: nothing fails",
}
_REST: tuple[Literal["suppressed", "pass"], ...] = ("suppressed", "pass")


class _Cells:
    """Rows of tables about results."""

    def __init__(self, report: Report, *, with_evidence: bool) -> None:
        self._names = account_names(report)
        self._with_evidence = with_evidence

    def failing_head(self) -> str:
        titles = ("severity", "account", "region", "image", "not trusted")
        return table(*titles, "evidence") if self._with_evidence else table(*titles)

    def failing(self, result: ResultV1) -> str:
        who = first_grantees(explaining(result), _GRANTEES_SHOWN, _NAME_WIDTH) or cut(result["message"], _TEXT_WIDTH)
        said = f"snapshots: {code(who)}" if about_snapshots(result) else code(who)
        evidence = (code(cut(_evidence(result), _EVIDENCE_WIDTH)),) if self._with_evidence else ()
        return row(f"**{result['severity']}**", *self._where(result), said, *evidence)

    def unknown(self, result: ResultV1) -> str:
        return row(*self._where(result), code(cut(result["message"], _TEXT_WIDTH)))

    def rest(self, result: ResultV1) -> str:
        return row(result["status"], *self._where(result), code(cut(result["message"], _TEXT_WIDTH)))

    def _where(self, result: ResultV1) -> tuple[str, str, str]:
        account_id, image = result["account_id"], result["image"]
        account = _with_name(cut(account_id, _NAME_WIDTH), self._names.get(account_id, ""))
        what = _with_name(cut(image["id"], _NAME_WIDTH), image["name"]) if image else "(all of the target)"
        return account, code(cut(region_name(result["region"]), _NAME_WIDTH)), what


def render_markdown(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the verdict and the counts, the failing images (the worst first), and what was not seen; the rest folded.

    At most 60,000 bytes: what does not fit is counted instead.
    """
    paper = Paper(stream)
    found = tally(report)
    cells = _Cells(report, with_evidence=found.evidence.images > 0)
    rest = StatusFilter(shown.statuses & set(_REST))
    bins = recycle_bins(report)
    after_bins = _ROOM_END + _ROOM_REST * any(report.summary[one] for one in _REST if rest.shows(one))
    after_missing = after_bins + _ROOM_BINS * bool(bins)
    after_not_seen = after_missing + _ROOM_MISSING * bool(found.evidence.images)
    after_unknown = after_not_seen + _ROOM_NOT_SEEN * any(not_seen(report))
    unknown = shown.shows("unknown") and report.summary["unknown"] > 0
    paper.write(f"## {_TITLES[verdict_word(report)]}\n\n**{plain(headline(report, found))}**\n\n")
    paper.write(f"{plain(cut(account_of_it(report, found), _ACCOUNT_OF_IT_WIDTH))}\n")
    if shown.shows("fail"):
        _write_failing(paper, report, cells, after_unknown + _ROOM_UNKNOWN * unknown)
    if unknown:
        title = f"\n### Unknown: {report.summary['unknown']:,}\n\nNot read, or not decided: not clean.\n\n"
        head = f"{title}{table('account', 'region', 'image', 'why')}"
        _write_table(paper, head, report.results(StatusFilter.of((Status.UNKNOWN,))), cells.unknown, after_unknown)
    _write_not_seen(paper, report, after_not_seen)
    _write_all_evidence(paper, found.evidence, after_missing)
    _write_recycle_bins(paper, bins, after_bins)
    counts = ", ".join(f"{report.summary[one]:,} {one}" for one in _REST if rest.shows(one))
    head = (
        f"\n<details>\n<summary>The rest: {counts}</summary>\n\n{table('status', 'account', 'region', 'image', 'why')}"
    )
    if _write_table(paper, head, report.results(rest), cells.rest, _ROOM_END):
        paper.write("\n</details>\n")


def _write_failing(paper: Paper, report: Report, cells: _Cells, reserve: int) -> None:
    # The sort is stable: within a severity they stay in order.
    rows = (
        (_SEVERITIES[one["severity"]], cells.failing(one)) for one in report.results(StatusFilter.of((Status.FAIL,)))
    )
    worst = nsmallest(_ROWS, rows, key=itemgetter(0))
    if not worst:
        return
    total = report.summary["fail"]
    paper.write(f"\n### Failing: {total:,}\n\n{cells.failing_head()}")
    left_out = paper.write_rows(worst, itemgetter(1), reserve)
    _write_more(paper, total - len(worst) + left_out)


def _write_table(
    paper: Paper, head: str, results: Iterator[ResultV1], row: Callable[[ResultV1], str], reserve: int
) -> bool:
    """A table of the results in their order, if there are any."""
    first = next(results, None)
    if first is None:
        return False
    paper.write(head)
    _write_more(paper, paper.write_rows(chain((first,), results), row, reserve))
    return True


def _write_more(paper: Paper, left_out: int) -> None:
    if left_out:
        paper.write(f"\nAnd {left_out:,} more, not shown here.\n")


def _write_not_seen(paper: Paper, report: Report, reserve: int) -> None:
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for target in not_seen(report):
        alike[target["status"], target["reason"]].append(f"{target['account_id']} {region_name(target['region'])}")
    if not alike:
        return
    paper.write(f"\n### Not seen: {number_of(sum(map(len, alike.values())), 'target', 'targets')}\n\n")
    left_out = 0
    for (status, reason), targets in sorted(alike.items()):
        listed = ", ".join(code(cut(target, _NAME_WIDTH)) for target in targets[:_TARGETS_SHOWN])
        more = f" and {len(targets) - _TARGETS_SHOWN:,} more" if len(targets) > _TARGETS_SHOWN else ""
        line = f"- **{status}**: {listed}{more}: {code(cut(reason, _TEXT_WIDTH))}\n"
        if left_out or not paper.write_if_it_fits(line, reserve):
            left_out += len(targets)
    _write_more(paper, left_out)


def _evidence(result: ResultV1) -> str:
    if not has_evidence(result):
        return ""
    facts = EvidenceFacts(result)
    groups = evidence_groups(facts)
    told = [f"{grantees_words(one.grants)}: {'; '.join(one.words)}" for one in groups[:_GROUPS_WITH_EVIDENCE]]
    more = sum(len(one.grants) for one in groups[_GROUPS_WITH_EVIDENCE:])
    rest = (number_of(more, "more grantee", "more grantees"),) if more else ()
    return ". ".join((*told, *rest, *image_words(facts)))


def _write_all_evidence(paper: Paper, found: EvidenceTally, reserve: int) -> None:
    if not found.images:
        return
    paper.write(f"\n### Evidence: {number_of(found.images, 'failing image', 'failing images')}\n")
    paper.write("".join(("\n", *(f"- **{kind}**: {plain(words)}\n" for kind, words in tally_words(found)))))
    if not found.missing:
        return
    paper.write("\nNot known:\n\n")
    left_out = paper.write_rows(
        found.missing.most_common(),
        lambda item: (
            f"- **{item[0][0]}** of {number_of(item[1], 'image', 'images')}: {code(cut(item[0][1], _TEXT_WIDTH))}\n"
        ),
        reserve,
    )
    _write_more(paper, left_out)


def _write_recycle_bins(paper: Paper, bins: RecycleBins, reserve: int) -> None:
    if not bins:
        return
    paper.write(f"\n### Recycle Bin: {number_of(bins.images, 'image', 'images')}\n\n")
    if bins.images:
        paper.write(f"{plain(BIN_ADVICE)}\n\n")
    left_out = paper.write_rows(
        bins.said,
        lambda one: (
            f"- {code(f'{cut(one[1], _NAME_WIDTH)} {cut(region_name(one[2]), _NAME_WIDTH)}')}: "
            f"{code(cut(one[0], _EVIDENCE_WIDTH))}\n"
        ),
        reserve,
    )
    _write_more(paper, left_out)
    if bins.empty:
        paper.write(f"\nEmpty in {number_of(bins.empty, 'target', 'targets')}.\n")


def _with_name(identity: str, name: str) -> str:
    return f"{code(identity)} {code(cut(name, _NAME_WIDTH))}" if name else code(identity)
