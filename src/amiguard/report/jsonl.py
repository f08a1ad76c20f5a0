"""The format `jsonl`: one object a line, written while the audit runs; without a `summary` at its end it was cut."""

from collections.abc import Iterable
from typing import TextIO

from amiguard.report.evidence_v1 import EvidenceV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import SCHEMA_VERSION, AuditBegunV1, HeaderV1, encode


def write_header(header: HeaderV1, stream: TextIO) -> None:
    """Write the first line."""
    stream.write(encode({"type": "header", **header}) + "\n")


def write_results(results: Iterable[str], stream: TextIO) -> None:
    """Write results that are JSON already (of one target that has ended, say)."""
    stream.writelines(f'{{"type":"result",{result[1:]}\n' for result in results)


def write_evidence(fingerprint: str, evidence: EvidenceV1, stream: TextIO) -> None:
    """Write what was learned about a result, after the line of that result and before the summary."""
    stream.write(encode({"type": "evidence", "fingerprint": fingerprint, "evidence": evidence}) + "\n")


def write_summary(report: Report, stream: TextIO) -> None:
    """Write the last line: what became of the targets, the counts, and whether the audit is complete."""
    audit = report.audit
    optional = {key: value for key, value in audit.items() if key in ("directory", "narrowed_to")}
    line = {
        "type": "summary",
        "finished_at": audit["finished_at"],
        "complete": audit["complete"],
        **optional,
        "summary": report.summary,
        "targets": list(report.targets),
    }
    stream.write(encode(line) + "\n")


def render_jsonl(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write all lines of an audit that has ended, its results in order."""
    audit = report.audit
    begun: AuditBegunV1 = {
        "id": audit["id"],
        "started_at": audit["started_at"],
        "caller_arn": audit["caller_arn"],
        "trust_policy_digest": audit["trust_policy_digest"],
    }
    if "trust_policy" in audit:
        begun["trust_policy"] = audit["trust_policy"]
    header: HeaderV1 = {"schema_version": SCHEMA_VERSION, "tool": report.tool, "audit": begun}
    write_header(header, stream)
    write_results(report.source.ordered(shown), stream)
    write_summary(report, stream)
