"""What is delivered to Security Hub, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class TargetFindings(Protocol):
    """What one audit says of one account in one region; `report.asff` makes them."""

    @property
    def account_id(self) -> str:
        """Whose findings these are."""
        ...

    @property
    def region(self) -> str:
        """Where they are."""
        ...

    @property
    def product_arn(self) -> str:
        """That of the account's own integrations."""
        ...

    @property
    def moment(self) -> str:
        """When the audit ended (RFC 3339)."""
        ...

    @property
    def failing(self) -> Sequence[Mapping[str, Any]]:
        """The findings, in the AWS Security Finding Format."""
        ...

    @property
    def passing(self) -> Collection[str]:
        """The finding ids of what passes."""
        ...

    @property
    def accepted(self) -> Collection[str]:
        """The finding ids of what an exception accepts."""
        ...

    @property
    def unread(self) -> Collection[str]:
        """The finding ids of what could not be read or decided."""
        ...

    @property
    def exhaustive(self) -> Collection[str]:
        """The generators whose findings are over when nothing above names them."""
        ...


@dataclass(frozen=True, slots=True)
class FailedFinding:
    """A finding that Security Hub did not take, with its own words."""

    account_id: str
    region: str
    finding_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SkippedTarget:
    """A target to which nothing more was sent.

    Attributes:
        undelivered: how many findings Security Hub should have got, archived ones included as far as they were known.
    """

    account_id: str
    region: str
    reason: str
    hint: str | None
    undelivered: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a delivery.

    Attributes:
        imported: findings that were not there, or archived.
        updated: findings that were there.
        archived: findings that are over.
        newer: findings that were left alone, because another audit that ended later has sent them.
        failed: in the order of the targets' ends.
        skipped: likewise; also targets without Security Hub for which there was nothing to send.
    """

    imported: int
    updated: int
    archived: int
    newer: int
    failed: tuple[FailedFinding, ...]
    skipped: tuple[SkippedTarget, ...]

    @property
    def complete(self) -> bool:
        """Everything that was to be sent was taken."""
        return not self.failed and not any(target.undelivered for target in self.skipped)
