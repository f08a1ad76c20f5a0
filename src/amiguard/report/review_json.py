"""A review of the trust policy as JSON, version 1: a contract that grows by additions only."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import TextIO

from amiguard.core.review import Review, ReviewedItem
from amiguard.core.review_types import ReviewFinding, ReviewKind, ReviewSeverity
from amiguard.report.json_v1 import encode, rfc3339
from amiguard.report.review_words import ReviewContext

SCHEMA_VERSION = "1"
TYPE = "amiguard-trust-review"
# The words of the core are mapped one by one, so that renaming one there changes nothing here.
_SEVERITIES: dict[ReviewSeverity, str] = {
    ReviewSeverity.PROBLEM: "problem",
    ReviewSeverity.WARNING: "warning",
    ReviewSeverity.INFORMATION: "information",
}
_KINDS: dict[ReviewKind, str] = {
    ReviewKind.EXPIRED: "expired",
    ReviewKind.EXPIRES_SOON: "expires-soon",
    ReviewKind.LIKELY_TYPO: "likely-typo",
    ReviewKind.LEFT_ORGANIZATION: "left-organization",
    ReviewKind.ACCOUNT_CLOSED: "account-closed",
    ReviewKind.UNUSED: "unused",
    ReviewKind.REDUNDANT: "redundant",
    ReviewKind.NAME_DIFFERS: "name-differs",
    ReviewKind.EXCEPTION_MATCHES_NOTHING: "exception-matches-nothing",
    ReviewKind.EXCEPTION_NOT_NEEDED: "exception-not-needed",
    ReviewKind.UNDOCUMENTED: "undocumented",
    ReviewKind.UNTRUSTED_MEMBER: "untrusted-member",
    ReviewKind.UNTRUSTED_VENDOR: "untrusted-vendor",
}


def render_review_json(found: Review, context: ReviewContext, stream: TextIO) -> None:
    """Write the document, a finding, an entry and an exception a line."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "type": TYPE,
        "tool": {"name": "amiguard", "version": version("amiguard")},
        **_context(context),
        "summary": {_SEVERITIES[severity]: number for severity, number in found.counts.items()},
        "notes": list(found.notes),
    }
    stream.write("{")
    stream.writelines(f"{encode(key)}:{encode(value)},\n" for key, value in head.items())
    _write_list(stream, "findings", map(_finding, found.findings), ",\n")
    _write_list(stream, "entries", map(_item, found.entries), ",\n")
    _write_list(stream, "exceptions", map(_item, found.exceptions), "}\n")


def _write_list(stream: TextIO, key: str, values: Iterator[dict[str, object]], end: str) -> None:
    lines = ",\n".join(map(encode, values))
    stream.write(f"{encode(key)}:[{f'{chr(10)}{lines}{chr(10)}' if lines else ''}]{end}")


def _context(context: ReviewContext) -> dict[str, object]:
    report, directory = context.report, context.directory
    return {
        "settings": context.settings,
        "today": context.today.isoformat(),
        "within_days": context.within.days,
        "report": report
        and {
            "file": str(report.path),
            "audit_id": report.audit["id"],
            "finished_at": report.audit["finished_at"],
            "complete": report.audit["complete"],
        },
        "directory": directory
        and {
            "organization_id": directory.organization_id,
            "read_at": rfc3339(directory.read_at),
            "source": context.directory_source,
        },
        "vendors": context.vendors,
    }


def _finding(finding: ReviewFinding) -> dict[str, object]:
    return {
        "kind": _KINDS[finding.kind],
        "severity": _SEVERITIES[finding.severity],
        "subject": finding.subject,
        "name": finding.name,
        "place": finding.place,
        "message": finding.message,
        "mend": finding.mend,
    }


def _item(item: ReviewedItem) -> dict[str, object]:
    return {
        "subject": item.subject,
        "name": item.name,
        "place": item.place,
        "expires": item.expires and item.expires.isoformat(),
        "in_force": item.in_force,
        "uses": item.uses,
        "may_use": item.may_use,
    }
