"""Sends findings to Security Hub CSPM, each to that of its own account and region, and archives those that are over.

BatchImportFindings wants to be called by the account that a finding is about. It makes a finding, and updates the one
with the same id; `Workflow` and notes, which belong to people, it leaves alone.
"""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.credentials import Credentials

from amiguard.aws.botocore_calls import BotocoreClients
from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats
from amiguard.aws.retry import RetryLimits
from amiguard.aws.security_hub_calls import AT_ONCE, INVALID, SecurityHubCalls, SecurityHubError
from amiguard.aws.security_hub_delivery import Delivery, FailedFinding, SkippedTarget, TargetFindings
from amiguard.core.image import Unreadable

_OURS = "amiguard/"
"""What our generators and finding ids begin with: the product ARN is that of all of the account's own integrations."""
_MOST_IN_A_CALL = 100
_MOST_BYTES_IN_A_CALL = 5_500_000
"""AWS takes 6 MB a call (Security Hub Partner Integration Guide)."""
# What an archived finding keeps: GetFindings gives more than BatchImportFindings takes.
_KEPT = (
    "SchemaVersion",
    "Id",
    "ProductArn",
    "ProductName",
    "GeneratorId",
    "AwsAccountId",
    "Region",
    "CreatedAt",
    "FindingProviderFields",
    "Title",
    "Description",
    "Resources",
    "Remediation",
)
_LONGEST_MESSAGE = 300
RETRY = RetryLimits()


@dataclass(slots=True)
class _Tally:
    """A delivery while it is under way."""

    imported: int = 0
    updated: int = 0
    archived: int = 0
    newer: int = 0
    failed: list[FailedFinding] = field(default_factory=list)
    skipped: list[SkippedTarget] = field(default_factory=list)


class SecurityHub:
    """Delivers findings.

    Args:
        connect: makes a botocore client of a service in a region, which signs with the given credentials and tries
            each call once; called in a thread.
        credentials: those of an account; asked for once an account. It raises KeyError for accounts it does not know.
        stats: where the calls are counted.
        retry: how long to try when a reply was broken, or none came.
    """

    def __init__(
        self,
        connect: Callable[[str, str, Credentials], Any],
        credentials: Callable[[str], CredentialSource],
        stats: CallStats,
        retry: RetryLimits = RETRY,
    ) -> None:
        self._connect = connect
        self._find_credentials = credentials
        self._stats = stats
        self._retry = retry
        self._credentials: dict[str, CredentialSource] = {}

    async def deliver(self, targets: Iterable[TargetFindings]) -> Delivery:
        """Send what fails, and archive what is over; a target that cannot be reached does not stop the others.

        Args:
            targets: each account and region once; taken as there is room for another.
        """
        tally = _Tally()
        clients = BotocoreClients(self._connect)
        waiting = iter(targets)
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(AT_ONCE):
                    workers.create_task(self._work(waiting, clients, tally))
        finally:
            clients.close()
        return Delivery(
            tally.imported, tally.updated, tally.archived, tally.newer, tuple(tally.failed), tuple(tally.skipped)
        )

    async def _work(self, waiting: Iterator[TargetFindings], clients: BotocoreClients, tally: _Tally) -> None:
        for target in waiting:
            try:
                credentials = self._credentials_of(target.account_id)
            except KeyError:
                why = Unreadable("the account is not among those of this run")
                tally.skipped.append(_skipped(target, why, len(target.failing)))
                continue
            calls = SecurityHubCalls(clients, target.region, credentials, self._stats, self._retry)
            await _Target(target, calls, tally).deliver()

    def _credentials_of(self, account_id: str) -> CredentialSource:
        if account_id not in self._credentials:
            self._credentials[account_id] = self._find_credentials(account_id)
        return self._credentials[account_id]


class _Target:
    """The delivery to one account in one region."""

    def __init__(self, target: TargetFindings, calls: SecurityHubCalls, tally: _Tally) -> None:
        self._target = target
        self._calls = calls
        self._tally = tally

    async def deliver(self) -> None:
        target = self._target
        left = len(target.failing)
        try:
            known = await self._active()
            archive = list(self._over(known))
            left += len(archive)
            outgoing = [
                *((finding, known.get(finding["Id"])) for finding in target.failing),
                *((finding, known[finding["Id"]]) for finding in archive),
            ]
            updates = [one for one in (_updated(*pair) for pair in outgoing) if one is not None]
            self._tally.newer += len(outgoing) - len(updates)
            left = len(updates)
            for batch in _batches(updates):
                await self._send(batch, known)
                left -= len(batch)
        except SecurityHubError as error:
            self._tally.skipped.append(_skipped(target, error.why, left))

    async def _active(self) -> dict[str, dict[str, Any]]:
        """Our findings that are active here, by id."""
        target = self._target
        wanted = {
            "ProductArn": target.product_arn,
            "AwsAccountId": target.account_id,
            "Region": target.region,
            "RecordState": "ACTIVE",
        }
        filters = {name: [{"Value": value, "Comparison": "EQUALS"}] for name, value in wanted.items()}
        filters["GeneratorId"] = [{"Value": _OURS, "Comparison": "PREFIX"}]
        found: dict[str, dict[str, Any]] = {}
        following: dict[str, object] = {}
        tokens: set[str] = set()
        while True:
            page = await self._calls.call("GetFindings", Filters=filters, MaxResults=_MOST_IN_A_CALL, **following)
            for finding in page.get("Findings", ()):
                # An administrator's account sees other accounts, and the home region of an aggregation other regions:
                # what is not from here is never touched, whatever the filters were taken for.
                if _is_ours(finding, target):
                    found[finding["Id"]] = {
                        **{key: finding[key] for key in _KEPT if key in finding},
                        "UpdatedAt": finding.get("UpdatedAt", ""),
                    }
            token = page.get("NextToken")
            if not token:
                return found
            if token in tokens:
                raise SecurityHubError("", Unreadable("the listing of findings does not end: its pages repeat"))
            tokens.add(token)
            following["NextToken"] = token

    def _over(self, known: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Those that are not failing any more. What was not read, and what was not asked about, is left alone."""
        target = self._target
        failing = {finding["Id"] for finding in target.failing}
        for finding_id, finding in known.items():
            if finding_id in failing or finding_id in target.unread:
                continue
            if finding_id in target.passing:
                yield _archived(finding, target.moment, "It passes.")
            elif finding_id in target.accepted:
                yield _archived(finding, target.moment, "It is accepted by an exception.")
            elif finding.get("GeneratorId") in target.exhaustive:
                yield _archived(finding, target.moment, "The image is gone.")

    async def _send(self, batch: Sequence[Mapping[str, Any]], known: Collection[str]) -> None:
        try:
            reply = await self._calls.call("BatchImportFindings", Findings=list(batch))
        except SecurityHubError as error:
            # One malformed finding must not keep the others out.
            if error.code != INVALID:
                raise
            if len(batch) == 1:
                self._fail(batch[0]["Id"], error.code, error.why.reason)
            else:
                middle = len(batch) // 2
                await self._send(batch[:middle], known)
                await self._send(batch[middle:], known)
            return
        refused = {str(one.get("Id")): one for one in reply.get("FailedFindings", ())}
        for finding in batch:
            if (failed := refused.pop(finding["Id"], None)) is not None:
                self._fail(finding["Id"], str(failed.get("ErrorCode", "")), str(failed.get("ErrorMessage", "")))
            elif finding["RecordState"] == "ARCHIVED":
                self._tally.archived += 1
            elif finding["Id"] in known:
                self._tally.updated += 1
            else:
                self._tally.imported += 1

    def _fail(self, finding_id: str, code: str, message: str) -> None:
        target = self._target
        failed = FailedFinding(target.account_id, target.region, finding_id, code, message[:_LONGEST_MESSAGE])
        self._tally.failed.append(failed)


def _skipped(target: TargetFindings, why: Unreadable, undelivered: int) -> SkippedTarget:
    return SkippedTarget(target.account_id, target.region, why.reason, why.hint, undelivered)


def _is_ours(finding: Mapping[str, Any], target: TargetFindings) -> bool:
    # The product ARN names account and region.
    return (
        finding.get("ProductArn") == target.product_arn
        and finding.get("AwsAccountId") == target.account_id
        and finding.get("RecordState") == "ACTIVE"
        and str(finding.get("GeneratorId", "")).startswith(_OURS)
        and str(finding.get("Id", "")).startswith(_OURS)
    )


def _archived(finding: Mapping[str, Any], moment: str, why: str) -> dict[str, Any]:
    return {
        **finding,
        "UpdatedAt": moment,
        "Compliance": {"Status": "PASSED"},
        "RecordState": "ARCHIVED",
        "ProductFields": {"amiguard/ArchivedBecause": why},
    }


def _updated(finding: Mapping[str, Any], known: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The finding as an update of the one that is there, created when that one was; None if that one is newer."""
    if known is None:
        return finding
    before, now = _time(known["UpdatedAt"]), _time(finding["UpdatedAt"])
    if before is None or now is None or before < now:
        moment = finding["UpdatedAt"]
    elif before == now:
        # Security Hub takes an update only if it is later.
        moment = (now + timedelta(milliseconds=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    else:
        return None
    return {**finding, "CreatedAt": known.get("CreatedAt", finding["CreatedAt"]), "UpdatedAt": moment}


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _batches(findings: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """As many to a call as Security Hub takes."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for finding in findings:
        length = len(json.dumps(finding))
        if batch and (len(batch) == _MOST_IN_A_CALL or size + length > _MOST_BYTES_IN_A_CALL):
            yield batch
            batch, size = [], 0
        batch.append(finding)
        size += length
    if batch:
        yield batch
