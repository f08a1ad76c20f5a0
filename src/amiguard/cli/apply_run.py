"""`amiguard apply`: a plan that holds is made, and its outcomes become a table and an exit code."""

import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from amiguard.cli.audit_request import AuditRequest, DirectoryOptions
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.remediation_run import Work, ask, carry_out, changes, opened_journal, refuse_unasked
from amiguard.cli.talk import say, warn
from amiguard.core.decision import policy_digest
from amiguard.core.errors import AmiguardError, InputError
from amiguard.core.guards import guards, trusts_nobody
from amiguard.core.plan import Plan
from amiguard.core.remediation_access import remediation_accounts
from amiguard.core.scope import NamedRole, Scope
from amiguard.core.selection import AuditedAccount
from amiguard.files.journal_record import JournalHeader, JournalKind
from amiguard.files.plan_file import load_plan, plan_digest, why_not_applicable
from amiguard.files.settings_record import Settings
from amiguard.remediator import RemediationOptions, apply
from amiguard.report.output import open_output
from amiguard.report.plan_table import render_plan


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What the command line asked for.

    Attributes:
        plan: the plan file.
        role_name: the role to assume in other accounts, in place of that of the settings.
        journal: where to write what is done; None for the state folder.
    """

    plan: Path
    settings: Settings
    profile: str | None = None
    endpoint_url: str | None = None
    role_name: str | None = None
    external_id: str | None = None
    directory: DirectoryOptions = field(default_factory=DirectoryOptions)
    yes: bool = False
    dry_run: bool = False
    force: bool = False
    max_images: int = 50
    stop_on_error: bool = False
    deadline: timedelta | None = None
    journal: Path | None = None
    quiet: bool = False
    verbose: bool = False

    @property
    def role(self) -> NamedRole | None:
        """The role to assume in other accounts; None for that of audits."""
        settings = self.settings.remediation.role
        if self.role_name is not None:
            return NamedRole(self.role_name, self.external_id)
        return (
            settings
            if self.external_id is None or settings is None
            else replace(settings, external_id=self.external_id)
        )


def run_apply(request: ApplyRequest) -> ExitCode:
    """Apply a plan, and say how it ended.

    Raises:
        AmiguardError: the plan is refused, or nothing could be begun: nothing was done.
    """
    if request.verbose:
        log_to_stderr()
    plan = load_plan(request.plan)
    refuse_unasked(yes=request.yes, dry_run=request.dry_run)
    scope = replace(request.settings.scope, regions=_regions(plan))
    audit = AuditRequest(
        settings=request.settings,
        # What is changed comes from the plan: here the scope says how accounts are entered.
        scope=replace(scope, accounts=(), organization=None, role=None),
        profile=request.profile,
        endpoint_url=request.endpoint_url,
        directory=request.directory,
        quiet=request.quiet,
        verbose=request.verbose,
    )
    with ExitStack() as files:
        session = AuditSession(audit, files)
        _refuse(plan, request, session)
        accounts = remediation_accounts(
            {change.edit.target.account_id for change in plan.changes},
            request.settings.scope,
            request.role,
            own_account_id=session.caller.account_id,
            partition=session.caller.partition,
        )
        if not plan.changes:
            say("The plan changes nothing.")
            return ExitCode.CLEAN
        if not (request.yes or request.dry_run):
            _show(plan)
            ask(f"Make {changes(len(plan.changes))}?", yes=False)
        work = _work(plan, request, session, accounts)
        if request.dry_run:
            return carry_out(work, request, session, None)
        header = _header(plan, session, accounts, request.settings.scope)
        with opened_journal(header, request.journal, source=request.plan, quiet=request.quiet) as journal:
            return carry_out(work, request, session, journal)


def _work(plan: Plan, request: ApplyRequest, session: AuditSession, accounts: Mapping[str, AuditedAccount]) -> Work:
    options = RemediationOptions(
        request.dry_run, request.stop_on_error, protected=request.settings.remediation.protected
    )
    return Work(
        doing="applying",
        edits=[change.edit for change in plan.changes],
        accounts=accounts,
        begin=lambda opener, journal, stop: apply(plan.changes, opener, journal, session.rules, options, stop),
    )


def _refuse(plan: Plan, request: ApplyRequest, session: AuditSession) -> None:
    """Refuse a plan that does not hold here and now, and one that a guard stops."""
    settings = request.settings
    refused = why_not_applicable(
        plan,
        now=datetime.now(UTC),
        account_id=session.caller.account_id,
        policy_digest=policy_digest(settings.policy, settings.exceptions),
    )
    if refused is not None:
        reason, hint = refused
        raise InputError(f"{request.plan} is refused: {reason}", hint=hint)
    nobody = trusts_nobody(settings.policy, session.started_at.date())
    tripped = guards(plan, max_images=request.max_images, trusts_nobody=nobody)
    if tripped and not request.force:
        messages = "; ".join(guard.message for guard in tripped)
        raise AmiguardError(
            f"{request.plan} is refused: {messages}", hint="read the plan again; if it is right, say --force"
        )
    if not request.quiet:
        for guard in tripped:
            warn(guard.message)


def _show(plan: Plan) -> None:
    """Nothing is changed that was not shown first."""
    with open_output(None) as stream:
        render_plan(plan, stream)


def _regions(plan: Plan) -> tuple[str, ...] | None:
    """The regions of the plan: the first is where calls go that belong to none, if nothing else says so."""
    return tuple(sorted({change.edit.target.region for change in plan.changes})) or None


def _header(plan: Plan, session: AuditSession, accounts: Mapping[str, AuditedAccount], scope: Scope) -> JournalHeader:
    return JournalHeader(
        journal_id=str(uuid.uuid4()),
        kind=JournalKind.APPLY,
        of=plan.plan_id,
        of_digest=plan_digest(plan),
        tool_version=version("amiguard"),
        caller_arn=session.caller.arn,
        account_id=session.caller.account_id,
        accounts={account_id: account.access for account_id, account in accounts.items()},
        roles=scope.roles,
    )
