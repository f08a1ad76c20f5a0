"""JSON replies: CloudTrail's events, and what KMS says of a key. They go through botocore's parser, as in an audit."""

import functools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.session import get_session

from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.evidence.keys import _read_key as read_described_key
from amiguard.aws.evidence.keys import _read_page as read_grants
from amiguard.aws.evidence.keys import _read_text as read_policy_text
from amiguard.aws.evidence.trail import _read_page as read_events
from amiguard.aws.evidence.trail_event import MalformedEventError, read_event
from amiguard.aws.reply_parsers import ReplyParsers
from amiguard.aws.session import CALL_ERRORS
from amiguard.core.evidence import Admission
from amiguard.core.grantee import Account, Everyone
from amiguard.core.key_facts import KeyFacts
from amiguard.core.key_grants import GrantBook
from tests.fuzz.target import Form, Target
from tests.unit.key_policies import (
    FOREIGN_ORGANIZATION,
    KEY_ARN,
    OTHER,
    OWN_UNIT,
    OWN_VIEW,
    OWNER,
    STRANGER,
    admissions,
)

IMAGE = "ami-0123456789abcdef0"
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
SHARE: dict[str, Any] = {
    "eventName": "ModifyImageAttribute",
    "eventSource": "ec2.amazonaws.com",
    "eventTime": "2026-06-15T12:00:00Z",
    "sourceIPAddress": "192.0.2.10",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/pipeline/nightly",
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/pipeline"}},
    },
    "requestParameters": {
        "imageId": IMAGE,
        "attributeType": "launchPermission",
        "launchPermission": {"add": {"items": [{"userId": STRANGER}, {"group": "all"}]}, "remove": {"items": []}},
    },
    "responseElements": {"_return": True},
    "eventID": "e-1",
}
OLDER = {
    **SHARE,
    "requestParameters": {
        "imageId": IMAGE,
        "attribute": "launchPermission",
        "operationType": "add",
        "userIds": [STRANGER],
        "userGroups": {"items": ["all"]},
    },
}
ORIGIN = {**SHARE, "eventName": "CreateImage", "responseElements": {"imageId": IMAGE}}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Share",
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{STRANGER}:root", OTHER]},
            "Action": ["kms:Decrypt", "kms:CreateGrant"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}},
        },
        {"Effect": "Deny", "NotPrincipal": {"AWS": OWNER}, "NotAction": "kms:List*", "Resource": "*"},
    ],
}
GRANTEES = (Account(STRANGER), Everyone(), FOREIGN_ORGANIZATION, OWN_UNIT)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def read_record(data: bytes) -> None:
    """One record; what is read of it can be compared with others."""
    text = data.decode("utf-8", "surrogateescape")
    found = read_event({"EventName": "ModifyImageAttribute", "EventId": "e", "CloudTrailEvent": text}, IMAGE)
    assert found is None or (found[1].at.utcoffset() is not None and isinstance(found[1].principal, str))


@functools.cache
def _shape(service: str, operation: str) -> Any:
    return get_session().get_service_model(service).operation_model(operation).output_shape


def parsed(data: bytes, service: str, operation: str) -> Mapping[str, Any]:
    """A reply as botocore gives it."""
    reply: Mapping[str, Any] = (
        ReplyParsers()
        .create_parser("json")
        .parse({"headers": {}, "status_code": 200, "body": data}, _shape(service, operation))
    )
    return reply


def read_events_reply(data: bytes) -> None:
    """A page of events, and each event."""
    events, token = read_events(parsed(data, "cloudtrail", "LookupEvents"))
    assert token != ""
    for event in events:
        try:
            read_event(event, IMAGE)
        except MalformedEventError:
            continue


def read_grants_reply(data: bytes) -> None:
    """A page of grants, and what they let anybody do."""
    page = read_grants(parsed(data, "kms", "ListGrants"))
    assert page.next_token != ""
    facts = KeyFacts(KEY_ARN, OWNER, "CUSTOMER", "Enabled", _json(POLICY).decode(), page.items)
    GrantBook(page.items, "aws")
    assert len(admissions(facts, GRANTEES, organization=OWN_VIEW, region="eu-west-1")) == len(GRANTEES)


def read_key_reply(data: bytes) -> None:
    """A key is named, and whose it is."""
    key = read_described_key(parsed(data, "kms", "DescribeKey"))
    assert key.key_arn
    assert key.account_id


def read_policy_reply(data: bytes) -> None:
    """The policy is a text."""
    assert isinstance(read_policy_text(parsed(data, "kms", "GetKeyPolicy")), str)


def judge_policy(data: bytes) -> None:
    """Each grantee gets a verdict with a reason, and what is no JSON object settles nothing."""
    text = data.decode("utf-8", "surrogateescape")
    facts = KeyFacts(KEY_ARN, OWNER, "CUSTOMER", "Enabled", text, ())
    told = admissions(facts, GRANTEES, organization=OWN_VIEW, region="eu-west-1")
    assert [one.grantee for one in told] == list(GRANTEES)
    assert all(one.reason for one in told)
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        is_object = False
    assert is_object or {one.admission for one in told} == {Admission.UNDETERMINED}


def _reply(name: str, run: Callable[[bytes], object], seed: object) -> Target:
    return Target(name, Form.JSON, run, (*CALL_ERRORS, KeyError, MalformedReplyError), (_json(seed),), 240)


REPLY_TARGETS = (
    Target(
        "trail-record", Form.JSON, read_record, (MalformedEventError,), tuple(map(_json, (SHARE, OLDER, ORIGIN))), 800
    ),
    _reply(
        "trail-events",
        read_events_reply,
        {
            "Events": [
                {
                    "EventId": "e",
                    "EventName": "ModifyImageAttribute",
                    "EventTime": NOON.timestamp(),
                    "CloudTrailEvent": json.dumps(SHARE),
                }
            ],
            "NextToken": "t",
        },
    ),
    _reply(
        "kms-grants",
        read_grants_reply,
        {
            "Grants": [
                {
                    "GrantId": "g",
                    "GranteePrincipal": f"arn:aws:iam::{STRANGER}:role/r",
                    "Operations": ["Decrypt", "CreateGrant"],
                    "Constraints": {"EncryptionContextSubset": {"a": "b"}},
                },
                {"GrantId": "h", "GranteeServicePrincipal": "ec2.amazonaws.com", "Operations": ["Decrypt"]},
            ],
            "NextMarker": "m",
            "Truncated": True,
        },
    ),
    _reply(
        "kms-key",
        read_key_reply,
        {"KeyMetadata": {"Arn": KEY_ARN, "AWSAccountId": OWNER, "KeyManager": "CUSTOMER", "KeyState": "Enabled"}},
    ),
    _reply("kms-policy-reply", read_policy_reply, {"Policy": json.dumps(POLICY)}),
    Target("kms-policy", Form.JSON, judge_policy, (), (_json(POLICY),), 360),
)
