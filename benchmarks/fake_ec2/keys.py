"""KMS: DescribeKey, GetKeyPolicy and ListGrants."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .calls import Call
from .context import Context
from .keys_data import FakeKey, FakeKeyGrant
from .pages import KMS, cut_page
from .replies import AwsProblem

_ARN: Final = re.compile(r"arn:[^:]+:kms:([^:]+):([0-9]{12}):((?:key|alias)/.+)")
_CREATED: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def describe_key(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the key that an id, an alias or an ARN names, of another account too if it lets the caller read."""
    owner, key = _find(call, context, aliases=True)
    enabled = key.state == "Enabled"
    deletion = {"DeletionDate": datetime(2027, 1, 2, tzinfo=UTC)} if key.state == "PendingDeletion" else {}
    return {
        "KeyMetadata": {
            "AWSAccountId": owner,
            "KeyId": key.id,
            "Arn": _arn(call, context, owner, f"key/{key.id}"),
            "CreationDate": _CREATED,
            "Enabled": enabled,
            "Description": key.description,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": key.state,
            "Origin": "AWS_KMS",
            "KeyManager": key.manager,
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
            **deletion,
        }
    }


def get_key_policy(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the policy of a key of the caller's own account; KMS gives no other."""
    if (name := call.parameters.get("PolicyName", "default")) != "default":
        raise AwsProblem("NotFoundException", "No such policy exists")
    owner, key = _find(call, context)
    if owner != call.account_id:
        raise _denied(call, context, owner, key)
    return {"Policy": key.policy, "PolicyName": name}


def list_grants(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with a page of the grants of a key."""
    owner, key = _find(call, context)
    wanted, principal = call.parameters.get("GrantId"), call.parameters.get("GranteePrincipal")
    found = [
        grant for grant in key.grants if wanted in (None, grant.id) and principal in (None, grant.grantee_principal)
    ]
    page = context.effect.page(cut_page(call, found, KMS))
    following = {} if page.token is None else {"NextMarker": page.token}
    arn = _arn(call, context, owner, f"key/{key.id}")
    root = f"arn:{context.store.estate.partition}:iam::{owner}:root"
    return {
        "Grants": [_listed(grant, arn, root) for grant in page.items],
        "Truncated": page.token is not None,
        **following,
    }


def _listed(grant: FakeKeyGrant, arn: str, root: str) -> dict[str, Any]:
    constraints = {"Constraints": {"EncryptionContextEquals": dict(grant.constraints)}} if grant.constraints else {}
    return {
        "KeyId": arn,
        "GrantId": grant.id,
        "CreationDate": _CREATED,
        "GranteePrincipal": grant.grantee_principal,
        "IssuingAccount": root,
        "Operations": list(grant.operations),
        **constraints,
    }


def _find(call: Call, context: Context, *, aliases: bool = False) -> tuple[str, FakeKey]:
    """Return the key that a call names with the account that owns it, or raise `AwsProblem`."""
    text = call.parameters.get("KeyId", "")
    arn = _ARN.fullmatch(text)
    place, owner, name = arn.groups() if arn else (call.region, call.account_id, text)
    if place != call.region:
        raise AwsProblem("NotFoundException", f"Invalid arn {place}")
    region = context.store.region(owner, call.region)
    for key in region.keys if region else ():
        if name.removeprefix("key/") == key.id or (aliases and name in key.aliases):
            if call.account_id not in {owner, *key.readers}:
                raise _denied(call, context, owner, key)
            return owner, key
    if arn or re.fullmatch(r"(mrk-)?[0-9a-fA-F-]{32,36}", name):
        shown = _arn(call, context, owner, name if arn else f"key/{name}")
        raise AwsProblem("NotFoundException", f"Key '{shown}' does not exist")
    raise AwsProblem("NotFoundException", f"Invalid keyId {name}")


def _arn(call: Call, context: Context, owner: str, resource: str) -> str:
    return f"arn:{context.store.estate.partition}:kms:{call.region}:{owner}:{resource}"


def _denied(call: Call, context: Context, owner: str, key: FakeKey) -> AwsProblem:
    caller = context.store.caller_arn(call.account_id, call.access_key_id)
    arn = _arn(call, context, owner, f"key/{key.id}")
    return AwsProblem(
        "AccessDeniedException",
        f"User: {caller} is not authorized to perform: kms:{call.action} on resource: {arn} because no resource-based "
        f"policy allows the kms:{call.action} action",
    )
