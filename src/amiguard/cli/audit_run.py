"""`amiguard audit`: the audit's results become a report, and its end an exit code."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from amiguard.cli.audit_delivery import send_to_security_hub
from amiguard.cli.audit_notify import Notifier, open_notifier
from amiguard.cli.audit_request import AuditRequest, refuse_same_files
from amiguard.cli.audit_resume import CheckpointListener, audit_digest, take_up
from amiguard.cli.audit_scope import Accounts, left_out
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.audit_workers import INTERRUPTED
from amiguard.cli.baseline import Baseline
from amiguard.cli.collector import Collector, Listener
from amiguard.cli.evidence_run import EvidenceRun, evidence_run
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.progress import Progress, shown_progress
from amiguard.cli.report_formats import check_outputs, write_reports
from amiguard.cli.result_stream import ResultStream
from amiguard.cli.talk import say, warn
from amiguard.core.decision import policy_digest
from amiguard.core.directory import Directory
from amiguard.core.evidence import Evidence, RecycleBin
from amiguard.core.result import CheckResult, Target
from amiguard.core.selection import AuditedAccount
from amiguard.files.checkpoint import AuditIdentity, Checkpoint
from amiguard.report.evidence_store import EvidenceStore
from amiguard.report.evidence_values import evidence_v1, recycle_bin_v1
from amiguard.report.interface import AuditHeader, AuditOutcome, Report, header_v1
from amiguard.report.json_v1 import DirectoryV1, NarrowedV1, rfc3339
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.spool import Spool
from amiguard.report.tally import failing


def run_audit(request: AuditRequest) -> ExitCode:
    """Audit, report, and say how it ended.

    Raises:
        AmiguardError: nothing could be audited, or the report could not be written.
    """
    if request.verbose:
        log_to_stderr()
    refuse_same_files(request)
    check_outputs(request.outputs)
    baseline = _load_baseline(request)
    with Spool() as spool, EvidenceStore() as evidence, ExitStack() as files:
        session = AuditSession(request, files)
        notifier = open_notifier(session) if request.notify else None
        run = _Run(request, session, spool, evidence, files, notifier, baseline)
        try:
            ended = asyncio.run(run.audit())
        except asyncio.CancelledError:
            # Terminated before there was anything to report.
            return ExitCode.INTERRUPTED
        if ended.early == INTERRUPTED:
            return ExitCode.INTERRUPTED
        if not ended.delivered:
            return ExitCode.UNFINISHED
        if ended.failing:
            return ExitCode.UNTRUSTED
        return ExitCode.CLEAN if spool.complete else ExitCode.INCOMPLETE


def _load_baseline(request: AuditRequest) -> Baseline | None:
    if request.baseline is None:
        return None
    baseline = Baseline.load(request.baseline)
    if not request.quiet:
        for warning in baseline.warnings:
            warn(warning)
    return baseline


@dataclass(frozen=True, slots=True)
class _Ended:
    """How an audit ended.

    Attributes:
        early: why it ended early; None if it came to its end.
        delivered: whether all deliveries arrived.
        failing: how many results fail the audit: those that the baseline knows do not.
    """

    early: str | None
    delivered: bool
    failing: int


@dataclass(frozen=True, slots=True)
class _Run:
    """One audit under way."""

    request: AuditRequest
    session: AuditSession
    spool: Spool
    evidence: EvidenceStore
    files: ExitStack
    notifier: Notifier | None
    baseline: Baseline | None

    async def audit(self) -> _Ended:
        """Audit, report and deliver."""
        session = self.session
        session.cancel_on_sigterm()
        found = await session.find_accounts()
        checkpoint, identity = self._open_checkpoint()
        header = self._header(identity)
        progress = session.progress()
        stream = self._stream(header)
        async with evidence_run(
            session, found, self.spool, tell=partial(self._keep, stream), tell_bin=self._keep_bin
        ) as evidence:
            collector = self._collector(progress, checkpoint, found.selection.audited, stream, evidence)
            for event in left_out(found.selection, session.caller.partition, self.request.checks):
                collector.note(event)
            with shown_progress(progress, wanted=self._shows_progress):
                left: Sequence[AuditedAccount] = found.selection.audited
                done: Mapping[str, frozenset[Target]] = {}
                if checkpoint is not None:
                    left, done = take_up(checkpoint, left, collector)
                early = await session.audit(found, collector, left=left, done=done)
            if early is None:
                session.refuse_missing_images(self.spool, collector.missing_images)
            early = await evidence.finish(early, seconds_left=session.seconds_left(), wanted=self._shows_progress)
        if (lost := self.evidence.lost) is not None:
            warn(f"{lost.message}: the report has no evidence; {lost.hint}")
        report = self._report(header, found, stream)
        if checkpoint is not None and early is None:
            checkpoint.remove()
        delivered = True
        if early != INTERRUPTED:
            if self.request.security_hub:
                delivered = await send_to_security_hub(session, found, report)
            if self.notifier is not None:
                files = [one.path for one in self.request.outputs if one.path is not None]
                delivered &= self.notifier.tell(report, files)
        return _Ended(early, delivered, failing(report))

    @property
    def _shows_progress(self) -> bool:
        return not (self.request.quiet or self.request.verbose)

    def _keep(self, stream: ResultStream | None, result: CheckResult, evidence: Evidence) -> None:
        """Take evidence for the report, and tell it to the output that streams."""
        copied = evidence_v1(evidence)
        self.evidence.keep(result.fingerprint, copied)
        if stream is not None:
            stream.note_evidence(result, copied)

    def _keep_bin(self, bin_: RecycleBin) -> None:
        self.evidence.keep_bin(bin_.target, recycle_bin_v1(bin_.images))

    def _open_checkpoint(self) -> tuple[Checkpoint | None, AuditIdentity]:
        session = self.session
        wanted = AuditIdentity(
            digest=audit_digest(
                self.request.settings,
                self.request.scope,
                today=session.started_at.date(),
                parts=(
                    session.query,
                    sorted(self.request.checks),
                    session.caller.account_id,
                    self.request.endpoint_url,
                    version("amiguard"),
                ),
            ),
            audit_id=str(uuid.uuid4()),
            started_at=session.started_at.isoformat(),
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
            caller_arn=self.session.caller.arn,
            trust_policy_digest=policy_digest(settings.policy, settings.exceptions),
            trust_policy=trust_policy_v1(settings.policy, settings.exceptions),
            tool_version=version("amiguard"),
        )

    def _collector(
        self,
        progress: Progress,
        checkpoint: Checkpoint | None,
        accounts: Sequence[AuditedAccount],
        stream: ResultStream | None,
        evidence: EvidenceRun,
    ) -> Collector:
        session = self.session
        listeners: list[Listener] = [evidence]
        if checkpoint is not None:
            listeners.append(CheckpointListener(checkpoint, self.spool, session.calls, accounts, session.caller))
        if stream is not None:
            listeners.append(stream)
        return Collector(
            self.spool,
            session.calls,
            partition=session.caller.partition,
            checks=self.request.checks,
            progress=progress,
            listeners=listeners,
            named_images=self.request.image_ids,
            warnings=None if self.request.quiet else warn,
            on_result=evidence.note,
            on_adopted=evidence.adopted,
        )

    def _stream(self, header: AuditHeader) -> ResultStream | None:
        streamed = self.request.streamed
        if streamed is None:
            return None
        marked = self.baseline.marked if self.baseline else None
        return ResultStream(self.spool, header_v1(header), streamed.shown(self.request.statuses), marked)

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

    def _report(self, header: AuditHeader, found: Accounts, results: ResultStream | None) -> Report:
        """Write the reports; of one that streams, the end."""
        outcome = AuditOutcome(
            finished_at=datetime.now(UTC),
            complete=self.spool.complete,
            api_calls=dict(self.session.calls.total.calls),
            throttled=self.session.calls.total.throttled,
            directory=self._directory(found.organizations.directory),
            narrowed_to=self._narrowed_to(),
        )
        report = self.evidence.applied_to(self.spool.report(header, outcome, found.names))
        if self.baseline is not None:
            report = self.baseline.applied_to(report)
        if results is not None:
            results.end(report)
        left = [one for one in self.request.outputs if results is None or one != self.request.streamed]
        write_reports(report, left, self.request.statuses, rule_id=self.request.settings.conformity_rule_id)
        return report
