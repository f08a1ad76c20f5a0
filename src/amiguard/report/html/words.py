"""Words and texts that the parts of a page share."""

from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size

from amiguard.report.grant_v1 import DecisionV1, KindV1
from amiguard.report.html.survey import Level
from amiguard.report.sanitize import printable

LEVEL_NAMES: dict[Level, str] = {
    "public": "Fail: public",
    "fail": "Fail: shared",
    "unknown": "Unknown",
    "suppressed": "Suppressed",
    "pass": "Pass",
}
LEVEL_MEANINGS: dict[Level, str] = {
    "public": "everyone may launch it",
    "fail": "with a grantee that is not trusted",
    "unknown": "not read, or not decided",
    "suppressed": "accepted by an exception",
    "pass": "trusted grantees only, or not shared",
}
KINDS: dict[KindV1, str] = {
    "everyone": "every AWS account",
    "organization": "organization",
    "organizational_unit": "organizational unit",
    "account": "account",
    "unrecognized": "unrecognized",
}
DECISION_MEANINGS: dict[DecisionV1, str] = {
    "untrusted": "not in the trust policy",
    "undetermined": "could not be decided",
    "excepted": "accepted by an exception",
    "trusted": "in the trust policy",
}


def cut(text: str, cells: int) -> str:
    """The text, fit to be seen, in so many columns at most."""
    # No character gets shorter by being made fit to be seen: the rest of a long text need not be looked at.
    seen = printable(text[: cells + 1])
    if cell_len(seen) <= cells:
        return seen
    return set_cell_size(seen, cells - 1).rstrip() + "\u2026"


def moment(text: str) -> str:
    """An RFC 3339 time in UTC, to the minute; the text itself if it is none."""
    try:
        read = datetime.fromisoformat(text)
        utc = read.astimezone(UTC) if read.tzinfo else read
        return utc.isoformat(" ", timespec="minutes")[:16]
    except (ValueError, OverflowError):
        return cut(text, 40)


def short_grantee(kind: KindV1, grantee: str) -> str:
    """A grantee without what ARNs of one kind have in common: `o-exampleorg/ou-ab12-examples`."""
    if kind == "everyone":
        return "Everyone"
    if kind in {"organization", "organizational_unit"}:
        return grantee.partition("/")[2] or grantee
    return grantee
