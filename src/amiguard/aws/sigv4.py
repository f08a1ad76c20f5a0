"""Signature Version 4 for the hot reads: botocore's own result with the key and the day's strings kept.

Source: AWS General Reference, "Create a signed AWS API request". A test holds every header equal to
`botocore.auth.SigV4Auth`; signing was a fifth of botocore's cost a call.
"""

import hashlib
import hmac
import time
from urllib.parse import urlsplit

from botocore.credentials import ReadOnlyCredentials
from botocore.utils import normalize_url_path, percent_encode

CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Signer:
    """Signs form-encoded POST requests to one endpoint.

    Args:
        url: the endpoint, a path included if it has one; no query.
        service: the signing name (`ec2`).
        region: the signing region.
    """

    def __init__(self, url: str, *, service: str, region: str) -> None:
        parts = urlsplit(url)
        port = parts.port
        self.host = parts.hostname or ""
        if ":" in self.host:
            self.host = f"[{self.host}]"
        if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
            self.host = f"{self.host}:{port}"
        self._path = percent_encode(normalize_url_path(parts.path), safe="/~")
        self._service = service
        self._region = region
        self._second = -1
        self._stamp = ""
        self._key_of: tuple[str, str] = ("", "")
        self._key = b""

    def headers(self, body: bytes, credentials: ReadOnlyCredentials, now: float) -> dict[str, str]:
        """The headers of one signed request.

        Args:
            body: the form-encoded parameters.
            credentials: frozen credentials; the session token is signed too.
            now: seconds since the epoch.
        """
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._second))
        stamp, day = self._stamp, self._stamp[:8]
        token = credentials.token
        token_line, token_name = (f"x-amz-security-token:{token}\n", ";x-amz-security-token") if token else ("", "")
        signed = f"content-type;host;x-amz-date{token_name}"
        canonical = (
            f"POST\n{self._path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{self.host}\nx-amz-date:{stamp}\n{token_line}\n"
            f"{signed}\n{hashlib.sha256(body).hexdigest()}"
        )
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._signing_key(credentials.secret_key, day), to_sign.encode(), "sha256").hex()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Host": self.host,
            "X-Amz-Date": stamp,
            "Authorization": (
                f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={signed}, "
                f"Signature={signature}"
            ),
        }
        if token:
            headers["X-Amz-Security-Token"] = token
        return headers

    def _signing_key(self, secret: str, day: str) -> bytes:
        if self._key_of != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key_of, self._key = (secret, day), key
        return self._key
