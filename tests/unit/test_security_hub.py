"""The delivery's own rules, with a played Security Hub: what is sent where, what is archived, and what goes wrong."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.security_hub import SecurityHub
from amiguard.aws.security_hub_delivery import Delivery, FailedFinding, SkippedTarget
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


def error(code: str, status: int = 400, message: str = "m") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "operation")


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


def test_a_finding_is_imported_updated_and_archived() -> None:
    hub = Hub()
    assert deliver(hub, target(finding("a"))) == replace(DONE, imported=1)
    assert deliver(hub, target(finding("a", at=LATER))) == replace(DONE, updated=1)
    (kept,) = hub.kept.values()
    assert (kept["CreatedAt"], kept["UpdatedAt"]) == (NOON, LATER)
    after = "2026-06-17T12:00:00Z"
    passing = replace(target(passing=frozenset({"amiguard/a"})), moment=after)
    assert deliver(hub, passing) == replace(DONE, archived=1)
    (kept,) = hub.kept.values()
    assert kept == {
        **finding("a"),
        "UpdatedAt": after,
        "RecordState": "ARCHIVED",
        "Compliance": {"Status": "PASSED"},
        "ProductFields": {"amiguard/ArchivedBecause": "It passes."},
    }
    assert deliver(hub, passing) == DONE
    assert len(hub.imports()) == 3
    assert hub.closed == 4


def test_a_finding_that_comes_back_is_a_new_one() -> None:
    hub = Hub()
    hub.have(finding("a", RecordState="ARCHIVED"))
    assert deliver(hub, target(finding("a", at=LATER))) == replace(DONE, imported=1)
    (kept,) = hub.kept.values()
    assert (kept["RecordState"], kept["CreatedAt"]) == ("ACTIVE", LATER)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"passing": frozenset({"amiguard/a"})}, "It passes."),
        ({"accepted": frozenset({"amiguard/a"})}, "It is accepted by an exception."),
        ({"exhaustive": frozenset({IMAGES})}, "The image is gone."),
        ({"exhaustive": frozenset({IMAGES}), "unread": frozenset({"amiguard/a"})}, None),
        ({"passing": frozenset({"amiguard/b"})}, None),
        ({"exhaustive": frozenset({"amiguard/ami-block-public-access"})}, None),
        ({}, None),
    ],
)
def test_what_is_archived_and_what_never_is(said: dict[str, Any], why: str | None) -> None:
    hub = Hub()
    hub.have(finding("a"))
    done = deliver(hub, target(**said))
    (kept,) = hub.kept.values()
    assert done.archived == (why is not None)
    assert kept["RecordState"] == ("ACTIVE" if why is None else "ARCHIVED")
    assert kept.get("ProductFields", {}).get("amiguard/ArchivedBecause") == why


@pytest.mark.parametrize(
    "foreign",
    [
        finding("a", account_id=OTHER_ACCOUNT),
        finding("a", region=OTHER_REGION),
        finding("a", GeneratorId="scanner/rule"),
        {**finding("a"), "Id": "scanner/1"},
        {**finding("a"), "AwsAccountId": OTHER_ACCOUNT},
        finding("a", RecordState="ARCHIVED"),
    ],
)
def test_what_is_not_ours_or_not_from_here_is_never_touched(foreign: dict[str, Any]) -> None:
    hub = Hub()
    hub.have(foreign)
    assert deliver(hub, target(exhaustive=frozenset({IMAGES, "scanner/rule"}))) == DONE
    assert not hub.imports()


def test_only_our_active_findings_of_the_place_are_asked_for() -> None:
    hub = Hub()
    deliver(hub, target())
    ((_, _, _, parameters),) = hub.calls
    assert parameters == {
        "Filters": {
            "ProductArn": [{"Value": product(), "Comparison": "EQUALS"}],
            "AwsAccountId": [{"Value": ACCOUNT, "Comparison": "EQUALS"}],
            "Region": [{"Value": REGION, "Comparison": "EQUALS"}],
            "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
            "GeneratorId": [{"Value": "amiguard/", "Comparison": "PREFIX"}],
        },
        "MaxResults": 100,
    }


def test_each_target_is_asked_by_its_own_account_in_its_own_region() -> None:
    hub = Hub()
    places = [(account, region) for account in (ACCOUNT, OTHER_ACCOUNT) for region in (REGION, OTHER_REGION)]
    said = [
        target(finding("a", account_id=account, region=region), account_id=account, region=region)
        for account, region in places
    ]
    assert deliver(hub, *said).imported == 4
    for operation in ("GetFindings", "BatchImportFindings"):
        assert sorted((key, where) for name, where, key, _ in hub.calls if name == operation) == sorted(
            (f"KEY{account}", region) for account, region in places
        )
    for name, where, key, parameters in hub.calls:
        if name == "BatchImportFindings":
            assert {(f"KEY{one['AwsAccountId']}", one["Region"]) for one in parameters["Findings"]} == {(key, where)}
    assert sorted(hub.clients) == [REGION, OTHER_REGION]


def test_all_pages_are_read_and_calls_stay_below_the_limits_of_aws() -> None:
    hub = Hub(page=7)
    hub.have(*(finding(f"old{number}") for number in range(30)))
    failing = [finding(f"n{number}", at=LATER) for number in range(250)]
    done = deliver(hub, target(*failing, exhaustive=frozenset({IMAGES})))
    assert done == replace(DONE, imported=250, archived=30)
    assert [len(batch) for batch in hub.imports()] == [100, 100, 80]

    hub = Hub()
    large = [finding(f"n{number}", Description="x" * 200_000) for number in range(60)]
    assert deliver(hub, target(*large)).imported == 60
    assert all(len(json.dumps(batch)) < 6_000_000 for batch in hub.imports())
    assert len(hub.imports()) == 3


def test_a_listing_that_does_not_end_is_a_reason_and_not_a_hang() -> None:
    hub = Hub()

    class Repeating(Client):
        def get_findings(self, **parameters: Any) -> Mapping[str, Any]:
            return {"Findings": [], "NextToken": "again"}

    hub.connect = lambda _service, region, credentials: Repeating(hub, region, credentials)  # type: ignore[method-assign]
    (skipped,) = deliver(hub, target(finding("a"))).skipped
    assert skipped.reason == "the listing of findings does not end: its pages repeat"


def test_the_pace_is_that_of_aws() -> None:
    hub = Hub(page=1)
    hub.have(*(finding(f"n{number}") for number in range(100)))
    stats = CallStats()
    _, seconds = deliver_timed(hub, [target()], stats=stats)
    assert stats.calls == {"GetFindings": 100}
    assert seconds == pytest.approx((100 - 5.7) / 2.85, abs=0.5)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException", "LimitExceededException"])
def test_throttled_calls_are_made_again(code: str) -> None:
    hub = Hub(answers={"BatchImportFindings": [error(code, 429)] * 5})
    stats = CallStats()
    done, seconds = deliver_timed(hub, [target(finding("a"))], stats=stats)
    assert done == replace(DONE, imported=1)
    assert stats.calls == {"GetFindings": 1, "BatchImportFindings": 6}
    assert stats.throttled == 5
    assert seconds > 0.1


def test_throttling_has_an_end() -> None:
    hub = Hub(answers={"GetFindings": [error("LimitExceededException", 429)] * 99})
    done, seconds = deliver_timed(hub, [target(finding("a"))])
    assert done.skipped[0].undelivered == 1
    assert "LimitExceededException" in done.skipped[0].reason
    assert seconds < 600


@pytest.mark.parametrize(
    "broken", [error("InternalException", 500), error("", 502), EndpointConnectionError(endpoint_url="http://x")]
)
def test_broken_replies_are_asked_for_again_and_not_for_ever(broken: Exception) -> None:
    hub = Hub(answers={"BatchImportFindings": [broken, broken]})
    assert deliver(hub, target(finding("a"))) == replace(DONE, imported=1)
    hub = Hub(answers={"BatchImportFindings": [broken] * 99})
    (skipped,) = deliver(hub, target(finding("a"))).skipped
    assert skipped.undelivered == 1
    assert "(tried 6 times)" in skipped.reason


def test_where_security_hub_is_not_enabled_is_said_once_a_target_and_stops_no_other() -> None:
    off = error("InvalidAccessException", 401, f"Account {ACCOUNT} is not subscribed to AWS Security Hub")
    hub = Hub(answers={f"GetFindings by KEY{ACCOUNT}": [off, off]})
    done = deliver(
        hub,
        target(finding("a"), finding("b")),
        target(region=OTHER_REGION),
        target(finding("c", account_id=OTHER_ACCOUNT), account_id=OTHER_ACCOUNT),
    )
    hint = "enable Security Hub CSPM there (`aws securityhub enable-security-hub --region R`), and run the audit again"
    assert done.imported == 1
    assert set(done.skipped) == {
        SkippedTarget(ACCOUNT, REGION, "Security Hub is not enabled here", hint, 2),
        SkippedTarget(ACCOUNT, OTHER_REGION, "Security Hub is not enabled here", hint, 0),
    }
    assert not done.complete


def test_a_place_without_security_hub_and_without_findings_loses_nothing() -> None:
    hub = Hub(answers={"GetFindings": [error("InvalidAccessException", 401, "not subscribed")]})
    done = deliver(hub, target())
    assert len(done.skipped) == 1
    assert done.complete


def test_what_is_not_permitted_is_said_with_the_action() -> None:
    denied = error("AccessDeniedException", 403, "User is not authorized")
    hub = Hub(answers={"BatchImportFindings": [None, denied]})
    done = deliver(hub, target(*(finding(f"n{number}") for number in range(150))))
    assert done.imported == 100
    (skipped,) = done.skipped
    assert (skipped.reason, skipped.undelivered) == ("not permitted: securityhub:BatchImportFindings", 50)


def test_refused_findings_are_listed_and_the_others_are_in() -> None:
    hub = Hub(refused={"amiguard/b": ("InvalidInput", "Title is " + "x" * 1000)})
    done = deliver(hub, target(finding("a"), finding("b"), finding("c")))
    assert done.imported == 2
    (failed,) = done.failed
    assert failed == FailedFinding(ACCOUNT, REGION, "amiguard/b", "InvalidInput", ("Title is " + "x" * 1000)[:300])
    assert not done.complete


@pytest.mark.parametrize("malformed", [error("InvalidInputException"), ParamValidationError(report="bad\nbad")])
def test_one_malformed_finding_does_not_keep_the_others_out(malformed: Exception) -> None:
    hub = Hub()

    class Strict(Client):
        def batch_import_findings(self, **parameters: Any) -> Mapping[str, Any]:
            if any(one["Id"] == "amiguard/n3" for one in parameters["Findings"]):
                raise malformed
            return super().batch_import_findings(**parameters)

    hub.connect = lambda _service, region, credentials: Strict(hub, region, credentials)  # type: ignore[method-assign]
    done = deliver(hub, target(*(finding(f"n{number}") for number in range(10))))
    assert done.imported == 9
    assert [(one.finding_id, one.code) for one in done.failed] == [("amiguard/n3", "InvalidInputException")]
    assert not done.skipped


def test_what_a_later_audit_has_sent_is_left_alone() -> None:
    hub = Hub()
    hub.have(finding("a", at=LATER), finding("b", at=LATER))
    said = replace(target(finding("a")), passing=frozenset({"amiguard/b"}))
    assert deliver(hub, said) == replace(DONE, newer=2)
    assert not hub.imports()


@pytest.mark.parametrize("now", [NOON, "2026-06-15T12:00:00.000Z", "2026-06-15T14:00:00+02:00"])
def test_an_update_is_later_than_what_is_there(now: str) -> None:
    hub = Hub()
    hub.have(finding("a", at=NOON))
    assert deliver(hub, target(finding("a", at=now))).updated == 1
    (kept,) = hub.kept.values()
    assert kept["UpdatedAt"] == "2026-06-15T12:00:00.001Z"


@pytest.mark.parametrize("there", ["", "yesterday"])
def test_a_time_that_cannot_be_read_is_updated(there: str) -> None:
    hub = Hub()
    hub.have(finding("a", UpdatedAt=there))
    assert deliver(hub, target(finding("a"))).updated == 1


def test_credentials_that_cannot_be_had_cost_their_account_only() -> None:
    hub = Hub()
    done = deliver(
        hub,
        target(finding("a")),
        target(finding("b", account_id=OTHER_ACCOUNT), account_id=OTHER_ACCOUNT),
        target(finding("c", account_id="9" * 12), account_id="9" * 12),
        load=lambda account_id: keys(account_id) if account_id == ACCOUNT else None,
    )
    assert done.imported == 1
    assert {(one.account_id, one.reason) for one in done.skipped} == {
        (OTHER_ACCOUNT, "no AWS credentials were found"),
        ("9" * 12, "the account is not among those of this run"),
    }


def test_credentials_that_expire_are_renewed_once() -> None:
    numbers = iter(range(9))
    hub = Hub(answers={"GetFindings": [error("ExpiredTokenException")]})
    done = deliver(hub, target(finding("a")), load=lambda _: Credentials(f"KEY{next(numbers)}", "secret"))
    assert done.imported == 1
    assert [call[2] for call in hub.calls] == ["KEY0", "KEY1", "KEY1"]
    hub = Hub(answers={"GetFindings": [error("ExpiredTokenException")] * 9})
    numbers = iter(range(9))
    done = deliver(hub, target(finding("a")), load=lambda _: Credentials(f"KEY{next(numbers)}", "secret"))
    assert done.skipped[0].reason == "the credentials have expired"
    assert len(hub.calls) == 2


def test_a_client_that_cannot_be_made_is_a_reason() -> None:
    hub = Hub()

    def connect(_service: str, region: str, credentials: Credentials) -> Any:
        raise ValueError("Invalid endpoint: nonsense")

    hub.connect = connect  # type: ignore[method-assign]
    assert deliver(hub, target(finding("a"))).skipped[0].undelivered == 1


def test_targets_are_taken_as_there_is_room() -> None:
    hub = Hub()
    taken: list[int] = []

    def many() -> Iterable[TargetFindings]:
        for number in range(50):
            taken.append(len(hub.calls))
            yield target(finding(f"n{number}"), region=REGION)

    async def main() -> Delivery:
        return await SecurityHub(hub.connect, lambda one: CredentialSource(lambda: keys(one)), CallStats()).deliver(
            many()
        )

    assert asyncio.run(main()).imported == 50
    assert taken[8] > 0
