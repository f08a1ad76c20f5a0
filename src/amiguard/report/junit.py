"""The format `junit`: JUnit XML, a test suite a target and a test case an image, for Jenkins, GitLab and the like."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from heapq import merge
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Literal, TextIO, get_args

from amiguard.report.evidence_facts import EvidenceFacts, has_evidence, unavailable
from amiguard.report.evidence_words import grant_words, image_words, reason_words
from amiguard.report.finding import account_names, cut, grantee_name, moment, not_seen, region_name
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, StatusV1, TargetV1
from amiguard.report.sanitize import printable

_Target = tuple[str, str]
_Suite = tuple[_Target, Iterator[ResultV1]]
_Ending = Literal["passed", "failures", "errors", "skipped"]

_COUNTED: tuple[_Ending, ...] = get_args(_Ending)[1:]
_ENDINGS: dict[StatusV1, _Ending] = {"pass": "passed", "fail": "failures", "unknown": "errors", "suppressed": "skipped"}
_ELEMENTS: dict[_Ending, str] = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_MOST_GRANTS = 100
_NAME_WIDTH = 300


class _Suites:
    """What stands before the test cases of each target; it grows with the number of targets only.

    Attributes:
        counts: how the test cases of each target end.
        quiet: the targets without results.
        cases: those that were not seen, and have no result of their own that says why.
    """

    def __init__(self, report: Report, shown: StatusFilter) -> None:
        self._begun = report.audit["started_at"]
        self._names = account_names(report)
        self.counts: defaultdict[_Target, Counter[_Ending]] = defaultdict(Counter)
        told: set[_Target] = set()
        for result in report.results(shown):
            key = _key(result)
            self.counts[key][_ENDINGS[result["status"]]] += 1
            if result["image"] is None and result["status"] == "unknown":
                told.add(key)
        self.quiet = sorted({_key(target) for target in report.targets} - self.counts.keys())
        self.cases = {
            _key(target): target
            for target in not_seen(report)
            if not (target["status"] == "failed" and _key(target) in told)
        }
        for key, target in self.cases.items():
            self.counts[key][_ending_of(target)] += 1

    def head(self, key: _Target) -> str:
        """The beginning of a suite, up to its results."""
        account_id, region = key
        counts = self.counts[key]
        numbers = {name: str(counts[name]) for name in _COUNTED}
        tests = str(counts.total())
        lines = [
            _open(
                "testsuite", name=f"{account_id} {region_name(region)}", tests=tests, **numbers, timestamp=self._begun
            )
        ]
        if name := self._names.get(account_id):
            lines.append(f"<properties>{_open('property', name='account_name', value=name)}</property></properties>")
        if target := self.cases.get(key):
            body = _element(_ending_of(target), f"target-{target['status']}", target["reason"], ())
            lines.append(_case(key, "target", "target", body))
        return "\n".join(lines) + "\n"


def render_junit(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    r"""Write a suite for each target, by account and region, with the results that are shown.

    Two passes over the results: the counts stand before what they count. The document is plain ASCII; characters that
    XML 1.0 has no place for are shown as escapes (`\x1b`).
    """
    suites = _Suites(report, shown)
    total = Counter[_Ending]()
    for counts in suites.counts.values():
        total.update(counts)
    # Jenkins' schema has no `skipped` here.
    totals = {"tests": str(total.total()), "failures": str(total["failures"]), "errors": str(total["errors"])}
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(_open("testsuites", name="amiguard", **_time(report), **totals) + "\n")
    without: Iterator[_Suite] = ((key, iter(())) for key in suites.quiet)
    with_results: Iterator[_Suite] = groupby(report.results(shown), key=_key)
    for key, results in merge(without, with_results, key=itemgetter(0)):
        stream.write(suites.head(key))
        stream.writelines(map(_result_case, results))
        stream.write("</testsuite>\n")
    stream.write("</testsuites>\n")


def _key(one: ResultV1 | TargetV1) -> _Target:
    return one["account_id"], one["region"]


def _result_case(result: ResultV1) -> str:
    image = result["image"]
    name = f"{image['id']} {cut(image['name'], _NAME_WIDTH)}".rstrip() if image else "target"
    kind = result["severity"] if result["status"] == "fail" else result["status"]
    body = _element(_ENDINGS[result["status"]], kind, result["message"], _grant_lines(result))
    return _case(_key(result), result["check_id"], name, body) + "\n"


def _case(key: _Target, group: str, name: str, body: str) -> str:
    # Jenkins makes a tree of the class name; GitLab tells cases apart by class name and name.
    account_id, region = key
    classname = f"{account_id}.{region_name(region)}.{group}"
    return f"{_open('testcase', classname=classname, name=name)}{body}</testcase>"


def _element(ending: _Ending, kind: str, message: str, lines: Iterable[str]) -> str:
    if ending == "passed":
        return ""
    element = _ELEMENTS[ending]
    # GitLab shows the content and not the message.
    content = "\n".join(map(_xml, (message, *lines)))
    return f"{_open(element, type=kind, message=message)}{content}</{element}>"


def _grant_lines(result: ResultV1) -> Iterator[str]:
    grants = [grant for grant in result["grants"] if grant["decision"] != "trusted"]
    for grant in grants[:_MOST_GRANTS]:
        yield f"{grant['decision']} {grantee_name(grant)}: {grant['reason']}"
    if len(grants) > _MOST_GRANTS:
        yield f"and {len(grants) - _MOST_GRANTS:,} more"
    yield from _evidence_lines(result)


def _evidence_lines(result: ResultV1) -> Iterator[str]:
    if not has_evidence(result):
        return
    facts = EvidenceFacts(result)
    for grant in facts.worst(_MOST_GRANTS)[0]:
        if words := "; ".join(grant_words(facts, grant)):
            yield f"evidence of {grantee_name(grant)}: {words}"
    yield from (f"evidence: {words}" for words in image_words(facts))
    yield from (f"evidence: {kind} not known: {reason_words(why)}" for kind, why in unavailable(result))


def _ending_of(target: TargetV1) -> _Ending:
    return "skipped" if target["status"] == "skipped" else "errors"


def _time(report: Report) -> dict[str, str]:
    """How long the audit took, in seconds; that of a single target or image is not known."""
    begun, ended = moment(report.audit["started_at"]), moment(report.audit["finished_at"])
    return {"time": f"{max((ended - begun).total_seconds(), 0):.3f}"} if begun and ended else {}


def _open(element: str, **attributes: str) -> str:
    return " ".join((f"<{element}", *(f'{name}="{_xml(value)}"' for name, value in attributes.items()))) + ">"


def _xml(text: str) -> str:
    # What XML 1.0 forbids is nothing that `printable` lets through. ASCII suits any encoding of stdout.
    return escape(printable(text)).encode("ascii", "xmlcharrefreplace").decode("ascii")
