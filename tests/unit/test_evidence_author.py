"""Who shared an image, by a played CloudTrail: what its events say, however they are written, and what is not asked."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.aws.evidence.trail_event import MalformedEventError, read_event
from amiguard.core.evidence import Author, TrailEvent
from amiguard.core.grantee import Account, Everyone, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.image import Unreadable
from tests.fakes.played_aws import PlayedAws, in_turn, refused
from tests.fakes.virtual_time import run_in_virtual_time

IMAGE = "ami-0123456789abcdef0"
STRANGER = Account("999988887777")
AT = datetime(2026, 6, 1, 10, tzinfo=UTC)
ROLE = "arn:aws:sts::111122223333:assumed-role/image-pipeline/nightly"


def event(name: str = "ModifyImageAttribute", *, at: datetime = AT, event_id: str = "e-1", **record: Any) -> Any:
    """As botocore gives it; `record` are members of the record besides the usual ones."""
    whole = {
        "eventName": name,
        "eventSource": "ec2.amazonaws.com",
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "sourceIPAddress": "192.0.2.10",
        "userIdentity": {"type": "AssumedRole", "arn": ROLE},
        "requestParameters": None,
        "responseElements": {"_return": True},
        "eventID": event_id,
        **record,
    }
    return {"EventId": event_id, "EventName": name, "EventTime": at, "CloudTrailEvent": json.dumps(whole)}


def permission(**sides: Any) -> dict[str, Any]:
    changes = {side: {"items": items} for side, items in sides.items()}
    return {"attributeType": "launchPermission", "imageId": IMAGE, "launchPermission": changes}


def look_up(aws: PlayedAws) -> Author | Unreadable:
    async def main() -> Author | Unreadable:
        return await aws.reader().look_up_author(IMAGE)

    return run_in_virtual_time(main())[0]


def author(*events: Any) -> Author:
    found = look_up(PlayedAws({"LookupEvents": in_turn({"Events": list(events)})}))
    assert isinstance(found, Author)
    return found


SHARE = TrailEvent("e-1", "ModifyImageAttribute", AT, ROLE, "nightly", "192.0.2.10")


def test_an_event_names_who_shared_with_whom_and_when() -> None:
    found = author(event(requestParameters=permission(add=[{"userId": "999988887777"}])))
    assert found == Author((replace(SHARE, added=(STRANGER,)),), None)
    assert found.shared(STRANGER) == found.shares[0]
    assert found.shared(Everyone()) is None


ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"


@pytest.mark.parametrize(
    ("items", "added"),
    [
        ([{"group": "all"}], (Everyone(),)),
        ([{"groups": "all"}], (Everyone(),)),
        ([{"groups": ["all"]}], (Everyone(),)),
        ([{"groups": {"items": ["all"]}}], (Everyone(),)),
        ({"userId": "999988887777"}, (STRANGER,)),
        ([{"userId": "999988887777"}, {"userId": "999988887777"}], (STRANGER,)),
        ([{"organizationArn": ORGANIZATION}], (Organization(ORGANIZATION, "o-abcdefghij", "111122223333"),)),
        (
            [{"organizationalUnitArn": UNIT}],
            (OrganizationalUnit(UNIT, "o-abcdefghij", "111122223333", "ou-ab12-cdefghij"),),
        ),
        ([{"futureKind": "x"}], (Unrecognized("futureKind=x"),)),
        ([{"futureKind": {"a": 1}}], (Unrecognized('futureKind={"a": 1}'),)),
        (["odd"], (Unrecognized("item=odd"),)),
        ([{}], (Unrecognized("an empty grant"),)),
    ],
)
def test_every_kind_of_grantee_is_read_and_none_is_dropped(items: Any, added: Any) -> None:
    (share,) = author(event(requestParameters=permission(add=items))).shares
    assert share.added == added


@pytest.mark.parametrize(
    "lists",
    [
        {"userIds": ["999988887777"], "userGroups": ["all"]},
        {"userIds": {"items": [{"userId": "999988887777"}]}, "userGroups": {"items": ["all"]}},
    ],
)
def test_the_older_form_of_the_call_is_read_as_well(lists: dict[str, Any]) -> None:
    request = {"imageId": IMAGE, "attribute": "launchPermission", **lists}
    (share,) = author(event(requestParameters={**request, "operationType": "add"})).shares
    assert share.added == (STRANGER, Everyone())
    (share,) = author(event(requestParameters={**request, "operationType": "remove"})).shares
    assert (share.added, share.removed) == ((), (STRANGER, Everyone()))


def test_shares_come_newest_first_each_once() -> None:
    events = [
        event(at=AT - timedelta(days=day), event_id=f"e-{day}", requestParameters=permission(add=[{"group": "all"}]))
        for day in (5, 2, 9, 2)
    ]
    found = author(*events)
    assert [share.event_id for share in found.shares] == ["e-2", "e-5", "e-9"]
    assert found.shared(Everyone()) == found.shares[0]


def test_an_image_shared_with_a_thousand_accounts() -> None:
    accounts = [f"{number:012}" for number in range(1000)]
    (share,) = author(event(requestParameters=permission(add=[{"userId": one} for one in accounts]))).shares
    assert share.added == tuple(map(Account, accounts))


@pytest.mark.parametrize(
    "irrelevant",
    [
        event(requestParameters=permission(add=[{"group": "all"}]), errorCode="Client.UnauthorizedOperation"),
        event(requestParameters={"imageId": IMAGE, "attributeType": "description"}),
        event(requestParameters={"imageId": IMAGE, "description": {"value": "x"}}),
        event(requestParameters={**permission(add=[{"group": "all"}]), "imageId": "ami-1"}),
        event(requestParameters=permission(add=[{"group": "all"}]), eventSource="other.amazonaws.com"),
        event("RunInstances", requestParameters={"imageId": IMAGE}),
        event("CopyImage", requestParameters={"sourceImageId": IMAGE}, responseElements={"imageId": "ami-1"}),
        event("CreateImage", responseElements=None),
    ],
)
def test_what_says_nothing_about_the_images_permission_is_left_out(irrelevant: Any) -> None:
    assert author(irrelevant) == Author((), None)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("CreateImage", {"responseElements": {"imageId": IMAGE}}),
        ("CopyImage", {"requestParameters": {"sourceImageId": "ami-1"}, "responseElements": {"imageId": IMAGE}}),
        ("RegisterImage", {"responseElements": {"imageId": IMAGE}}),
        ("RestoreImageFromRecycleBin", {"requestParameters": {"imageId": IMAGE}}),
        (
            "RestoreImageFromRecycleBin",
            {"requestParameters": {"RestoreImageFromRecycleBinRequest": {"ImageId": IMAGE}}},
        ),
    ],
)
def test_the_origin_is_the_call_that_resulted_in_the_image(name: str, record: dict[str, Any]) -> None:
    assert author(event(name, **record)).origin == replace(SHARE, name=name)


def test_the_newest_origin_counts() -> None:
    made = event("CreateImage", at=AT - timedelta(days=9), responseElements={"imageId": IMAGE})
    restored = event("RestoreImageFromRecycleBin", event_id="e-2", requestParameters={"imageId": IMAGE})
    origin = author(made, restored).origin
    assert origin is not None
    assert origin.event_id == "e-2"


@pytest.mark.parametrize("absent", [None, "too long"])
def test_a_change_of_which_the_parameters_are_absent_is_known_to_have_been_made(absent: Any) -> None:
    assert author(event(requestParameters=absent)).shares == (SHARE,)
    reset = event("ResetImageAttribute", requestParameters={"imageId": IMAGE, "attribute": "launchPermission"})
    assert author(reset).shares == (replace(SHARE, name="ResetImageAttribute"),)


@pytest.mark.parametrize(
    ("identity", "principal", "session"),
    [
        ({"arn": "arn:aws:iam::1:user/x"}, "arn:aws:iam::1:user/x", ""),
        ({"sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::1:role/r"}}}, "arn:aws:iam::1:role/r", ""),
        ({"type": "AWSService", "invokedBy": "imagebuilder.amazonaws.com"}, "imagebuilder.amazonaws.com", ""),
        ({"type": "AWSAccount"}, "AWSAccount", ""),
        ({"arn": "x" * 9999}, "x" * 2048, ""),
        ({"sessionContext": "odd"}, "", ""),
        (None, "", ""),
        ("odd", "", ""),
    ],
)
def test_who_called_is_told_as_well_as_it_is_known(identity: Any, principal: str, session: str) -> None:
    (share,) = author(event(userIdentity=identity)).shares
    assert (share.principal, share.session) == (principal, session)


@pytest.mark.parametrize(
    "record",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"eventName": ' + "9" * 10_000 + "}",
        json.dumps({"x": "y" * 1_000_001}),
    ],
)
def test_an_event_that_cannot_be_read_is_counted_as_not_looked_at(record: str | None) -> None:
    broken = {"EventName": "ModifyImageAttribute", "EventTime": AT, "CloudTrailEvent": record}
    good = event(requestParameters=permission(add=[{"group": "all"}]))
    found = author(broken, good)
    assert (len(found.shares), found.truncated) == (1, True)


@pytest.mark.parametrize(
    "request_parameters",
    [
        {"imageId": IMAGE, "attributeType": "launchPermission"},
        {"ModifyImageAttributeRequest": {"ImageId": IMAGE, "LaunchPermission": {"Add": []}}},
    ],
)
def test_a_change_in_a_form_that_is_not_known_is_counted_as_not_looked_at(request_parameters: Any) -> None:
    assert author(event(requestParameters=request_parameters)) == Author((), None, truncated=True)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["all", "items", IMAGE, "add"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "imageId",
                    "attributeType",
                    "launchPermission",
                    "add",
                    "remove",
                    "items",
                    "userId",
                    "group",
                    "userIds",
                    "operationType",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(request=_JSON, response=_JSON, identity=_JSON, name=st.sampled_from(["ModifyImageAttribute", "CopyImage"]))
def test_no_record_breaks_the_reader(request: Any, response: Any, identity: Any, name: str) -> None:
    one = event(name, requestParameters=request, responseElements=response, userIdentity=identity)
    try:
        found = read_event(one, IMAGE)
    except MalformedEventError:
        return
    assert found is None or hash(found[1]) == hash(found[1])


def test_the_time_is_that_of_the_record_if_botocore_gives_none() -> None:
    bare = {**event(), "EventTime": None}
    found = read_event(bare, IMAGE)
    assert found is not None
    assert found[1].at == AT
    timeless = {**event(eventTime="yesterday"), "EventTime": None}
    with pytest.raises(MalformedEventError):
        read_event(timeless, IMAGE)


def test_one_call_an_image_as_a_rule() -> None:
    shared = event(requestParameters=permission(add=[{"group": "all"}]))
    aws = PlayedAws({"LookupEvents": in_turn({"Events": [shared], "NextToken": "more"})})
    found = look_up(aws)
    assert isinstance(found, Author)
    assert found.truncated
    assert aws.calls == [
        (
            "LookupEvents",
            {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": IMAGE}], "MaxResults": 50},
        )
    ]
    assert aws.places == [("cloudtrail", "us-east-1", "KEY0")]


def test_at_most_five_pages_are_read_while_no_share_is_found() -> None:
    launches = [event("RunInstances", event_id=f"e-{number}") for number in range(50)]

    def answer(parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {"Events": launches, "NextToken": f"{parameters.get('NextToken', '')}x"}

    aws = PlayedAws({"LookupEvents": answer})
    assert look_up(aws) == Author((), None, truncated=True)
    assert [one.get("NextToken") for one in aws.asked("LookupEvents")] == [None, "x", "xx", "xxx", "xxxx"]


def test_no_events_are_an_answer_and_no_list_is_none() -> None:
    assert author() == Author((), None)
    aws = PlayedAws({"LookupEvents": in_turn({})})
    found = look_up(aws)
    assert isinstance(found, Unreadable)
    assert "(tried 6 times)" in found.reason


def test_what_is_not_permitted_is_not_asked_for_each_image() -> None:
    aws = PlayedAws({"LookupEvents": in_turn(refused("AccessDeniedException", status=400))})

    async def main() -> list[Any]:
        reader = aws.reader()
        return [await reader.look_up_author(f"ami-{number}") for number in range(100)]

    found, seconds = run_in_virtual_time(main())
    assert set(found) == {
        Unreadable("not permitted: cloudtrail:LookupEvents", "grant cloudtrail:LookupEvents to the caller")
    }
    assert (len(aws.calls), seconds) == (1, 0)


def test_the_pace_is_that_of_cloudtrail() -> None:
    aws = PlayedAws({"LookupEvents": in_turn({"Events": []})})

    async def main() -> None:
        reader = aws.reader()
        for number in range(500):
            await reader.look_up_author(f"ami-{number}")

    seconds = run_in_virtual_time(main())[1]
    floor = (500 - 2) / 2
    assert floor < seconds < 1.1 * floor
