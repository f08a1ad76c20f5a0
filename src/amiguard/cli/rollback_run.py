"""`amiguard rollback`: what a journal says was done is undone, or looked up."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from amiguard.aws.estate import OrganizationKnowledge
from amiguard.aws.target_opener import Ec2TargetOpener
from amiguard.cli.audit_request import AuditRequest
from amiguard.cli.audit_scope import Accounts
from amiguard.cli.audit_session import AuditSession
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.log import log_to_stderr
from amiguard.cli.remediation_run import Work, ask, carry_out, changes, opened_journal, refuse_unasked
from amiguard.cli.talk import say
from amiguard.core.errors import InputError
from amiguard.core.organization import NoOrganization
from amiguard.core.remediation import ChangeState, StateOf
from amiguard.core.scope import Scope
from amiguard.core.selection import AuditedAccount, Selection
from amiguard.core.trust import TrustPolicy
from amiguard.files.journal import Journal, read_journal
from amiguard.files.journal_record import JournalHeader, JournalKind, JournalRecord
from amiguard.files.settings_record import Settings
from amiguard.remediator import RemediationOptions, check_states, roll_back
from amiguard.report.outcome_table import render_states
from amiguard.report.output import open_output

_NOBODY_ASKED = Accounts(Selection(), OrganizationKnowledge(wanted=False, own=NoOrganization()), {})
"""A rollback decides nothing: it needs to know of no organization."""


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """What the command line asked for.

    Attributes:
        source: the journal that is undone.
        journal: where to write what is done; None for the state folder.
    """

    source: Path
    profile: str | None = None
    endpoint_url: str | None = None
    yes: bool = False
    dry_run: bool = False
    stop_on_error: bool = False
    deadline: timedelta | None = None
    journal: Path | None = None
    quiet: bool = False
    verbose: bool = False


def run_rollback(request: RollbackRequest) -> ExitCode:
    """Undo a journal, and say how it ended.

    Raises:
        AmiguardError: the journal is refused, or nothing could be begun: nothing was done.
    """
    record = _read(request)
    refuse_unasked(yes=request.yes, dry_run=request.dry_run)
    with ExitStack() as files:
        session = _session(request, record, files)
        if not record.changes:
            say("The journal holds no change.")
            return ExitCode.CLEAN
        if not (request.yes or request.dry_run):
            asyncio.run(_print_states(session, record))
            ask(f"Undo what is applied of {changes(len(record.changes))}?", yes=False)
        if request.dry_run:
            return carry_out(_work(request, record, None), request, session, None)
        header = JournalHeader(
            journal_id=str(uuid.uuid4()),
            kind=JournalKind.ROLLBACK,
            of=record.header.journal_id,
            of_digest=record.digest,
            tool_version=version("amiguard"),
            caller_arn=session.caller.arn,
            account_id=session.caller.account_id,
            accounts=record.header.accounts,
            roles=record.header.roles,
        )
        with opened_journal(header, request.journal, source=request.source, quiet=request.quiet) as journal:
            return carry_out(_work(request, record, journal), request, session, journal)


def run_check(request: RollbackRequest) -> ExitCode:
    """Say in which state each change of a journal is.

    Raises:
        AmiguardError: the journal is refused.
    """
    record = _read(request)
    with ExitStack() as files:
        states = asyncio.run(_print_states(_session(request, record, files), record))
    if any(one.change.status is None for one in states):
        say("the run was cut in the middle of a call: if that was less than some minutes ago, check again to be sure")
    found = {one.state for one in states}
    if ChangeState.DRIFTED in found:
        return ExitCode.UNFINISHED
    return ExitCode.INCOMPLETE if ChangeState.UNREADABLE in found else ExitCode.CLEAN


def _read(request: RollbackRequest) -> JournalRecord:
    if request.verbose:
        log_to_stderr()
    return read_journal(request.source)


def _session(request: RollbackRequest, record: JournalRecord, files: ExitStack) -> AuditSession:
    regions = tuple(sorted({change.edit.target.region for change in record.changes}))
    audit = AuditRequest(
        settings=Settings(policy=TrustPolicy(), entry_places=()),
        scope=Scope(regions=regions or None, roles=record.header.roles),
        profile=request.profile,
        endpoint_url=request.endpoint_url,
        quiet=request.quiet,
        verbose=request.verbose,
    )
    session = AuditSession(audit, files)
    if session.caller.account_id != record.header.account_id:
        raise InputError(
            f"{request.source} is refused: it was written from account {record.header.account_id}, and your "
            f"credentials are of {session.caller.account_id}",
            hint=f"use credentials of {record.header.account_id}",
        )
    return session


def _accounts(record: JournalRecord) -> Mapping[str, AuditedAccount]:
    return {
        account_id: AuditedAccount(account_id, "", access, None)
        for account_id, access in record.header.accounts.items()
    }


async def _print_states(session: AuditSession, record: JournalRecord) -> tuple[StateOf, ...]:
    async with session.open_estate(_NOBODY_ASKED) as estate:
        opener = Ec2TargetOpener(estate, _accounts(record))
        async with aclosing(check_states(record.changes, opener)) as events:
            states = tuple([one async for one in events])
    with open_output(None) as stream:
        render_states(states, stream)
    return states


def _work(request: RollbackRequest, record: JournalRecord, journal: Journal | None) -> Work:
    options = RemediationOptions(
        dry_run=request.dry_run,
        stop_on_error=request.stop_on_error,
        # Rolled back before, and nothing applied since by this journal: what is as it left it again is another's work.
        undone=frozenset() if journal is None else journal.done,
    )
    return Work(
        doing="rolling back",
        edits=[change.edit.inverse for change in record.changes],
        accounts=_accounts(record),
        begin=lambda opener, written, stop: roll_back(record.changes, opener, written, options, stop),
        undoing=True,
        found=_NOBODY_ASKED,
    )
