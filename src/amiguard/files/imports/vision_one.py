"""Vision One Cloud Risk Management: scan rules of an account, page by page, and profiles.

The envelopes are those that terraform-provider-vision-one reads (`pkg/dto/cloud_risk_management/scan_rule.go`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amiguard.core.errors import InputError
from amiguard.files.imports.record import Found, Place, Value, shown
from amiguard.files.imports.rule import Rule, read_rule

_TOOL = "Vision One"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing, and whether another one follows it."""

    place: Place
    goes_on: bool


def fits(data: Value) -> bool:
    """Whether this is a page of scan rules, an array of such pages, or a profile."""
    if isinstance(data, list):
        return bool(data) and all(isinstance(one, dict) and _is_page(one) for one in data)
    return isinstance(data, dict) and (_is_page(data) or isinstance(data.get("scanRules"), list))


def read(found: Found, data: Value, place: Place) -> tuple[list[Rule], list[Page]]:
    """All rules of the file, and its pages."""
    if isinstance(data, list):
        rules: list[Rule] = []
        pages: list[Page] = []
        for number, one in enumerate(data):
            more, page = _page(found, one, place.below(number))
            rules += more
            pages += page
        return rules, pages
    return _page(found, data, place)


def check_pages(found: Found, pages: Sequence[Page], *, named: bool) -> None:
    """See that the last page is there: what was not read may disagree with what was.

    Args:
        found: what is added to.
        pages: all pages of all files.
        named: whether `--rule-id` says which rule counts; then a missing page is a loss only.

    Raises:
        InputError: no page is the last one.
    """
    going_on = [page for page in pages if page.goes_on]
    if not going_on:
        return
    if len(going_on) == len(pages):
        missing = "its nextLink names a further page, and no file that was given is the last page"
        if not named:
            raise InputError(
                f"{going_on[-1].place}: {missing}",
                hint="name all pages of the listing in one command, or give --rule-id",
            )
        found.lose(going_on[-1].place, "nextLink", missing)
        return
    found.notice(
        going_on[0].place,
        f"{len(pages)} pages",
        "read as one listing that is whole: its last page is there; pages between cannot be counted",
    )


def _is_page(data: dict[str, Value]) -> bool:
    return isinstance(data.get("items"), list) and ("nextLink" in data or "count" in data)


def _page(found: Found, data: Value, place: Place) -> tuple[list[Rule], list[Page]]:
    if not isinstance(data, dict):
        return [], []
    is_page = _is_page(data)
    key = "items" if is_page else "scanRules"
    name = data.get("name")
    holder = "the scan rules" if is_page else f"profile {shown(name)}" if isinstance(name, str) else "the profile"
    raw = data.get(key)
    rules = [
        read_rule(found, one, place.below(key, number), _TOOL, holder)
        for number, one in enumerate(raw if isinstance(raw, list) else [])
    ]
    pages = [Page(place, goes_on=bool(data.get("nextLink")))] if is_page else []
    return [rule for rule in rules if rule is not None], pages
