"""An AWS that answers as it is told to: EC2 below aiohttp, other services in the place of botocore's clients.

Everything runs in the event loop's own thread, so that virtual time stands still during a call.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError

from amiguard.aws.botocore_calls import BotocoreCalls, BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats, Ec2QueryClient, Endpoint
from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.aws.http import Http
from amiguard.aws.pacing import Pacer
from amiguard.core.result import Target

TARGET = Target("111122223333", "us-east-1", "aws")
BEGIN = datetime(2026, 6, 15, 12, tzinfo=UTC)
Query = Mapping[str, str]


def listed(query: Query, member: str) -> tuple[str, ...]:
    """What a Query call names under `Member.1`, `Member.2`, ..."""
    return tuple(value for name, value in query.items() if name.startswith(f"{member}."))


@dataclass(frozen=True)
class Ec2Error(Exception):
    """What an EC2 call ends with."""

    code: str
    message: str = "m"
    status: int = 400


@dataclass(frozen=True)
class RawError(Exception):
    """A reply that is none."""

    content: bytes
    status: int = 200


def refused(code: str, message: str = "m", status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "operation")


def xml(value: object, name: str = "item") -> str:
    """A value as EC2 writes it: mappings as members, sequences as items; None is left out."""
    match value:
        case None:
            return ""
        case Mapping():
            inner = "".join(xml(one, str(member)) for member, one in value.items())
        case list() | tuple():
            inner = "".join(xml(one) for one in value)
        case bool():
            inner = str(value).lower()
        case datetime():
            inner = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


class _Reply:
    def __init__(self, status: int, content: bytes) -> None:
        self.status = status
        self._content = content

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read(self) -> bytes:
        return self._content


class Keys(CredentialSource):
    """Credentials that are there at once."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self.number = 0

    async def current(self) -> ReadOnlyCredentials:
        return ReadOnlyCredentials(f"KEY{self.number}", "secret", None)

    async def renew(self, refused: ReadOnlyCredentials) -> bool:
        self.number += 1
        return True


class InlineThreads(Executor):
    """No threads at all."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


Answer = Callable[[Any], Any]


@dataclass
class PlayedAws:
    """What each call is answered with, by its name; a function is given the parameters, and may raise.

    Attributes:
        calls: name and parameters of each call, in order.
        places: service, region and key of each call by botocore.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    places: list[tuple[str, str, str]] = field(default_factory=list)
    stats: CallStats = field(default_factory=CallStats)
    keys: Keys = field(default_factory=Keys)
    closed: int = 0

    @property
    def counted(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    def asked(self, name: str) -> list[Mapping[str, Any]]:
        return [parameters for one, parameters in self.calls if one == name]

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=asyncio.get_running_loop().time())

    # EC2, as aiohttp's session.
    def post(self, url: str, *, data: bytes, **_: Any) -> _Reply:
        query = dict(parse_qsl(data.decode()))
        action = query.pop("Action")
        try:
            members = self.answer(action, query)
        except Ec2Error as error:
            said = {"Errors": {"Error": {"Code": error.code, "Message": error.message}}}
            return _Reply(error.status, xml(said, "Response").encode())
        except RawError as raw:
            return _Reply(raw.status, raw.content)
        return _Reply(200, xml(members, f"{action}Response").encode())

    def answer(self, name: str, parameters: Mapping[str, Any]) -> Any:
        self.calls.append((name, parameters))
        answer = self.answers[name](parameters)
        if isinstance(answer, Exception):
            raise answer
        return answer

    # Other services, as botocore's clients.
    def connect(self, service: str, region: str, credentials: Credentials) -> Any:
        return _Client(self, service, region, credentials)

    def botocore_calls(self, pacer: Pacer | None = None, target: Target = TARGET) -> BotocoreCalls:
        clients = BotocoreClients(self.connect, InlineThreads())
        return BotocoreCalls(clients, target, self.keys, self.stats, pacer or Pacer({}))

    def query_client(self) -> Ec2QueryClient:
        http = Http(cast("Any", self), asyncio.Semaphore(128))
        return Ec2QueryClient(http, Endpoint("https://ec2.example", TARGET.region), self.keys, self.stats)

    def reader(
        self, *, usage_max_age: timedelta = timedelta(hours=24), pacer: Pacer | None = None
    ) -> Ec2EvidenceReader:
        pacer = pacer or Pacer({})
        client, calls = self.query_client(), self.botocore_calls(pacer)
        return Ec2EvidenceReader(client, calls, TARGET, pacer, usage_max_age=usage_max_age, now=self.now)


class _Client:
    def __init__(self, aws: PlayedAws, service: str, region: str, credentials: Credentials) -> None:
        self._aws, self._service, self._region, self._credentials = aws, service, region, credentials

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in method.split("_"))

        def call(**parameters: Any) -> Any:
            key = self._credentials.get_frozen_credentials().access_key
            self._aws.places.append((self._service, self._region, key))
            return self._aws.answer(operation, parameters)

        return call

    def close(self) -> None:
        self._aws.closed += 1


def in_turn(*answers: Any) -> Answer:
    """Answers one after the other; the last one goes on."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def pages(items: Iterable[Any], size: int, list_name: str) -> Answer:
    """Answers a listing of EC2 page by page."""
    everything = list(items)

    def answer(parameters: Mapping[str, Any]) -> dict[str, Any]:
        start = int(parameters.get("NextToken", 0))
        more = start + size < len(everything)
        return {list_name: everything[start : start + size], "nextToken": str(start + size) if more else None}

    return answer
