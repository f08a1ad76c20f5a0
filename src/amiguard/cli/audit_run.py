"""`amiguard audit`: wires settings, AWS, the auditor and the report together."""

import asyncio
import signal
import tempfile
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from amiguard.aws.call_book import CallBook
from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import BucketSize, Pacer
from amiguard.aws.roles import SessionOptions
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.targets import Regions, read_regions, refuse_disabled_regions, refuse_unknown_regions
from amiguard.cli.audit_options import image_query, read_buckets
from amiguard.cli.audit_request import AuditRequest, refuse_same_files
from amiguard.cli.audit_resume import CheckpointListener, audit_digest, take_up
from amiguard.cli.audit_scope import Accounts, find_accounts, left_out
from amiguard.cli.audit_work import WorkOrder, audit_accounts, expected_targets, open_estate
from amiguard.cli.audit_workers import INTERRUPTED, WorkersError, audit_in_workers
from amiguard.cli.collector import Collector, Listener
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.progress import Progress, shown_progress
from amiguard.cli.report_formats import renderer_of
from amiguard.cli.result_stream import ResultStream
from amiguard.cli.talk import say, warn
from amiguard.core.decision import policy_digest, rules_in_force
from amiguard.core.directory import Directory
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.result import Status, Target
from amiguard.core.selection import AuditedAccount
from amiguard.files.checkpoint import AuditIdentity, Checkpoint
from amiguard.report.interface import AuditHeader, AuditOutcome, header_v1
from amiguard.report.json_v1 import DirectoryV1, NarrowedV1, rfc3339
from amiguard.report.output import check_writable, open_output
from amiguard.report.spool import Spool

_DEADLINE = "the deadline passed"


def run_audit(request: AuditRequest) -> ExitCode:
    """Audit, report, and say how it ended.

    Raises:
        AmiguardError: nothing could be audited, or the report could not be written.
    """
    if request.verbose:
        log_to_stderr()
    query = image_query(request.image_ids, request.tags)
    buckets = read_buckets(request.read_bucket)
    refuse_same_files(request)
    if request.output is not None:
        check_writable(request.output)
    if not request.quiet:
        for warning in request.settings.warnings:
            warn(warning)
    started_at = datetime.now(UTC)
    calls = CallBook()
    session = AwsSession(
        profile=request.profile,
        home_region=request.scope.regions[0] if request.scope.regions else None,
        endpoint_url=request.endpoint_url,
        stats=calls.total,
    )
    caller = session.ask_caller()
    with Spool() as spool, ExitStack() as files:
        run = _Run(request, query, buckets, session, caller, calls, spool, files, started_at)
        try:
            early = asyncio.run(run.audit())
        except asyncio.CancelledError:
            # Terminated before there was anything to report.
            return ExitCode.INTERRUPTED
        if early == INTERRUPTED:
            return ExitCode.INTERRUPTED
        if spool.counts[Status.FAIL]:
            return ExitCode.UNTRUSTED
        return ExitCode.CLEAN if spool.complete else ExitCode.INCOMPLETE


@dataclass(slots=True)
class _Run:
    """One audit under way."""

    request: AuditRequest
    query: ImageQuery
    buckets: Mapping[str, BucketSize | None]
    session: AwsSession
    caller: Caller
    calls: CallBook
    spool: Spool
    files: ExitStack
    started_at: datetime
    pacer: Pacer = field(init=False)

    def __post_init__(self) -> None:
        self.pacer = Pacer(self.buckets)

    async def audit(self) -> str | None:
        """Audit and report.

        Returns:
            Why the audit ended early; None if it came to its end.
        """
        self._cancel_on_sigterm()
        found = await self._find_accounts()
        checkpoint, identity = self._open_checkpoint()
        header = self._header(identity)
        progress = self._progress()
        stream = ResultStream(self.spool, header_v1(header), self.request.shown) if self.request.streams else None
        collector = self._collector(progress, checkpoint, found.selection.audited, stream)
        for event in left_out(found.selection, self.caller.partition):
            collector.note(event)
        with shown_progress(progress, wanted=not (self.request.quiet or self.request.verbose)):
            early = await self._audit_in_time(found, checkpoint, collector)
        if early is None:
            self._refuse_missing_images(collector.missing_images)
        self._report(header, found, stream)
        if checkpoint is not None and early is None:
            checkpoint.remove()
        return early

    async def _find_accounts(self) -> Accounts:
        try:
            async with asyncio.timeout(self._seconds_left()):
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

    def _cancel_on_sigterm(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: this runs in one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    async def _audit_in_time(self, found: Accounts, checkpoint: Checkpoint | None, collector: Collector) -> str | None:
        """Audit until the end, the deadline or an interruption; what has not ended by then is failed."""
        left: Sequence[AuditedAccount] = found.selection.audited
        done: Mapping[str, frozenset[Target]] = {}
        if checkpoint is not None:
            left, done = take_up(checkpoint, left, collector)
        try:
            async with asyncio.timeout(self._seconds_left()):
                await self._audit_accounts(self._order(found, done), left, collector)
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

    def _seconds_left(self) -> float | None:
        if self.request.deadline is None:
            return None
        return max(0.0, (self.request.deadline - (datetime.now(UTC) - self.started_at)).total_seconds())

    async def _audit_accounts(self, order: WorkOrder, left: Sequence[AuditedAccount], collector: Collector) -> None:
        async with open_estate(order, self.session, self.calls, self.pacer) as estate:
            known = await read_regions(estate.own_client(), self.caller.account_id, self.pacer)
            self._check_regions(known, left, only_own=not order.many)
            order = replace(order, known={self.caller.account_id: known})
            workers = min(self.request.workers, len(left))
            if workers <= 1 or self.request.image_ids:
                await audit_accounts(order, estate, left, collector)
                return
        folder = Path(self.files.enter_context(tempfile.TemporaryDirectory(prefix="amiguard-workers-")))
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
        settings = self.request.settings
        audited = found.selection.audited
        return WorkOrder(
            profile=self.request.profile,
            endpoint_url=self.request.endpoint_url,
            home_region=self.session.home_region,
            user_agent=f"amiguard/{version('amiguard')}",
            caller=self.caller,
            query=self.query,
            buckets=self.buckets,
            roles=SessionOptions(options.session_name, options.source_identity, options.tags, options.duration),
            rules=rules_in_force(
                settings.policy,
                settings.exceptions,
                today=self.started_at.date(),
                organization=NoOrganization(),
            ),
            organizations=found.organizations,
            many=[account.account_id for account in audited] != [self.caller.account_id],
            done=done,
            verbose=self.request.verbose,
        )

    def _open_checkpoint(self) -> tuple[Checkpoint | None, AuditIdentity]:
        wanted = AuditIdentity(
            digest=audit_digest(
                self.request.settings,
                self.request.scope,
                today=self.started_at.date(),
                parts=(self.query, self.caller.account_id, self.request.endpoint_url, version("amiguard")),
            ),
            audit_id=str(uuid.uuid4()),
            started_at=self.started_at.isoformat(),
        )
        if self.request.checkpoint is None:
            return None, wanted
        checkpoint = self.files.enter_context(Checkpoint(self.request.checkpoint, wanted))
        if checkpoint.targets and not self.request.quiet:
            begun = checkpoint.identity.started_at
            say(f"going on with the audit of {begun}: {len(checkpoint.targets)} targets are done")
        return checkpoint, checkpoint.identity

    def _header(self, identity: AuditIdentity) -> AuditHeader:
        settings = self.request.settings
        return AuditHeader(
            audit_id=identity.audit_id,
            started_at=datetime.fromisoformat(identity.started_at),
            caller_arn=self.caller.arn,
            trust_policy_digest=policy_digest(settings.policy, settings.exceptions),
            tool_version=version("amiguard"),
        )

    def _progress(self) -> Progress:
        total = self.calls.total
        return Progress(calls=total.calls.total, throttled=lambda: total.throttled, seconds_for=self._seconds_for)

    def _seconds_for(self, waiting: Counter[Target]) -> float:
        return self.pacer.seconds_for(
            {(one.account_id, one.region, "DescribeImageAttribute"): images for one, images in waiting.items()}
        )

    def _collector(
        self,
        progress: Progress,
        checkpoint: Checkpoint | None,
        accounts: Sequence[AuditedAccount],
        stream: ResultStream | None,
    ) -> Collector:
        listeners: list[Listener] = []
        if checkpoint is not None:
            listeners.append(CheckpointListener(checkpoint, self.spool, self.calls, accounts, self.caller))
        if stream is not None:
            listeners.append(stream)
        return Collector(
            self.spool,
            self.calls,
            partition=self.caller.partition,
            progress=progress,
            listeners=listeners,
            named_images=self.request.image_ids,
            warnings=None if self.request.quiet else warn,
        )

    def _refuse_missing_images(self, missing: set[str]) -> None:
        """A named image or tag that is in no region was a mistake, unless a region could not be read."""
        if any(report["status"] == "failed" for report in self.spool.targets()):
            return
        if self.request.tags and not any(report["images"] for report in self.spool.targets()):
            raise TargetsError(
                f"no image has the tags that were asked for: {', '.join(self.request.tags)}",
                hint="check the keys and values: upper and lower case differ",
            )
        if missing:
            raise TargetsError(
                f"not found among the images that were asked for: {', '.join(sorted(missing))}",
                hint="check the id, the account and --region",
            )

    def _directory(self, directory: Directory | None) -> DirectoryV1 | None:
        if directory is None:
            return None
        return {
            "organization_id": directory.organization_id,
            "read_at": rfc3339(directory.read_at),
            "source": "file" if self.request.directory.file else "aws",
        }

    def _narrowed_to(self) -> NarrowedV1 | None:
        request = self.request
        if not request.image_ids and not request.tags:
            return None
        return {"images": list(request.image_ids), "tags": list(request.tags)}

    def _report(self, header: AuditHeader, found: Accounts, results: ResultStream | None) -> None:
        """Write the report, or the end of it if it streams."""
        outcome = AuditOutcome(
            finished_at=datetime.now(UTC),
            complete=self.spool.complete,
            api_calls=dict(self.calls.total.calls),
            throttled=self.calls.total.throttled,
            directory=self._directory(found.organizations.directory),
            narrowed_to=self._narrowed_to(),
        )
        report = self.spool.report(header, outcome, found.names)
        if results is not None:
            results.end(report)
            return
        with open_output(self.request.output) as stream:
            renderer_of(self.request.report_format)(report, self.request.shown, stream)
