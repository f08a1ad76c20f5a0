"""IAM for moto: policies are kept and signatures checked by moto, resources and conditions, which it ignores, here.

moto's own enforcement knows actions, principals and nothing else: a statement about images would permit nothing, and a
Deny with a condition would deny everything. So the decision is replaced; who asks, by which policies, is moto's.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch

from moto.core.authorization import enable_iam_authentication
from moto.ec2.models import ec2_backends
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends


@dataclass(frozen=True)
class Asked:
    """A request as IAM judges it: every resource has to be permitted, each with the same context."""

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


def permits(policies: Sequence[Mapping[str, Any]], asked: Asked) -> bool:
    """Whether identity policies permit it: some statement allows each resource, and none denies any."""
    statements = [one for policy in policies for one in policy["Statement"]]

    def applies(effect: str, resource: str) -> bool:
        return any(one["Effect"] == effect and concerns(one, asked, resource) for one in statements)

    return all(applies("Allow", resource) and not applies("Deny", resource) for resource in asked.resources)


def denies(policy: Mapping[str, Any], asked: Asked) -> bool:
    """Whether a service control policy denies it."""
    return any(
        one["Effect"] == "Deny" and concerns(one, asked, resource)
        for one in policy["Statement"]
        for resource in asked.resources
    )


def concerns(statement: Mapping[str, Any], asked: Asked, resource: str) -> bool:
    return (
        any(fnmatchcase(asked.action, action) for action in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement.get("Resource", "*")))
        and all(
            holds(operator, asked.context.get(key, ()), listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def holds(operator: str, there: Sequence[str], wanted: Sequence[str]) -> bool:
    wanted = [one.replace("${$}", "$") for one in wanted]
    match operator:
        case "Null":
            return (not there) is (wanted == ["true"])
        case "StringEquals":
            return bool(there) and set(there) <= set(wanted)
        case "StringLike":
            return bool(there) and all(any(fnmatchcase(one, pattern) for pattern in wanted) for one in there)
        case "ArnNotLike":
            return not any(fnmatchcase(one, pattern) for one in there for pattern in wanted)
        case "ForAnyValue:StringNotEquals":
            return any(one not in wanted for one in there)
        case "ForAllValues:StringEquals":
            return set(there) <= set(wanted)
        case _:
            raise AssertionError(f"the tests know no {operator}")


def listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _check(request: Any, _resource: str) -> None:
    """In the place of moto's own decision."""
    asked = _asked(request)
    if asked.action == "sts:GetCallerIdentity":
        return
    documents = [_document(one) for one in request._access_key.collect_policies()]
    if not permits(documents, asked) or not _trusted(request, asked):
        request._raise_access_denied()


def _document(policy: Any) -> Any:
    return json.loads(policy if isinstance(policy, str) else policy["policy_document"])


def _trusted(request: Any, asked: Asked) -> bool:
    """Whether the role lets the caller in; everything but AssumeRole needs no one's leave."""
    if asked.action != "sts:AssumeRole":
        return True
    [arn] = asked.resources
    account_id = arn.split(":")[4]
    role = iam_backends[account_id]["aws"].get_role_by_arn(arn)
    trust = json.loads(role.assume_role_policy_document)
    me = {f"arn:aws:iam::{request.account_id}:root"}
    statements = [one for one in trust["Statement"] if me & set(listed(one["Principal"]["AWS"]))]
    return any(concerns(one, asked, arn) for one in statements)


def _asked(request: Any) -> Asked:
    action: str = request._action
    region, account_id = request._region, request.account_id
    form = {key: values[0] for key, values in request._data.items()}
    text = request._body.decode() if isinstance(request._body, bytes) else request._body or ""
    body = json.loads(text) if text.startswith("{") else {}
    context: dict[str, Sequence[str]] = {"aws:PrincipalArn": [request._access_key.arn]}
    image = f"arn:aws:ec2:{region}::image/{form.get('ImageId')}"
    if "ImageId" in form:
        made = ec2_backends[account_id][region].amis.get(form["ImageId"])
        tags = made.get_tags() if made is not None else ()
        context |= {f"aws:ResourceTag/{tag['key']}": [tag["value"]] for tag in tags}
    if "ExternalId" in form:
        context["sts:ExternalId"] = [form["ExternalId"]]
    if action == "sts:AssumeRole":
        context["aws:ResourceOrgID"] = _organization_of(form["RoleArn"].split(":")[4])
    resources: Mapping[str, Callable[[], tuple[str, ...]]] = {
        "ec2:DescribeImageAttribute": lambda: (image,),
        "ec2:ModifyImageAttribute": lambda: (image,),
        "ec2:CreateImageUsageReport": lambda: (image, f"arn:aws:ec2:{region}:{account_id}:image-usage-report/new"),
        "ec2:DescribeSnapshotAttribute": lambda: (f"arn:aws:ec2:{region}::snapshot/{form['SnapshotId']}",),
        "ec2:ModifySnapshotAttribute": lambda: (f"arn:aws:ec2:{region}::snapshot/{form['SnapshotId']}",),
        "kms:DescribeKey": lambda: (body["KeyId"],),
        "kms:GetKeyPolicy": lambda: (body["KeyId"],),
        "kms:ListGrants": lambda: (body["KeyId"],),
        "organizations:ListTagsForResource": lambda: (
            f"arn:aws:organizations::{account_id}:account/o-abcdefghij/{body['ResourceId']}",
        ),
        "securityhub:BatchImportFindings": lambda: tuple({one["ProductArn"] for one in body["Findings"]}),
        "sns:Publish": lambda: (form["TopicArn"],),
        "sts:AssumeRole": lambda: (form["RoleArn"],),
    }
    return Asked(action, resources.get(action, lambda: ("*",))(), context)


def _organization_of(account_id: str) -> Sequence[str]:
    """The organization of an account; nothing for one that is in none, as the key is then missing."""
    manager, partition = organizations_backends.master_accounts.get(account_id, (account_id, "aws"))
    organization = organizations_backends[manager][partition].org
    return [organization.id] if organization is not None else []


@contextmanager
def enforced() -> Iterator[None]:
    """From here on moto asks IAM about every request."""
    with patch.object(IAMRequestBase, "check_action_permitted", _check), enable_iam_authentication():
        yield
