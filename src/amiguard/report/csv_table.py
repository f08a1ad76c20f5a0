"""The format `csv`: one row a grant, for spreadsheets and data frames (RFC 4180)."""

import csv
import re
from collections.abc import Iterator
from typing import TextIO

from amiguard.report.evidence_facts import EvidenceFacts, has_evidence
from amiguard.report.finding import account_names, not_seen
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ImageV1, ResultV1
from amiguard.report.sanitize import printable

COLUMNS = (
    "account_id",
    "account_name",
    "region",
    "image_id",
    "image_name",
    "image_arn",
    "creation_date",
    "state",
    "public",
    "status",
    "severity",
    "check_id",
    "grantee_kind",
    "grantee",
    "decision",
    "reason",
    "message",
    "fingerprint",
    "audit_id",
    "audit_finished_at",
    "used_by",
    "in_use",
    "shared_by",
    "shared_at",
    "event_id",
    "key_admission",
    "key_reason",
    "snapshots_shared",
)
_NO_IMAGE = ("",) * 6
_NO_GRANT = ("",) * 4
_NO_EVIDENCE = ("",) * 8
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_MAY_BEGIN_FORMULA = frozenset(""" "'=+-@\uff1d\uff0b\uff0d\uff20""")
# Where the list separator of the locale is a semicolon, a spreadsheet begins another cell after it.
_BEGINS_FORMULA = re.compile(rf"""(^|;)([ "]*)(?=['{_FORMULA}])""")


def render_csv(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write a row for each grant of what is shown, and at the end one for each target that was not seen.

    A result without grants has one row. Lines end with CR LF, and there is no byte order mark.
    """
    names = account_names(report)
    audit = _cells(report.audit["id"], report.audit["finished_at"])
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in report.results(shown):
        writer.writerows(_rows(result, names.get(result["account_id"], ""), audit))
    for target in not_seen(report):
        account = _cells(target["account_id"], target.get("account_name", ""), target["region"])
        status = f"target-{target['status']}"
        before = (*account, *_NO_IMAGE, status, "", "", *_NO_GRANT)
        writer.writerow((*before, *_cells(target["reason"]), "", *audit, *_NO_EVIDENCE))


def _rows(result: ResultV1, account_name: str, audit: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    # What the rows of a result have in common is neutralised once: there may be a thousand.
    image = result["image"]
    before = (
        *_cells(result["account_id"], account_name, result["region"]),
        *(_image_cells(image) if image else _NO_IMAGE),
        *_cells(result["status"], result["severity"], result["check_id"]),
    )
    after = (*_cells(result["message"], result["fingerprint"]), *audit)
    facts = EvidenceFacts(result) if has_evidence(result) else None
    for grant in result["grants"]:
        known = _evidence_cells(facts, grant) if facts else _NO_EVIDENCE
        yield (*before, *_cells(grant["kind"], grant["grantee"], grant["decision"], grant["reason"]), *after, *known)
    if not result["grants"]:
        yield (*before, *_NO_GRANT, *after, *_NO_EVIDENCE)


def _evidence_cells(facts: EvidenceFacts, grant: GrantV1) -> tuple[str, ...]:
    """Empty where something was not asked for, could not be had, or says nothing; `in_use` is 0 if nobody uses it."""
    users, event, admitted = facts.used_by(grant), facts.shared(grant), facts.admitted(grant)
    in_use = str(sum(user.total for user in users)) if facts.usage and grant["kind"] != "unrecognized" else ""
    return _cells(
        " ".join(user.account_id for user in users),
        in_use,
        event["principal"] if event else "",
        event["time"] if event else "",
        event["event_id"] if event else "",
        admitted.says["admission"] if admitted else "",
        admitted.says["reason"] if admitted else "",
        " ".join(facts.snapshots(grant)),
    )


def _image_cells(image: ImageV1) -> tuple[str, ...]:
    public = "true" if image["public"] else "false"
    return _cells(image["id"], image["name"], image["arn"], image["creation_date"], image["state"], public)


def _cells(*texts: str) -> tuple[str, ...]:
    return tuple(_inert(printable(text)) for text in texts)


def _inert(cell: str) -> str:
    """The cell with an apostrophe where a spreadsheet would see a formula begin, and before an apostrophe there.

    Readers that are no spreadsheet take it back: at the beginning, and after each semicolon, skip spaces and quotes,
    and remove one apostrophe if there is one.
    """
    # Nearly every cell ends here, in a fraction of the time.
    if cell[:1] not in _MAY_BEGIN_FORMULA and ";" not in cell:
        return cell
    return _BEGINS_FORMULA.sub(r"\1\2'", cell)
