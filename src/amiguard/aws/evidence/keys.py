"""KMS: what is the key that encrypts a snapshot, and whom do its policy and its grants let in?"""

import re
from collections.abc import Mapping
from typing import Any

from amiguard.aws.botocore_calls import BotocoreCalls
from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.evidence.pages import Page, read_pages
from amiguard.core.image import Unreadable
from amiguard.core.key_policy import KeyFacts, KeyGrant

_KEY_ARN = re.compile(r"arn:[a-z0-9-]+:kms:([a-z0-9-]+):[^:\s]*:(?:key|alias)/\S+")
_GRANTS_A_PAGE = 100
"""KMS API Reference, ListGrants: at most 100."""
_MOST_PAGES = 500
"""50,000 grants of one key: the most that KMS allows by default ("Resource quotas"), and 50 seconds of calls."""
_AWS_MANAGED = Unreadable("not asked for: the key is AWS's own for the service, and cannot be shared")


async def read_key(calls: BotocoreCalls, key_arn: str, account_id: str) -> KeyFacts | Unreadable:
    """What a key is, and whom it may let in; it is asked for in the region that its ARN names.

    Args:
        calls: of the target.
        key_arn: of a key or an alias; KMS resolves it.
        account_id: who asks: the policy of a key of another account cannot be read.
    """
    found = _KEY_ARN.fullmatch(key_arn)
    if found is None:
        return Unreadable("what EC2 names as the key of the snapshot is not the ARN of a KMS key")
    region = found[1]
    described = await calls.call("kms", "DescribeKey", {"KeyId": key_arn}, _read_key, region=region)
    if isinstance(described, ApiError):
        return explain(described, "kms:DescribeKey")
    if isinstance(described, Unreadable) or described.manager == "AWS":
        return described
    return KeyFacts(
        described.key_arn,
        described.account_id,
        described.manager,
        described.state,
        await _read_policy(calls, described, region, account_id),
        await _read_grants(calls, described.key_arn, region),
    )


def _read_key(reply: Mapping[str, Any]) -> KeyFacts:
    """What DescribeKey says; policy and grants are as those of a key that needs none."""
    key = reply["KeyMetadata"] or {}
    arn, account_id, manager = (str(key.get(name) or "") for name in ("Arn", "AWSAccountId", "KeyManager"))
    if not (arn and account_id and manager):
        raise MalformedReplyError("the reply does not say what the key is, whose, or who manages it")
    return KeyFacts(arn, account_id, manager, str(key.get("KeyState") or ""), _AWS_MANAGED, _AWS_MANAGED)


async def _read_policy(calls: BotocoreCalls, key: KeyFacts, region: str, account_id: str) -> str | Unreadable:
    if key.account_id != account_id:  # KMS API Reference, GetKeyPolicy: "Cross-account use: No"
        return Unreadable(
            f"the key belongs to account {key.account_id}, and KMS shows its policy to nobody else",
            f"read the policy in account {key.account_id}",
        )
    parameters = {"KeyId": key.key_arn, "PolicyName": "default"}
    reply = await calls.call("kms", "GetKeyPolicy", parameters, _read_text, region=region)
    return explain(reply, "kms:GetKeyPolicy") if isinstance(reply, ApiError) else reply


def _read_text(reply: Mapping[str, Any]) -> str:
    policy = reply["Policy"]
    if not isinstance(policy, str):
        raise MalformedReplyError("the reply has no key policy")
    return policy


async def _read_grants(calls: BotocoreCalls, key_arn: str, region: str) -> tuple[KeyGrant, ...] | Unreadable:
    async def read(marker: str | None) -> Page[KeyGrant] | ApiError | Unreadable:
        parameters: dict[str, object] = {"KeyId": key_arn, "Limit": _GRANTS_A_PAGE}
        if marker is not None:
            parameters["Marker"] = marker
        return await calls.call("kms", "ListGrants", parameters, _read_page, region=region)

    grants = await read_pages(read, "grants of the key", _MOST_PAGES)
    if isinstance(grants, ApiError):
        return explain(grants, "kms:ListGrants")
    return grants if isinstance(grants, Unreadable) else tuple({one.grant_id: one for one in grants}.values())


def _read_page(reply: Mapping[str, Any]) -> Page[KeyGrant]:
    grants = reply["Grants"]
    if not isinstance(grants, list) or not all(isinstance(grant, dict) for grant in grants):
        raise MalformedReplyError("the reply has no list of grants")
    marker = str(reply.get("NextMarker") or "") if reply.get("Truncated") else None
    if marker == "":
        raise MalformedReplyError("the list of grants goes on, and the reply does not say where")
    return Page(tuple(map(_read_grant, grants)), marker)


def _read_grant(grant: Mapping[str, Any]) -> KeyGrant:
    return KeyGrant(
        str(grant["GrantId"]),
        # A service is named in either of them (KMS API Reference, GrantListEntry).
        str(grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal") or ""),
        tuple(map(str, grant.get("Operations") or ())),
        constrained=bool(grant.get("Constraints")),
    )
