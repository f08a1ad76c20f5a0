"""Access keys from which the account can be read, and everything else that follows from a key."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

_ACCESS_KEY: Final = re.compile(r"(AKIA|ASIA)([0-9]{12})[A-Z0-9]{4}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request. `session_token` belongs to `ASIA` keys only."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None

    @property
    def account_id(self) -> str:
        """The account that the key belongs to."""
        return self.access_key_id[4:16]


def credentials_for(account_id: str, *, session: int | None = None) -> Credentials:
    """Return the long-lived credentials of an account, or with `session` (0 to 36**4 - 1) temporary ones."""
    if session is None:
        return _derive(f"AKIA{account_id}USER")
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    suffix = "".join(digits[session // 36**place % 36] for place in (3, 2, 1, 0))
    return _derive(f"ASIA{account_id}{suffix}")


def credentials_of_key(access_key_id: str) -> Credentials | None:
    """Return the credentials with this key id, or `None` for an id that the fake never gives out."""
    return _derive(access_key_id) if _ACCESS_KEY.fullmatch(access_key_id) else None


def _derive(access_key_id: str) -> Credentials:
    digest = hashlib.sha512(access_key_id.encode()).digest()
    # A mark that nothing else has: tests look for it wherever a secret has no business.
    secret = f"S3CRET{base64.b64encode(digest[:30]).decode()}"
    # The slash and the plus of base64 make sure that tokens are sent and signed unharmed.
    token = f"IQoJ/+S3CRET{base64.b64encode(digest).decode()}" if access_key_id.startswith("ASIA") else None
    return Credentials(access_key_id, secret, token)
