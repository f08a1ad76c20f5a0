"""The way into accounts that are to be changed: by a role of its own, so that the role of audits stays read-only."""

from collections.abc import Collection
from dataclasses import replace

from amiguard.core.scope import AccountTarget, NamedRole, Scope
from amiguard.core.selection import AuditedAccount, select_accounts


def remediation_accounts(
    account_ids: Collection[str], scope: Scope, role: NamedRole | None, *, own_account_id: str, partition: str
) -> dict[str, AuditedAccount]:
    """How each account is entered to change something in it.

    Args:
        account_ids: those that are to be changed.
        scope: how accounts are entered to be audited: its profiles and its chain of roles count here too.
        role: what is assumed in each account in place of the role of audits; None for that of audits.
        own_account_id: the account of the run's own credentials: it is entered with these, unless the scope names a
            profile for it.
        partition: of these credentials.

    Raises:
        TargetsError: nothing says how to enter one of them.
    """
    known = {one.account_id: one for one in scope.accounts}
    entries = [known.get(account_id, AccountTarget(account_id)) for account_id in sorted(account_ids)]
    fallback = scope.role
    if role is not None:
        entries = [_by_role(one, role, own_account_id, partition) for one in entries]
    elif scope.organization is not None:
        fallback = NamedRole(scope.organization.role_name, scope.organization.external_id)
    if not entries:
        return {}
    asked = replace(scope, accounts=tuple(entries), organization=None, role=fallback)
    selection = select_accounts(asked, own_account_id=own_account_id, partition=partition)
    if selection.error is not None:
        raise selection.error
    return {one.account_id: one for one in selection.audited}


def _by_role(entry: AccountTarget, role: NamedRole, own_account_id: str, partition: str) -> AccountTarget:
    if entry.account_id == own_account_id:
        return replace(entry, role_arn=None, external_id=None)
    role_arn = f"arn:{partition}:iam::{entry.account_id}:role/{role.role_name}"
    return replace(entry, role_arn=role_arn, external_id=role.external_id)
