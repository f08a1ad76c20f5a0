"""Which regions are to be audited: DescribeRegions, and what the user asked for."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.ec2_xml import MalformedReplyError, child_text, items
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.pacing import Pacer
from amiguard.aws.session import Caller
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.result import Target, TargetReport, TargetStatus

_DISABLED = "not-opted-in"


@dataclass(frozen=True, slots=True)
class Targets:
    """What is to be audited, and what is left out.

    Attributes:
        audited: the targets to read.
        skipped: those left out, each with its reason.
        warning: set when the regions could not be checked against AWS's list.
    """

    audited: tuple[Target, ...]
    skipped: tuple[TargetReport, ...] = ()
    warning: str | None = None


async def find_targets(client: Ec2QueryClient, caller: Caller, pacer: Pacer, wanted: Sequence[str]) -> Targets:
    """The targets of the caller's own account.

    Args:
        client: calls EC2 in the home region.
        caller: whose account is audited.
        pacer: holds the buckets.
        wanted: regions by name; empty for all that are enabled.

    Raises:
        TargetsError: a wanted region is unknown or not enabled, or the regions cannot be listed and none is named.
    """
    bucket = pacer.bucket(caller.account_id, "regions", "DescribeRegions")
    reply = await client.call("DescribeRegions", [("AllRegions", "true")], _parse_regions, bucket)
    if isinstance(reply, ApiError):
        reply = explain(reply, "ec2:DescribeRegions")
    if isinstance(reply, Unreadable):
        if not wanted:
            hint = "; ".join(filter(None, [reply.hint, "or name the regions with --region"]))
            raise TargetsError(f"the regions of the account could not be listed: {reply.reason}", hint=hint)
        warning = f"the regions could not be checked, and are taken as named: {reply.reason}"
        return Targets(_targets(caller, wanted), warning=warning)
    if wanted:
        _check_regions(wanted, reply)
        return Targets(_targets(caller, wanted))
    enabled = [region for region, opt_in in reply.items() if opt_in != _DISABLED]
    if not enabled:
        raise TargetsError("there is no region to audit", hint="no region of the account is enabled")
    disabled = [region for region, opt_in in reply.items() if opt_in == _DISABLED]
    skipped = (
        TargetReport(target, TargetStatus.SKIPPED, "the region is not enabled") for target in _targets(caller, disabled)
    )
    return Targets(_targets(caller, enabled), tuple(skipped))


def _targets(caller: Caller, regions: Sequence[str]) -> tuple[Target, ...]:
    return tuple(Target(caller.account_id, region, caller.partition) for region in sorted(set(regions)))


def _parse_regions(root: etree._Element) -> dict[str, str]:
    regions: dict[str, str] = {}
    for item in items(root, "regionInfo"):
        name = child_text(item, "regionName")
        if not name:
            raise MalformedReplyError("a region without a name is listed")
        regions[name] = child_text(item, "optInStatus") or ""
    return regions


def _check_regions(wanted: Sequence[str], known: dict[str, str]) -> None:
    for region in wanted:
        if region not in known:
            near = difflib.get_close_matches(region, known, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else f"AWS knows: {', '.join(sorted(known))}"
            raise TargetsError(f"there is no region {region!r}", hint=hint)
        if known[region] == _DISABLED:
            raise TargetsError(
                f"the region {region} is not enabled in this account",
                hint="enable it under Account, AWS Regions; or leave it out",
            )
