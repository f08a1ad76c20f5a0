"""The way to the evidence of targets: the port `EvidenceOpener`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from amiguard.aws.estate import Estate
from amiguard.aws.evidence.reader import Ec2EvidenceReader
from amiguard.aws.opened_accounts import OpenedAccounts
from amiguard.core.errors import AmiguardError
from amiguard.core.evidence import DEFAULT_USAGE_MAX_AGE
from amiguard.core.evidence_ports import OpenedEvidence
from amiguard.core.image import Unreadable
from amiguard.core.result import Target
from amiguard.core.selection import AuditedAccount


def _now() -> datetime:
    return datetime.now(UTC)


class Ec2EvidenceOpener:
    """Opens targets for reading; each account's credentials are had once, and its organization is asked for once.

    Args:
        estate: has the ways into accounts.
        accounts: those that may be opened, by their ids.
        usage_max_age: a usage report that is younger is used again.
        now: the time.
    """

    def __init__(
        self,
        estate: Estate,
        accounts: Mapping[str, AuditedAccount],
        *,
        usage_max_age: timedelta = DEFAULT_USAGE_MAX_AGE,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._accounts = OpenedAccounts(estate, accounts)
        self._usage_max_age = usage_max_age
        self._now = now

    async def open(self, target: Target) -> OpenedEvidence | Unreadable:
        """Gain access to the account, and learn its organization."""
        account = await self._accounts.open(target.account_id)
        if isinstance(account, Unreadable):
            return account
        way_in = account.way_in
        try:
            client = way_in.query(target)
        except AmiguardError as error:
            return Unreadable(error.message, error.hint)
        reader = Ec2EvidenceReader(
            client, way_in.calls(target), target, way_in.pacer, usage_max_age=self._usage_max_age, now=self._now
        )
        return OpenedEvidence(reader, await account.organization())
