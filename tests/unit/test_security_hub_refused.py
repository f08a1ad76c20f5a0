"""Security Hub where it throttles, breaks, refuses, or is not there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.security_hub_delivery import FailedFinding, SkippedTarget
from tests.unit.played_security_hub import (
    ACCOUNT,
    DONE,
    OTHER_ACCOUNT,
    OTHER_REGION,
    REGION,
    Client,
    Hub,
    deliver,
    deliver_timed,
    finding,
    keys,
    target,
)


def error(code: str, status: int = 400, message: str = "m") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "operation")


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
