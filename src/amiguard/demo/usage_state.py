"""Who uses images, and the reports that EC2 makes of it. Imports moto."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from moto.ec2.exceptions import EC2ClientError

_LIFETIME = timedelta(days=30)
_MOST_PENDING = 2000


@dataclass(frozen=True, slots=True)
class ImageUse:
    """So many resources of one type, in one account, that name an image.

    Attributes:
        version: of launch templates, the newest version that names the image: 1 is the template's newest one.
    """

    account_id: str
    resource_type: str
    count: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class UsageReport:
    """One report.

    Attributes:
        uses: its entries.
        error: why it could not be made; None if it could.
    """

    report_id: str
    image_id: str
    resource_types: tuple[dict[str, Any], ...]
    account_ids: tuple[str, ...]
    tags: tuple[dict[str, str], ...]
    client_token: str | None
    created_at: datetime
    uses: tuple[ImageUse, ...]
    error: str | None

    @property
    def expires_at(self) -> datetime:
        """When EC2 deletes it."""
        return self.created_at + _LIFETIME

    @property
    def asked(self) -> tuple[object, ...]:
        """The request that made it."""
        return self.image_id, self.resource_types, self.account_ids, self.tags


@dataclass(slots=True)
class ImageUsage:
    """Who uses the images of one account and region, and the reports that were made about it.

    Attributes:
        uses: by image id; an image that is not in it is used by nobody.
        errors: by image id why a report about it cannot be made.
        pending_for: how long a report is pending.
    """

    uses: dict[str, tuple[ImageUse, ...]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    pending_for: timedelta = timedelta(seconds=1)
    reports: dict[str, UsageReport] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def state_of(self, report: UsageReport) -> str:
        """`pending`, `available` or `error`."""
        if now() < report.created_at + self.pending_for:
            return "pending"
        return "error" if report.error else "available"

    def kept(self) -> list[UsageReport]:
        """The reports that have not expired, in the order in which they were made."""
        return [report for report in list(self.reports.values()) if now() < report.expires_at]

    def add(self, report: UsageReport) -> str:
        """Keep a report that was asked for; the id of the one that the same client token made before, if there is one.

        Raises:
            EC2ClientError: the token asked for something else before, or too many reports are pending.
        """
        with self.lock:
            for other in self.kept():
                if report.client_token and other.client_token == report.client_token:
                    if other.asked == report.asked:
                        return other.report_id
                    raise EC2ClientError(
                        "IdempotentParameterMismatch",
                        "The request uses the same client token as a previous, but non-identical request.",
                    )
            pending = [other.image_id for other in self.kept() if self.state_of(other) == "pending"]
            if report.image_id in pending:
                raise EC2ClientError("ResourceLimitExceeded", f"A report for {report.image_id} is pending already.")
            if len(pending) >= _MOST_PENDING:
                raise EC2ClientError("ResourceLimitExceeded", f"{_MOST_PENDING} reports are pending already.")
            self.reports[report.report_id] = report
            return report.report_id


def now() -> datetime:
    """The present moment, with its zone."""
    return datetime.now(UTC)
