"""Verification of Signature Version 4: the signature is computed again from what arrived."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from .credentials import Credentials
from .replies import AwsProblem
from .wire import HttpRequest

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an `Authorization` header."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: str
    signature: str


def parse_authorization(header: str) -> Authorization | None:
    """Return the parts of the header, or `None` if it is not one of Signature Version 4."""
    algorithm, _, rest = header.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = parts.get("Credential", "").split("/")
    if algorithm != ALGORITHM or len(scope) != 5 or scope[4] != "aws4_request":
        return None
    key, date, region, service, _ = scope
    return Authorization(key, date, region, service, parts.get("SignedHeaders", ""), parts.get("Signature", ""))


@lru_cache(maxsize=4096)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=")[::2] for pair in query.split("&") if pair)
    encoded = sorted((quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def expected_signature(request: HttpRequest, authorization: Authorization, secret: str) -> str:
    """Return the signature that the request must carry, over the headers that it says it signed."""
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n"
        for name in authorization.signed_headers.split(";")
    )
    canonical = "\n".join(
        (
            request.method,
            quote(request.path, safe="/-_.~%"),
            _canonical_query(request.query),
            headers,
            authorization.signed_headers,
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    scope = f"{authorization.date}/{authorization.region}/{authorization.service}/aws4_request"
    moment = request.headers.get("x-amz-date", "")
    text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(secret, authorization.date, authorization.region, authorization.service)
    return hmac.digest(key, text.encode(), "sha256").hex()


def _unsigned(headers: Mapping[str, str], signed: set[str]) -> list[str]:
    """Return the headers that AWS wants signed and that are not."""
    return [name for name in headers if name not in signed and (name == "host" or name.startswith("x-amz-"))]


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise AwsProblem("SignatureDoesNotMatch", "X-Amz-Date is missing or malformed.", 403) from None


def check_token(request: HttpRequest, credentials: Credentials) -> None:
    """Raise `AwsProblem` unless the request carries the session token of the credentials, or none if they have none."""
    if request.headers.get("x-amz-security-token") != credentials.session_token:
        raise AwsProblem("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def verify(request: HttpRequest, authorization: Authorization, credentials: Credentials) -> None:
    """Raise `AwsProblem` unless the request is signed with the credentials, now, and every header that must be."""
    if unsigned := _unsigned(request.headers, set(authorization.signed_headers.split(";"))):
        raise AwsProblem("SignatureDoesNotMatch", f"Headers must be signed: {', '.join(unsigned)}.", 403)
    signed_at = _moment(request.headers.get("x-amz-date", ""))
    if f"{signed_at:%Y%m%d}" != authorization.date:
        raise AwsProblem("SignatureDoesNotMatch", "Date in Credential scope does not match X-Amz-Date.", 403)
    if abs(datetime.now(UTC) - signed_at) > _SKEW:
        raise AwsProblem("RequestExpired", "Request has expired.", 400)
    expected = expected_signature(request, authorization, credentials.secret_access_key)
    if not hmac.compare_digest(expected, authorization.signature):
        raise AwsProblem("SignatureDoesNotMatch", "The request signature does not match the one calculated.", 403)
