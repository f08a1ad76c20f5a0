"""The format `sarif`: SARIF 2.1.0, within what GitHub's code scanning takes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TextIO, assert_never
from urllib.parse import quote

from amiguard.core.checks.registry import CHECKS
from amiguard.report.evidence_facts import EvidenceFacts, has_evidence
from amiguard.report.finding import cut, explaining, first_grantees, region_name
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, StatusV1, encode
from amiguard.report.sanitize import printable
from amiguard.report.sarif_evidence import evidence_properties, in_use_words, related
from amiguard.report.sarif_run import LEFT_OUT, Level, audit_properties, automation, invocation, literal, tool

_MOST_RESULTS = 25_000
"""GitHub refuses a run with more."""
# So short that the most results stay below the 10 MB (compressed) that GitHub takes.
_GRANTEES_SHOWN = 8
_GRANTEE_WIDTH = 120
_NAME_WIDTH = 128
_MESSAGE_WIDTH = 400
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_REPORTED = frozenset({"fail", "unknown", "suppressed"})
_RULE_INDEX = {check.check_id: index for index, check in enumerate(CHECKS)}
# There is no line of a file to point to, and GitHub wants all four.
_FIRST_LINE = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
_LABELS: dict[StatusV1, str] = {"fail": "Not trusted", "unknown": "Undetermined", "suppressed": "Accepted"}


def render_sarif(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write one run with the results that are shown and need attention or were accepted, in their order.

    What passes is never written: GitHub would make an alert of it. Beyond 25,000 results the worst are written, and a
    notification says how many are not.
    """
    wanted = StatusFilter(shown.statuses & _REPORTED)
    room, left_out = _room(report, wanted)
    stream.write(f'{{"$schema":"{_SCHEMA}",\n"version":"2.1.0",\n"runs":[{{\n')
    stream.write(f'"tool":{encode(tool(report))},\n')
    stream.write(f'"automationDetails":{encode(automation())},\n"columnKind":"utf16CodeUnits",\n')
    stream.write(f'"properties":{encode(audit_properties(report, wanted.statuses))},\n')
    run, notifications = invocation(report, _too_many(left_out))
    stream.write(f'"invocations":[{encode(run)[:-1]},\n"toolExecutionNotifications":[')
    _write_members(stream, notifications)
    stream.write(']}],\n"results":[')
    _write_members(stream, map(_result, _that_fit(report.results(wanted), room)))
    stream.write("]}]}\n")


def _write_members(stream: TextIO, values: Iterable[object]) -> None:
    separator = "\n"
    for value in values:
        stream.write(f"{separator}{encode(value)}")
        separator = ",\n"


def _room(report: Report, wanted: StatusFilter) -> tuple[Counter[int] | None, int]:
    """How many results of each rank are written, None for all; and how many results are left out."""
    summary = report.summary
    counted = {"fail": summary["fail"], "unknown": summary["unknown"], "suppressed": summary["suppressed"]}
    if sum(counted[status] for status in wanted.statuses) <= _MOST_RESULTS:
        return None, 0
    counts = Counter(map(_rank, report.results(wanted)))
    room: Counter[int] = Counter()
    for rank in sorted(counts):
        room[rank] = min(counts[rank], _MOST_RESULTS - room.total())
    return room, counts.total() - room.total()


def _that_fit(results: Iterator[ResultV1], room: Counter[int] | None) -> Iterator[ResultV1]:
    for result in results:
        if room is None:
            yield result
        elif room[rank := _rank(result)]:
            room[rank] -= 1
            yield result


def _rank(result: ResultV1) -> int:
    """The worst are 0."""
    match result["status"]:
        case "fail":
            return ("critical", "high", "medium", "informational").index(result["severity"])
        case "unknown":
            return 4
        case "suppressed" | "pass":
            return 5
        case _:
            assert_never(result["status"])


def _too_many(left_out: int) -> list[dict[str, object]]:
    if not left_out:
        return []
    text = f"{left_out:,} more results are not in this file: it holds the {_MOST_RESULTS:,} worst."
    return [{"descriptor": {"id": LEFT_OUT}, "level": "warning", "message": {"text": text}}]


def _result(result: ResultV1) -> dict[str, object]:
    """Also what is unknown has the kind `fail`: `open` may have no level, and unread is never clean."""
    image = result["image"]
    index = _RULE_INDEX.get(result["check_id"])
    facts = EvidenceFacts(result) if has_evidence(result) else None
    evidence = evidence_properties(result, facts) if facts else {}
    locations = related(result, facts, partial(_physical, result)) if facts else []
    return {
        "ruleId": printable(result["check_id"]),
        **({} if index is None else {"ruleIndex": index}),
        "kind": "fail",
        "level": _level(result),
        "message": {"text": literal(_message(result) + (in_use_words(facts) if facts else ""))},
        "locations": [_location(result)],
        **({"relatedLocations": locations} if locations else {}),
        "partialFingerprints": {
            "amiguardFingerprint/v1": printable(result["fingerprint"]),
            # The only one that GitHub looks at.
            "primaryLocationLineHash": f"{printable(result['fingerprint'])}:1",
        },
        # Empty says that it was looked for: either all results of a run say so, or none.
        "suppressions": [_suppression(result)] if result["status"] == "suppressed" else [],
        "properties": {
            "status": result["status"],
            "severity": result["severity"],
            "account_id": printable(result["account_id"]),
            "region": printable(result["region"]),
            **({"image_name": cut(image["name"], _NAME_WIDTH), "public": image["public"]} if image else {}),
            **({"evidence": evidence} if evidence else {}),
        },
    }


def _level(result: ResultV1) -> Level:
    if result["status"] == "unknown":
        return "warning"
    match result["severity"]:
        case "critical" | "high":
            return "error"
        case "medium":
            return "warning"
        case "informational":
            return "note"
        case _:
            assert_never(result["severity"])


def _message(result: ResultV1) -> str:
    """What and where in the first sentence: GitHub may show no more of it."""
    image = result["image"]
    name = cut(image["name"], _NAME_WIDTH) if image else ""
    what = (printable(image["id"]) + (f" ({name})" if name else "")) if image else "All images"
    where = f"account {printable(result['account_id'])}, {region_name(result['region'])}"
    text = f"{what} in {where}: {cut(result['message'], _MESSAGE_WIDTH)}"
    if grants := explaining(result):
        text += f" {_LABELS[result['status']]}: {first_grantees(grants, _GRANTEES_SHOWN, _GRANTEE_WIDTH)}."
    return text


def _location(result: ResultV1) -> dict[str, object]:
    """A made-up file for GitHub, which refuses results without one, and what is really meant."""
    image = result["image"]
    if image:
        name, full = printable(image["name"]) or printable(image["id"]), printable(image["arn"])
    else:
        name = full = f"{printable(result['account_id'])}/{region_name(result['region'])}"
    return {
        **_physical(result, (image["id"],) if image else ()),
        "logicalLocations": [{"name": cut(name, _NAME_WIDTH), "fullyQualifiedName": full, "kind": "resource"}],
    }


def _physical(result: ResultV1, resource: Sequence[str]) -> dict[str, object]:
    """The made-up file of a resource; of a whole target without one."""
    parts = ["amiguard", result["partition"], result["account_id"], region_name(result["region"]), *resource]
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": "/".join(map(_segment, parts))},
            "region": _FIRST_LINE,
        }
    }


def _segment(text: str) -> str:
    """A part of a path that stays where it is: never empty, `.` or `..`."""
    return quote(re.sub(r"^\.*$", "_", printable(text)), safe="")


def _suppression(result: ResultV1) -> dict[str, object]:
    reasons = dict.fromkeys(grant["reason"] for grant in explaining(result))
    return {
        "kind": "external",
        "status": "accepted",
        "justification": cut("; ".join(reasons) or result["message"], _MESSAGE_WIDTH),
    }
