"""One connection of a client: bytes in, bytes out, kept alive, one request at a time."""

import asyncio
import contextlib
from typing import cast

from .effects import Delivery
from .service import Answer, Service
from .wire import head_of, take_request


class Connection(asyncio.Protocol):
    """Answers the requests of one client `latency` seconds after each came; joins and leaves `connections`."""

    def __init__(self, service: Service, latency: float, connections: "set[Connection]") -> None:
        self._service, self._latency, self._connections = service, latency, connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._service.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        """Forget the transport, and whatever was being answered."""
        self._transport = None
        self._connections.discard(self)
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Collect bytes until they make a request."""
        self._buffer += data
        self._next()

    def abort(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        if self._answer is not None or (request := take_request(self._buffer)) is None:
            return
        answer = self._answer = self._service.answer(request)
        if self._latency and answer.call is not None:
            asyncio.get_running_loop().call_later(self._latency, self._deliver, answer)
        else:
            self._deliver(answer)

    def _deliver(self, answer: Answer) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        delivery = Delivery(transport, head_of(answer.reply), answer.reply.body, self._done)
        # A client that hung up in the meantime is no error of the fake.
        with contextlib.suppress(ConnectionError):
            answer.effect.deliver(delivery)

    def _done(self) -> None:
        self._leave()
        if self._buffer:
            # Not called directly, so that a client which sends many requests at once cannot exhaust the stack.
            asyncio.get_running_loop().call_soon(self._next)

    def _leave(self) -> None:
        if self._answer is not None and self._answer.call is not None:
            self._service.stats.left(self._answer.call)
        self._answer = None
