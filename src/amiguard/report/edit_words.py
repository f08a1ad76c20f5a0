"""Edits in words: what plans and outcomes call grantees and changes. All of it can be shown as it is."""

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, Edit, LaunchPermissionEdit
from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    GranteeKind,
    Organization,
    OrganizationalUnit,
    Unrecognized,
    grantee_id,
    grantee_kind,
)
from amiguard.core.result import ALL_REGIONS, Target
from amiguard.report.sanitize import printable

_NOUNS = {
    GranteeKind.ACCOUNT: ("account", "accounts"),
    GranteeKind.EVERYONE: ("everyone", "everyone"),
    GranteeKind.ORGANIZATION: ("organization", "organizations"),
    GranteeKind.ORGANIZATIONAL_UNIT: ("organizational unit", "organizational units"),
    GranteeKind.UNRECOGNIZED: ("unrecognized grantee", "unrecognized grantees"),
}
_NAMED = 3
SWITCH = "image block public access"


def counted(number: int, kind: GranteeKind) -> str:
    """`1 account`, `1,203 accounts`."""
    return f"{number:,} {_NOUNS[kind][number != 1]}"


def grantee_words(grantee: Grantee) -> str:
    """`everyone`, `account 111122223333`."""
    noun = _NOUNS[grantee_kind(grantee)][0]
    return noun if isinstance(grantee, Everyone) else f"{noun} {printable(grantee_id(grantee))}"


def grantees_in_sum(grantees: Sequence[Grantee]) -> str:
    """The first three by name, and how many more there are: `everyone, 111122223333, 444455556666 and 2 more accounts`.

    Organizations and units are named by their ids: an ARN would fill the line.
    """
    named = ", ".join(map(_short_name, grantees[:_NAMED]))
    rest = Counter(map(grantee_kind, grantees[_NAMED:]))
    more = ", ".join(f"{number:,} more {_NOUNS[kind][number != 1]}" for kind, number in rest.items())
    return f"{named} and {more}" if more else named


def _short_name(grantee: Grantee) -> str:
    match grantee:
        case Everyone():
            return "everyone"
        case Account(account_id=name) | Organization(organization_id=name) | OrganizationalUnit(unit_id=name):
            return printable(name)
        case Unrecognized(name):
            return printable(name)
        case _:
            assert_never(grantee)


def images_in_sum(image_ids: Sequence[str]) -> str:
    """The first three images that a snapshot is under, and how many more there are."""
    named = ", ".join(map(printable, image_ids[:_NAMED]))
    more = len(image_ids) - _NAMED
    return f"under {named} and {more:,} more" if more > 0 else f"under {named}"


def edit_in_sum(edit: Edit) -> str:
    """`- everyone, 111122223333; + 444455556666`, or the switch before and after."""
    match edit:
        case LaunchPermissionEdit(before=before, after=after) | CreateVolumePermissionEdit(before=before, after=after):
            old, new = set(before), set(after)
            removed = [grantee for grantee in before if grantee not in new]
            added = [grantee for grantee in after if grantee not in old]
            parts = [f"- {grantees_in_sum(removed)}"] if removed else []
            parts += [f"+ {grantees_in_sum(added)}"] if added else []
            return "; ".join(parts) or "no change"
        case BlockPublicAccessEdit(before=before, after=after):
            return f"{before.value} -> {after.value}"
        case _:
            assert_never(edit)


def place(target: Target) -> str:
    """The account and the region."""
    region = "all regions" if target.region == ALL_REGIONS else printable(target.region)
    return f"{printable(target.account_id)}  {region}"
