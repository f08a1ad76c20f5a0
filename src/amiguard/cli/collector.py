"""Takes what an audit tells, as it comes: into the spool, the checkpoint, the output that streams, and the log."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from amiguard.auditor import AccountOpened, AccountUnreadable, AuditEvent, ImagesListed
from amiguard.aws.call_book import CallBook
from amiguard.cli.progress import Progress
from amiguard.cli.talk import warn
from amiguard.core.checks.unread import unread_target
from amiguard.core.image import Unreadable
from amiguard.core.result import ALL_REGIONS, CheckResult, Target, TargetReport
from amiguard.report.spool import Spool

_LOG = logging.getLogger("amiguard.audit")


class Listener(Protocol):
    """Is told of what can be relied on: an account that was opened, a target that has ended."""

    def account_opened(self, account: AccountOpened | AccountUnreadable) -> None:
        """The account's regions are known, or cannot be."""
        ...

    def target_ended(self, report: TargetReport) -> None:
        """The target's results are in the spool, in order."""
        ...


class Collector:
    """Keeps the results of one audit.

    Args:
        spool: where they are kept.
        calls: what was spent.
        partition: of the run's accounts.
        checks: ids of the checks that are made besides that of images.
        progress: counts for the live line.
        listeners: are told of what ends.
        named_images: image ids of which it is noted whether they were found.
        warnings: where warnings go; None for nowhere.
        on_result: is given each result that this process finds.
        on_adopted: is told of each target that ended elsewhere, with its results in the spool.
    """

    def __init__(
        self,
        spool: Spool,
        calls: CallBook,
        *,
        partition: str,
        checks: frozenset[str] = frozenset(),
        progress: Progress,
        listeners: Iterable[Listener] = (),
        named_images: Iterable[str] = (),
        warnings: Callable[[str], None] | None = warn,
        on_result: Callable[[CheckResult], None] | None = None,
        on_adopted: Callable[[TargetReport], None] | None = None,
    ) -> None:
        self.missing_images = set(named_images)
        """Those of the named images that no result was about yet."""
        self._spool = spool
        self._partition = partition
        self._calls = calls
        self._progress = progress
        self._listeners = tuple(listeners)
        self._warnings = warnings
        self._on_result = on_result
        self._on_adopted = on_adopted
        self._checks = checks
        self._targets_of: dict[str, tuple[Target, ...]] = {}
        self._ended: set[Target] = set()

    def note(self, event: AuditEvent) -> None:
        """Take one event of an audit."""
        self._progress.note(event)
        match event:
            case CheckResult():
                self._add(event)
            case TargetReport():
                self._spool.finish(event)
                self._end(event)
            case AccountOpened():
                self._open(event)
            case AccountUnreadable(account_id, targets):
                self._targets_of[account_id] = targets
                for listener in self._listeners:
                    listener.account_opened(event)
            case ImagesListed(target, images):
                _LOG.debug(
                    "images listed", extra={"account": target.account_id, "region": target.region, "images": images}
                )

    def adopt(self, report: TargetReport, extent: Iterable[bytes], calls: Mapping[str, int], throttled: int) -> None:
        """Take a target that ended elsewhere: in a worker, or before the audit was cut off.

        Args:
            report: its end.
            extent: its results, as `Spool.extent` gave them.
            calls: what it has spent.
            throttled: how many of these calls were throttled.
        """
        self._spool.adopt(report, extent)
        self.count(report.target, calls, throttled)
        self._progress.adopt(report)
        if self._on_adopted is not None:
            self._on_adopted(report)
        self._end(report)

    def count(self, target: Target | None, calls: Mapping[str, int], throttled: int) -> None:
        """Count calls that were spent elsewhere, on a target or on none in particular."""
        stats = self._calls.total if target is None else self._calls.of(target)
        for action, number in calls.items():
            stats.count(action, number)
        stats.count_throttled(throttled)

    def fail_unfinished(self, accounts: Mapping[str, tuple[Target, ...]], reason: str) -> None:
        """End what did not end: each target is failed, with what is known of it and unknown results.

        Args:
            accounts: account id -> its targets as far as they are known before it is opened.
            reason: why it did not end.
        """
        for account_id, expected in accounts.items():
            for target in self._targets_of.get(account_id, expected):
                if target not in self._ended:
                    told = self._spool.told_of(target)
                    for result in unread_target(target, Unreadable(reason), self._checks):
                        if result.check_id not in told:
                            self._add(result)
        for report in self._spool.unfinished(reason):
            self._spool.finish(report)
            self._end(report)

    def _add(self, result: CheckResult) -> None:
        if result.image is not None:
            self.missing_images.discard(result.image.image_id)
        self._spool.add(result)
        if self._on_result is not None:
            self._on_result(result)

    def _open(self, account: AccountOpened) -> None:
        self._targets_of[account.account_id] = account.targets
        if account.warning and self._warnings is not None:
            self._warnings(f"{account.account_id}: {account.warning}")
        for listener in self._listeners:
            listener.account_opened(account)
        self._calls.settle(Target(account.account_id, ALL_REGIONS, self._partition))
        for skipped in account.skipped:
            self._spool.finish(skipped)
            self._end(skipped)

    def _end(self, report: TargetReport) -> None:
        target = report.target
        self._ended.add(target)
        _LOG.info(
            "target ended",
            extra={
                "account": target.account_id,
                "region": target.region,
                "status": report.status.value,
                "reason": report.reason,
                "images": report.images,
                "vanished": report.vanished,
            },
        )
        for listener in self._listeners:
            listener.target_ended(report)
        self._calls.settle(target)
