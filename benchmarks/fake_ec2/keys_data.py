"""The KMS keys that a fake serves."""

import json
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FakeKeyGrant:
    """One grant of a key; `constraints` are the encryption context that must be there (EncryptionContextEquals)."""

    id: str
    grantee_principal: str
    operations: tuple[str, ...] = ("Decrypt", "CreateGrant")
    constraints: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FakeKey:
    """One key of an account and region.

    Attributes:
        policy: its key policy, as text.
        aliases: such as `alias/ebs`.
        readers: other accounts that may describe it and list its grants.
    """

    id: str
    policy: str
    grants: tuple[FakeKeyGrant, ...] = ()
    manager: Literal["CUSTOMER", "AWS"] = "CUSTOMER"
    state: str = "Enabled"
    aliases: tuple[str, ...] = ()
    description: str = ""
    readers: frozenset[str] = frozenset()


def key_policy(*statements: dict[str, object]) -> str:
    """Return a key policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def admitting(principal: str, *actions: str) -> dict[str, object]:
    """Return a statement that lets an account (by the ARN of its root) or any principal use a key."""
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions or ("kms:*",)), "Resource": "*"}
