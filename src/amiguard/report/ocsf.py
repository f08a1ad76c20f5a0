"""The format `ocsf`: OCSF 1.5.0 Compliance Findings (class 2003), one a line.

A report is a snapshot: it does not know what an earlier one held. So what fails, is unknown or was accepted is reported
as created, and what passes as closed; who keeps state joins by `finding_info.uid`, the same from run to run.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TextIO

from amiguard.core.checks.registry import CHECKS
from amiguard.core.result import ALL_REGIONS
from amiguard.report.evidence_facts import full_reason
from amiguard.report.evidence_v1 import SnapshotPermissionV1, SnapshotUnavailableV1
from amiguard.report.finding import account_names
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ImageV1, ResultV1, SeverityV1, StatusV1, encode
from amiguard.report.ocsf_evidence import evidence_parts
from amiguard.report.sanitize import printable

OCSF_VERSION = "1.5.0"
_CLASS = 2003
_FINDING_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
_SUCCEEDS = {"ami-cross-account-access": "Trend Cloud One Conformity: AMI Cross-Account Access"}
"""The rules of others that checks succeed. No public standard asks for these checks, so none is named."""
_SEVERITY: dict[SeverityV1, tuple[int, str]] = {
    "critical": (5, "Critical"),
    "high": (4, "High"),
    "medium": (3, "Medium"),
    "informational": (1, "Informational"),
}


@dataclass(frozen=True, slots=True)
class _Words:
    """How a status is told: what happened to the finding, how it stands, and what the check came to."""

    activity: tuple[int, Literal["Create", "Close"]]
    status: tuple[int, Literal["New", "Suppressed", "Resolved"]]
    compliance: tuple[int, Literal["Pass", "Warning", "Fail"]]


_WORDS: dict[StatusV1, _Words] = {
    "fail": _Words((1, "Create"), (1, "New"), (3, "Fail")),
    # OCSF's Warning: no result, because information is missing.
    "unknown": _Words((1, "Create"), (1, "New"), (2, "Warning")),
    # It does fail; that somebody accepted it is the status of the finding.
    "suppressed": _Words((1, "Create"), (3, "Suppressed"), (3, "Fail")),
    "pass": _Words((3, "Close"), (4, "Resolved"), (1, "Pass")),
}


def render_ocsf(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the results that are shown in their order, each as one event; the targets that were skipped have none.

    Times are those of the end of the audit: when a grant was first made, nobody knows.
    """
    writer = _Events(report)
    stream.writelines(map(writer.line, report.results(shown)))


class _Events:
    """Makes events; what all of them share is made once."""

    def __init__(self, report: Report) -> None:
        self._names = account_names(report)
        self._audit_id = printable(report.audit["id"])
        self._time = int(datetime.fromisoformat(report.audit["finished_at"]).timestamp() * 1000)
        self._product = {
            "name": printable(report.tool["name"]),
            "vendor_name": printable(report.tool["name"]),
            "version": printable(report.tool["version"]),
        }
        self._checks = {check.check_id: check for check in CHECKS}
        # The longest part of an event, and always the same.
        self._remediation = {
            check.check_id: f'"remediation":{encode({"desc": check.remediation, "references": list(check.references)})}'
            for check in CHECKS
        }

    def line(self, result: ResultV1) -> str:
        """One result."""
        event = encode(self._event(result))
        if result["status"] == "pass" or result["check_id"] not in self._remediation:
            return f"{event}\n"
        return f"{event[:-1]},{self._remediation[result['check_id']]}}}\n"

    def _event(self, result: ResultV1) -> dict[str, object]:
        words = _WORDS[result["status"]]
        activity_id, activity = words.activity
        status_id, status = words.status
        severity_id, severity = _SEVERITY[result["severity"]]
        return {
            "activity_id": activity_id,
            "activity_name": activity,
            "category_name": "Findings",
            "category_uid": _CLASS // 1000,
            "class_name": "Compliance Finding",
            "class_uid": _CLASS,
            "type_uid": _CLASS * 100 + activity_id,
            "type_name": f"Compliance Finding: {activity}",
            "time": self._time,
            "severity_id": severity_id,
            "severity": severity,
            "status_id": status_id,
            "status": status,
            "message": printable(result["message"]),
            "metadata": self._metadata(result),
            "finding_info": self._finding_info(result),
            "compliance": self._compliance(result, words.compliance),
            "resources": [_resource(result)],
            "cloud": self._cloud(result),
            **evidence_parts(result),
        }

    def _metadata(self, result: ResultV1) -> dict[str, object]:
        return {
            "version": OCSF_VERSION,
            "product": self._product,
            "profiles": ["cloud"],
            # Of this event, and of no other: the finding of a later audit is another event.
            "uid": f"{self._audit_id}/{printable(result['fingerprint'])}",
            "correlation_uid": self._audit_id,
            "event_code": printable(result["check_id"]),
        }

    def _finding_info(self, result: ResultV1) -> dict[str, object]:
        check_id = printable(result["check_id"])
        check = self._checks.get(result["check_id"])
        return {
            "uid": printable(result["fingerprint"]),
            "title": check.title if check else check_id,
            "desc": check.description if check else printable(result["message"]),
            "types": [_FINDING_TYPE],
            "analytic": {"uid": check_id, "name": check.title if check else check_id, "type_id": 1, "type": "Rule"},
            "modified_time": self._time,
            **({"last_seen_time": self._time} if result["status"] in ("fail", "suppressed") else {}),
        }

    def _compliance(self, result: ResultV1, status: tuple[int, str]) -> dict[str, object]:
        check = self._checks.get(result["check_id"])
        standard = _SUCCEEDS.get(result["check_id"])
        return {
            "control": printable(result["check_id"]),
            "status_id": status[0],
            "status": status[1],
            "status_details": [printable(result["message"])],
            **({"requirements": [check.title]} if check else {}),
            **({"standards": [standard]} if standard else {}),
        }

    def _cloud(self, result: ResultV1) -> dict[str, object]:
        account_id = printable(result["account_id"])
        name = printable(self._names.get(result["account_id"], ""))
        return {
            "provider": "AWS",
            # Some readers want a name; an account without one is called by its id.
            "account": {"uid": account_id, "name": name or account_id, "type_id": 10, "type": "AWS Account"},
            "cloud_partition": printable(result["partition"]),
            **_region(result),
        }


def _region(result: ResultV1) -> dict[str, str]:
    return {} if result["region"] == ALL_REGIONS else {"region": printable(result["region"])}


def _resource(result: ResultV1) -> dict[str, object]:
    image = result["image"]
    where = {"cloud_partition": printable(result["partition"]), **_region(result)}
    if image is None:
        # AWS's own name for an account as a resource; Security Hub uses the same.
        account: dict[str, object] = {"uid": f"AWS::::Account:{printable(result['account_id'])}", "type": "AwsAccount"}
        switch = result.get("block_public_access")
        if switch:
            account["data"] = {
                "block_public_access": {"state": switch["state"], "managed_by": printable(switch["managed_by"])}
            }
        return {**account, **where}
    return {
        "uid": printable(image["arn"]),
        "name": printable(image["name"]) or printable(image["id"]),
        "type": "ec2:image",  # as IAM and tagging name it: CloudFormation has no type for images
        **where,
        "labels": [f"{printable(key)}={printable(value)}" for key, value in image["tags"].items()],
        "tags": [{"name": printable(key), "value": printable(value)} for key, value in image["tags"].items()],
        "data": _image_data(image, result),
    }


def _image_data(image: ImageV1, result: ResultV1) -> dict[str, object]:
    return {
        "image_id": printable(image["id"]),
        "creation_date": printable(image["creation_date"]),
        "state": printable(image["state"]),
        "public": image["public"],
        "grants": [
            {
                "kind": grant["kind"],
                "grantee": printable(grant["grantee"]),
                "decision": grant["decision"],
                "reason": printable(grant["reason"]),
            }
            for grant in result["grants"]
        ],
        **({"snapshots": list(map(_snapshot, result["snapshots"]))} if "snapshots" in result else {}),
    }


def _snapshot(read: SnapshotPermissionV1 | SnapshotUnavailableV1) -> dict[str, object]:
    if read["status"] == "unavailable":
        return {"id": printable(read["id"]), "unavailable": printable(full_reason(read))}
    return {
        "id": printable(read["id"]),
        "grantees": [{"kind": one["kind"], "grantee": printable(one["grantee"])} for one in read["grantees"]],
    }
