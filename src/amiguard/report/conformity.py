"""The format `conformity`: checks in the shape of Trend's Cloud One Conformity API (`GET /checks`, JSON:API).

Conformity knows SUCCESS and FAILURE, and nothing between: what is unknown is a FAILURE here, because a reader that
counts SUCCESS must never count what nobody has read. What was accepted is a FAILURE that is suppressed, as there.
"""

from collections.abc import Iterator
from typing import TextIO

from amiguard.core.checks.ami_block_public_access import METADATA as SWITCH
from amiguard.core.checks.ami_cross_account_access import METADATA as CROSS_ACCOUNT
from amiguard.core.checks.registry import CHECKS
from amiguard.core.result import ALL_REGIONS
from amiguard.report.evidence_facts import SNAPSHOT_CHECK, EvidenceFacts, has_evidence, unavailable
from amiguard.report.evidence_words import grant_words, image_words, reason_words
from amiguard.report.finding import account_names, grantee_name, moment, not_seen
from amiguard.report.grant_v1 import DecisionV1
from amiguard.report.interface import Renderer, Report, StatusFilter
from amiguard.report.json_v1 import ImageV1, ResultV1, SeverityV1, TargetV1, encode
from amiguard.report.sanitize import printable

CROSS_ACCOUNT_RULE = "AMI-CrossAccountAccess"
"""Stands for Conformity's own id of this rule, which is not in its public lists."""
SWITCH_RULE = "AMI-BlockPublicAccess"
SNAPSHOT_RULE = "AMI-SnapshotCrossAccountAccess"
"""Conformity had no such rules."""
_TITLES = {CROSS_ACCOUNT.check_id: "AMI Cross-Account Access"}
"""What Conformity called the rule; other checks go by their own titles."""
_RISK: dict[SeverityV1, tuple[str, str]] = {
    "critical": ("EXTREME", "Extreme"),
    "high": ("HIGH", "High"),
    "medium": ("MEDIUM", "Medium"),
    "informational": ("LOW", "Low"),
}
_GRANTEES: dict[DecisionV1, str] = {
    "untrusted": "Untrusted grantees",
    "undetermined": "Undetermined",
    "excepted": "Accepted grantees",
    "trusted": "Trusted grantees",
}
_GRANTEES_WITH_EVIDENCE = 20
_UNKNOWN = "Unknown, not clean: "


def conformity_renderer(rule_id: str = CROSS_ACCOUNT_RULE) -> Renderer:
    """The format, with a rule id for the check `ami-cross-account-access`."""

    def render_conformity(report: Report, shown: StatusFilter, stream: TextIO) -> None:
        """Write the checks, one a line, and then what they do not say; they are not held in memory."""
        checks = _Checks(report, rule_id)
        written = 0
        stream.write('{"data":[')
        for result in report.results(shown):
            stream.write(f"{',' if written else ''}\n{encode(checks.check(result))}")
            written += 1
        stream.write(f'{chr(10) if written else ""}],\n"meta":{encode(_meta(report, written))}}}\n')

    return render_conformity


class _Checks:
    """Makes checks; what all of them share is made once."""

    def __init__(self, report: Report, rule_id: str) -> None:
        self._rules = {CROSS_ACCOUNT.check_id: rule_id, SWITCH.check_id: SWITCH_RULE, SNAPSHOT_CHECK: SNAPSHOT_RULE}
        self._checks = {check.check_id: check for check in CHECKS}
        self._names = account_names(report)
        self._time = _milliseconds(report)

    def check(self, result: ResultV1) -> dict[str, object]:
        """One result."""
        account_id = printable(result["account_id"])
        rule_id = self._rules.get(result["check_id"], printable(result["check_id"]))
        image = result["image"]
        place = ["ccc", account_id, rule_id, "EC2", _region(result)]
        return {
            "type": "checks",
            # As in Conformity's answers: the last of the six parts is empty where a check is about no resource.
            "id": ":".join([*place, printable(image["id"]) if image else ""]),
            "attributes": self._attributes(result),
            # Where Conformity takes the note when a check is suppressed.
            **({"meta": {"note": _reasons(result)}} if result["status"] == "suppressed" else {}),
            "relationships": {
                "rule": {"data": {"type": "rules", "id": rule_id}},
                "account": {"data": {"type": "accounts", "id": account_id}},
            },
        }

    def _attributes(self, result: ResultV1) -> dict[str, object]:
        check = self._checks.get(result["check_id"])
        passes = result["status"] == "pass"
        # What passes has no severity of its own: its level is the rule's, as in Conformity.
        level, pretty_level = _RISK[check.severity.value if passes and check else result["severity"]]
        message = printable(result["message"])
        title = _TITLES.get(result["check_id"]) or (check.title if check else printable(result["check_id"]))
        image = result["image"]
        return {
            "region": _region(result),
            "status": "SUCCESS" if passes else "FAILURE",
            "risk-level": level,
            "pretty-risk-level": pretty_level,
            "rule-title": title,
            "message": _UNKNOWN + message if result["status"] == "unknown" else message,
            **({"resource": printable(image["id"])} if image else {}),
            **({} if self._time is None else {"last-modified-date": self._time}),
            # An audit does not know them; Conformity writes null, too, for dates that it does not know.
            "created-date": None,
            "failure-discovery-date": None,
            "categories": ["security"],
            "provider": "aws",
            "service": "EC2",
            "suppressed": result["status"] == "suppressed",
            **({"resolution-page-url": check.references[0]} if check else {}),
            "extradata": list(self._extradata(result)),
            "tags": _tags(image),
        }

    def _extradata(self, result: ResultV1) -> Iterator[dict[str, str]]:
        yield _extra("Status", result["status"])
        if result["status"] == "unknown":
            yield _extra("Unknown", "not read, or not decided: this is no finding, and no proof that all is well")
        if name := self._names.get(result["account_id"]):
            yield _extra("Account name", printable(name))
        if image := result["image"]:
            yield _extra("Image ARN", printable(image["arn"]))
            yield _extra("Image name", printable(image["name"]))
            yield _extra("State", printable(image["state"]))
            yield _extra("Creation date", printable(image["creation_date"]))
            yield _extra("Public", "true" if image["public"] else "false")
        if switch := result.get("block_public_access"):
            yield _extra("Block public access", switch["state"])
            yield _extra("Managed by", printable(switch["managed_by"]))
        for decision, label in _GRANTEES.items():
            names = [
                grantee_name(grant).replace(",", r"\x2c") for grant in result["grants"] if grant["decision"] == decision
            ]
            if names:
                yield _extra(label, ",".join(names))
        if has_evidence(result):
            yield from _evidence(result)
        if baseline := result.get("baseline"):
            yield _extra("Baseline", baseline)
        yield _extra("Fingerprint", printable(result["fingerprint"]))


def _evidence(result: ResultV1) -> Iterator[dict[str, str]]:
    facts = EvidenceFacts(result)
    for grant in facts.worst(_GRANTEES_WITH_EVIDENCE)[0]:
        if words := "; ".join(grant_words(facts, grant)):
            yield _extra("Evidence of grantee", f"{grantee_name(grant)}: {words}")
    if users := [grantee_name(grant).replace(",", r"\x2c") for grant, _ in facts.users()]:
        yield _extra("Grantees that use it", ",".join(users))
    yield from (_extra("Evidence of image", words) for words in image_words(facts))
    yield from (_extra("Evidence missing", f"{kind}: {reason_words(why)}") for kind, why in unavailable(result))


def _extra(label: str, value: str) -> dict[str, str]:
    """One more fact. Conformity's labels and names have at most 20 characters."""
    return {"label": label, "name": label.title().replace(" ", ""), "type": "META", "value": value}


def _reasons(result: ResultV1) -> str:
    """Why it is accepted: each reason once."""
    said = dict.fromkeys(printable(grant["reason"]) for grant in result["grants"] if grant["decision"] == "excepted")
    return "; ".join(said) or printable(result["message"])


def _tags(image: ImageV1 | None) -> list[str]:
    return [f"{printable(key)}::{printable(value)}" for key, value in image["tags"].items()] if image else []


def _region(result: ResultV1) -> str:
    """`global`, Conformity's word, where the regions of the account could not be asked for."""
    return "global" if result["region"] == ALL_REGIONS else printable(result["region"])


def _milliseconds(report: Report) -> int | None:
    ended = moment(report.audit["finished_at"])
    return None if ended is None else int(ended.timestamp() * 1000)


def _meta(report: Report, written: int) -> dict[str, object]:
    """What checks cannot say: whether everything was seen, and how many of the failures are none that was found."""
    summary = report.summary
    return {
        "total": written,
        "total-pages": 1,
        "complete": report.audit["complete"],
        "counts": {status: summary[status] for status in ("pass", "fail", "suppressed", "unknown")},
        "not-seen": [_target(one) for one in not_seen(report)],
        "audit-id": printable(report.audit["id"]),
        "tool": {"name": printable(report.tool["name"]), "version": printable(report.tool["version"])},
    }


def _target(target: TargetV1) -> dict[str, str]:
    return {
        "account": printable(target["account_id"]),
        "region": "global" if target["region"] == ALL_REGIONS else printable(target["region"]),
        "status": target["status"],
        "reason": printable(target["reason"]),
    }
