"""Further effects: replies that stop in the middle, that are of another kind, or that refuse in an encoded message."""

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .calls import Call
from .context import Context
from .effects import Delivery, Effect, ListingEffect
from .pages import Page
from .replies import JSON_SERVICES, AwsProblem, Reply, failure
from .store import Store

ENCODED: Final = "Encoded authorization failure message: "


@dataclass(frozen=True, slots=True)
class Stall(Effect):
    """The head and a share of the body come, then nothing more; the connection stays open."""

    keep: float = 0.5

    def deliver(self, delivery: Delivery) -> None:
        """Send the beginning, and never finish."""
        delivery.transport.write(delivery.head + delivery.body[: int(len(delivery.body) * self.keep)])


@dataclass(frozen=True, slots=True)
class ContentType(Effect):
    """The reply is as it should be, but its head says that it is of another type."""

    content_type: str = "text/html"

    def after(self, call: Call, reply: Reply) -> Reply:  # noqa: ARG002 - as in `Effect`
        """Change the type."""
        return dataclasses.replace(reply, content_type=self.content_type)


@dataclass(frozen=True, slots=True)
class EmptyObject(Effect):
    """The reply is well formed and has nothing in it: an element of the right name, or a JSON object."""

    def after(self, call: Call, reply: Reply) -> Reply:
        """Leave out the content."""
        if call.service in JSON_SERVICES:
            return dataclasses.replace(reply, body=b"{}")
        return dataclasses.replace(reply, body=f"<{call.action}Response/>".encode())


@dataclass(frozen=True, slots=True)
class AboutAnother(Effect):
    """The reply is about others of the same kind than the call named."""

    def after(self, call: Call, reply: Reply) -> Reply:
        """Change the last character of what was named."""
        body = reply.body
        for one in call.resource_ids:
            body = body.replace(one.encode(), f"{one[:-1]}{'e' if one.endswith('f') else 'f'}".encode())
        return dataclasses.replace(reply, body=body)


@dataclass(frozen=True, slots=True)
class MissingItems(ListingEffect):
    """The last items of a page are left out, and no page brings them."""

    count: int = 1

    def page(self, page: Page) -> Page:
        """Drop them."""
        return dataclasses.replace(page, items=page.items[: max(0, len(page.items) - self.count)])


@dataclass(frozen=True, slots=True)
class Meanwhile(Effect):
    """Something happens to the estate just before the call is answered."""

    happen: Callable[[Store, Call], None]

    def instead(self, call: Call, store: Store) -> Reply | None:
        """Let it happen, and let the action answer."""
        self.happen(store, call)
        return None


@dataclass(frozen=True, slots=True)
class DeniedInCode(Effect):
    """EC2's refusal with an encoded message, which `DecodeAuthorizationMessage` of this fake can read.

    Services that encode nothing refuse in plain words.
    """

    explicit: bool = False

    def instead(self, call: Call, store: Store) -> Reply | None:
        """Answer with the error."""
        caller = store.caller_arn(call.account_id, call.access_key_id)
        if call.service in JSON_SERVICES or call.service != "ec2":
            code = "AccessDeniedException" if call.service in JSON_SERVICES else "AccessDenied"
            message = f"User: {caller} is not authorized to perform: {call.service}:{call.action}"
            return failure(call.service, code, message, 400 if call.service in JSON_SERVICES else 403)
        found = {
            "allowed": False,
            "explicitDeny": self.explicit,
            "matchedStatements": {"items": [{"statementId": "KeepOut", "effect": "DENY"}] if self.explicit else []},
            "failures": {"items": []},
            "context": {
                "principal": {"id": "AIDATEST", "arn": caller},
                "action": f"ec2:{call.action}",
                "resource": f"arn:aws:ec2:{call.region}:{call.account_id}:*",
                "conditions": {"items": []},
            },
        }
        message = f"You are not authorized to perform this operation. {ENCODED}{encode_message(found)}"
        return failure("ec2", "UnauthorizedOperation", message, 403)


def encode_message(found: Mapping[str, Any]) -> str:
    """Return what a refusal says in code."""
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode()


def decode_authorization_message(call: Call, context: Context) -> Mapping[str, Any]:  # noqa: ARG001 - as every action
    """DecodeAuthorizationMessage: return what was encoded, or raise `AwsProblem`."""
    try:
        text = base64.urlsafe_b64decode(call.parameters.get("EncodedMessage", "")).decode()
        json.loads(text)
    except ValueError:
        raise AwsProblem("InvalidAuthorizationMessageException", "The message is invalid.") from None
    return {"DecodedMessage": text}
