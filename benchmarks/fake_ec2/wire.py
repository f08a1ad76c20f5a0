"""HTTP/1.1 as far as AWS clients speak it: requests with a length, replies with a length, kept-alive connections."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_plus

from .replies import Reply

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class HttpRequest:
    """One request as it came; header names are in lower case. Not frozen, because it is made for every call."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def take_request(buffer: bytearray) -> HttpRequest | None:
    """Remove one complete request from the front of the buffer and return it, or `None` if it is not all there."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = buffer[:end].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    total = end + 4 + int(headers.get("content-length", "0"))
    if len(buffer) < total:
        return None
    body = bytes(buffer[end + 4 : total])
    del buffer[:total]
    method, target, _ = lines[0].split(" ", 2)
    path, _, query = target.partition("?")
    return HttpRequest(method, path, query, headers, body)


def parse_form(text: str) -> dict[str, str]:
    """Return the fields of a form-encoded body or query."""
    fields = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        fields[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return fields


def head_of(reply: Reply) -> bytes:
    """Return the status line and the headers of a reply, with the empty line after them."""
    reason = _REASONS.get(reply.status, "Unknown")
    return (
        f"HTTP/1.1 {reply.status} {reason}\r\nServer: AmazonEC2\r\nContent-Type: {reply.content_type}\r\n"
        f"Cache-Control: no-cache, no-store\r\nContent-Length: {len(reply.body)}\r\n\r\n"
    ).encode("latin-1")
