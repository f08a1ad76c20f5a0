"""What several formats say of a result and of a target that was not seen, in the same words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from amiguard.core.result import ALL_REGIONS
from amiguard.report.grant_v1 import DecisionV1, GranteeV1, GrantV1
from amiguard.report.interface import Report
from amiguard.report.json_v1 import ResultV1, StatusV1, TargetV1
from amiguard.report.sanitize import printable
from amiguard.report.tally import failing

# The decision that explains a status; grants with others do not.
_EXPLAINED_BY: dict[StatusV1, DecisionV1] = {
    "fail": "untrusted",
    "unknown": "undetermined",
    "suppressed": "excepted",
    "pass": "trusted",
}


def explaining(result: ResultV1) -> list[GrantV1]:
    """The grants that made the result what it is, in their order; all trusted ones of a pass."""
    return [grant for grant in result["grants"] if grant["decision"] == _EXPLAINED_BY[result["status"]]]


def grantee_name(grant: GranteeV1) -> str:
    """The grantee for a person; `everyone` for the group `all`."""
    return "everyone" if grant["kind"] == "everyone" else printable(grant["grantee"])


def first_grantees(grants: list[GrantV1], limit: int, width: int) -> str:
    """`everyone, 999988887777 and 12 more`.

    Args:
        grants: whose grantees are named.
        limit: how many at most.
        width: how many characters of each.
    """
    named = ", ".join(cut(grantee_name(grant), width) for grant in grants[:limit])
    return f"{named} and {len(grants) - limit:,} more" if len(grants) > limit else named


def cut(text: str, limit: int) -> str:
    """The text neutralised, on one line, of at most `limit` characters."""
    # What is longer than the limit is longer still when it is neutralised.
    shown = printable(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def account_names(report: Report) -> dict[str, str]:
    """The names of accounts by their ids, where they are known."""
    return {one["account_id"]: one["account_name"] for one in report.targets if "account_name" in one}


def not_seen(report: Report) -> Iterator[TargetV1]:
    """The targets that failed or were skipped, in order: no report leaves them out, whatever is shown of it."""
    return (target for target in report.targets if target["status"] != "audited")


def region_name(region: str) -> str:
    """The region as part of a name; `all-regions` where they could not be asked for."""
    return "all-regions" if region == ALL_REGIONS else printable(region)


def moment(text: str) -> datetime | None:
    """A time of the report, in UTC; None if somebody wrote something else into a saved one."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def verdict_word(report: Report) -> Literal["fail", "incomplete", "clean"]:
    """What the audit comes to, as its exit code says it: 1, 3 or 0."""
    if failing(report):
        return "fail"
    return "clean" if report.audit["complete"] else "incomplete"
