"""A client of AWS with nothing between it and the wire but botocore's signer, to see what a fake really sends."""

import http.client
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.fake_ec2 import credentials_for

ACCOUNT, REGION = "111122223333", "us-east-1"

Reply = tuple[int, str]
"""The status and the body."""


def sign(
    url: str,
    parameters: Mapping[str, str],
    *,
    account_id: str = ACCOUNT,
    session: bool = False,
    method: str = "POST",
) -> AWSRequest:
    """A request signed by botocore."""
    keys = credentials_for(account_id, session=0 if session else None)
    form = urlencode({"Version": "2016-11-15", **parameters}, quote_via=quote)
    request = AWSRequest(method, f"{url}/?{form}") if method == "GET" else AWSRequest(method, f"{url}/", data=form)
    if method == "POST":
        request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    signer = SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token), "ec2", REGION)
    signer.add_auth(request)
    return request


class RawClient:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        self.close = self.connection.close

    def send(self, request: AWSRequest) -> None:
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = {name: str(value) for name, value in request.headers.items()}
        self.connection.request(request.method, target, request.data or None, headers)

    def receive(self) -> Reply:
        with self.connection.getresponse() as reply:
            return reply.status, reply.read().decode()

    def fetch(self, method: str, path: str) -> Reply:
        """A request that nobody signed."""
        self.connection.request(method, path)
        return self.receive()

    def ask(self, parameters: Mapping[str, str], **how: Any) -> Reply:
        self.send(sign(self.url, parameters, **how))
        return self.receive()


def code_of(reply: Reply) -> tuple[int, str]:
    """The status and the code of an error."""
    found = re.search("<Code>(.*?)</Code>", reply[1])
    return reply[0], found[1] if found else ""
