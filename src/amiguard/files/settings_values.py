"""How the single values of the settings file are read: text in, core's types out, or a `ValueError` with the mend.

Every function takes what the file holds at one place (text, None, a list or a mapping), and raises `ValueError` if that
is not what it reads.
"""

import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import TypeVar

from amiguard.core.checks.registry import CHECK_IDS
from amiguard.core.exception import AcceptedGrantee, TagSelector, parse_accepted_grantee, parse_tag_selector
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, Trustee, parse_trustee
from amiguard.files.yaml_tree import KeyPath

VERSION = "1"
RULE_ID = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
OTHER_RULE_ID = "AMI-BlockPublicAccess"
"""The rule id of the other check: two rules with one id would have checks with one id."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8}(?:[0-9a-f]{9})?")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")


class MistakesWithin(ValueError):  # noqa: N818 - it carries mistakes, as an ExceptionGroup carries exceptions
    """Several mistakes inside one value, each with its place below that value."""

    def __init__(self, placed: Sequence[tuple[KeyPath, str]]) -> None:
        super().__init__("; ".join(message for _, message in placed))
        self.placed = tuple(placed)


def found(value: object) -> str:
    """What stands in the file, for messages."""
    match value:
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "keys"
        case _:
            return "text"


def read_text(value: object) -> str:
    """Text that says something."""
    text = text_of(value, "text")
    if not text.strip():
        raise ValueError("is blank: write something")
    return text


def read_version(value: object) -> int:
    """The version of the file's form."""
    if text_of(value, "a number") != VERSION:
        raise ValueError(f"this amiguard reads version {VERSION}: write `version: {VERSION}`")
    return int(VERSION)


def read_rule_id(value: object) -> str:
    """A rule id of Conformity; a colon would end it within the ids of checks."""
    text = text_of(value, "a rule id")
    if not re.fullmatch(RULE_ID, text):
        raise ValueError("a rule id has 1 to 64 letters, digits, dots, underscores and dashes: CUSTOM-001")
    if text == OTHER_RULE_ID:
        raise ValueError("is the rule id of the check ami-block-public-access: choose another one")
    return text


def read_day(value: object) -> date:
    """A day, YYYY-MM-DD."""
    text = text_of(value, "a day, YYYY-MM-DD")
    if not _DAY.fullmatch(text):
        raise ValueError("expected a day, YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"the calendar has no day {text}") from error


def read_account(value: object) -> TrustedAccount:
    """An account id."""
    return _one_of(value, TrustedAccount, "a 12-digit account id")


def read_organization(value: object) -> TrustedOrganization:
    """An organization: id, ARN or `own`."""
    return _one_of(value, TrustedOrganization, "an organization (o-..., its ARN, or own)")


def read_unit(value: object) -> TrustedUnit:
    """An organizational unit: `o-.../ou-...`, ARN, or a bare `ou-...` of the own organization."""
    return _one_of(value, TrustedUnit, "a unit (o-.../ou-..., or its ARN)")


def read_accepted(value: object) -> AcceptedGrantee:
    """A grantee that an exception accepts."""
    if value == "any":
        raise ValueError("to accept whoever the image is shared with, write `grantees: any`, without a list")
    return parse_accepted_grantee(text_of(value, "everyone, an account id, an organization or a unit"))


def read_image_id(value: object) -> str:
    """An image id."""
    text = text_of(value, "an image id")
    if not _IMAGE_ID.fullmatch(text):
        raise ValueError("an image id reads ami-<8 or 17 of 0-9a-f>")
    return text


def read_tag(value: object) -> TagSelector:
    """A tag selector."""
    return parse_tag_selector(text_of(value, "key, key=value or =value"))


def read_account_id(value: object) -> str:
    """An account id, where only its digits matter."""
    expected = "a 12-digit account id"
    trustee = parse_trustee(text_of(value, expected))
    if not isinstance(trustee, TrustedAccount):
        raise ValueError(f"expected {expected}")  # noqa: TRY004 - pydantic collects ValueErrors
    return trustee.account_id


def read_check(value: object) -> str:
    """The id of a check."""
    text = text_of(value, "the name of a check")
    if text not in CHECK_IDS:
        if text == "all":
            raise ValueError("for every check write `checks: all`, without a list")
        close = get_close_matches(text, CHECK_IDS, n=1)
        mend = f", did you mean `{close[0]}`?" if close else f"; known: {', '.join(sorted(CHECK_IDS))}"
        raise ValueError(f"unknown check{mend}")
    return text


def read_region(value: object) -> str:
    """The name of a region."""
    text = text_of(value, "a region")
    if not _REGION.fullmatch(text):
        raise ValueError("expected the name of a region, such as eu-central-1")
    return text


def text_of(value: object, expected: str) -> str:
    """The text at this place; `expected` says what it should be, for the message."""
    if not isinstance(value, str):
        raise ValueError(f"expected {expected}, found {found(value)}")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


_Kind = TypeVar("_Kind", TrustedAccount, TrustedOrganization, TrustedUnit)
_LISTS: dict[type[Trustee], tuple[str, str]] = {
    TrustedAccount: ("an account", "accounts"),
    TrustedOrganization: ("an organization", "organizations"),
    TrustedUnit: ("a unit", "organizational_units"),
}


def _one_of(value: object, kind: type[_Kind], expected: str) -> _Kind:
    trustee = parse_trustee(text_of(value, expected))
    if not isinstance(trustee, kind):
        what, where = _LISTS[type(trustee)]
        raise ValueError(f"expected {expected}, this is {what}: its place is under trust.{where}")  # noqa: TRY004 - as above
    return trustee
