"""The accounts and units of an organization, and where each stands in the tree.

`Paths` of ListAccounts tells where an account stands; where it is not served (an older botocore drops it), the accounts
are found from the tree: by ListAccountsForParent, which costs a call for each unit and twenty accounts, or by
ListParents, which costs a call an account, whichever is less. The units are always listed, a call each: `Paths` knows
neither names nor units without accounts below.
"""

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amiguard.aws.errors import ApiError
from amiguard.aws.organization_calls import OrganizationsCallError, OrganizationsClient
from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.image import Unreadable
from amiguard.core.organization import OwnOrganization

_GONE = frozenset({"ChildNotFoundException", "ParentNotFoundException"})
_CHANGED = Unreadable("the organization changed while it was read", "run the command again")
# AWS Organizations API reference, `Path`: the organization, the root, the units, and perhaps account ids.
_PATH = re.compile(r"(?P<organization>o-[a-z0-9]+)/r-[0-9a-z]+(?P<units>(?:/ou-[0-9a-z]+-[0-9a-z]+)*)(?:/[0-9]{12})*/?")

_Above = tuple[str, ...]
"""Ids of units, outermost first."""


@dataclass(frozen=True, slots=True)
class _Tree:
    """The units, and the units from the root down to each possible parent of an account, itself included."""

    units: dict[str, Unit]
    parents: Mapping[str, _Above]


async def read_members(client: OrganizationsClient, organization: OwnOrganization, *, read_at: datetime) -> Directory:
    """Read all accounts and units.

    Args:
        client: asks as the management account or a delegated administrator.
        organization: as DescribeOrganization named it.
        read_at: the moment that the directory is to bear.

    Raises:
        OrganizationsCallError: something could not be read; what was read until then is not given.
    """
    listed = {str(one["Id"]): one for one in await client.listed("ListAccounts", "Accounts")}
    tree = await _read_tree(client)
    above = {
        account_id: units
        for account_id, one in listed.items()
        if (units := units_of_paths(one.get("Paths", ()), organization.organization_id)) is not None
    }
    if len(above) < len(listed):
        above |= await _place(client, tree, listed, {account_id for account_id in listed if account_id not in above})
    for path in above.values():
        _add_units(tree.units, path)
    return Directory(
        organization_id=organization.organization_id,
        management_account_id=organization.management_account_id,
        accounts={account_id: _member(account_id, listed[account_id], units) for account_id, units in above.items()},
        units=tree.units,
        read_at=read_at,
    )


def units_of_paths(paths: object, organization_id: str) -> tuple[str, ...] | None:
    """The units above an account by its `Paths`, outermost first; None if these are absent or of another form."""
    if not isinstance(paths, list) or not paths:
        return None
    units: dict[str, None] = {}
    for path in paths:
        found = _PATH.fullmatch(path)
        if found is None or found["organization"] != organization_id:
            return None
        units.update(dict.fromkeys(filter(None, found["units"].split("/"))))
    return tuple(units)


async def _read_tree(client: OrganizationsClient) -> _Tree:
    roots = await client.listed("ListRoots", "Roots")
    parents: dict[str, _Above] = {str(root["Id"]): () for root in roots}
    units: dict[str, Unit] = {}
    waiting = deque(parents)
    while waiting:
        parent_id = waiting.popleft()
        path = parents[parent_id]
        try:
            children = await client.listed(
                "ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent_id
            )
        except OrganizationsCallError as error:
            if parent_id not in units or not _is_gone(error):
                raise
            # An empty unit can be deleted between its listing and this call.
            del units[parent_id], parents[parent_id]
            continue
        for one in children:
            unit_id = str(one["Id"])
            if unit_id in units:
                raise OrganizationsCallError("ListOrganizationalUnitsForParent", _CHANGED)
            units[unit_id] = Unit(unit_id, _text(one.get("Name")), path)
            parents[unit_id] = (*path, unit_id)
            waiting.append(unit_id)
    return _Tree(units, parents)


async def _place(
    client: OrganizationsClient, tree: _Tree, listed: dict[str, dict[str, Any]], lacking: set[str]
) -> dict[str, _Above]:
    """Where the accounts stand whose `Paths` are lacking; adds those that joined meanwhile to `listed`."""
    seen: defaultdict[str, list[_Above]] = defaultdict(list)
    if len(lacking) > len(tree.parents):
        for parent_id, path in tree.parents.items():
            try:
                accounts = await client.listed("ListAccountsForParent", "Accounts", ParentId=parent_id)
            except OrganizationsCallError as error:
                if not _is_gone(error):
                    raise
                continue
            for one in accounts:
                seen[str(one["Id"])].append(path)
                listed.setdefault(str(one["Id"]), one)
    placed = {account_id: paths[0] for account_id, paths in seen.items() if len(paths) == 1}
    # Those that were met nowhere, or twice, were moved meanwhile, or left.
    for account_id in sorted((lacking | seen.keys()) - placed.keys()):
        found = await _path_by_parent(client, tree, account_id)
        if found is not None:
            placed[account_id] = found
    return placed


async def _path_by_parent(client: OrganizationsClient, tree: _Tree, account_id: str) -> _Above | None:
    """The units above an account by ListParents; None if it has left the organization."""
    try:
        parents = await client.listed("ListParents", "Parents", ChildId=account_id)
    except OrganizationsCallError as error:
        if _is_gone(error):
            return None
        raise
    if any(str(parent["Id"]) not in tree.parents for parent in parents) or not parents:
        raise OrganizationsCallError("ListParents", _CHANGED)
    return tuple(dict.fromkeys(unit for parent in parents for unit in tree.parents[str(parent["Id"])]))


def _add_units(units: dict[str, Unit], path: _Above) -> None:
    """Add the units of an account's path that were made after the units were listed."""
    for depth, unit_id in enumerate(path):
        units.setdefault(unit_id, Unit(unit_id, above=path[:depth]))


def _member(account_id: str, one: Mapping[str, Any], units: _Above) -> MemberAccount:
    # `Status` retires on 2026-09-09 in favour of `State`.
    state = str(one.get("State") or one.get("Status") or "")
    return MemberAccount(account_id, _text(one.get("Name")), state, units)


def _text(value: object) -> str:
    """A name as text that can be written down: JSON may carry half of a surrogate pair."""
    return str(value or "").encode("utf-8", "replace").decode()


def _is_gone(error: OrganizationsCallError) -> bool:
    return isinstance(error.why, ApiError) and error.why.code in _GONE
