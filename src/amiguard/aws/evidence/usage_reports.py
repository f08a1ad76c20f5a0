"""Image usage reports as EC2 writes them: the calls that describe them, and how to read their replies."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from amiguard.aws.ec2_query import Ec2QueryClient
from amiguard.aws.ec2_xml import MalformedReplyError, child, child_text, items
from amiguard.aws.errors import ApiError, explain
from amiguard.aws.evidence.pages import PAGE, Page, read_known, read_pages
from amiguard.aws.pacing import TokenBucket
from amiguard.core.evidence import UsageEntry
from amiguard.core.image import Unreadable

PENDING, AVAILABLE, ERROR = "pending", "available", "error"
LAUNCH_TEMPLATE = "ec2:LaunchTemplate"
VERSION_DEPTH = "version-depth"
ALL_VERSIONS = 10_000
"""The most that `version-depth` takes (EC2 API Reference, ImageUsageResourceTypeOptionRequest)."""
_DEFAULT_DEPTH = 20
_DEPTH = re.compile(r"[0-9]{1,9}")
_REPORTS, _ENTRIES = "DescribeImageUsageReports", "DescribeImageUsageReportEntries"


@dataclass(frozen=True, slots=True)
class Report:
    """A report as DescribeImageUsageReports lists it.

    Attributes:
        state: EC2's word.
        created_at: None if EC2 does not say.
        resource_types: that it covers.
        account_ids: that it is limited to; none for all.
        version_depth: so many of the newest versions of each launch template were looked at, where it covers those: a
            template launches its default version, which may be an old one.
    """

    report_id: str
    image_id: str
    state: str
    state_reason: str
    created_at: datetime | None
    resource_types: frozenset[str]
    account_ids: tuple[str, ...]
    version_depth: int = _DEFAULT_DEPTH

    def covers(self, resource_types: frozenset[str]) -> bool:
        """Whether it tells of all accounts, and of these types at least: launch templates with all their versions."""
        if LAUNCH_TEMPLATE in resource_types and self.version_depth < ALL_VERSIONS:
            return False
        return not self.account_ids and resource_types <= self.resource_types


class UsageReports:
    """Describes the reports of one target.

    Args:
        client: calls EC2 in that region as that account.
        reports: the bucket of DescribeImageUsageReports.
        entries: the bucket of DescribeImageUsageReportEntries.
    """

    def __init__(self, client: Ec2QueryClient, reports: TokenBucket, entries: TokenBucket) -> None:
        self._client = client
        self._reports = reports
        self._entries = entries

    async def of_images(self, image_ids: tuple[str, ...]) -> Mapping[str, tuple[Report, ...]] | Unreadable:
        """The reports of these images, at most `MOST_IDS`; an image without any may be absent."""
        listed = await self._describe("ImageId", image_ids)
        if isinstance(listed, Unreadable):
            return listed
        found: dict[str, tuple[Report, ...]] = {}
        for report in listed:
            found[report.image_id] = (*found.get(report.image_id, ()), report)
        return found

    async def by_ids(self, report_ids: tuple[str, ...]) -> Mapping[str, Report] | Unreadable:
        """These reports as they are now, at most `MOST_IDS`; one that is gone is absent."""
        listed = await self._describe("ReportId", report_ids)
        return listed if isinstance(listed, Unreadable) else {report.report_id: report for report in listed}

    async def entries(self, report: Report) -> tuple[UsageEntry, ...] | ApiError | Unreadable:
        """Every entry of a report, by account and resource type."""

        async def read(token: str | None) -> Page[UsageEntry] | ApiError | Unreadable:
            parameters = [("ReportId.1", report.report_id), *_page_parameters(token)]
            return await self._client.call(
                _ENTRIES, parameters, lambda root: parse_entries(root, report.report_id), self._entries
            )

        listed = await read_pages(read, "entries of the usage report")
        if not isinstance(listed, tuple):
            return listed
        # Of two entries about the same, the greater one counts: "not in use" is what must not be said wrongly.
        each_once: dict[tuple[str, str], UsageEntry] = {}
        for one in sorted(listed, key=lambda entry: entry.count):
            each_once[one.account_id, one.resource_type] = one
        return tuple(each_once[key] for key in sorted(each_once))

    async def _describe(self, member: str, ids: tuple[str, ...]) -> tuple[Report, ...] | Unreadable:
        async def describe(some: Sequence[str]) -> tuple[Report, ...] | ApiError | Unreadable:
            named = [(f"{member}.{place}", one) for place, one in enumerate(some, 1)]

            async def read(token: str | None) -> Page[Report] | ApiError | Unreadable:
                parameters = [*named, *_page_parameters(token)]
                return await self._client.call(_REPORTS, parameters, parse_reports, self._reports)

            return await read_pages(read, "usage reports")

        listed = await read_known(ids, describe)
        return explain(listed, f"ec2:{_REPORTS}") if isinstance(listed, ApiError) else listed


def explain_entries(error: ApiError) -> Unreadable:
    """Why the entries of a report could not be read."""
    return explain(error, f"ec2:{_ENTRIES}")


def _page_parameters(token: str | None) -> list[tuple[str, str]]:
    return [("MaxResults", str(PAGE)), *([] if token is None else [("NextToken", token)])]


def parse_reports(root: etree._Element) -> Page[Report]:
    """Read a DescribeImageUsageReportsResponse.

    Raises:
        MalformedReplyError: a report without its id, its image or its state, or created at no time.
    """
    return Page(tuple(map(_parse_report, items(root, "imageUsageReportSet"))), child_text(root, "nextToken") or None)


def _parse_report(item: etree._Element) -> Report:
    report_id, image_id, state = (child_text(item, name) for name in ("reportId", "imageId", "state"))
    if not (report_id and image_id and state):
        raise MalformedReplyError("a usage report is listed without its id, its image or its state")
    types = tuple(_children(item, "resourceTypeSet"))
    return Report(
        report_id,
        image_id,
        state,
        child_text(item, "stateReason") or "",
        _parse_time(child_text(item, "creationTime")),
        frozenset(child_text(one, "resourceType") or "" for one in types),
        tuple(one.text or "" for one in _children(item, "accountIdSet")),
        _version_depth(types),
    )


def _version_depth(types: Iterable[etree._Element]) -> int:
    """How many versions of launch templates were looked at; what cannot be read counts as none."""
    depth = _DEFAULT_DEPTH
    for one in types:
        if child_text(one, "resourceType") == LAUNCH_TEMPLATE:
            for option in _children(one, "resourceTypeOptionSet"):
                if child_text(option, "optionName") == VERSION_DEPTH:
                    said = [(value.text or "").strip() for value in _children(option, "optionValueSet")]
                    depth = min((int(text) if _DEPTH.fullmatch(text) else 0 for text in said), default=0)
    return depth


def _children(item: etree._Element, name: str) -> Iterable[etree._Element]:
    found = child(item, name)
    return () if found is None else found


def parse_entries(root: etree._Element, report_id: str) -> Page[UsageEntry]:
    """Read a DescribeImageUsageReportEntriesResponse.

    Raises:
        MalformedReplyError: an entry of another report, or one without its account, its type or its count.
    """
    entries = []
    for item in items(root, "imageUsageReportEntrySet"):
        account_id, resource_type = child_text(item, "accountId"), child_text(item, "resourceType")
        count = child_text(item, "usageCount") or ""
        if child_text(item, "reportId") != report_id:
            raise MalformedReplyError("the reply speaks of another usage report")
        if not (account_id and resource_type and count.isascii() and count.isdigit() and len(count) < 20):  # noqa: PLR2004 - digits
            raise MalformedReplyError("an entry of the usage report lacks its account, its type or its count")
        entries.append(UsageEntry(account_id, resource_type, int(count)))
    return Page(tuple(entries), child_text(root, "nextToken") or None)


def _parse_time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedReplyError(f"a usage report was created at {text[:40]!r}") from error
