"""`--checkpoint`: what has ended is kept while the audit runs, and taken up by the same command after a cut."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from amiguard.auditor import AccountOpened, AccountUnreadable
from amiguard.aws.call_book import CallBook
from amiguard.aws.session import Caller
from amiguard.cli.collector import Collector
from amiguard.core.decision import policy_digest
from amiguard.core.image import Unreadable
from amiguard.core.ports import AccountReader, OpenedAccount
from amiguard.core.result import ALL_REGIONS, Target, TargetReport, TargetStatus
from amiguard.core.scope import Scope
from amiguard.core.selection import AuditedAccount
from amiguard.core.trust import TrustPolicy
from amiguard.files.checkpoint import Checkpoint, SavedAccount, SavedTarget
from amiguard.files.settings_record import Settings
from amiguard.report.spool import Spool


class Unfinished:
    """An account some of whose targets have ended before the audit was cut off: the others are left.

    Args:
        reader: of the whole account.
        done: the targets that have ended.
    """

    def __init__(self, reader: AccountReader, done: frozenset[Target]) -> None:
        self._reader = reader
        self._done = done

    @property
    def account_id(self) -> str:
        """Whose images are read."""
        return self._reader.account_id

    @property
    def expected(self) -> tuple[Target, ...]:
        """The targets that are left, as far as they are known."""
        return tuple(target for target in self._reader.expected if target not in self._done)

    async def open(self) -> OpenedAccount | Unreadable:
        """Open the account; the readers of what has ended are left out."""
        opened = await self._reader.open()
        if isinstance(opened, Unreadable):
            return opened
        left = {target: reader for target, reader in opened.readers.items() if target not in self._done}
        return replace(opened, readers=left)


class CheckpointListener:
    """Writes what ends to a checkpoint."""

    def __init__(
        self, checkpoint: Checkpoint, spool: Spool, calls: CallBook, accounts: Iterable[AuditedAccount], caller: Caller
    ) -> None:
        self._checkpoint = checkpoint
        self._spool = spool
        self._calls = calls
        self._by_role = {one.account_id for one in accounts if one.access.role_arn is not None}
        self._caller = caller

    def account_opened(self, account: AccountOpened | AccountUnreadable) -> None:
        """Keep the account's regions, and what opening it took; one that cannot be opened is tried again."""
        if isinstance(account, AccountUnreadable):
            return
        spent = self._calls.of(Target(account.account_id, ALL_REGIONS, self._caller.partition))
        # The regions of the caller's account are asked for at the start of every run, and so counted there.
        calls = dict(spent.calls) if account.account_id != self._caller.account_id else {}
        if account.account_id in self._by_role:
            calls["AssumeRole"] = 1
        done = {region for account_id, region in self._checkpoint.targets if account_id == account.account_id}
        self._checkpoint.add_account(
            SavedAccount(
                account_id=account.account_id,
                partition=self._caller.partition,
                regions=tuple(sorted({target.region for target in account.targets} | done)),
                skipped={one.target.region: one.reason for one in account.skipped},
                calls=calls,
                throttled=spent.throttled,
            )
        )

    def target_ended(self, report: TargetReport) -> None:
        """Keep a target that was read to its end; one that failed is tried again."""
        target = report.target
        if report.status is not TargetStatus.AUDITED or (target.account_id, target.region) in self._checkpoint.targets:
            return
        spent = self._calls.of(target)
        saved = SavedTarget(
            account_id=target.account_id,
            region=target.region,
            partition=target.partition,
            images=report.images,
            vanished=report.vanished,
            calls=dict(spent.calls),
            throttled=spent.throttled,
        )
        self._checkpoint.add_target(saved, self._spool.extent(target).pieces)


def take_up(
    checkpoint: Checkpoint, accounts: Iterable[AuditedAccount], collector: Collector
) -> tuple[tuple[AuditedAccount, ...], Mapping[str, frozenset[Target]]]:
    """Take up what a checkpoint holds.

    Args:
        checkpoint: of this audit.
        accounts: all that are to be audited.
        collector: takes the targets that have ended.

    Returns:
        The accounts of which something is left, and the targets that have ended, by account id.
    """
    done: defaultdict[str, set[Target]] = defaultdict(set)
    for saved in checkpoint.targets.values():
        target = Target(saved.account_id, saved.region, saved.partition)
        done[saved.account_id].add(target)
        report = TargetReport(target, TargetStatus.AUDITED, "", saved.images, saved.vanished)
        collector.adopt(report, checkpoint.results(saved.account_id, saved.region), saved.calls, saved.throttled)
    left: list[AuditedAccount] = []
    for account in accounts:
        opened = checkpoint.accounts.get(account.account_id)
        if opened is None or {target.region for target in done[account.account_id]} != set(opened.regions):
            left.append(account)
            continue
        partition = opened.partition
        for region, reason in opened.skipped.items():
            collector.note(TargetReport(Target(account.account_id, region, partition), TargetStatus.SKIPPED, reason))
        collector.count(Target(account.account_id, ALL_REGIONS, partition), opened.calls, opened.throttled)
    return tuple(left), {account_id: frozenset(targets) for account_id, targets in done.items()}


def audit_digest(settings: Settings, scope: Scope, *, today: date, parts: Iterable[object]) -> str:
    """SHA-256 (hex) of all that decides what an audit finds: a checkpoint of another digest is another audit's.

    Args:
        settings: the policy and the exceptions.
        scope: what is to be audited.
        today: an entry that was in force when the audit began may have lapsed when it goes on.
        parts: what else decides: options, the caller, the program's version.
    """
    in_force = TrustPolicy(tuple(entry for entry in settings.policy.entries if entry.in_force(today)))
    accepted = tuple(exception for exception in settings.exceptions if exception.in_force(today))
    whole = [
        policy_digest(settings.policy, settings.exceptions),
        policy_digest(in_force, accepted),
        *map(repr, (scope, *parts)),
    ]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
