"""`amiguard audit`: the audit's results become a report, and its end an exit code."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from amiguard.cli.audit_request import AuditRequest, refuse_same_files
from amiguard.cli.audit_resume import CheckpointListener, audit_digest, take_up
from amiguard.cli.audit_scope import Accounts, left_out
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.audit_workers import INTERRUPTED
from amiguard.cli.collector import Collector, Listener
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.progress import Progress, shown_progress
from amiguard.cli.report_formats import renderer_of
from amiguard.cli.result_stream import ResultStream
from amiguard.cli.talk import say, warn
from amiguard.core.decision import policy_digest
from amiguard.core.directory import Directory
from amiguard.core.result import Status, Target
from amiguard.core.selection import AuditedAccount
from amiguard.files.checkpoint import AuditIdentity, Checkpoint
from amiguard.report.interface import AuditHeader, AuditOutcome, header_v1
from amiguard.report.json_v1 import DirectoryV1, NarrowedV1, rfc3339
from amiguard.report.output import check_writable, open_output
from amiguard.report.spool import Spool


def run_audit(request: AuditRequest) -> ExitCode:
    """Audit, report, and say how it ended.

    Raises:
        AmiguardError: nothing could be audited, or the report could not be written.
    """
    if request.verbose:
        log_to_stderr()
    refuse_same_files(request)
    if request.output is not None:
        check_writable(request.output)
    with Spool() as spool, ExitStack() as files:
        run = _Run(request, AuditSession(request, files), spool, files)
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


@dataclass(frozen=True, slots=True)
class _Run:
    """One audit under way."""

    request: AuditRequest
    session: AuditSession
    spool: Spool
    files: ExitStack

    async def audit(self) -> str | None:
        """Audit and report.

        Returns:
            Why the audit ended early; None if it came to its end.
        """
        session = self.session
        session.cancel_on_sigterm()
        found = await session.find_accounts()
        checkpoint, identity = self._open_checkpoint()
        header = self._header(identity)
        progress = session.progress()
        stream = ResultStream(self.spool, header_v1(header), self.request.shown) if self.request.streams else None
        collector = self._collector(progress, checkpoint, found.selection.audited, stream)
        for event in left_out(found.selection, session.caller.partition, self.request.checks):
            collector.note(event)
        with shown_progress(progress, wanted=not (self.request.quiet or self.request.verbose)):
            left: Sequence[AuditedAccount] = found.selection.audited
            done: Mapping[str, frozenset[Target]] = {}
            if checkpoint is not None:
                left, done = take_up(checkpoint, left, collector)
            early = await session.audit(found, collector, left=left, done=done)
        if early is None:
            session.refuse_missing_images(self.spool, collector.missing_images)
        self._report(header, found, stream)
        if checkpoint is not None and early is None:
            checkpoint.remove()
        return early

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
            tool_version=version("amiguard"),
        )

    def _collector(
        self,
        progress: Progress,
        checkpoint: Checkpoint | None,
        accounts: Sequence[AuditedAccount],
        stream: ResultStream | None,
    ) -> Collector:
        session = self.session
        listeners: list[Listener] = []
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
            api_calls=dict(self.session.calls.total.calls),
            throttled=self.session.calls.total.throttled,
            directory=self._directory(found.organizations.directory),
            narrowed_to=self._narrowed_to(),
        )
        report = self.spool.report(header, outcome, found.names)
        if results is not None:
            results.end(report)
            return
        with open_output(self.request.output) as stream:
            renderer_of(self.request.report_format)(report, self.request.shown, stream)
