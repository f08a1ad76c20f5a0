"""What a SARIF run says besides its results: the tool and its rules, how the audit went, and what it did not see."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal

from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.checks.registry import CHECKS
from amiguard.core.result import Severity
from amiguard.report.finding import moment, not_seen, region_name
from amiguard.report.interface import Report
from amiguard.report.json_v1 import TargetV1, rfc3339
from amiguard.report.sanitize import printable

Level = Literal["error", "warning", "note"]

LEFT_OUT = "results-left-out"
_NOTIFICATIONS = {
    "target-failed": "An account in a region was not read, or not to its end",
    "target-skipped": "An account in a region was left out on purpose, or AWS serves nothing there",
    LEFT_OUT: "There are more results than GitHub takes",
}
# GitHub reads these scores: above 9.0 critical, from 7.0 high, from 4.0 medium.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.INFORMATIONAL: "0.1"}
_LEVELS: dict[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.INFORMATIONAL: "note",
}


def tool(report: Report) -> dict[str, object]:
    """The `tool` of the run: every check is a rule, met or not, so that the rules stay the same."""
    return {
        "driver": {
            "name": printable(report.tool["name"]),
            "version": printable(report.tool["version"]),
            "rules": list(map(_rule, CHECKS)),
            "notifications": [{"id": one, "shortDescription": {"text": text}} for one, text in _NOTIFICATIONS.items()],
        }
    }


def automation() -> dict[str, object]:
    """The `automationDetails`: GitHub takes what stands before the last slash for the category, the same every time."""
    return {"id": "amiguard/"}


def audit_properties(report: Report, statuses: Iterable[str]) -> dict[str, object]:
    """The property bag of the run: which audit this is, its counts, and the statuses whose results are written."""
    audit, summary = report.audit, report.summary
    return {
        "audit_id": printable(audit["id"]),
        "trust_policy_digest": printable(audit["trust_policy_digest"]),
        "complete": audit["complete"],
        "statuses": sorted(statuses),
        **{key: summary[key] for key in ("targets", "images", "pass", "fail", "suppressed", "unknown")},
    }


def invocation(
    report: Report, first: Iterable[dict[str, object]]
) -> tuple[dict[str, object], Iterator[dict[str, object]]]:
    """The invocation without its notifications, and these: the given ones, then one for each target not seen."""
    audit = report.audit
    times = {"startTimeUtc": moment(audit["started_at"]), "endTimeUtc": moment(audit["finished_at"])}
    run: dict[str, object] = {
        "executionSuccessful": audit["complete"],
        **{key: rfc3339(time) for key, time in times.items() if time},
    }
    return run, chain(first, map(_notification, not_seen(report)))


def _notification(target: TargetV1) -> dict[str, object]:
    text = f"{printable(target['account_id'])}, {region_name(target['region'])}: {printable(target['reason'])}"
    return {
        "descriptor": {"id": f"target-{target['status']}"},
        "level": "error" if target["status"] == "failed" else "note",
        "message": {"text": literal(text)},
    }


def literal(text: str) -> str:
    """The text as a SARIF message without placeholders (SARIF 2.1.0, 3.11.5) and links (3.11.6) in it."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _rule(check: CheckMetadata) -> dict[str, object]:
    links = "\n".join(check.references)
    listed = "\n".join(f"- <{link}>" for link in check.references)
    return {
        "id": check.check_id,
        "name": "".join(map(str.capitalize, check.check_id.split("-"))),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.description},
        # Braces stay single: GitHub shows them as they are, and the commands in here are there to be copied.
        "help": {
            "text": f"{check.description}\n\nRemediation: {check.remediation}\n\n{links}",
            "markdown": f"{check.description}\n\n## Remediation\n\n{check.remediation}\n\n{listed}",
        },
        "helpUri": check.references[0],
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {
            "tags": ["security", "aws", "ec2", "ami"],
            "precision": "very-high",
            "security-severity": _SCORES[check.severity],
        },
    }
