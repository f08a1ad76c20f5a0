"""What a fault does. A new effect is a new frozen dataclass here that overrides one method of `Effect`.

The methods are asked in this order: `concerns`, `instead`, `page` (of listings, but for those of Organizations),
`after`, `deliver`.
"""

import asyncio
import dataclasses
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .calls import Call
from .pages import Page
from .replies import JSON_SERVICES, JSON_TYPE, XML_TYPE, Reply, failure
from .store import Store

_NEVER_SENT: Final = Reply(200, b"")
LISTINGS: Final = frozenset(
    {
        "DescribeImages",
        "DescribeImageUsageReportEntries",
        "DescribeImageUsageReports",
        "DescribeSnapshots",
        "ListGrants",
        "ListImagesInRecycleBin",
        "LookupEvents",
    }
)
"""The actions whose pages `Effect.page` changes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply on its way out. `done` must be called when it is out and the connection goes on."""

    transport: asyncio.Transport
    head: bytes
    body: bytes
    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """No effect at all: the call is answered as it should be."""

    def concerns(self, call: Call) -> bool:  # noqa: ARG002 - for those that override it
        """Return whether there is anything to do to such a call; if not, the call is none that a fault matches."""
        return True

    def instead(self, call: Call, store: Store) -> Reply | None:  # noqa: ARG002 - for those that override it
        """Return the reply that takes the place of the action's, or `None`; may change the store."""
        return None

    def page(self, page: Page) -> Page:
        """Return the page to answer with."""
        return page

    def after(self, call: Call, reply: Reply) -> Reply:  # noqa: ARG002 - for those that override it
        """Return what becomes of the finished reply."""
        return reply

    def deliver(self, delivery: Delivery) -> None:
        """Put the reply on the wire."""
        delivery.transport.write(delivery.head + delivery.body)
        delivery.done()


@dataclass(frozen=True, slots=True)
class AwsError(Effect):
    """An error in the shape of the service; with `acts`, what was asked for is done all the same."""

    code: str
    message: str = "Injected by the fake."
    status: int = 400
    acts: bool = False

    def instead(self, call: Call, store: Store) -> Reply | None:  # noqa: ARG002
        """Answer with the error."""
        return None if self.acts else failure(call.service, self.code, self.message, self.status)

    def after(self, call: Call, reply: Reply) -> Reply:  # noqa: ARG002
        """Answer with the error although it was done."""
        return failure(call.service, self.code, self.message, self.status)


@dataclass(frozen=True, slots=True)
class Denied(Effect):
    """The caller's policies do not allow it: the error with which the service says so."""

    def instead(self, call: Call, store: Store) -> Reply | None:
        """Answer with the error, and name the caller and the action."""
        if call.service in JSON_SERVICES:
            code, status = "AccessDeniedException", 400
        else:
            code, status = ("UnauthorizedOperation" if call.service == "ec2" else "AccessDenied"), 403
        caller = store.caller_arn(call.account_id, call.access_key_id)
        message = f"User: {caller} is not authorized to perform: {call.service}:{call.action}"
        return failure(call.service, code, message, status)


@dataclass(frozen=True, slots=True)
class HttpReply(Effect):
    """Any HTTP answer: a 502 of a proxy, an HTML page with status 200, an empty body."""

    status: int
    body: bytes = b""
    content_type: str = XML_TYPE

    def instead(self, call: Call, store: Store) -> Reply | None:  # noqa: ARG002
        """Answer with the status and the body."""
        return Reply(self.status, self.body, self.content_type)


@dataclass(frozen=True, slots=True)
class Vanish(Effect):
    """The images that the call names are deregistered just before it is answered."""

    def instead(self, call: Call, store: Store) -> Reply | None:
        """Drop the images and let the action answer."""
        for image_id in call.image_ids:
            store.drop_image(call.account_id, call.region, image_id)
        return None


@dataclass(frozen=True, slots=True)
class ListingEffect(Effect):
    """An effect on the pages of listings only, but for those of Organizations."""

    def concerns(self, call: Call) -> bool:
        """Leave all other actions alone."""
        return call.action in LISTINGS


@dataclass(frozen=True, slots=True)
class EmptyPage(ListingEffect):
    """A page without items whose token leads to the items that it should have held."""

    def page(self, page: Page) -> Page:
        """Empty the page."""
        return Page((), page.start, page.start)


@dataclass(frozen=True, slots=True)
class DuplicateImages(ListingEffect):
    """The next page begins `count` items too early; `count` must be less than a page."""

    count: int = 1

    def page(self, page: Page) -> Page:
        """Move the start of the next page back."""
        return page if page.next is None else dataclasses.replace(page, next=page.next - self.count)


@dataclass(frozen=True, slots=True)
class EndlessToken(ListingEffect):
    """The listing never ends: after the last item come empty pages with tokens, all of them different.

    With `same`, the last page comes again and again instead, with the token that led to it.
    """

    same: bool = False

    def page(self, page: Page) -> Page:
        """Give the page a token if it has none."""
        if page.next is not None:
            return page
        return dataclasses.replace(page, next=page.start if self.same else page.start + len(page.items) + 1)


@dataclass(frozen=True, slots=True)
class ListedAs(ListingEffect):
    """The listing says something else about one image than is true."""

    image_id: str
    public: bool | None = None
    state: str | None = None

    def concerns(self, call: Call) -> bool:
        """Leave all other listings alone."""
        return call.action == "DescribeImages"

    def page(self, page: Page) -> Page:
        """Change the image in the page, if it is there."""
        changes = {name: value for name in ("public", "state") if (value := getattr(self, name)) is not None}
        images = tuple(
            (owner, dataclasses.replace(image, **changes) if image.id == self.image_id else image)
            for owner, image in page.items
        )
        return dataclasses.replace(page, items=images)


@dataclass(frozen=True, slots=True)
class Rewrite(Effect):
    """The body is changed by a function; the length in the head fits the changed body."""

    change: Callable[[bytes], bytes]

    def after(self, call: Call, reply: Reply) -> Reply:  # noqa: ARG002
        """Change the body."""
        return dataclasses.replace(reply, body=self.change(reply.body))


@dataclass(frozen=True, slots=True)
class WrongImageId(Effect):
    """The reply is about another image than the call."""

    image_id: str = "ami-0ddba11000000000f"

    def after(self, call: Call, reply: Reply) -> Reply:
        """Put the other id in the place of the right ones."""
        body = reply.body
        for image_id in call.image_ids:
            body = body.replace(image_id.encode(), self.image_id.encode())
        return dataclasses.replace(reply, body=body)


@dataclass(frozen=True, slots=True)
class TruncatedXml(Effect):
    """The body ends too early, and its length in the head fits: only the XML tells."""

    keep: float = 0.5

    def after(self, call: Call, reply: Reply) -> Reply:  # noqa: ARG002
        """Cut the body to a share of its bytes."""
        return dataclasses.replace(reply, body=reply.body[: int(len(reply.body) * self.keep)])


@dataclass(frozen=True, slots=True)
class MalformedXml(Effect):
    """The last closing tag does not match, or the last bracket of JSON."""

    def after(self, call: Call, reply: Reply) -> Reply:  # noqa: ARG002
        """Break the end."""
        if reply.content_type == JSON_TYPE:
            return dataclasses.replace(reply, body=reply.body[:-1] + b"]")
        start = reply.body.rindex(b"</")
        return dataclasses.replace(reply, body=reply.body[:start] + b"</mismatch>")


@dataclass(frozen=True, slots=True)
class Disconnect(Effect):
    """The connection ends before the reply: with a reset, or with an ordinary end of stream.

    Without `acts` it ends before anything was done.
    """

    reset: bool = True
    acts: bool = True

    def instead(self, call: Call, store: Store) -> Reply | None:  # noqa: ARG002
        """Take the place of the action, unless it is to be done."""
        return None if self.acts else _NEVER_SENT

    def deliver(self, delivery: Delivery) -> None:
        """Send nothing and hang up."""
        if self.reset:
            # Closing a socket that lingers for no time sends RST instead of FIN.
            option = struct.pack("ii", 1, 0)
            delivery.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        delivery.transport.abort()


@dataclass(frozen=True, slots=True)
class HalfBody(Effect):
    """The head promises the whole body, half of it comes, then the connection ends."""

    keep: float = 0.5

    def deliver(self, delivery: Delivery) -> None:
        """Send the head and a share of the body, and hang up."""
        delivery.transport.write(delivery.head + delivery.body[: int(len(delivery.body) * self.keep)])
        delivery.transport.close()


@dataclass(frozen=True, slots=True)
class Hang(Effect):
    """No answer ever comes; the connection stays open. Without `acts`, nothing was done either."""

    acts: bool = True

    def instead(self, call: Call, store: Store) -> Reply | None:  # noqa: ARG002
        """Take the place of the action, unless it is to be done."""
        return None if self.acts else _NEVER_SENT

    def deliver(self, delivery: Delivery) -> None:
        """Do nothing, not even finish."""


@dataclass(frozen=True, slots=True)
class SlowDrip(Effect):
    """The reply comes `size` bytes at a time, every `interval` seconds."""

    size: int = 64
    interval: float = 0.01

    def deliver(self, delivery: Delivery) -> None:
        """Send the first drop now and plan the others."""
        self._drip(delivery, delivery.head + delivery.body)

    def _drip(self, delivery: Delivery, rest: bytes) -> None:
        if delivery.transport.is_closing():
            return
        delivery.transport.write(rest[: self.size])
        if len(rest) > self.size:
            asyncio.get_running_loop().call_later(self.interval, self._drip, delivery, rest[self.size :])
        else:
            delivery.done()


@dataclass(frozen=True, slots=True)
class Delay(Effect):
    """The reply comes `seconds` later than it should."""

    seconds: float

    def deliver(self, delivery: Delivery) -> None:
        """Wait, then send."""
        asyncio.get_running_loop().call_later(self.seconds, Effect.deliver, self, delivery)
