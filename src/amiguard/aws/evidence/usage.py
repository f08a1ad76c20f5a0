"""Who uses an image: by EC2's image usage reports, of which one is made if there is none that is young enough.

Source: EC2 User Guide, "View your AMI usage", and EC2 API Reference, CreateImageUsageReport: one report of an image may
be pending, and 2,000 of an account and region; a report is kept for 30 days.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from amiguard.aws.botocore_calls import BotocoreCalls
from amiguard.aws.ec2_xml import MalformedReplyError
from amiguard.aws.errors import DENIED, ApiError, explain
from amiguard.aws.evidence.once import Batches
from amiguard.aws.evidence.usage_polling import Polling
from amiguard.aws.evidence.usage_reports import (
    ALL_VERSIONS,
    AVAILABLE,
    ERROR,
    LAUNCH_TEMPLATE,
    PENDING,
    VERSION_DEPTH,
    Report,
    UsageReports,
    explain_entries,
)
from amiguard.core.evidence import Usage
from amiguard.core.image import Unreadable

_CREATE = "CreateImageUsageReport"
_TYPES = frozenset({"ec2:Instance", LAUNCH_TEMPLATE})
_RECIPES = frozenset({"imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe"})
MOST_PENDING = 2000
_TRIES = 2
"""A report that is gone before it could be read, or stands as nobody knows, is made once more."""


@dataclass(frozen=True, slots=True)
class _Gone:
    """The report cannot be read any more: another one may be."""

    why: Unreadable


def _now() -> datetime:
    return datetime.now(UTC)


class ImageUsage:
    """Who uses the images of one target.

    Args:
        reports: describes the reports of the target.
        calls: makes them.
        max_age: a report that is younger is used again.
        now: the time.
    """

    def __init__(
        self, reports: UsageReports, calls: BotocoreCalls, max_age: timedelta, now: Callable[[], datetime] = _now
    ) -> None:
        self._reports = reports
        self._calls = calls
        self._max_age = max_age
        self._now = now
        self._looking = Batches(self._look)
        self._polling = Polling(reports.by_ids)
        self._pending = asyncio.Semaphore(MOST_PENDING)
        self._types = _TYPES | _RECIPES
        """What a new report is asked for."""
        self._enough = self._types
        """What a report that is there already must cover."""
        self._answered = False
        """Whether EC2 has said if it knows recipes here."""
        self._first = asyncio.Lock()

    async def read(self, image_id: str) -> Usage | Unreadable:
        """Who uses an image; waits for a report as long as EC2 takes."""
        known = await self._looking.get(image_id)
        if isinstance(known, Unreadable):
            return known
        young = [one for one in known or () if self._is_young(one)]
        if young:
            usage = await self._read_entries(max(young, key=_created), reused=True)
            if not isinstance(usage, _Gone):
                return usage
        async with self._pending:
            return await self._by_new_report(image_id, known or ())

    async def _look(self, image_ids: tuple[str, ...]) -> Mapping[str, tuple[Report, ...]] | Unreadable:
        listed = await self._reports.of_images(image_ids)
        if not isinstance(listed, Unreadable) and not self._answered:
            self._learn([report for reports in listed.values() for report in reports])
        return listed

    def _learn(self, reports: Sequence[Report]) -> None:
        """Where EC2 knows no recipes, reports of earlier runs lack them, and are as good as any that can be made."""
        if any(report.resource_types & _RECIPES for report in reports):
            self._answered, self._enough = True, self._types
        elif any(report.resource_types == _TYPES and report.covers(_TYPES) for report in reports):
            # Made as those are that follow a refusal: a new report still asks for recipes first.
            self._enough = _TYPES

    def _is_young(self, report: Report) -> bool:
        return (
            report.state == AVAILABLE
            and report.covers(self._enough)
            and report.created_at is not None
            and self._now() - report.created_at < self._max_age
        )

    async def _by_new_report(self, image_id: str, known: Sequence[Report]) -> Usage | Unreadable:
        why = Unreadable("EC2 gave no usage report")
        for _ in range(_TRIES):
            pending = await self._pending_report(known)
            if isinstance(pending, Unreadable):
                return pending
            made = pending or await self._make(image_id)
            if isinstance(made, Unreadable):
                return made
            report_id, reused = made
            report = await self._polling.settled(report_id)
            if isinstance(report, Unreadable):
                return report
            usage = await self._read_settled(report, reused=reused)
            if not isinstance(usage, _Gone):
                return usage
            why, known = usage.why, ()
        return why

    async def _read_settled(self, report: Report | None, *, reused: bool) -> Usage | Unreadable | _Gone:
        if report is None:
            return _Gone(Unreadable("the usage report is gone before it was there to be read"))
        if report.state == AVAILABLE:
            return await self._read_entries(report, reused=reused)
        if report.state != ERROR:
            return _Gone(Unreadable(f"EC2 says of the usage report that it is {report.state[:40]!r}"))
        why = Unreadable(f"EC2 could not make the usage report: {report.state_reason[:300] or 'it does not say why'}")
        return _Gone(why) if reused else why

    async def _read_entries(self, report: Report, *, reused: bool) -> Usage | Unreadable | _Gone:
        entries = await self._reports.entries(report)
        if isinstance(entries, ApiError):
            why = explain_entries(entries)
            return _Gone(why) if entries.code.endswith("NotFound") else why
        if isinstance(entries, Unreadable):
            return entries
        if not entries:
            # "Nobody" is said only of a report that is still there: of one that is gone EC2 may show no entries.
            report_now = await self._polling.settled(report.report_id, at_once=True)
            if isinstance(report_now, Unreadable):
                return report_now
            if report_now is None or report_now.state != AVAILABLE:
                return _Gone(Unreadable("the usage report was gone before it could be read"))
        if report.created_at is None:
            return Unreadable("EC2 does not say when the usage report was made")
        return Usage(report.report_id, report.created_at, reused, entries)

    async def _pending_report(self, known: Sequence[Report]) -> tuple[str, bool] | Unreadable | None:
        """The report that is being made already, if it says what is wanted; one that does not is waited out."""
        for report in known:
            if report.state == PENDING:
                if report.covers(self._enough):
                    return report.report_id, True
                settled = await self._polling.settled(report.report_id)
                if isinstance(settled, Unreadable):
                    return settled
        return None

    async def _make(self, image_id: str) -> tuple[str, bool] | Unreadable:
        made = await self._create(image_id)
        if isinstance(made, ApiError) and made.code not in DENIED:
            # Which error says that a report is pending is not documented.
            known = await self._looking.get(image_id)
            if isinstance(known, Unreadable):
                return known
            if any(one.state == PENDING for one in known or ()):
                pending = await self._pending_report(known or ())
                if pending is not None:
                    return pending
                made = await self._create(image_id)
        if isinstance(made, ApiError):
            return _explain_create(made)
        return made if isinstance(made, Unreadable) else (made, False)

    async def _create(self, image_id: str) -> str | ApiError | Unreadable:
        if not self._answered:
            async with self._first:
                # The others wait for what becomes of the first one, whatever that is: one refusal says enough.
                if not self._answered:
                    made = await self._create_as_known(image_id)
                    self._answered = True
                    if isinstance(made, str):
                        self._enough = self._types
                    return made
        return await self._create_as_known(image_id)

    async def _create_as_known(self, image_id: str) -> str | ApiError | Unreadable:
        made = await self._call_create(image_id)
        if isinstance(made, ApiError) and "imagebuilder:" in made.message and self._types > _TYPES:
            # Regions came to know recipes one after the other: from now on they are not asked about here.
            self._types = self._enough = _TYPES
            made = await self._call_create(image_id)
        return made

    async def _call_create(self, image_id: str) -> str | ApiError | Unreadable:
        parameters = {
            "ImageId": image_id,
            "ResourceTypes": [_with_options(one) for one in sorted(self._types)],
            "ClientToken": str(uuid.uuid4()),  # however often the call is sent, it makes one report
        }
        return await self._calls.call("ec2", _CREATE, parameters, _read_report_id)


def _with_options(resource_type: str) -> dict[str, object]:
    if resource_type != LAUNCH_TEMPLATE:
        return {"ResourceType": resource_type}
    # Without it, EC2 looks at the 20 newest versions: a default version that is older would be no use at all.
    depth = {"OptionName": VERSION_DEPTH, "OptionValues": [str(ALL_VERSIONS)]}
    return {"ResourceType": resource_type, "ResourceTypeOptions": [depth]}


def _created(report: Report) -> datetime:
    return report.created_at or datetime.min.replace(tzinfo=UTC)


def _read_report_id(reply: Mapping[str, Any]) -> str:
    report_id = reply.get("ReportId")
    if not isinstance(report_id, str) or not report_id:
        raise MalformedReplyError("the reply does not name the report")
    return report_id


def _explain_create(error: ApiError) -> Unreadable:
    if error.code.endswith("LimitExceeded"):
        return Unreadable(
            f"EC2 takes no further usage report ({error.code}): {error.message[:300]}",
            f"at most {MOST_PENDING:,} may be pending in a region: run the command again later",
        )
    return explain(error, f"ec2:{_CREATE}")
