"""What a reader of a whole report needs and its summary does not count: one pass over what fails or is unknown."""

from dataclasses import dataclass, field

from amiguard.core.result import Status
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import GrantV1, ImageV1, KindV1, ResultV1


@dataclass(frozen=True, slots=True)
class Example:
    """One image and one of its untrusted grantees, to write commands with."""

    account_id: str
    region: str
    image_id: str
    kind: KindV1
    grantee: str


@dataclass(slots=True)
class Tally:
    """What was met; it grows with the number of different untrusted grantees, not with that of images.

    Attributes:
        public_images: how many fail because everyone may launch them.
        untrusted: the different untrusted grantees, by kind.
        public: the first image that everyone may launch.
        shared: the first image with another untrusted grantee.
        unread: whether a launch permission or a list of images was not read.
        denied: whether AWS said for something unread that it is not permitted.
        undetermined: the kinds of grantees that could not be decided.
        target_messages: (account, region) -> what the result about the whole target says.
    """

    public_images: int = 0
    untrusted: dict[KindV1, set[str]] = field(default_factory=dict)
    public: Example | None = None
    shared: Example | None = None
    unread: bool = False
    denied: bool = False
    undetermined: set[KindV1] = field(default_factory=set)
    target_messages: dict[tuple[str, str], str] = field(default_factory=dict)


def tally(report: Report) -> Tally:
    """Go once through what fails or is unknown, whatever is shown of it."""
    found = Tally()
    for result in report.results(StatusFilter.of((Status.FAIL, Status.UNKNOWN))):
        if result["image"] is None:
            found.target_messages[result["account_id"], result["region"]] = result["message"]
            found.unread = True
            found.denied |= _says_denied(result["message"])
            continue
        if not result["grants"]:
            found.unread = True
            found.denied |= _says_denied(result["message"])
        for grant in result["grants"]:
            if grant["decision"] == "untrusted":
                _count_untrusted(found, result, result["image"], grant)
            elif grant["decision"] == "undetermined":
                found.undetermined.add(grant["kind"])
    return found


def _count_untrusted(found: Tally, result: ResultV1, image: ImageV1, grant: GrantV1) -> None:
    kind, grantee = grant["kind"], grant["grantee"]
    found.untrusted.setdefault(kind, set()).add(grantee)
    if kind == "everyone":
        found.public_images += 1
        found.public = found.public or Example(result["account_id"], result["region"], image["id"], kind, grantee)
    else:
        found.shared = found.shared or Example(result["account_id"], result["region"], image["id"], kind, grantee)


def _says_denied(message: str) -> bool:
    return any(words in message for words in ("not permitted", "service control policy", "sts:AssumeRole"))
