"""The options that name what is audited, and the scope that they and the settings come to."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from amiguard.core.scope import AccountTarget, NamedRole, OrganizationTarget, Scope
from amiguard.files.settings_target_values import read_external_id, read_role_name, read_target_account

_ACCOUNT, _ORGANIZATION, _ROLE_NAME, _EXTERNAL_ID = "--account", "--organization", "--role-name", "--external-id"

AccountOption = Annotated[
    list[str] | None,
    typer.Option(
        _ACCOUNT,
        metavar="ID",
        help="Audit this account, by its entry in the settings or by --role-name, in place of the accounts and the "
        "organization of the settings. Repeatable. Default: what the settings name, else the account of your "
        "credentials.",
        show_default=False,
    ),
]
OrganizationOption = Annotated[
    bool,
    typer.Option(
        _ORGANIZATION,
        help="Audit the accounts of your organization: all, but for what the settings include and exclude.",
    ),
]
RoleNameOption = Annotated[
    str | None,
    typer.Option(
        _ROLE_NAME,
        metavar="NAME",
        help="The role to assume in each account for which the settings name neither role nor profile; your own "
        "account is audited directly.",
        show_default=False,
    ),
]
ExternalIdOption = Annotated[
    str | None,
    typer.Option(_EXTERNAL_ID, metavar="ID", help="The external id that this role asks for.", show_default=False),
]


def requested_scope(
    scope: Scope,
    *,
    accounts: Sequence[str] | None = None,
    organization: bool = False,
    role_name: str | None = None,
    external_id: str | None = None,
    regions: Sequence[str] | None = None,
) -> Scope:
    """What is to be audited: the settings' scope, overlaid by the command line.

    Args:
        scope: of the settings.
        accounts: every `--account`.
        organization: `--organization`.
        role_name: `--role-name`.
        external_id: `--external-id`.
        regions: every `--region`; they count for all accounts.

    Raises:
        typer.BadParameter: a value is malformed, or the options do not go together.
    """
    if accounts and organization:
        raise typer.BadParameter(f"does not go with {_ORGANIZATION}: name accounts, or audit all", param_hint=_ACCOUNT)
    role = _role(scope, role_name, external_id)
    if accounts:
        scope = _narrowed(scope, accounts, role)
    else:
        scope = _widened(scope, role, organization=organization, named=role_name is not None)
    if regions:
        named = tuple(replace(one, regions=None) for one in scope.accounts)
        scope = replace(scope, regions=tuple(dict.fromkeys(regions)), accounts=named)
    return scope


def _role(scope: Scope, role_name: str | None, external_id: str | None) -> NamedRole | None:
    """The role that is known by its name: that of the command line, else that of the settings' organization."""
    settings = scope.organization
    if role_name is not None:
        role_name = _read(read_role_name, role_name, _ROLE_NAME)
    if external_id is not None:
        external_id = _read(read_external_id, external_id, _EXTERNAL_ID)
    name = role_name or (settings.role_name if settings else None)
    if name is None:
        if external_id is not None:
            raise typer.BadParameter(
                f"there is no role that it could be for: add {_ROLE_NAME}", param_hint=_EXTERNAL_ID
            )
        return None
    return NamedRole(name, external_id or (settings.external_id if settings else None))


def _narrowed(scope: Scope, accounts: Sequence[str], role: NamedRole | None) -> Scope:
    """The named accounts, and no others."""
    known = {one.account_id: one for one in scope.accounts}
    ids = dict.fromkeys(_read(read_target_account, text, _ACCOUNT) for text in accounts)
    named = tuple(known.get(account_id, AccountTarget(account_id)) for account_id in ids)
    return replace(scope, accounts=named, organization=None, role=role)


def _widened(scope: Scope, role: NamedRole | None, *, organization: bool, named: bool) -> Scope:
    """The accounts and the organization of the settings, and the organization if the command line asks for it."""
    if organization and role is None:
        raise typer.BadParameter(
            f"nothing says which role to assume in its accounts: add {_ROLE_NAME}", param_hint=_ORGANIZATION
        )
    audited = scope.organization
    if role is not None and (organization or audited is not None):
        audited = replace(
            audited or OrganizationTarget(role.role_name), role_name=role.role_name, external_id=role.external_id
        )
    if named and audited is None and not scope.accounts:
        raise typer.BadParameter(
            f"no account is audited but your own, and that directly: add {_ORGANIZATION} or {_ACCOUNT}",
            param_hint=_ROLE_NAME,
        )
    return replace(scope, organization=audited, role=role if named else None)


def _read(reader: Callable[[object], str], text: str, parameter: str) -> str:
    try:
        return reader(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=parameter) from error
