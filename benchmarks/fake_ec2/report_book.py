"""The usage reports of a server: when each is finished, what it says, and when it is gone."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from .estate import FakeRegion
from .replies import AwsProblem
from .usage_data import LIFETIME, NEVER_DONE, FakeReport, FakeUsage, FakeUse

MOST_PENDING: Final = 2000
"""Reports of one account and region that may be pending at once."""

_NO_USAGE: Final = FakeUsage()
LAUNCH_TEMPLATE: Final = "ec2:LaunchTemplate"
VERSION_DEPTH: Final = "version-depth"
_DEFAULT_DEPTH: Final = 20
ResourceType = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""A type, and its options with their values."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a report was asked for; no `account_ids` are all accounts."""

    image_id: str
    resource_types: tuple[ResourceType, ...]
    account_ids: tuple[str, ...]

    def finds(self, use: FakeUse) -> bool:
        """Return whether it asks for the type and the account, and looks at the version."""
        if self.account_ids and use.account_id not in self.account_ids:
            return False
        for name, options in self.resource_types:
            if name == use.resource_type:
                depths = (int(value) for option, values in options if option == VERSION_DEPTH for value in values)
                return name != LAUNCH_TEMPLATE or use.version <= max(depths, default=_DEFAULT_DEPTH)
        return False


@dataclass(slots=True)
class Report:
    """One report. `ready_at` and `gone_at` are on the clock of the book; `reads_left` still call it pending."""

    id: str
    request: ReportRequest
    usage: FakeUsage
    created: datetime
    ready_at: float
    gone_at: float
    reads_left: int

    @property
    def expires(self) -> datetime:
        """When EC2 deletes it, by what it says itself."""
        return self.created + self.usage.lifetime

    @property
    def uses(self) -> tuple[FakeUse, ...]:
        """Its entries: the types, versions and accounts that were asked for."""
        return tuple(use for use in self.usage.uses if self.request.finds(use))


class ReportBook:
    """Keeps the reports of all accounts and regions.

    Args:
        region: gives the region of an account.
        seconds: how long a report is pending whose usage does not say.
        clock: gives seconds.
    """

    def __init__(self, region: Callable[[str, str], FakeRegion], seconds: float, clock: Callable[[], float]) -> None:
        self._region, self._seconds, self._clock = region, seconds, clock
        self._reports: dict[tuple[str, str], dict[str, Report]] = {}
        self._tokens: dict[tuple[str, str, str], tuple[ReportRequest, str]] = {}
        self._numbers = itertools.count(1)

    def create(self, account_id: str, region: str, request: ReportRequest, token: str | None) -> str:
        """Begin a report and return its id, that of the first time if the token was used before.

        Raises:
            AwsProblem: the token was used for another report, or too much is pending. With which code EC2 refuses what
                its quotas forbid is not documented.
        """
        if token is not None and (known := self._tokens.get((account_id, region, token))) is not None:
            if known[0] != request:
                raise AwsProblem("IdempotentParameterMismatch", "The client token was used with other parameters.")
            return known[1]
        pending = [one.request.image_id for one in self.of(account_id, region) if self.state(one) == "pending"]
        if request.image_id in pending:
            raise AwsProblem("ResourceLimitExceeded", f"A report is already pending for image {request.image_id}.")
        if len(pending) >= MOST_PENDING:
            raise AwsProblem("ResourceLimitExceeded", "You have reached the maximum number of pending reports.")
        usage = self._region(account_id, region).usage.get(request.image_id, _NO_USAGE)
        report = self._begin(f"amiur-{next(self._numbers):017x}", request, usage, datetime.now(UTC))
        self._reports[account_id, region][report.id] = report
        if token is not None:
            self._tokens[account_id, region, token] = (request, report.id)
        return report.id

    def of(self, account_id: str, region: str) -> list[Report]:
        """Return the reports that there are now, the oldest first."""
        key = (account_id, region)
        if key not in self._reports:
            self._reports[key] = {one.id: one for one in self._at_first(*key)}
        now, reports = self._clock(), self._reports[key]
        for report in [one for one in reports.values() if one.gone_at <= now]:
            del reports[report.id]
        return list(reports.values())

    def state(self, report: Report) -> str:
        """Return EC2's word for how far it is."""
        if self._clock() < report.ready_at or report.reads_left:
            return "pending"
        return "available" if report.usage.error is None else "error"

    def described(self, account_id: str, region: str, report: Report) -> str:
        """Return the state that DescribeImageUsageReports shows, and count the read."""
        state = self.state(report)
        if state == "pending":
            # Only reads that could have found it finished count.
            report.reads_left -= bool(report.reads_left and self._clock() >= report.ready_at)
        elif report.usage.vanishes:
            self.delete(account_id, region, report.id)
        return state

    def delete(self, account_id: str, region: str, report_id: str) -> None:
        """Take a report away; raises `KeyError` if it is not there."""
        self.of(account_id, region)
        del self._reports[account_id, region][report_id]

    def _begin(self, report_id: str, request: ReportRequest, usage: FakeUsage, created: datetime) -> Report:
        now = self._clock()
        seconds = self._seconds if usage.seconds is None else usage.seconds
        gone_at = now + (created + usage.lifetime - datetime.now(UTC)).total_seconds()
        return Report(report_id, request, usage, created, now + seconds, gone_at, usage.reads)

    def _at_first(self, account_id: str, region: str) -> Iterator[Report]:
        for one in self._region(account_id, region).reports:
            types = tuple((name, _options_of(one, name)) for name in one.resource_types)
            request = ReportRequest(one.image_id, types, one.account_ids)
            yield self._begin(one.id, request, _usage_of(one), datetime.now(UTC) - one.age)


def _options_of(report: FakeReport, resource_type: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if resource_type != LAUNCH_TEMPLATE or report.version_depth is None:
        return ()
    return ((VERSION_DEPTH, (str(report.version_depth),)),)


def _usage_of(report: FakeReport) -> FakeUsage:
    error = (report.state_reason or "Internal error.") if report.state == "error" else None
    seconds = NEVER_DONE if report.state == "pending" else 0.0
    return FakeUsage(report.uses, seconds=seconds, error=error, lifetime=max(LIFETIME, report.age + timedelta(days=1)))
