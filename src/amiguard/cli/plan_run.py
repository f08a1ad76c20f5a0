"""`amiguard plan`: an audit's results become a plan."""

import asyncio
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

from amiguard.aws.estate import Estate
from amiguard.cli.audit_request import AuditRequest
from amiguard.cli.audit_scope import Accounts, left_out
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.audit_workers import INTERRUPTED
from amiguard.cli.collector import Collector
from amiguard.cli.evidence_run import EvidenceRun, evidence_run
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.progress import shown_progress
from amiguard.cli.same_files import refuse_same
from amiguard.cli.saved_results import judge_saved
from amiguard.cli.talk import say, warn
from amiguard.core.checks.ami_cross_account_access import METADATA
from amiguard.core.decision import Rules, policy_digest
from amiguard.core.grantee import Grantee, GranteeKind
from amiguard.core.guards import guards, trusts_nobody
from amiguard.core.image import Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.plan import Plan
from amiguard.core.planning import Planner, PlanWishes
from amiguard.core.ports import AccountReader, OpenedAccount
from amiguard.core.result import CheckResult, Target
from amiguard.files.plan_file import write_plan
from amiguard.report.output import check_writable, open_output
from amiguard.report.plan_commands import render_commands
from amiguard.report.plan_table import render_plan
from amiguard.report.saved_report import SavedReport, open_saved_report
from amiguard.report.spool import Spool


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the command line asked for.

    Attributes:
        audit: what is looked at.
        source: a saved report to plan from, in place of an audit.
        accounts: those that were named, by id; empty for all.
        regions: those that were named; empty for all.
        only: the kinds of grantee that are removed; None for all.
        share_with: grantees to add.
        block_public_access: whether it is to be switched on.
        snapshots: whether the snapshots under images are planned for, too.
        revoke_in_use: whether access is taken from accounts that use an image, too.
        valid_for: how long the plan may be applied.
        max_images: how many images may be changed without `--force`.
        commands: print AWS CLI commands in place of the table.
        output: where to write the plan; None for nowhere.
    """

    audit: AuditRequest
    source: Path | None = None
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    only: frozenset[GranteeKind] | None = None
    share_with: tuple[Grantee, ...] = ()
    block_public_access: bool = False
    snapshots: bool = False
    revoke_in_use: bool = False
    valid_for: timedelta = timedelta(hours=24)
    max_images: int = 50
    commands: bool = False
    output: Path | None = None

    @property
    def images(self) -> frozenset[str]:
        """The ids of the images that were named; empty for all."""
        return frozenset(self.audit.image_ids)

    @property
    def wishes(self) -> PlanWishes:
        """What is wished for, beyond taking back untrusted access."""
        return PlanWishes(
            share_with=self.share_with,
            share_with_named=self.images,
            only=self.only,
            protected=self.audit.settings.remediation.protected,
            block_public_access=self.block_public_access,
            snapshots=self.snapshots,
            revoke_in_use=self.revoke_in_use,
        )


def run_plan(request: PlanRequest) -> ExitCode:
    """Plan, show the plan, write it, and say how it ended.

    Raises:
        AmiguardError: nothing could be planned, or the plan could not be written.
    """
    audit = request.audit
    if audit.verbose:
        log_to_stderr()
    _refuse_same_files(request)
    if request.output is not None:
        check_writable(request.output)
    wishes = request.wishes
    saved = open_saved_report(request.source) if request.source is not None else None
    with ExitStack() as files:
        run = _Run(request, AuditSession(audit, files), wishes, files)
        work = run.look() if saved is None else run.read(saved)
        try:
            complete = asyncio.run(work)
        except asyncio.CancelledError:
            say("interrupted: no plan was written")
            return ExitCode.INTERRUPTED
        plan = run.plan()
    _tell(request, plan)
    return ExitCode.INCOMPLETE if plan.unplanned or not complete else ExitCode.CLEAN


class _Run:
    """One plan in the making."""

    def __init__(self, request: PlanRequest, session: AuditSession, wishes: PlanWishes, files: ExitStack) -> None:
        self._request = request
        self._session = session
        self._files = files
        self._rules = session.rules
        self._organizations: dict[str, OrganizationView] = {}
        self._planner = Planner(wishes, self._rules_of)

    async def look(self) -> bool:
        """Audit into the planner.

        Returns:
            Whether everything was read; what was not is in the plan's list.

        Raises:
            asyncio.CancelledError: it was interrupted.
        """
        session = self._session
        session.cancel_on_sigterm()
        found = await session.find_accounts()
        spool = self._files.enter_context(Spool())
        progress = session.progress()
        shows_progress = not (session.request.quiet or session.request.verbose)
        async with evidence_run(session, found, spool, tell=self._planner.note, tell_bin=None) as evidence:
            collector = Collector(
                spool,
                session.calls,
                partition=session.caller.partition,
                checks=session.request.checks,
                progress=progress,
                listeners=[evidence],
                named_images=session.request.image_ids,
                warnings=None if session.request.quiet else warn,
                on_result=partial(self._note, evidence),
            )
            for event in left_out(found.selection, session.caller.partition, session.request.checks):
                collector.note(event)
            with shown_progress(progress, wanted=shows_progress):
                early = await session.audit(found, collector, left=found.selection.audited, watched=self._watched)
            early = await evidence.finish(early, seconds_left=session.seconds_left(), wanted=shows_progress)
        if early == INTERRUPTED:
            raise asyncio.CancelledError
        session.refuse_missing_images(spool, collector.missing_images)
        return spool.complete

    async def read(self, saved: SavedReport) -> bool:
        """Judge the results of a saved report anew, into the planner.

        Returns:
            Whether the report was complete, and held all that was narrowed to.
        """
        session = self._session
        session.cancel_on_sigterm()
        if saved.not_shown:
            counts = ", ".join(f"{number:,} {status}" for status, number in saved.not_shown.items())
            warn(f"{saved.path} does not hold all results of its audit (--status): {counts} are not looked at")
        if saved.not_shown or "narrowed_to" in saved.audit:
            self._planner.note_gaps()
        found = await session.find_accounts()
        async with session.open_estate(found) as estate:
            complete = await judge_saved(
                saved,
                session.caller,
                self._request,
                note=self._planner.note,
                rules_of=lambda target: self._ask_rules(estate, found, target),
            )
        return complete and not saved.not_shown

    def plan(self) -> Plan:
        """The plan of all that was looked at."""
        session = self._session
        settings = session.request.settings
        now = datetime.now(UTC).replace(microsecond=0)
        return self._planner.plan(
            plan_id=str(uuid.uuid4()),
            created_at=now,
            expires_at=now + self._request.valid_for,
            tool_version=version("amiguard"),
            caller_arn=session.caller.arn,
            account_id=session.caller.account_id,
            trust_policy_digest=policy_digest(settings.policy, settings.exceptions),
        )

    def _rules_of(self, account_id: str) -> Rules:
        return replace(self._rules, organization=self._organizations[account_id])

    def _note(self, evidence: EvidenceRun, result: CheckResult) -> None:
        """Plan by a result now, or once there is evidence about it."""
        # Of snapshots no plan says more than their grants.
        is_about_sharing = result.check_id == METADATA.check_id
        if not (is_about_sharing and evidence.takes(result)):
            self._planner.note(result)

    def _watched(self, reader: AccountReader) -> AccountReader:
        return _Watched(reader, self._organizations)

    async def _ask_rules(self, estate: Estate, found: Accounts, target: Target) -> Rules | Unreadable:
        """The rules of an account whose images are not read now."""
        account_id = target.account_id
        if account_id not in self._organizations:
            known = {one.account_id: one for one in found.selection.audited}
            if account_id not in known:
                return Unreadable("the account is not among those that the settings and options name")
            self._organizations[account_id] = await estate.way_in(known[account_id]).organization()
        return self._rules_of(account_id)


class _Watched:
    """An account whose organization is kept when it is opened."""

    def __init__(self, reader: AccountReader, organizations: dict[str, OrganizationView]) -> None:
        self._reader = reader
        self._organizations = organizations

    @property
    def account_id(self) -> str:
        """Whose images are read."""
        return self._reader.account_id

    @property
    def expected(self) -> tuple[Target, ...]:
        """The targets that are known without asking."""
        return self._reader.expected

    async def open(self) -> OpenedAccount | Unreadable:
        """Open the account."""
        opened = await self._reader.open()
        if isinstance(opened, OpenedAccount):
            self._organizations[self.account_id] = opened.organization
        return opened


def _refuse_same_files(request: PlanRequest) -> None:
    """The plan must not replace what it is made from."""
    audit = request.audit
    read = {"--from": request.source, "--directory": audit.directory.file, "the settings file": audit.settings.path}
    for one in read.items():
        # Two that are only read may be one.
        refuse_same((("--output", request.output), one))


def _tell(request: PlanRequest, plan: Plan) -> None:
    with open_output(None) as stream:
        if request.commands:
            render_commands(plan, stream)
        else:
            render_plan(plan, stream)
    if request.output is not None:
        write_plan(request.output, plan)
    policy = request.audit.settings.policy
    nobody = trusts_nobody(policy, plan.created_at.date())
    for guard in guards(plan, max_images=request.max_images, trusts_nobody=nobody):
        warn(f"the plan needs --force to be applied: {guard.message}")
    if request.output is not None and plan.changes and not request.audit.quiet:
        say(f"The plan is in {request.output}, for amiguard apply until {plan.expires_at:%Y-%m-%d %H:%M} UTC.")
