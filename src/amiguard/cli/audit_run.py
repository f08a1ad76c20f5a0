"""`amiguard audit`: wires settings, AWS, the auditor and the report together."""

import asyncio
import logging
import signal
import uuid
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from amiguard.auditor import ImagesListed, audit
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats, Ec2QueryClient
from amiguard.aws.http import open_http
from amiguard.aws.images import ImageQuery
from amiguard.aws.organization import read_own_organization
from amiguard.aws.pacing import Pacer
from amiguard.aws.reader import Ec2ImageReader
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.targets import Targets, find_targets
from amiguard.cli.audit_options import image_query, read_buckets
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.progress import Progress, shown_progress
from amiguard.cli.report_formats import default_statuses, renderer_of
from amiguard.cli.talk import warn
from amiguard.core.checks.ami_cross_account_access import target_unreadable
from amiguard.core.decision import Rules, policy_digest, rules_in_force
from amiguard.core.errors import TargetsError
from amiguard.core.image import Unreadable
from amiguard.core.organization import NoOrganization
from amiguard.core.result import CheckResult, Status, Target, TargetReport
from amiguard.files.settings_record import Settings
from amiguard.report.interface import AuditHeader, AuditOutcome, StatusFilter, header_v1
from amiguard.report.jsonl import write_header, write_results, write_summary
from amiguard.report.output import check_writable, open_output
from amiguard.report.spool import Spool

_LOG = logging.getLogger("amiguard.audit")


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What the command line asked for.

    Attributes:
        settings: the trust policy and all else from the settings file.
        regions: by name; empty for all enabled ones.
        image_ids: these images only; empty for all.
        tags: `KEY` or `KEY=VALUE`, as given.
        statuses: shown ones; empty for what the format shows by default.
        report_format: `table`, `json` or `jsonl`.
        read_bucket: `BURST+REFILL` or `none`, as given.
    """

    settings: Settings
    profile: str | None = None
    endpoint_url: str | None = None
    regions: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    report_format: str = "table"
    output: Path | None = None
    read_bucket: str | None = None
    quiet: bool = False
    verbose: bool = False


def run_audit(request: AuditRequest) -> ExitCode:
    """Audit, report, and say how it ended.

    Raises:
        AmiguardError: nothing could be audited, or the report could not be written.
    """
    if request.verbose:
        log_to_stderr()
    query = image_query(request.image_ids, request.tags)
    pacer = Pacer(read_buckets(request.read_bucket))
    if request.output is not None:
        check_writable(request.output)
    if not request.quiet:
        for warning in request.settings.warnings:
            warn(warning)
    started_at = datetime.now(UTC)
    stats = CallStats()
    session = AwsSession(
        profile=request.profile,
        endpoint_url=request.endpoint_url,
        home_region=request.regions[0] if request.regions else None,
        stats=stats,
    )
    caller = session.ask_caller()
    header = AuditHeader(
        audit_id=str(uuid.uuid4()),
        started_at=started_at,
        caller_arn=caller.arn,
        trust_policy_digest=policy_digest(request.settings.policy, request.settings.exceptions),
        tool_version=version("amiguard"),
    )
    rules = _rules(request.settings, session, started_at)
    with Spool() as spool:
        run = _Run(request, session, caller, query, rules, pacer, stats, spool, header)
        interrupted = asyncio.run(run.audit())
        run.report()
        if interrupted:
            return ExitCode.INTERRUPTED
        if spool.counts[Status.FAIL]:
            return ExitCode.UNTRUSTED
        return ExitCode.CLEAN if spool.complete else ExitCode.INCOMPLETE


def _rules(settings: Settings, session: AwsSession, started_at: datetime) -> Rules:
    # Without an organization in the policy, which one is the own decides nothing: it is not asked for.
    organization = read_own_organization(session) if settings.policy.names_organizations else NoOrganization()
    return rules_in_force(settings.policy, settings.exceptions, today=started_at.date(), organization=organization)


@dataclass(slots=True)
class _Run:
    """One audit under way."""

    request: AuditRequest
    session: AwsSession
    caller: Caller
    query: ImageQuery
    rules: Rules
    pacer: Pacer
    stats: CallStats
    spool: Spool
    header: AuditHeader
    targets: Targets = field(default_factory=lambda: Targets(()))
    found: set[str] = field(default_factory=set)
    """Those of the named images that have a result."""

    async def audit(self) -> bool:
        """Read everything into the spool; results that stream leave at once.

        Returns:
            Whether it was interrupted; the targets that had not ended are then reported as failed.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: this runs in one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            await self._audit_targets()
        except asyncio.CancelledError:
            self._report_unfinished("interrupted")
            return True
        self._refuse_unknown_images()
        return False

    async def _audit_targets(self) -> None:
        user_agent = f"amiguard/{self.header.tool_version}"
        async with open_http(self.session.ca_file, user_agent) as http:
            credentials = CredentialSource(self.session.find_credentials)

            def client(region: str) -> Ec2QueryClient:
                return Ec2QueryClient(http, self.session.ec2_endpoint(region), credentials, self.stats)

            home = client(self.session.home_region)
            self.targets = await find_targets(home, self.caller, self.pacer, self.request.regions)
            if self.targets.warning and not self.request.quiet:
                warn(self.targets.warning)
            readers = {
                target: Ec2ImageReader(client(target.region), target, self.query, self.pacer)
                for target in self.targets.audited
            }
            await self._consume(readers)

    async def _consume(self, readers: dict[Target, Ec2ImageReader]) -> None:
        if self._streams:
            with open_output(None) as stream:
                write_header(header_v1(self.header), stream)
        for skipped in self.targets.skipped:
            self.spool.finish(skipped)
        progress = Progress(
            targets=len(readers),
            calls=self.stats.calls.total,
            throttled=lambda: self.stats.throttled,
            seconds_for=self._seconds_for,
        )
        shown = not (self.request.quiet or self.request.verbose)
        with shown_progress(progress, wanted=shown):
            async with aclosing(audit(readers, self.rules)) as events:
                async for event in events:
                    progress.note(event)
                    match event:
                        case CheckResult():
                            self._add(event)
                        case TargetReport():
                            self._finish(event)
                        case ImagesListed(target, images):
                            _LOG.debug("images listed", extra={"region": target.region, "images": images})

    def _add(self, result: CheckResult) -> None:
        self.spool.add(result)
        if self.request.image_ids and result.image is not None:
            self.found.add(result.image.image_id)

    def _seconds_for(self, waiting: Counter[Target]) -> float:
        return self.pacer.seconds_for(
            {(one.account_id, one.region, "DescribeImageAttribute"): images for one, images in waiting.items()}
        )

    def _finish(self, report: TargetReport) -> None:
        self.spool.finish(report)
        target = report.target
        _LOG.info(
            "target finished",
            extra={
                "account": target.account_id,
                "region": target.region,
                "status": report.status.value,
                "reason": report.reason,
                "images": report.images,
                "vanished": report.vanished,
            },
        )
        if self._streams:
            with open_output(None) as stream:
                write_results(self.spool.results(target, self._shown), stream)
                stream.flush()

    def _report_unfinished(self, reason: str) -> None:
        ended = {(one["account_id"], one["region"]) for one in self.spool.targets()}
        for target in self.targets.audited:
            if (target.account_id, target.region) not in ended:
                self.spool.add(target_unreadable(target, Unreadable(reason)))
        for report in self.spool.unfinished(reason):
            self._finish(report)

    def _refuse_unknown_images(self) -> None:
        """A named image that is in no region was a mistake, unless a region could not be read."""
        missing = set(self.request.image_ids) - self.found
        if missing and all(report["status"] != "failed" for report in self.spool.targets()):
            raise TargetsError(
                f"not found among the images of {self.caller.account_id}: {', '.join(sorted(missing))}",
                hint="check the id, the account and --region",
            )

    @property
    def _streams(self) -> bool:
        return self.request.report_format == "jsonl" and self.request.output is None

    @property
    def _shown(self) -> StatusFilter:
        if self.request.statuses:
            return StatusFilter.of(self.request.statuses)
        return default_statuses(self.request.report_format)

    def report(self) -> None:
        """Write the report, or the end of it if it streams."""
        outcome = AuditOutcome(
            finished_at=datetime.now(UTC),
            complete=self.spool.complete,
            api_calls=dict(self.stats.calls),
            throttled=self.stats.throttled,
        )
        report = self.spool.report(self.header, outcome)
        with open_output(self.request.output) as stream:
            if self._streams:
                write_summary(report, stream)
            else:
                renderer_of(self.request.report_format)(report, self._shown, stream)
