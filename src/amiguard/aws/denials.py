"""What EC2's encoded refusals say, where the caller may know it: sts:DecodeAuthorizationMessage.

Source: STS API Reference, DecodeAuthorizationMessage: whether the denial was explicit, who asked, for what, on which
resource. It is a kindness, and nothing depends on it: a message that cannot be decoded is explained without.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from amiguard.aws.errors import DENIED, ApiError

_DECODE_ERRORS = (BotoCoreError, ClientError, ResponseParserError, ValueError, KeyError)
"""What asking STS can end with: not permitted, mostly."""
_ENCODED = re.compile(r"Encoded authorization failure message:\s*(\S+)")
_LONGEST_CODE = 10_240
"""STS API Reference: the most characters that it takes."""
_MOST_DECODED = 20
"""Messages a run: ten thousand images that are denied are denied for one reason."""
_MOST_STATEMENTS = 3
_LONGEST_NAME = 200


class Denials:
    """Decodes the first refusal of each caller, region and action; later ones of the same get the same hint.

    Args:
        decode: asks STS with the credentials that were refused; it blocks, and raises botocore's errors.
    """

    def __init__(self, decode: Callable[[ReadOnlyCredentials, str], str]) -> None:
        self._decode = decode
        self._hints: dict[tuple[str, str, str], asyncio.Task[str | None]] = {}

    async def explained(
        self, error: ApiError, iam_action: str, credentials: ReadOnlyCredentials, region: str
    ) -> ApiError:
        """The error, with what its encoded message says as a hint if it has one that can be decoded.

        Args:
            error: AWS's final word.
            iam_action: what was refused, as IAM names it.
            credentials: who was refused.
            region: where.
        """
        found = _ENCODED.search(error.message) if error.code in DENIED else None
        if found is None or len(found[1]) > _LONGEST_CODE:
            return error
        key = (credentials.access_key, region, iam_action)
        if key not in self._hints:
            if len(self._hints) == _MOST_DECODED:
                return error
            self._hints[key] = asyncio.create_task(self._hint(credentials, found[1], iam_action))
        hint = await asyncio.shield(self._hints[key])  # who waits for it may be cancelled, and the others not
        return error if hint is None else replace(error, hint=hint)

    async def _hint(self, credentials: ReadOnlyCredentials, encoded: str, iam_action: str) -> str | None:
        try:
            return read_denial(await asyncio.to_thread(self._decode, credentials, encoded), iam_action)
        except _DECODE_ERRORS:
            return None


def read_denial(decoded: str, iam_action: str) -> str | None:
    """What would mend a refusal, by its decoded message; None if it is of another shape.

    Args:
        decoded: the JSON text.
        iam_action: what was refused.
    """
    try:
        told = json.loads(decoded)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    context = _mapping(told.get("context"))
    caller = _name(_mapping(context.get("principal")).get("arn")) or "the caller"
    # The API Reference shows texts where AWS sends booleans.
    if told.get("explicitDeny") in (True, "true"):
        items = _mapping(told.get("matchedStatements")).get("items")
        names = [_name(_mapping(one).get("statementId")) for one in items] if isinstance(items, list) else []
        statements = ", ".join([name for name in names if name][:_MOST_STATEMENTS])
        which = f" (statement {statements})" if statements else ""
        return f"a policy explicitly denies {iam_action} to {caller}{which}: no grant overrides that, change the policy"
    resource = _name(context.get("resource"))
    return f"grant {iam_action}{f' on {resource}' if resource else ''} to {caller}: no policy allows it"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: object) -> str:
    return value[:_LONGEST_NAME] if isinstance(value, str) else ""
