"""What is read of a KMS key: its policy and its grants."""

from dataclasses import dataclass

from amiguard.core.image import Unreadable


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """A grant of a key (ListGrants).

    Attributes:
        operations: KMS's words (`Decrypt`, `CreateGrant`, ...).
        constrained: it has constraints (an encryption context) that must be met.
    """

    grant_id: str
    grantee_principal: str
    operations: tuple[str, ...]
    constrained: bool = False


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key is, and whom it may let in.

    Attributes:
        key_arn: of the key itself, aliases resolved.
        account_id: whose key it is.
        manager: KMS's word: `CUSTOMER` or `AWS`.
        state: KMS's word (`Enabled`, `Disabled`, `PendingDeletion`, ...).
        policy: the key policy (JSON text), or why it could not be read.
        grants: of the key, or why they could not be read, or not to the end.
    """

    key_arn: str
    account_id: str
    manager: str
    state: str
    policy: str | Unreadable
    grants: tuple[KeyGrant, ...] | Unreadable
