"""The way into the targets of a remediation: the port `TargetOpener`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from amiguard.aws.estate import Estate, WayIn
from amiguard.core.errors import AmiguardError
from amiguard.core.image import Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.ports import OpenedTarget
from amiguard.core.result import Target
from amiguard.core.selection import AuditedAccount


@dataclass(slots=True)
class _Account:
    """An account that is being worked on; its organization is asked for once."""

    way_in: WayIn
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    organization: OrganizationView | None = None


class Ec2TargetOpener:
    """Opens targets that are known by name: regions are not asked for, and each account's credentials are had once.

    Args:
        estate: has the ways into accounts.
        accounts: those that may be opened, by their ids.
    """

    def __init__(self, estate: Estate, accounts: Mapping[str, AuditedAccount]) -> None:
        self._estate = estate
        self._accounts = accounts
        self._opened: dict[str, _Account] = {}

    async def open(self, target: Target) -> OpenedTarget | Unreadable:
        """Gain access to the account, and learn its organization."""
        account = self._account(target.account_id)
        if account is None:
            return Unreadable(
                f"account {target.account_id} is not among the accounts of this run",
                "name it in the targets of the settings, or with --account",
            )
        credentials = await account.way_in.credentials.current()
        if isinstance(credentials, Unreadable):
            return credentials
        try:
            reader = account.way_in.reader(target)
        except AmiguardError as error:
            return Unreadable(error.message, error.hint)
        async with account.asking:
            if account.organization is None:
                account.organization = await account.way_in.organization()
        return OpenedTarget(reader, account.way_in.writer(target), account.organization)

    def _account(self, account_id: str) -> _Account | None:
        if account_id not in self._opened and account_id in self._accounts:
            self._opened[account_id] = _Account(self._estate.way_in(self._accounts[account_id]))
        return self._opened.get(account_id)
