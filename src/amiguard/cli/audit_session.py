"""What every command that audits has: the way into AWS, the accounts it comes to, and the audit itself."""

import asyncio
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from amiguard.aws.call_book import CallBook
from amiguard.aws.estate import Estate
from amiguard.aws.pacing import Pacer
from amiguard.aws.roles import SessionOptions
from amiguard.aws.session import AwsSession
from amiguard.aws.targets import Regions, read_regions, refuse_disabled_regions, refuse_unknown_regions
from amiguard.cli.audit_request import AuditRequest
from amiguard.cli.audit_scope import Accounts, find_accounts
from amiguard.cli.audit_work import WorkOrder, audit_accounts, expected_targets, open_estate
from amiguard.cli.audit_workers import INTERRUPTED, WorkersError, audit_in_workers
from amiguard.cli.collector import Collector
from amiguard.cli.progress import Progress
from amiguard.cli.query_options import image_query, read_buckets
from amiguard.cli.talk import warn
from amiguard.core.decision import Rules, rules_in_force
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.ports import AccountReader
from amiguard.core.result import Target
from amiguard.core.selection import AuditedAccount
from amiguard.report.spool import Spool

_DEADLINE = "the deadline passed"

Watch = Callable[[AccountReader], AccountReader]


class AuditSession:
    """One audit, whatever becomes of its results.

    Args:
        request: what was asked for.
        files: what is to be closed at the end is entered here.

    Raises:
        AmiguardError: an option is malformed, or AWS does not know who is asking.
    """

    def __init__(self, request: AuditRequest, files: ExitStack) -> None:
        self.request = request
        self.query = image_query(request.image_ids, request.tags)
        self._buckets = read_buckets(request.read_bucket)
        self._files = files
        if not request.quiet:
            for warning in request.settings.warnings:
                warn(warning)
        self.started_at = datetime.now(UTC)
        self.calls = CallBook()
        self.session = AwsSession(
            profile=request.profile,
            home_region=request.scope.regions[0] if request.scope.regions else None,
            endpoint_url=request.endpoint_url,
            stats=self.calls.total,
        )
        self.caller = self.session.ask_caller()
        self._pacer = Pacer(self._buckets)

    @property
    def rules(self) -> Rules:
        """What decides, but for the organization, which is each account's own."""
        settings = self.request.settings
        return rules_in_force(
            settings.policy, settings.exceptions, today=self.started_at.date(), organization=NoOrganization()
        )

    def cancel_on_sigterm(self) -> None:
        """Let SIGTERM end the present task as Ctrl-C does."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: this runs in one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    async def find_accounts(self) -> Accounts:
        """Choose the accounts, in the time that there is.

        Raises:
            AmiguardError: there are none, they cannot be listed, or the time is over.
        """
        try:
            async with asyncio.timeout(self.seconds_left()):
                return await find_accounts(
                    self.session,
                    self.caller,
                    self.request.scope,
                    self.request.directory,
                    policy=self.request.settings.policy,
                    now=self.started_at,
                    quiet=self.request.quiet,
                )
        except TimeoutError as error:
            raise TargetsError(
                f"{_DEADLINE} before it was known what to audit", hint="give --deadline more time"
            ) from error

    async def audit(
        self,
        found: Accounts,
        collector: Collector,
        *,
        left: Sequence[AuditedAccount],
        done: Mapping[str, frozenset[Target]] | None = None,
        watched: Watch | None = None,
    ) -> str | None:
        """Audit until the end, the deadline or an interruption; what has not ended by then is failed.

        Args:
            found: the accounts of the run.
            collector: takes what is found.
            left: those that are left to be audited.
            done: targets that need not be audited again, by account id.
            watched: puts something around the reader of each account; there are no workers then.

        Returns:
            Why it ended early; None if it came to its end.
        """
        try:
            async with asyncio.timeout(self.seconds_left()):
                await self._audit_accounts(self._order(found, done or {}), left, collector, watched)
        except TimeoutError:
            early = _DEADLINE
        except asyncio.CancelledError:
            early = INTERRUPTED
        except WorkersError as error:
            early = error.message
        else:
            return None
        collector.fail_unfinished(expected_targets(left, self.caller.partition), early)
        return early

    @asynccontextmanager
    async def open_estate(self, found: Accounts) -> AsyncIterator[Estate]:
        """The accounts of the run and the ways into them, without an audit."""
        async with open_estate(self._order(found, {}), self.session, self.calls, self._pacer) as estate:
            yield estate

    def progress(self) -> Progress:
        """What the live line shows."""
        total = self.calls.total
        return Progress(calls=total.calls.total, throttled=lambda: total.throttled, seconds_for=self._seconds_for)

    def refuse_missing_images(self, spool: Spool, missing: Iterable[str]) -> None:
        """A named image or tag that is in no region was a mistake, unless a region could not be read.

        Raises:
            TargetsError: there is no such image.
        """
        if any(report["status"] == "failed" for report in spool.targets()):
            return
        if self.request.tags and not any(report["images"] for report in spool.targets()):
            raise TargetsError(
                f"no image has the tags that were asked for: {', '.join(self.request.tags)}",
                hint="check the keys and values: upper and lower case differ",
            )
        if missing:
            raise TargetsError(
                f"not found among the images that were asked for: {', '.join(sorted(missing))}",
                hint="check the id, the account and --region",
            )

    def seconds_left(self) -> float | None:
        """Until the deadline; None without one."""
        if self.request.deadline is None:
            return None
        return max(0.0, (self.request.deadline - (datetime.now(UTC) - self.started_at)).total_seconds())

    def _seconds_for(self, waiting: Counter[Target]) -> float:
        return self._pacer.seconds_for(
            {(one.account_id, one.region, "DescribeImageAttribute"): images for one, images in waiting.items()}
        )

    async def _audit_accounts(
        self, order: WorkOrder, left: Sequence[AuditedAccount], collector: Collector, watched: Watch | None
    ) -> None:
        async with open_estate(order, self.session, self.calls, self._pacer) as estate:
            known = await read_regions(estate.own_client(), self.caller.account_id, self._pacer)
            self._check_regions(known, left, only_own=not order.many)
            order = replace(order, known={self.caller.account_id: known})
            workers = min(self.request.workers, len(left))
            if workers <= 1 or self.request.image_ids or watched is not None:
                await audit_accounts(order, estate, left, collector, watched)
                return
        folder = Path(self._files.enter_context(tempfile.TemporaryDirectory(prefix="amiguard-workers-")))
        await audit_in_workers(order, left, collector, workers=workers, folder=folder)

    def _check_regions(
        self, known: Regions | Unreadable, accounts: Sequence[AuditedAccount], *, only_own: bool
    ) -> None:
        """That regions are wrong, or the only account's cannot be listed, is an error before anything is read."""
        wanted = sorted({region for account in accounts for region in account.regions or ()})
        if not isinstance(known, Unreadable):
            refuse_unknown_regions(wanted, known)
            if only_own:
                refuse_disabled_regions(wanted, known)
        elif only_own and not wanted:
            hint = "; ".join(filter(None, [known.hint, "or name the regions with --region"]))
            raise TargetsError(f"the regions of the account could not be listed: {known.reason}", hint=hint)

    def _order(self, found: Accounts, done: Mapping[str, frozenset[Target]]) -> WorkOrder:
        options = self.request.scope.roles
        audited = found.selection.audited
        return WorkOrder(
            profile=self.request.profile,
            endpoint_url=self.request.endpoint_url,
            home_region=self.session.home_region,
            user_agent=f"amiguard/{version('amiguard')}",
            caller=self.caller,
            query=self.query,
            buckets=self._buckets,
            roles=SessionOptions(options.session_name, options.source_identity, options.tags, options.duration),
            rules=self.rules,
            checks=self.request.checks,
            organizations=found.organizations,
            many=[account.account_id for account in audited] != [self.caller.account_id],
            done=done,
            verbose=self.request.verbose,
        )
