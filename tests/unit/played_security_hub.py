"""A played Security Hub, and deliveries to it in virtual time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import Credentials

from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.security_hub import SecurityHub
from amiguard.aws.security_hub_delivery import Delivery
from amiguard.report.asff import TargetFindings
from tests.fakes.virtual_time import run_in_virtual_time

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION, OTHER_REGION = "eu-central-1", "us-east-1"
NOON, LATER = "2026-06-15T12:00:00Z", "2026-06-16T12:00:00Z"
IMAGES = "amiguard/ami-cross-account-access"


def product(account_id: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:securityhub:{region}:{account_id}:product/{account_id}/default"


def finding(
    name: str, *, account_id: str = ACCOUNT, region: str = REGION, at: str = NOON, **more: Any
) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"amiguard/{name}",
        "ProductArn": product(account_id, region),
        "GeneratorId": IMAGES,
        "AwsAccountId": account_id,
        "Region": region,
        "CreatedAt": at,
        "UpdatedAt": at,
        "Title": name,
        "Description": name,
        "Resources": [{"Type": "Other", "Id": name}],
        "Compliance": {"Status": "FAILED"},
        "RecordState": "ACTIVE",
        **more,
    }


def target(*failing: dict[str, Any], account_id: str = ACCOUNT, region: str = REGION, **more: Any) -> TargetFindings:
    moment = failing[0]["UpdatedAt"] if failing else LATER
    return TargetFindings(account_id, region, product(account_id, region), moment, failing, **more)


@dataclass
class Hub:
    """Security Hub everywhere: it keeps findings by place and id, and answers as it is told to.

    Attributes:
        answers: what the next calls of an operation end with; None lets them through.
    """

    kept: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, list[Exception | None]] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    page: int = 100
    closed: int = 0

    def connect(self, service: str, region: str, credentials: Credentials, /) -> Any:
        assert service == "securityhub"
        self.clients.append(region)
        return Client(self, region, credentials)

    def imports(self) -> list[list[dict[str, Any]]]:
        return [call[3]["Findings"] for call in self.calls if call[0] == "BatchImportFindings"]

    def have(self, *findings: dict[str, Any]) -> None:
        self.kept.update(((one["ProductArn"], one["Id"]), one) for one in findings)


class Client:
    def __init__(self, hub: Hub, region: str, credentials: Credentials) -> None:
        self.hub = hub
        self.region = region
        self.credentials = credentials

    def _begin(self, operation: str, parameters: dict[str, Any]) -> None:
        key = self.credentials.get_frozen_credentials().access_key
        self.hub.calls.append((operation, self.region, key, parameters))
        answers = self.hub.answers.get(f"{operation} by {key}") or self.hub.answers.get(operation)
        if answers and (answer := answers.pop(0)) is not None:
            raise answer

    def get_findings(self, **parameters: Any) -> Mapping[str, Any]:
        self._begin("GetFindings", parameters)
        # The filters are taken for nothing: what comes of others must be left alone.
        everything = list(self.hub.kept.values())
        start = int(parameters.get("NextToken", 0))
        more = {"NextToken": str(start + self.hub.page)} if start + self.hub.page < len(everything) else {}
        return {"Findings": everything[start : start + self.hub.page], **more}

    def batch_import_findings(self, **parameters: Any) -> Mapping[str, Any]:
        self._begin("BatchImportFindings", parameters)
        failed = []
        for one in parameters["Findings"]:
            if one["Id"] in self.hub.refused:
                code, message = self.hub.refused[one["Id"]]
                failed.append({"Id": one["Id"], "ErrorCode": code, "ErrorMessage": message})
            else:
                self.hub.kept[one["ProductArn"], one["Id"]] = one
        return {"FailedCount": len(failed), "SuccessCount": 0, "FailedFindings": failed}

    def close(self) -> None:
        self.hub.closed += 1


def keys(account_id: str) -> Credentials:
    return Credentials(f"KEY{account_id}", "secret")


def deliver_timed(
    hub: Hub,
    targets: Iterable[TargetFindings],
    *,
    load: Callable[[str], Credentials | None] = keys,
    stats: CallStats | None = None,
) -> tuple[Delivery, float]:
    known = {account_id: account_id for account_id in (ACCOUNT, OTHER_ACCOUNT)}

    async def main() -> Delivery:
        def source(account_id: str) -> CredentialSource:
            found = known[account_id]
            return CredentialSource(lambda: load(found))

        return await SecurityHub(hub.connect, source, stats or CallStats()).deliver(targets)

    return run_in_virtual_time(main())


def deliver(hub: Hub, *targets: TargetFindings, **options: Any) -> Delivery:
    return deliver_timed(hub, targets, **options)[0]


DONE = Delivery(0, 0, 0, 0, (), ())
