"""The faults of the soak: one read in a hundred goes wrong for once, and a few images can never be read."""

import dataclasses
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.fake_ec2 import (
    AwsError,
    Call,
    ContentType,
    DeniedInCode,
    Disconnect,
    DuplicateImages,
    Effect,
    Fault,
    HalfBody,
    Hang,
    HttpReply,
    ListingEffect,
    MalformedXml,
    SlowDrip,
    Stall,
    TruncatedXml,
    WrongImageId,
)
from benchmarks.fake_ec2.pages import Page
from benchmarks.fake_ec2.replies import Reply
from benchmarks.fake_ec2.store import Store
from benchmarks.observe import READ

LIST: Final = "DescribeImages"
_HTML: Final = b"<!doctype html><html><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Throttle(AwsError):  # noqa: N818 - no exception, and neither is what it comes from
    """EC2 says that there were too many calls; the fake counts it apart from other errors, by the name of the class."""

    code: str = "RequestLimitExceeded"
    status: int = 503


_PASSING: Final[tuple[Effect, ...]] = (
    AwsError("InternalError", status=500),
    AwsError("ServiceUnavailable", status=503),
    HttpReply(502, _HTML, "text/html"),
    HttpReply(503),
    HttpReply(200, _HTML, "text/html"),
    HttpReply(200),
    Throttle(),
    Disconnect(),
    Disconnect(reset=False),
    HalfBody(),
    TruncatedXml(),
    MalformedXml(),
    WrongImageId(),
    ContentType(),
    SlowDrip(size=40, interval=0.1),
)
_SILENCE: Final[tuple[Effect, ...]] = (Hang(), Stall())


@dataclass(frozen=True, slots=True)
class ShortPage(ListingEffect):
    """A page with fewer items than there is room for, though more follow, as EC2 may send it."""

    keep: int = 10

    def page(self, page: Page) -> Page:
        """Cut the page, and let the next begin where it ends."""
        if len(page.items) <= self.keep:
            return page
        return dataclasses.replace(page, items=page.items[: self.keep], next=page.start + self.keep)


_LISTING: Final[tuple[Effect, ...]] = (
    ShortPage(),
    DuplicateImages(7),
    AwsError("InternalError", status=500),
    Disconnect(),
    TruncatedXml(),
)
_EXPIRED: Final = AwsError("ExpiredToken")


@dataclass(frozen=True, slots=True)
class AboutSome(Effect):
    """Another effect, on calls about some images only; that effect must be a reply in place of the right one."""

    effect: Effect
    image_ids: frozenset[str]

    def concerns(self, call: Call) -> bool:
        """Leave calls about other images alone."""
        return not self.image_ids.isdisjoint(call.image_ids)

    def instead(self, call: Call, store: Store) -> Reply | None:
        """Answer as the effect does."""
        return self.effect.instead(call, store)


@dataclass(frozen=True, slots=True)
class Weather:
    """How much goes wrong.

    Attributes:
        every: one read of a permission in so many is struck, and the next try is not.
        listing_every: one page of a listing in so many; pages are few, so it is more of them.
        silent_every: after so many reads no answer comes, or half of one; 0 for never. That is seldom, because the
            program waits a minute for it, and does not go on to the region's next thousand images before.
        expired_every: after so many reads, the credentials are refused as expired.
        seed: what the order of the faults depends on.
    """

    every: int = 100
    listing_every: int = 10
    silent_every: int = 8_000
    expired_every: int = 15_000
    seed: int = 1

    def faults(self, broken: frozenset[str], refused: frozenset[str]) -> tuple[Fault, ...]:
        """Return the rules for the fake.

        Args:
            broken: images about which there is never an answer but 503.
            refused: images about which the caller is never told anything.
        """
        rng = random.Random(self.seed)
        return (
            Fault(AboutSome(AwsError("ServiceUnavailable", status=503), broken), action=READ),
            Fault(AboutSome(DeniedInCode(), refused), action=READ),
            Fault(_EXPIRED, action=READ, every=self.expired_every),
            *(_in_turn(_SILENCE, READ, self.silent_every, rng.shuffle) if self.silent_every else ()),
            *_in_turn(_PASSING, READ, self.every, rng.shuffle),
            *_in_turn(_LISTING, LIST, self.listing_every, rng.shuffle),
        )


def _in_turn(
    effects: Sequence[Effect], action: str, every: int, shuffle: Callable[[list[int]], None]
) -> tuple[Fault, ...]:
    """Return rules that strike one call of an action in `every`, with one effect after the other."""
    turns = list(range(len(effects)))
    shuffle(turns)
    round_of_all = every * len(effects)
    # Each rule begins as if part of its round had passed already, so that the first strikes after `every` calls.
    return tuple(
        Fault(effect, action=action, skip=every * (turn + 1) - round_of_all, every=round_of_all)
        for turn, effect in zip(turns, effects, strict=True)
    )
