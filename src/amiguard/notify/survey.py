"""What messages need of a report: one pass over what fails, from values of version 1. Few findings are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SEVERITIES = ("critical", "high", "medium", "informational")
WORST = 5
_FINGERPRINT = 32
"""How much of a fingerprint is kept: 128 bits tell findings apart, and take half the room."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result that fails, in the words of the report: nothing of it is neutralised yet.

    Attributes:
        image_id: None if it is about a whole target.
        grantees: the untrusted ones, everyone first.
    """

    severity: str
    account_id: str
    region: str
    image_id: str | None
    image_name: str
    grantees: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What an audit comes to.

    Attributes:
        caller_account: whose credentials audited.
        by_severity: how many fail, by severity, the worst first.
        worst: the worst few findings.
        failing: the severity of everything that fails, by the first half of its fingerprint.
    """

    caller_account: str
    complete: bool
    images: int
    targets: int
    fail: int
    unknown: int
    by_severity: Mapping[str, int]
    worst: tuple[Finding, ...]
    failing: Mapping[str, str]


def survey(*, audit: Mapping[str, Any], summary: Mapping[str, Any], results: Iterable[Mapping[str, Any]]) -> Survey:
    """Go once through the results.

    Args:
        audit: the report's `audit`.
        summary: its `summary`.
        results: its results in their order; all that fail at least. Others are passed over.
    """
    severities = dict.fromkeys(SEVERITIES, 0)
    first: dict[str, list[Finding]] = {severity: [] for severity in SEVERITIES}
    failing: dict[str, str] = {}
    for result in results:
        if result["status"] != "fail":
            continue
        severity = result["severity"]
        failing[result["fingerprint"][:_FINGERPRINT]] = severity
        severities[severity] += 1
        if len(first[severity]) < WORST:
            first[severity].append(_finding(result))
    return Survey(
        caller_account=_account_of(audit["caller_arn"]),
        complete=audit["complete"],
        images=summary["images"],
        targets=summary["targets"],
        fail=summary["fail"],
        unknown=summary["unknown"],
        by_severity={severity: number for severity, number in severities.items() if number},
        worst=tuple(one for severity in SEVERITIES for one in first[severity])[:WORST],
        failing=failing,
    )


def _finding(result: Mapping[str, Any]) -> Finding:
    image = result["image"]
    untrusted = [grant for grant in result["grants"] if grant["decision"] == "untrusted"]
    untrusted.sort(key=lambda grant: grant["kind"] != "everyone")
    return Finding(
        severity=result["severity"],
        account_id=result["account_id"],
        region=result["region"],
        image_id=image["id"] if image else None,
        image_name=image["name"] if image else "",
        grantees=tuple("everyone" if grant["kind"] == "everyone" else grant["grantee"] for grant in untrusted),
        message=result["message"],
    )


def _account_of(arn: str) -> str:
    fields = arn.split(":")
    return fields[4] if len(fields) > 5 else arn  # noqa: PLR2004 - fields of an ARN
