"""What the fake answers, before it is put on the wire: outputs and errors in the protocol of the service."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from .serialize import check_members, render_xml, service_model

XML_TYPE: Final = "text/xml;charset=UTF-8"
JSON_TYPE: Final = "application/x-amz-json-1.1"
JSON_SERVICES: Final = frozenset({"cloudtrail", "kms", "organizations"})
"""The services that speak JSON 1.1; the others speak XML."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = XML_TYPE


class AwsProblem(Exception):  # noqa: N818 - AWS's own error, an answer rather than a failure of the fake
    """An error that AWS answers with: its code, its message and its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)
        self.code, self.message, self.status = code, message, status


def next_request_id() -> str:
    """Return an id shaped like those of AWS, unique in this process."""
    return f"{next(_numbers):08x}-fa4e-4ec2-8000-000000000000"


def success(service: str, action: str, output: Mapping[str, Any]) -> Reply:
    """Return the reply that carries `output`, whose members are named as in botocore's model."""
    if service in JSON_SERVICES:
        check_members(service_model(service).operation_model(action).output_shape, output)
        return Reply(200, json.dumps(output, default=_in_json).encode(), JSON_TYPE)
    return Reply(200, render_xml(service, action, output, next_request_id()))


def _in_json(value: object) -> float:
    """Write a time as the protocol does: in seconds since 1970. Nothing else needs help."""
    if not isinstance(value, datetime):
        raise TypeError(repr(value))
    return value.timestamp()


def failure(service: str, code: str, message: str, status: int) -> Reply:
    """Return an error in the shape that the service gives to its errors; unknown services get EC2's."""
    request_id = next_request_id()
    if service in JSON_SERVICES:
        # Services differ in how they write it, and clients take both.
        member = "Message" if service == "organizations" else "message"
        return Reply(status, json.dumps({"__type": code, member: message}).encode(), JSON_TYPE)
    detail = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "sts":
        side = "Sender" if status < 500 else "Receiver"
        namespace = service_model("sts").metadata["xmlNamespace"]
        body = (
            f'<ErrorResponse xmlns="{namespace}"><Error><Type>{side}</Type>{detail}</Error>'
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    else:
        body = f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    return Reply(status, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode())
