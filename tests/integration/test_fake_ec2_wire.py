"""The fake EC2 below boto3: signatures, and how requests and replies travel."""

import gc
import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fake_ec2 import FakeEc2, FakeImage, credentials_for, single_account
from benchmarks.fake_ec2.serialize import render_xml
from benchmarks.fake_ec2.sigv4 import expected_signature, parse_authorization
from benchmarks.fake_ec2.wire import HttpRequest
from tests.integration.raw_client import ACCOUNT, REGION, RawClient, code_of, sign

IMAGE = FakeImage("ami-00000000000000001")
ESTATE = single_account(IMAGE, account_id=ACCOUNT)
READ = {"Action": "DescribeImageAttribute", "Attribute": "launchPermission", "ImageId": IMAGE.id}

Start = Callable[..., tuple[FakeEc2, RawClient]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a fake and connect to it."""
    with ExitStack() as stack:

        def run(**options: Any) -> tuple[FakeEc2, RawClient]:
            fake = stack.enter_context(FakeEc2(ESTATE, **options))
            return fake, stack.enter_context(closing(RawClient(fake.endpoint_url)))

        yield run


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("session", [False, True])
def test_requests_that_botocore_signs_are_accepted(start: Start, *, method: str, session: bool) -> None:
    fake, client = start()

    assert client.ask(READ, method=method, session=session)[0] == 200
    assert (fake.stats.signatures_checked, fake.stats.signature_failures) == (1, 0)


text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)


@given(
    parameters=st.dictionaries(text, text, max_size=4), session=st.booleans(), method=st.sampled_from(["GET", "POST"])
)
def test_signatures_equal_those_of_botocore(*, parameters: dict[str, str], session: bool, method: str) -> None:
    request = sign("http://127.0.0.1:80", parameters, session=session, method=method)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    headers["host"] = "127.0.0.1"
    authorization = parse_authorization(headers["authorization"])
    assert authorization is not None
    query = urlsplit(request.url).query
    body = (request.data or "").encode()

    secret = credentials_for(ACCOUNT, session=0 if session else None).secret_access_key
    computed = expected_signature(HttpRequest(method, "/", query, headers, body), authorization, secret)

    assert computed == authorization.signature


def tamper_body(request: AWSRequest) -> None:
    request.data = request.data.replace("launchPermission", "launchpermission")


def tamper_token(request: AWSRequest) -> None:
    request.headers.replace_header("X-Amz-Security-Token", "IQoJ/made-up")


def drop_token(request: AWSRequest) -> None:
    del request.headers["X-Amz-Security-Token"]


def sign_without_token(request: AWSRequest) -> None:
    token = request.headers["X-Amz-Security-Token"]
    keys = credentials_for(ACCOUNT, session=0)
    for name in ("X-Amz-Security-Token", "Authorization"):
        del request.headers[name]
    SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key), "ec2", REGION).add_auth(request)
    request.headers["X-Amz-Security-Token"] = token


def use_another_secret(request: AWSRequest) -> None:
    keys = credentials_for(ACCOUNT, session=0)
    del request.headers["Authorization"]
    SigV4Auth(Credentials(keys.access_key_id, "wrong", keys.session_token), "ec2", REGION).add_auth(request)


def change_date(request: AWSRequest) -> None:
    request.headers.replace_header("X-Amz-Date", "20200101T000000Z")


def spoil_date(request: AWSRequest) -> None:
    request.headers.replace_header("X-Amz-Date", "today")


@pytest.mark.parametrize(
    "change", [tamper_body, tamper_token, drop_token, sign_without_token, use_another_secret, change_date, spoil_date]
)
def test_a_wrong_signature_is_refused_and_counted(start: Start, change: Callable[[AWSRequest], None]) -> None:
    fake, client = start()
    request = sign(client.url, READ, session=True)
    change(request)

    client.send(request)

    assert code_of(client.receive()) == (401, "AuthFailure")
    assert fake.stats.signature_failures == 1


def test_an_old_signature_has_expired(start: Start) -> None:
    _, client = start()
    request = sign(client.url, READ)
    scope = request.headers["X-Amz-Date"][:8]
    stale = f"{scope}T000000Z" if request.headers["X-Amz-Date"][9:11] >= "12" else f"{scope}T235959Z"
    request.headers.replace_header("X-Amz-Date", stale)

    client.send(request)

    assert code_of(client.receive()) == (400, "RequestExpired")


def test_every_nth_signature_is_checked(start: Start) -> None:
    fake, client = start(verify_every=3)
    for _ in range(7):
        client.ask(READ)

    assert fake.stats.signatures_checked == 2


@pytest.mark.parametrize(
    "header", [None, "Basic abc", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/1/2/3/aws4_request"]
)
def test_requests_without_a_known_key_are_refused(start: Start, header: str | None) -> None:
    fake, client = start()
    request = sign(client.url, READ)
    del request.headers["Authorization"]
    if header is not None:
        request.headers["Authorization"] = header

    client.send(request)

    assert code_of(client.receive()) == (401, "AuthFailure")
    assert fake.stats.signature_failures == 1


def test_an_action_that_the_fake_lacks(start: Start) -> None:
    _, client = start()

    assert code_of(client.ask({"Action": "TerminateInstances"})) == (400, "InvalidAction")


def test_requests_wait_for_the_latency_and_are_counted_while_they_wait(start: Start) -> None:
    fake, first = start(latency=0.05)
    with closing(RawClient(fake.endpoint_url)) as second, closing(RawClient(fake.endpoint_url)) as third:
        clients = (first, second, third)
        for client in clients:
            client.send(sign(client.url, READ))
        assert [client.receive()[0] for client in clients] == [200, 200, 200]

    assert fake.stats.max_in_flight == {(ACCOUNT, REGION): 3}
    assert fake.stats.connections == 3
    assert [call.image_ids for call in fake.stats.recent] == [[IMAGE.id]] * 3


def test_requests_may_arrive_in_pieces_and_many_at_once(start: Start) -> None:
    _, client = start()
    client.connection.connect()
    request = sign(client.url, READ)
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    host, length = urlsplit(client.url).netloc, len(request.data)
    raw = f"POST / HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{request.data}".encode()
    for piece in (raw[:10], raw[10:-20], raw[-20:] + raw + raw):
        client.connection.sock.sendall(piece)

    with client.connection.sock.makefile("rb") as stream:
        for _ in range(3):
            reply = http.client.HTTPResponse(_Stream(stream))  # type: ignore[arg-type]
            reply.begin()
            assert (reply.status, b"<launchPermission/>" in reply.read()) == (200, True)


class _Stream:
    """What http.client wants of a socket, without closing the file after each reply."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> Any:
        stream = self._stream

        class Unclosed:
            read, readline, readinto, flush = stream.read, stream.readline, stream.readinto, stream.flush

            def close(self) -> None:
                """Leave it open."""

        return Unclosed()


def test_a_member_that_the_model_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError):
        render_xml("ec2", "DescribeImageAttribute", {"LaunchPermission": []}, "id")


def test_a_connection_that_comes_as_the_fake_stops_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)

    def connect(port: int, kept: ExitStack) -> None:
        with suppress(OSError):  # by now it has stopped
            for _ in range(6):
                kept.enter_context(socket.create_connection(("127.0.0.1", port)))

    for _ in range(10):
        with ExitStack() as kept:
            with FakeEc2(ESTATE) as fake:
                coming = threading.Thread(target=connect, args=(urlsplit(fake.endpoint_url).port, kept))
                coming.start()
            coming.join()
    gc.collect()
    assert left == []


def test_the_fake_as_a_process() -> None:
    command = [sys.executable, "-m", "benchmarks.fake_ec2", "--regions", "1", "--images", "100", "--bucket", "1+0"]
    listing = {"Action": "DescribeImages", "Owner.1": "self"}
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with closing(RawClient(process.stdout.readline().strip())) as client:
            status, body = client.ask(listing, account_id="100000000000")
            assert (status, body.count("<imageId>")) == (200, 100)
            assert code_of(client.ask(listing, account_id="100000000000")) == (503, "RequestLimitExceeded")
            stats = json.loads(client.fetch("GET", "/_stats")[1])
            assert (stats["calls"], stats["throttled"]) == ({"DescribeImages": 2}, {"DescribeImages": 1})
            client.fetch("POST", "/_reset")
            assert json.loads(client.fetch("GET", "/_stats")[1])["calls"] == {}
        process.stdin.close()
        assert process.wait(10) == 0
