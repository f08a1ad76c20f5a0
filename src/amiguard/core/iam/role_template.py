"""The roles of accounts as a CloudFormation template: trusted by a hub account with an external id, in any partition.

It holds nothing that differs between accounts, so that a StackSet creates it in all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amiguard.core.iam.policy import Document, document
from amiguard.core.iam.role_entry import identity_condition, tags_condition
from amiguard.core.scope import NamedRole, RoleOptions

ANY_PARTITION = "${AWS::Partition}"
"""The partition of a policy that goes into a template."""
_HUB = f"arn:{ANY_PARTITION}:iam::${{HubAccountId}}:root"
# IAM API Reference, CreateRole and AssumeRole.
_ROLE_NAME = "[A-Za-z0-9_+=,.@-]{1,64}"
_EXTERNAL_ID = "[A-Za-z0-9_+=,.@:/-]{2,1224}"
_SHORTEST_MAXIMUM = 3600
"""Seconds: what a role allows its sessions if nothing is said, and the least that it can be told."""


@dataclass(frozen=True, slots=True)
class TemplateRole:
    """A role of the template.

    Attributes:
        kind: its name in the template: `Audit`, `Remediation`.
        role: how it is called, with its path if it has one, and what external id it asks for if that is known.
        statements: of its policy, made for `ANY_PARTITION`.
    """

    kind: str
    role: NamedRole
    statements: Sequence[Document]


def roles_template(made: Sequence[TemplateRole], options: RoleOptions) -> Document:
    """The template.

    Args:
        made: the roles.
        options: how they are assumed.
    """
    parameters: dict[str, Any] = {
        "HubAccountId": {
            "Type": "String",
            "Description": "The account that amiguard runs in, or that of the last role of its chain",
            "AllowedPattern": "[0-9]{12}",
        },
        "HubPrincipalArn": {
            "Type": "String",
            "Description": "Who in that account may assume the roles: the ARN of a role or user, * as a wildcard",
            "Default": "*",
        },
    }
    resources: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for one in made:
        parameters |= _parameters(one)
        resources[f"{one.kind}Role"] = _role(one, options)
        outputs[f"{one.kind}RoleArn"] = {"Value": {"Fn::GetAtt": [f"{one.kind}Role", "Arn"]}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The roles by which amiguard enters this account",
        "Parameters": parameters,
        "Resources": resources,
        "Outputs": outputs,
    }


def _parameters(one: TemplateRole) -> dict[str, Any]:
    name: dict[str, Any] = {
        "Type": "String",
        "Description": f"The name of the {one.kind.lower()} role",
        "AllowedPattern": _ROLE_NAME,
        "Default": one.role.role_name.rpartition("/")[2],
    }
    external_id: dict[str, Any] = {
        "Type": "String",
        "Description": f"The external id that the {one.kind.lower()} role asks for",
        "AllowedPattern": _EXTERNAL_ID,
    }
    if one.role.external_id is not None:
        external_id["Default"] = one.role.external_id
    return {f"{one.kind}RoleName": name, f"{one.kind}ExternalId": external_id}


def _role(one: TemplateRole, options: RoleOptions) -> dict[str, Any]:
    path, _, _ = one.role.role_name.rpartition("/")
    properties = {
        "RoleName": {"Ref": f"{one.kind}RoleName"},
        "Path": f"/{path}/" if path else "/",
        "Description": "Assumed by amiguard",
        "MaxSessionDuration": max(_SHORTEST_MAXIMUM, options.duration),
        "AssumeRolePolicyDocument": _with_partition(document(_trust(one.kind, options))),
        "Policies": [
            {"PolicyName": f"Amiguard{one.kind}", "PolicyDocument": _with_partition(document(one.statements))}
        ],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _trust(kind: str, options: RoleOptions) -> list[Document]:
    by_hub = {"StringLike": {"aws:PrincipalArn": {"Ref": "HubPrincipalArn"}}}
    with_id = {"StringEquals": {"sts:ExternalId": {"Ref": f"{kind}ExternalId"}}}
    statements = [_trusting("EnterWithExternalId", "sts:AssumeRole", {**with_id, **by_hub})]
    if options.source_identity is not None:
        statements.append(
            _trusting("SetSourceIdentity", "sts:SetSourceIdentity", {**identity_condition(options), **by_hub})
        )
    if options.tags:
        statements.append(_trusting("TagSession", "sts:TagSession", {**tags_condition(options), **by_hub}))
    return statements


def _trusting(sid: str, action: str, condition: Document) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": _HUB}, "Action": action, "Condition": condition}


def _with_partition(value: Any) -> Any:
    """The value with every text that has a partition in it made a substitution."""
    match value:
        case str() if ANY_PARTITION in value:
            return {"Fn::Sub": value}
        case Mapping():
            return {key: _with_partition(one) for key, one in value.items()}
        case list() | tuple():
            return [_with_partition(one) for one in value]
        case _:
            return value
