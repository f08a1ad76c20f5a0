"""Words of plans: grantees by name, grants by number, and how an image is used.

They hold what AWS returned: neutralise them before they are shown.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import assert_never

from amiguard.core.decision import Decision
from amiguard.core.evidence import UsageEntry
from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    Organization,
    OrganizationalUnit,
    Unrecognized,
    grantee_kind,
)
from amiguard.core.plan import InUse

_ACCOUNTS_NAMED = 3
# EC2 API, DescribeImageUsageReportEntries: `resourceType`.
_RESOURCES = {
    "ec2:Instance": ("instance", "instances"),
    "ec2:LaunchTemplate": ("launch template", "launch templates"),
    "imagebuilder:ImageRecipe": ("image recipe", "image recipes"),
    "imagebuilder:ContainerRecipe": ("container recipe", "container recipes"),
}


def named(grantee: Grantee) -> str:
    """`everyone`, `account 111122223333`, `organization o-...`."""
    match grantee:
        case Everyone():
            return "everyone"
        case Account(account_id):
            return f"account {account_id}"
        case Organization(organization_id=organization_id):
            return f"organization {organization_id}"
        case OrganizationalUnit(organization_id=organization_id, unit_id=unit_id):
            return f"unit {organization_id}/{unit_id}"
        case Unrecognized(text):
            return f"a grant that this version does not know ({text})"
        case _:
            assert_never(grantee)


def grants_counted(decisions: Collection[Decision], verdict: str) -> str:
    """`3 untrusted grants (organization: 1, account: 2)`."""
    kinds = Counter(grantee_kind(one.grantee).value.replace("_", " ") for one in decisions)
    by_kind = ", ".join(f"{kind}: {number}" for kind, number in kinds.items())
    return f"{len(decisions)} {verdict} grant{'' if len(decisions) == 1 else 's'} ({by_kind})"


def minute(moment: datetime) -> str:
    """`2026-11-24 10:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def usage_report(as_of: datetime) -> str:
    """`EC2's usage report of 2026-11-24 10:00 UTC`."""
    return f"EC2's usage report of {minute(as_of)}"


def use_in_words(use: InUse) -> str:
    """`111122223333 uses it: 14 instances, 1 launch template, by EC2's usage report of 2026-11-24 10:00 UTC`.

    Of many accounts those that use it most are named, and the others counted.
    """
    by_account: dict[str, list[UsageEntry]] = {}
    for entry in use.entries:
        by_account.setdefault(entry.account_id, []).append(entry)
    most = sorted(by_account.items(), key=lambda one: (-sum(entry.count for entry in one[1]), one[0]))
    # "and 1 more" would save nothing.
    shown = most if len(most) <= _ACCOUNTS_NAMED + 1 else most[:_ACCOUNTS_NAMED]
    parts = [f"{account_id} uses it: {_resources(entries)}" for account_id, entries in shown]
    if more := len(most) - len(shown):
        parts.append(f"{more:,} more accounts use it")
    return f"{'; '.join(parts)}, by {usage_report(use.as_of)}"


def _resources(entries: Sequence[UsageEntry]) -> str:
    counts: Counter[str] = Counter()
    for entry in entries:
        counts[entry.resource_type] += entry.count
    known = [f"{counts[word]:,} {nouns[counts[word] != 1]}" for word, nouns in _RESOURCES.items() if counts.get(word)]
    return ", ".join([*known, *(f"{counts[word]:,} {word}" for word in sorted(counts) if word not in _RESOURCES)])
