"""Reports made of values of version 1, for tests of formats that need no spool."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, SeverityV1, StatusV1, TargetV1, encode

ACCOUNT = "012345678901"
REGION = "eu-central-1"
STRANGER: GrantV1 = {
    "kind": "account",
    "grantee": "999988887777",
    "decision": "untrusted",
    "reason": "not in the trust policy",
}


@dataclass(frozen=True)
class Lines:
    """Results as a source has them, made anew for each reading."""

    results: Iterable[ResultV1]

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        return (encode(result) for result in self.results if shown.shows(result["status"]))


def a_result(
    number: int = 1,
    status: StatusV1 = "fail",
    severity: SeverityV1 = "high",
    *,
    name: str = "golden",
    grants: Sequence[GrantV1] = (STRANGER,),
    region: str = REGION,
) -> ResultV1:
    image_id = f"ami-{number:017x}"
    return {
        "check_id": "ami-cross-account-access",
        "status": status,
        "severity": severity,
        "account_id": ACCOUNT,
        "region": region,
        "partition": "aws",
        "image": {
            "id": image_id,
            "arn": f"arn:aws:ec2:{region}::image/{image_id}",
            "name": name,
            "creation_date": "2026-05-06T10:00:00.000Z",
            "state": "available",
            "public": False,
            "tags": {},
        },
        "grants": list(grants),
        "message": "Not trusted, and may launch it: 1 account.",
        "fingerprint": sha256(image_id.encode()).hexdigest(),
    }


def a_target(region: str = REGION, *, images: int = 1) -> TargetV1:
    return {"account_id": ACCOUNT, "region": region, "status": "audited", "reason": "", "images": images}


def a_report(results: Iterable[ResultV1], targets: Sequence[TargetV1] = (), *, complete: bool = True) -> Report:
    """A report of results that are there, or that an iterable makes anew each time."""
    statuses = Counter(result["status"] for result in results)
    return Report(
        tool={"name": "amiguard", "version": "0.1.0"},
        audit={
            "id": "0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01",
            "started_at": "2026-06-15T08:30:00Z",
            "finished_at": "2026-06-15T08:31:05Z",
            "caller_arn": "arn:aws:sts::111122223333:assumed-role/auditor/session",
            "trust_policy_digest": "5e" * 32,
            "complete": complete,
        },
        summary={
            "targets": len(targets),
            "images": statuses.total(),
            "pass": statuses["pass"],
            "fail": statuses["fail"],
            "suppressed": statuses["suppressed"],
            "unknown": statuses["unknown"],
            "vanished": 0,
            "api_calls": {},
            "throttled": 0,
        },
        targets=targets,
        source=Lines(results),
    )
