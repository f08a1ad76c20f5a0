"""The format `text`: one line a finding, for grep, cut and awk."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from amiguard.report.evidence_facts import EvidenceFacts, has_evidence
from amiguard.report.evidence_groups import evidence_groups
from amiguard.report.evidence_tally import EvidenceTally
from amiguard.report.evidence_words import image_words, recycle_bins, tally_words
from amiguard.report.finding import explaining, grantee_name, not_seen, verdict_word
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.sanitize import printable
from amiguard.report.tally import tally
from amiguard.report.verdict import account_of_it, headline, number_of

_NOTHING = "-"


def render_text(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the results that are shown in their order, the targets that were not seen, and last the verdict.

    What evidence says stands on lines of its own: below its result a line for grantees of which it says the same, and
    before the verdict what it comes to, what could not be had, and what is in Recycle Bins.

    A line has eight columns, that of the verdict three. A tab stands between columns and nowhere else: texts of others
    are neutralised, tabs included.
    """
    found = tally(report)
    for result in report.results(shown):
        stream.write(_finding(result))
        if has_evidence(result):
            stream.writelines(_evidence(result))
    stream.writelines(map(_target, not_seen(report)))
    stream.writelines(_all_evidence(found.evidence))
    stream.writelines(
        _line("recycle-bin", "", account_id, region, "", "", "", words)
        for words, account_id, region in recycle_bins(report).said
    )
    stream.write(_line("verdict", verdict_word(report), f"{headline(report, found)} {account_of_it(report, found)}"))


def _finding(result: ResultV1) -> str:
    image = result["image"]
    return _line(
        result["status"],
        result["severity"],
        result["account_id"],
        result["region"],
        image["id"] if image else "",
        image["name"] if image else "",
        _grantees(explaining(result)),
        result["message"],
    )


def _grantees(grants: Iterable[GrantV1]) -> str:
    # A comma inside a grantee of an unknown kind must not look like two grantees.
    return ",".join(grantee_name(grant).replace(",", r"\x2c") for grant in grants)


def _evidence(result: ResultV1) -> Iterator[str]:
    facts = EvidenceFacts(result)
    image = result["image"]
    place = result["account_id"], result["region"], image["id"] if image else "", image["name"] if image else ""
    for group in evidence_groups(facts):
        yield _line("evidence", "", *place, _grantees(group.grants), "; ".join(group.words))
    for words in image_words(facts):
        yield _line("evidence", "", *place, "", words)


def _all_evidence(found: EvidenceTally) -> Iterator[str]:
    for kind, words in tally_words(found):
        yield _line("evidence-total", "", "", "", "", "", "", f"{kind}: {words}")
    for (kind, reason), images in found.missing.most_common():
        said = f"{kind}: not known of {number_of(images, 'image', 'images')}: {reason}"
        yield _line("evidence-missing", "", "", "", "", "", "", said)


def _target(target: TargetV1) -> str:
    status = f"target-{target['status']}"
    return _line(status, "", target["account_id"], target["region"], "", "", "", target["reason"])


def _line(*columns: str) -> str:
    # Empty columns would vanish for readers that take many tabs for one.
    return "\t".join(printable(column) or _NOTHING for column in columns) + "\n"
