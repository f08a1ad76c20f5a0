"""The way into the targets of a remediation: the port `TargetOpener`."""

from collections.abc import Mapping

from amiguard.aws.estate import Estate
from amiguard.aws.opened_accounts import OpenedAccounts
from amiguard.core.errors import AmiguardError
from amiguard.core.image import Unreadable
from amiguard.core.ports import OpenedTarget
from amiguard.core.result import Target
from amiguard.core.selection import AuditedAccount


class Ec2TargetOpener:
    """Opens targets that are known by name: regions are not asked for, and each account's credentials are had once.

    Args:
        estate: has the ways into accounts.
        accounts: those that may be opened, by their ids.
    """

    def __init__(self, estate: Estate, accounts: Mapping[str, AuditedAccount]) -> None:
        self._accounts = OpenedAccounts(estate, accounts)

    async def open(self, target: Target) -> OpenedTarget | Unreadable:
        """Gain access to the account, and learn its organization."""
        account = await self._accounts.open(target.account_id)
        if isinstance(account, Unreadable):
            return account
        try:
            reader = account.way_in.reader(target)
        except AmiguardError as error:
            return Unreadable(error.message, error.hint)
        return OpenedTarget(reader, account.way_in.writer(target), await account.organization())
