"""A comparison of two reports as JSON, version 1: a contract that grows by additions only.

`diff_v1.schema.json` beside this module says the same to machines.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import TextIO

from amiguard.report.compare import Comparison, Entry, Kind
from amiguard.report.compare_finding import Delta, Finding, Grant, Switch
from amiguard.report.json_v1 import encode
from amiguard.report.saved_report import SavedReport

SCHEMA_VERSION = "1"
TYPE = "amiguard-diff"
_KINDS: dict[Kind, str] = {
    Kind.NEW: "new",
    Kind.CHANGED: "changed",
    Kind.RESOLVED: "resolved",
    Kind.UNKNOWN: "unknown",
    Kind.NOT_LOOKED_AT: "not_looked_at",
    Kind.UNCHANGED: "unchanged",
}


def render_comparison_json(found: Comparison, stream: TextIO) -> None:
    """Write the document, a finding a line: by kind, then by account, region, image id and check id."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "type": TYPE,
        "tool": {"name": "amiguard", "version": version("amiguard")},
        "old": _report(found.old),
        "new": _report(found.new),
        "summary": {
            **{_KINDS[kind]: number for kind, number in found.counts.items()},
            "worse": found.worse,
            "still_unknown": found.still_unknown,
            "others_unread": found.others_unread,
        },
        "fails": found.fails,
        "complete": found.complete,
        "warnings": list(found.warnings),
        "notes": [note.text for note in found.notes],
    }
    stream.write("{")
    stream.writelines(f"{encode(key)}:{encode(value)},\n" for key, value in head.items())
    stream.write('"findings":[')
    separator = "\n"
    for line in _findings(found):
        stream.write(separator + line)
        separator = ",\n"
    stream.write("\n]}\n" if separator != "\n" else "]}\n")


def _findings(found: Comparison) -> Iterator[str]:
    for kind in Kind:
        for entry in found.entries[kind]:
            yield encode(_entry(entry))


def _report(report: SavedReport) -> dict[str, object]:
    audit = report.audit
    return {
        "file": str(report.path),
        "audit": {
            "id": audit["id"],
            "started_at": audit["started_at"],
            "finished_at": audit["finished_at"],
            "caller_arn": audit["caller_arn"],
            "trust_policy_digest": audit["trust_policy_digest"],
            "complete": audit["complete"],
        },
        "not_shown": dict(report.not_shown),
    }


def _entry(entry: Entry) -> dict[str, object]:
    copied: dict[str, object] = {
        "kind": _KINDS[entry.kind],
        "before": str(entry.before),
        "after": str(entry.after),
        "reason": entry.reason,
        **_finding(entry.finding),
    }
    if entry.delta is not None:
        copied["delta"] = _delta(entry.delta)
    return copied


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "check_id": finding.check_id,
        "severity": finding.severity,
        "account_id": finding.account_id,
        "region": finding.region,
        "image": None if finding.image_id is None else {"id": finding.image_id, "name": finding.image_name},
        "grants": list(map(_grant, finding.grants)),
        "message": finding.message,
        "fingerprint": finding.fingerprint.hex(),
    }


def _grant(grant: Grant) -> dict[str, str]:
    return {"kind": grant.grantee.kind, "grantee": grant.grantee.grantee, "decision": grant.decision}


def _delta(delta: Delta) -> dict[str, object]:
    copied: dict[str, object] = {
        "worse": delta.worse,
        "came": list(map(_grant, delta.came)),
        "went": list(map(_grant, delta.went)),
        "redecided": [
            {"kind": one.grantee.kind, "grantee": one.grantee.grantee, "before": one.before, "after": one.after}
            for one in delta.redecided
        ],
    }
    if delta.severity is not None:
        copied["severity"] = {"before": delta.severity[0], "after": delta.severity[1]}
    if delta.switch is not None:
        copied["block_public_access"] = {"before": _switch(delta.switch[0]), "after": _switch(delta.switch[1])}
    return copied


def _switch(switch: Switch | None) -> dict[str, str] | None:
    return None if switch is None else {"state": switch.state, "managed_by": switch.managed_by}
