"""Events as CloudTrail tells them. The shapes are those of real records of ModifyImageAttribute."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

IMAGE, SNAPSHOT = "AWS::EC2::Ami", "AWS::EC2::Snapshot"


@dataclass(frozen=True, slots=True)
class Event:
    """One call of EC2.

    Attributes:
        caller_arn: of a role session, or of a user.
        source: the address from which it came.
        resources: type and name of what it was about.
        request: its parameters, as CloudTrail writes them.
        response: what EC2 answered; None if it was an error.
        error_code: EC2's error, if it was one.
    """

    event_id: str
    name: str
    at: datetime
    account_id: str
    region: str
    caller_arn: str
    access_key_id: str
    source: str
    resources: tuple[tuple[str, str], ...]
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None = None
    error_code: str = ""
    user_agent: str = "aws-cli/2.31.8"

    @property
    def user_name(self) -> str:
        """What LookupEvents calls the caller: the name of a role session or of a user."""
        return self.caller_arn.rpartition("/")[2]

    @property
    def record(self) -> str:
        """The record, as JSON."""
        outcome: dict[str, Any] = {"responseElements": self.response}
        if self.error_code:
            outcome |= {
                "errorCode": self.error_code,
                "errorMessage": "You are not authorized to perform this operation.",
            }
        return json.dumps(
            {
                "eventVersion": "1.11",
                "userIdentity": self._identity(),
                "eventTime": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
                "eventSource": "ec2.amazonaws.com",
                "eventName": self.name,
                "awsRegion": self.region,
                "sourceIPAddress": self.source,
                "userAgent": self.user_agent,
                "requestParameters": self.request,
                **outcome,
                "eventID": self.event_id,
                "readOnly": False,
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "recipientAccountId": self.account_id,
                "eventCategory": "Management",
            }
        )

    def _identity(self) -> dict[str, Any]:
        partition, account_id = self.caller_arn.split(":")[1], self.caller_arn.split(":")[4]
        kind, *names = self.caller_arn.split(":", 5)[5].split("/")
        known = {"arn": self.caller_arn, "accountId": account_id, "accessKeyId": self.access_key_id}
        if kind != "assumed-role":
            return {"type": "IAMUser", "principalId": "AIDADEMO", **known, "userName": names[-1]}
        role = {
            "type": "Role",
            "principalId": "AROADEMO",
            "arn": f"arn:{partition}:iam::{account_id}:role/{names[0]}",
            "accountId": account_id,
            "userName": names[0],
        }
        return {
            "type": "AssumedRole",
            "principalId": f"AROADEMO:{names[-1]}",
            **known,
            "sessionContext": {"sessionIssuer": role},
        }


def permission_change(
    added: Iterable[Mapping[str, str]], removed: Iterable[Mapping[str, str]]
) -> dict[str, dict[str, list[dict[str, str]]]]:
    """What CloudTrail writes of a change of a permission.

    Args:
        added: entries as EC2 takes them, such as `{"UserId": "123456789012"}`.
        removed: likewise.
    """
    sides = {"add": added, "remove": removed}
    items = {
        side: [{_lower(name): value for name, value in one.items()} for one in given] for side, given in sides.items()
    }
    return {side: {"items": found} for side, found in items.items() if found}


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
