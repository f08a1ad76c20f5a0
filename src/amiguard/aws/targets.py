"""The regions of an account, and how each is read: the port `AccountReader` over the lean client."""

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.ec2_xml import MalformedReplyError, child_text, items
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import Pacer
from amiguard.aws.reader import Ec2ImageReader
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.ports import OpenedAccount
from amiguard.core.result import ALL_REGIONS, Target, TargetReport, TargetStatus

_DISABLED = "not-opted-in"
NOT_ENABLED = "the region is not enabled"

Regions = Mapping[str, str]
"""Region name -> EC2's `OptInStatus`."""


async def read_regions(client: Ec2QueryClient, account_id: str, pacer: Pacer) -> Regions | Unreadable:
    """All regions that AWS knows, those included that are not enabled in the account (DescribeRegions)."""
    bucket = pacer.bucket(account_id, ALL_REGIONS, "DescribeRegions")
    reply = await client.call("DescribeRegions", [("AllRegions", "true")], _parse_regions, bucket)
    return explain(reply, "ec2:DescribeRegions") if isinstance(reply, ApiError) else reply


def refuse_unknown_regions(wanted: Sequence[str], known: Regions) -> None:
    """Stop at a typing error in a region's name.

    Raises:
        TargetsError: AWS knows no such region; the hint names near ones.
    """
    for region in wanted:
        if region not in known:
            near = difflib.get_close_matches(region, known, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else f"AWS knows: {', '.join(sorted(known))}"
            raise TargetsError(f"there is no region {region!r}", hint=hint)


def refuse_disabled_regions(wanted: Sequence[str], known: Regions) -> None:
    """Stop at a region that is named but not enabled.

    Raises:
        TargetsError: a wanted region is not enabled.
    """
    for region in wanted:
        if known.get(region) == _DISABLED:
            raise TargetsError(
                f"the region {region} is not enabled in this account",
                hint="enable it under Account, AWS Regions; or leave it out",
            )


@dataclass(frozen=True, slots=True)
class Ec2Access:
    """How all accounts of a run are read.

    Attributes:
        pacer: holds the buckets.
        query: which images are asked for.
        page: images a page.
    """

    pacer: Pacer
    query: ImageQuery
    page: int


class Ec2AccountReader:
    """One account.

    Args:
        account_id: whose images are read.
        partition: of the account's ARNs.
        wanted: regions by name; empty for all that are enabled.
        connect: makes the client of a target, with the account's credentials; for `ALL_REGIONS`, of the home region.
        access: how all accounts are read.
        organization: tells the account's own organization; asked when the account is opened.
        known: the account's regions if they have been read already.
    """

    def __init__(
        self,
        account_id: str,
        partition: str,
        *,
        wanted: Sequence[str],
        connect: Callable[[Target], Ec2QueryClient],
        access: Ec2Access,
        organization: Callable[[], Awaitable[OrganizationView]],
        known: Regions | Unreadable | None = None,
    ) -> None:
        self._account_id = account_id
        self._partition = partition
        self._wanted = tuple(sorted(set(wanted)))
        self._connect = connect
        self._access = access
        self._organization = organization
        self._known = known

    @property
    def account_id(self) -> str:
        """Whose images are read."""
        return self._account_id

    @property
    def expected(self) -> tuple[Target, ...]:
        """The named regions, or one target for all of them."""
        return tuple(self._target(region) for region in self._wanted or (ALL_REGIONS,))

    async def open(self) -> OpenedAccount | Unreadable:
        """Find the account's regions; a region that is named is read even where they cannot be listed."""
        known = self._known
        if known is None:
            known = await read_regions(self._connect(self._target(ALL_REGIONS)), self._account_id, self._access.pacer)
        if isinstance(known, Unreadable):
            if not self._wanted:
                return Unreadable(f"the regions of the account could not be listed: {known.reason}", known.hint)
            warning = f"the regions could not be checked, and are taken as named: {known.reason}"
            return await self._opened(self._wanted, (), warning)
        disabled = [region for region, opt_in in known.items() if opt_in == _DISABLED]
        if self._wanted:
            disabled = [region for region in disabled if region in self._wanted]
        enabled = [region for region in self._wanted or known if region not in disabled]
        return await self._opened(enabled, disabled, None)

    async def _opened(self, enabled: Sequence[str], disabled: Sequence[str], warning: str | None) -> OpenedAccount:
        readers = {target: self._reader(target) for target in map(self._target, sorted(enabled))}
        skipped = tuple(
            TargetReport(target, TargetStatus.SKIPPED, NOT_ENABLED) for target in map(self._target, sorted(disabled))
        )
        return OpenedAccount(readers, await self._organization(), skipped, warning)

    def _target(self, region: str) -> Target:
        return Target(self._account_id, region, self._partition)

    def _reader(self, target: Target) -> Ec2ImageReader:
        return Ec2ImageReader(self._connect(target), target, self._access.query, self._access.pacer, self._access.page)


def _parse_regions(root: etree._Element) -> Regions:
    regions: dict[str, str] = {}
    for item in items(root, "regionInfo"):
        name = child_text(item, "regionName")
        if not name:
            raise MalformedReplyError("a region without a name is listed")
        regions[name] = child_text(item, "optInStatus") or ""
    if not regions:
        raise MalformedReplyError("no region is listed")
    return regions
