"""The accounts of a run that are opened by name: each one's credentials are had once, and its organization as well."""

import asyncio
from collections.abc import Mapping

from amiguard.aws.estate import Estate, WayIn
from amiguard.core.image import Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.selection import AuditedAccount


class OpenedAccount:
    """An account that can be worked in.

    Attributes:
        way_in: to its targets.
    """

    def __init__(self, way_in: WayIn) -> None:
        self.way_in = way_in
        self._asking = asyncio.Lock()
        self._organization: OrganizationView | None = None

    async def organization(self) -> OrganizationView:
        """What is known of the account's own organization; asked once."""
        async with self._asking:
            if self._organization is None:
                self._organization = await self.way_in.organization()
            return self._organization


class OpenedAccounts:
    """Opens accounts.

    Args:
        estate: has the ways into them.
        accounts: those that may be opened, by their ids.
    """

    def __init__(self, estate: Estate, accounts: Mapping[str, AuditedAccount]) -> None:
        self._estate = estate
        self._accounts = accounts
        self._opened: dict[str, OpenedAccount] = {}

    async def open(self, account_id: str) -> OpenedAccount | Unreadable:
        """Gain access to an account."""
        if account_id not in self._accounts:
            return Unreadable(
                f"account {account_id} is not among the accounts of this run",
                "name it in the targets of the settings, or with --account",
            )
        if account_id not in self._opened:
            self._opened[account_id] = OpenedAccount(self._estate.way_in(self._accounts[account_id]))
        opened = self._opened[account_id]
        credentials = await opened.way_in.credentials.current()
        return credentials if isinstance(credentials, Unreadable) else opened
