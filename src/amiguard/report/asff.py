"""The format `asff`: findings in the AWS Security Finding Format, for BatchImportFindings of Security Hub CSPM.

Only what fails is a finding. What passes has one only in Security Hub, from an earlier run, and only who sees that one
can archive it: `targets_of` says what is needed for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TextIO

from amiguard.core.checks.ami_cross_account_access import METADATA as CROSS_ACCOUNT
from amiguard.core.checks.registry import CHECKS
from amiguard.core.result import ALL_REGIONS, Status
from amiguard.report.asff_evidence import evidence_texts
from amiguard.report.evidence_facts import EvidenceFacts, has_evidence
from amiguard.report.finding import explaining, first_grantees, grantee_name
from amiguard.report.interface import ALL, Report, StatusFilter
from amiguard.report.json_v1 import ImageV1, ResultV1, SeverityV1, encode
from amiguard.report.sanitize import printable

# Lengths by ASFF's reference. AWS counts characters; bytes are never fewer, whichever characters are meant.
_TITLE, _DESCRIPTION, _REMEDIATION = 256, 1024, 512
_OTHER_VALUE = 1023
_TAG_KEY, _TAG_VALUE = 128, 256
_MOST_BYTES = 200_000
"""Of a finding as JSON: AWS takes 240 KB, and what is added on the way (times, states) is little."""
_FEW_TAGS = 10
_GRANTEE_WIDTH = 200
_GRANTEES_IN_DESCRIPTION = 8
_PIECES = 20
"""How many values a list of grantees may fill."""
_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov"})
"""Those that ASFF documents for a resource."""
_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
_LABELS: dict[SeverityV1, str] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "informational": "INFORMATIONAL",
}
_CHECKS = {check.check_id: check for check in CHECKS}
_FAILING = StatusFilter.of((Status.FAIL,))


@dataclass(frozen=True, slots=True)
class TargetFindings:
    """What one audit says of one account in one region, for Security Hub there.

    Attributes:
        product_arn: that of the account's own integrations.
        moment: when the audit ended.
        failing: the findings.
        passing: the ids of findings that would be there if the image failed.
        accepted: the same of those that would fail but for an exception.
        unread: the same of what could not be read or decided: nothing is known of them.
        exhaustive: the generators of which everything in the target was looked at: what has a finding there and is in
            none of the above is gone.
    """

    account_id: str
    region: str
    product_arn: str
    moment: str
    failing: tuple[Mapping[str, Any], ...] = ()
    passing: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    exhaustive: frozenset[str] = frozenset()


def render_asff(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write what fails as a JSON array, one finding a line; an empty array if failing results are not shown."""
    separator = "["
    for result in report.results(StatusFilter(shown.statuses & _FAILING.statuses)):
        if result["region"] != ALL_REGIONS:
            stream.write(f"{separator}\n{encode(finding(report, result))}")
            separator = ","
    stream.write("[]\n" if separator == "[" else "\n]\n")


def targets_of(report: Report) -> Iterator[TargetFindings]:
    """Each target that was audited, or of which something fails, once; only one target's results are held at a time.

    A target that was not read to its end archives nothing: its results say what is bad, and not that the rest is good.
    """
    audited = {(one["account_id"], one["region"]): one["status"] == "audited" for one in report.targets}
    met = set()
    by_target = groupby(report.results(ALL), key=lambda one: (one["account_id"], one["region"]))
    for place, results in by_target:
        met.add(place)
        found = _target(report, place, results, audited=audited.get(place, False))
        if place[1] != ALL_REGIONS and (found.failing or audited.get(place)):
            yield found
    for place, is_audited in audited.items():
        if is_audited and place not in met and place[1] != ALL_REGIONS:
            yield _target(report, place, (), audited=True)


def _target(report: Report, place: tuple[str, str], results: Iterable[ResultV1], *, audited: bool) -> TargetFindings:
    account_id, region = place
    failing: list[Mapping[str, Any]] = []
    ids: dict[str, set[str]] = {"pass": set(), "suppressed": set(), "unknown": set()}
    for result in results:
        if result["status"] == "fail":
            failing.append(finding(report, result))
        else:
            ids[result["status"]].add(_id(result))
    whole = audited and "narrowed_to" not in report.audit
    return TargetFindings(
        account_id,
        region,
        _product_arn(_partition(report), region, account_id),
        report.audit["finished_at"],
        tuple(failing),
        passing=frozenset(ids["pass"] if audited else ()),
        accepted=frozenset(ids["suppressed"] if audited else ()),
        unread=frozenset(ids["unknown"]),
        # Only this check always runs, and has a result for every image.
        exhaustive=frozenset({_generator(CROSS_ACCOUNT.check_id)} if whole else ()),
    )


def finding(report: Report, result: ResultV1) -> dict[str, Any]:
    """One failing result; `CreatedAt` is the end of the audit, as if it were new.

    `Workflow` is never sent: it belongs to the people who investigate, and what is `SUPPRESSED` there would stay so
    after an exception has lapsed.
    """
    check = _CHECKS.get(result["check_id"])
    image = result["image"]
    subject = _image_name(image) if image else f"account {printable(result['account_id'])}"
    title = f"{check.title if check else printable(result['check_id'])}: {subject}"
    now = report.audit["finished_at"]
    made: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": _id(result),
        "ProductArn": _product_arn(result["partition"], result["region"], result["account_id"]),
        "ProductName": "amiguard",
        "GeneratorId": _generator(result["check_id"]),
        "AwsAccountId": result["account_id"],
        "Region": result["region"],
        "CreatedAt": now,
        "UpdatedAt": now,
        "FindingProviderFields": {
            "Severity": {"Label": _LABELS[result["severity"]], "Original": result["severity"]},
            "Types": [_TYPE],
        },
        "Title": _cut(title, _TITLE),
        "Description": _cut(_description(result), _DESCRIPTION),
        "Resources": [_resource(result)],
        "Compliance": {"Status": "FAILED"},
        "RecordState": "ACTIVE",
        "ProductFields": {
            "amiguard/AuditId": _value(report.audit["id"]),
            "amiguard/TrustPolicyDigest": _value(report.audit["trust_policy_digest"]),
            "amiguard/Version": _value(report.tool["version"]),
        },
    }
    if check:
        text = _cut(check.remediation, _REMEDIATION)
        made["Remediation"] = {"Recommendation": {"Text": text, "Url": check.references[0]}}
    # Without many tags it cannot be too large, and to measure is half the work.
    if image and len(image["tags"]) > _FEW_TAGS and len(encode(made)) > _MOST_BYTES:
        made["Resources"][0].pop("Tags", None)
    return made


def _id(result: ResultV1) -> str:
    return f"amiguard/{result['fingerprint']}"


def _generator(check_id: str) -> str:
    return f"amiguard/{check_id}"


def _partition(report: Report) -> str:
    """The caller's: what it can read is in the same one. Targets without results name none themselves."""
    return report.audit["caller_arn"].split(":")[1]


def _product_arn(partition: str, region: str, account_id: str) -> str:
    return f"arn:{partition}:securityhub:{region}:{account_id}:product/{account_id}/default"


def _image_name(image: ImageV1) -> str:
    name = printable(image["name"])
    return printable(image["id"]) + (f" ({name})" if name else "")


def _description(result: ResultV1) -> str:
    text = printable(result["message"])
    if grants := explaining(result):
        text += f" Not trusted: {first_grantees(grants, _GRANTEES_IN_DESCRIPTION, 100)}."
    if has_evidence(result) and (users := [grant for grant, _ in EvidenceFacts(result).users()]):
        text += f" In use by {first_grantees(users, _GRANTEES_IN_DESCRIPTION, 100)}."
    return text


def _resource(result: ResultV1) -> dict[str, Any]:
    image = result["image"]
    where = {"Region": result["region"]}
    if result["partition"] in _PARTITIONS:
        where["Partition"] = result["partition"]
    if image is None:
        account: dict[str, Any] = {"Type": "AwsAccount", "Id": f"AWS::::Account:{result['account_id']}", **where}
        if switch := result.get("block_public_access"):
            managed_by = {"ManagedBy": _value(switch["managed_by"])} if switch["managed_by"].strip() else {}
            account["Details"] = {"Other": {"BlockPublicAccess": switch["state"], **managed_by}}
        return account
    # ASFF has no type for images.
    resource: dict[str, Any] = {
        "Type": "Other",
        "Id": image["arn"],
        **where,
        "Details": {"Other": _other(image, result)},
    }
    # ASFF takes no empty values.
    tags = {
        _cut(printable(key), _TAG_KEY): _cut(printable(value), _TAG_VALUE)
        for key, value in image["tags"].items()
        if key.strip() and value.strip()
    }
    return {**resource, "Tags": tags} if tags else resource


def _other(image: ImageV1, result: ResultV1) -> dict[str, str]:
    """What ASFF has no field for: at most 50 texts, none of them empty."""
    grants = result["grants"]
    told = {
        "ImageId": image["id"],
        "Name": image["name"],
        "State": image["state"],
        "CreationDate": image["creation_date"],
        "Public": "true" if image["public"] else "false",
        "Grantees": str(len(grants)),
    }
    other = {key: _value(text) for key, text in told.items() if text.strip()}
    untrusted = [grantee_name(grant) for grant in grants if grant["decision"] == "untrusted"]
    other["UntrustedGrantees"] = str(len(untrusted))
    pieces, left_out = _pieces([_cut(name, _GRANTEE_WIDTH) for name in untrusted])
    other.update((f"Untrusted{number}", piece) for number, piece in enumerate(pieces, start=1))
    if left_out:
        other["UntrustedNotListed"] = str(left_out)
    other.update((key, _value(text)) for key, text in evidence_texts(result) if text.strip())
    return other


def _pieces(names: list[str]) -> tuple[list[str], int]:
    """The names, comma separated, in as many values as they need; and how many did not fit into those there are."""
    pieces: list[str] = []
    for number, name in enumerate(names):
        if pieces and len((joined := f"{pieces[-1]},{name}").encode()) <= _OTHER_VALUE:
            pieces[-1] = joined
        elif len(pieces) < _PIECES:
            pieces.append(name)
        else:
            return pieces, len(names) - number
    return pieces, 0


def _value(text: str) -> str:
    return _cut(printable(text), _OTHER_VALUE)


def _cut(text: str, limit: int) -> str:
    """The text, of at most `limit` bytes as UTF-8, its end cut off with three dots."""
    coded = text.encode()
    return text if len(coded) <= limit else f"{coded[: limit - 3].decode(errors='ignore')}..."
