"""The delivery to a played Security Hub: what is sent where, what is archived, and how fast."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.security_hub import SecurityHub
from amiguard.aws.security_hub_delivery import Delivery
from amiguard.report.asff import TargetFindings
from tests.unit.played_security_hub import (
    ACCOUNT,
    DONE,
    IMAGES,
    LATER,
    NOON,
    OTHER_ACCOUNT,
    OTHER_REGION,
    REGION,
    Client,
    Hub,
    deliver,
    deliver_timed,
    finding,
    keys,
    product,
    target,
)


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
