"""The kinds of faults, and on which calls each can come."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from benchmarks.fake_ec2 import (
    AboutAnother,
    AwsError,
    Call,
    ContentType,
    DeniedInCode,
    Disconnect,
    DuplicateImages,
    Effect,
    EmptyObject,
    EmptyPage,
    EndlessToken,
    HalfBody,
    Hang,
    HttpReply,
    MalformedXml,
    Meanwhile,
    MissingItems,
    Rewrite,
    SlowDrip,
    Stall,
    TruncatedXml,
    Vanish,
)
from benchmarks.fake_ec2.effects import LISTINGS
from benchmarks.fake_ec2.replies import JSON_SERVICES
from benchmarks.fake_ec2.store import Store
from tests.faults.estate import APPEARED, MEMBER, OWNER, STRANGER, image, snapshot

_HTML: Final = b"<!doctype html><html><body><h1>Sign in to the network</h1></body></html>"
WRITES: Final = frozenset(
    {
        "CreateImageUsageReport",
        "DisableImageBlockPublicAccess",
        "EnableImageBlockPublicAccess",
        "ModifyImageAttribute",
        "ModifySnapshotAttribute",
    }
)
_NAMED: Final = frozenset(
    {
        "DescribeImageAttribute",
        "DescribeImageUsageReportEntries",
        "DescribeImageUsageReports",
        "DescribeKey",
        "DescribeSnapshotAttribute",
        "DescribeSnapshots",
    }
)
"""Replies that say what they are about. Events of CloudTrail name other images too: the source of a copy, say."""


_BY_ROLE: Final = frozenset(
    {
        "DescribeImageAttribute",
        "DescribeImages",
        "DescribeRegions",
        "DescribeSnapshotAttribute",
        "GetImageBlockPublicAccessState",
    }
)


class Family(Enum):
    """The tables of the page, in their order."""

    NETWORK = "The network"
    STATUS = "HTTP errors, from AWS or from something on the way"
    BODY = "Replies with status 200 that are not what was asked for"
    WORD = "AWS's own errors"
    LISTING = "Listings, and what changes while they are read"


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: part of the id of its cells.
        effect: what is done to a call of a service.
        comes_on: tells whether a call can have it.
        burst: how many calls in a row are struck where it does not strike all of them.
        decodable: whether the caller may decode refusals.
        account_id: whose calls are struck where not all of them are.
    """

    name: str
    family: Family
    words: str
    effect: Callable[[str], Effect]
    comes_on: Callable[[str], bool] = lambda call: True
    burst: int = 1
    decodable: bool = True
    account_id: str = OWNER

    @property
    def by_role(self) -> bool:
        """Whether it strikes the account that a role leads into: only the audit of an organization has one."""
        return self.account_id == MEMBER


def _always(effect: Effect) -> Callable[[str], Effect]:
    return lambda service: effect


def _in_words_of(ec2: str, json: str, status: int, json_status: int = 400) -> Callable[[str], Effect]:
    """An error by the code that the service gives it."""
    return lambda service: (
        AwsError(json, status=json_status) if service in JSON_SERVICES else AwsError(ec2, status=status)
    )


def _appear(store: Store, call: Call) -> None:
    new = image(APPEARED, STRANGER)
    if store.image(call.account_id, call.region, new.id) is None:
        store.put_image(call.account_id, call.region, new)
        store.put_snapshot(call.account_id, call.region, snapshot(APPEARED, STRANGER))


def _listing(call: str) -> bool:
    return call in LISTINGS


def _with_status(status: int, code: str) -> tuple[Kind, ...]:
    error = AwsError(code, status=status)
    return (
        Kind(f"{status}-aws", Family.STATUS, f"{status} `{code}`", _always(error)),
        Kind(f"{status}-html", Family.STATUS, f"{status}, HTML", _always(HttpReply(status, _HTML, "text/html"))),
        Kind(f"{status}-empty", Family.STATUS, f"{status}, empty", _always(HttpReply(status))),
    )


KINDS: Final = (
    Kind("silence", Family.NETWORK, "no answer", _always(Hang())),
    Kind("stall", Family.NETWORK, "half an answer, then silence", _always(Stall())),
    Kind("reset", Family.NETWORK, "connection reset", _always(Disconnect())),
    Kind("reset-before", Family.NETWORK, "reset before it acts", _always(Disconnect(acts=False)), WRITES.__contains__),
    Kind("closed", Family.NETWORK, "connection closed", _always(Disconnect(reset=False))),
    Kind("half", Family.NETWORK, "half an answer, then closed", _always(HalfBody())),
    Kind("drip", Family.NETWORK, "slow drip", _always(SlowDrip(size=400, interval=0.0005))),
    *_with_status(500, "InternalError"),
    *_with_status(502, "BadGateway"),
    *_with_status(503, "ServiceUnavailable"),
    Kind(
        "500-done",
        Family.STATUS,
        "500, and done all the same",
        _always(AwsError("InternalError", status=500, acts=True)),
        WRITES.__contains__,
    ),
    Kind("truncated", Family.BODY, "truncated", _always(TruncatedXml())),
    Kind("malformed", Family.BODY, "malformed", _always(MalformedXml())),
    Kind("200-html", Family.BODY, "HTML", _always(HttpReply(200, _HTML, "text/html"))),
    Kind("200-empty", Family.BODY, "empty body", _always(HttpReply(200))),
    Kind("hollow", Family.BODY, "nothing in it", _always(EmptyObject())),
    Kind("type", Family.BODY, "wrong content type", _always(ContentType())),
    Kind("other-id", Family.BODY, "about something else", _always(AboutAnother()), _NAMED.__contains__),
    Kind(
        "throttled",
        Family.WORD,
        "`RequestLimitExceeded`, a burst",
        _in_words_of("RequestLimitExceeded", "ThrottlingException", 503),
        burst=5,
    ),
    Kind("expired", Family.WORD, "expired token", _in_words_of("ExpiredToken", "ExpiredTokenException", 400)),
    Kind(
        "expired-role",
        Family.WORD,
        "expired session of a role",
        _always(AwsError("RequestExpired")),
        _BY_ROLE.__contains__,
        account_id=MEMBER,
    ),
    Kind(
        "skewed",
        Family.WORD,
        "`RequestTimeTooSkewed`",
        _in_words_of("RequestTimeTooSkewed", "RequestTimeTooSkewed", 403),
    ),
    Kind("auth", Family.WORD, "`AuthFailure`", _in_words_of("AuthFailure", "UnrecognizedClientException", 401)),
    Kind("denied", Family.WORD, "denied, encoded message", _always(DeniedInCode())),
    Kind(
        "denied-code",
        Family.WORD,
        "denied, and nobody may decode why",
        _always(DeniedInCode(explicit=True)),
        decodable=False,
    ),
    Kind("opt-in", Family.WORD, "`OptInRequired`", _in_words_of("OptInRequired", "OptInRequired", 403)),
    Kind("duplicate", Family.LISTING, "items twice", _always(DuplicateImages()), _listing),
    Kind("missing", Family.LISTING, "items left out", _always(MissingItems()), _listing),
    Kind("hole", Family.LISTING, "empty pages that go on", _always(EmptyPage()), _listing),
    Kind("endless", Family.LISTING, "endless tokens", _always(EndlessToken()), _listing),
    Kind("circle", Family.LISTING, "the last page again and again", _always(EndlessToken(same=True)), _listing),
    Kind("appears", Family.LISTING, "an image appears", _always(Meanwhile(_appear)), "DescribeImages".__eq__),
    Kind("vanishes", Family.LISTING, "the image vanishes", _always(Vanish()), "DescribeImageAttribute".__eq__),
)
READ_WHOLE: Final = (Rewrite, SlowDrip, ContentType, Meanwhile, DuplicateImages, EndlessToken, MissingItems, EmptyPage)
"""The effects under which what a reply says is true. `Rewrite` is used for signals only: it changes nothing here."""
