"""AWS Organizations, as far as audits ask it: accounts, units, parents and tags."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .calls import Call
from .context import Context
from .estate import FakeOrganization
from .organizations_data import FakeMember, FakeTree, FakeUnit
from .organizations_pages import page_of
from .replies import AwsProblem

_OLD_STATUS: Final = {"PENDING_ACTIVATION": "ACTIVE", "CLOSED": "SUSPENDED"}


def _listed(call: Call, context: Context) -> tuple[FakeOrganization, FakeTree]:
    """Return the organization that the caller may list."""
    organization = context.store.estate.organization
    members = organization.members if organization else frozenset[str]()
    if organization is None or not (members is None or call.account_id in members):
        raise AwsProblem("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if organization.tree is None:
        everyone = context.store.estate.accounts if members is None else sorted(members)
        tree = FakeTree(tuple(FakeMember(account_id) for account_id in everyone))
    else:
        tree = organization.tree
    if call.account_id != organization.management_account and call.account_id not in tree.listers:
        raise AwsProblem("AccessDeniedException", "You don't have permissions to access this resource.")
    return organization, tree


def _arn(kind: str, organization: FakeOrganization, context: Context, resource: str) -> str:
    partition = context.store.estate.partition
    return f"arn:{partition}:organizations::{organization.management_account}:{kind}/{organization.id}/{resource}"


def _account(
    organization: FakeOrganization, tree: FakeTree, context: Context, member: FakeMember, *, listed: bool
) -> dict[str, Any]:
    account: dict[str, Any] = {
        "Id": member.id,
        "Arn": _arn("account", organization, context, member.id),
        "Email": f"{member.id}@example.com",
        "Name": member.name,
        "Status": _OLD_STATUS.get(member.state, member.state),
        "JoinedMethod": "CREATED",
    }
    if tree.states:
        account["State"] = member.state
    if tree.paths and listed:
        path = tree.members[member.id][1]
        account["Paths"] = [f"{organization.id}/{'/'.join(path)}/"]
    return account


def _list_accounts(call: Call, context: Context) -> Mapping[str, Any]:
    organization, tree = _listed(call, context)
    members = [member for member, _ in tree.members.values()]
    page = page_of(call, context, "Accounts", members)
    return page | {
        "Accounts": [_account(organization, tree, context, member, listed=True) for member in page["Accounts"]]
    }


def _list_roots(call: Call, context: Context) -> Mapping[str, Any]:
    organization, tree = _listed(call, context)
    arn = _arn("root", organization, context, tree.root_id)
    return page_of(call, context, "Roots", [{"Id": tree.root_id, "Arn": arn, "Name": "Root", "PolicyTypes": []}])


def _children(call: Call, tree: FakeTree) -> tuple[tuple[FakeMember, ...], tuple[FakeUnit, ...]]:
    found = tree.parents.get(call.parameters.get("ParentId", ""))
    if found is None:
        raise AwsProblem("ParentNotFoundException", "You specified parent that doesn't exist.")
    return found


def _list_units(call: Call, context: Context) -> Mapping[str, Any]:
    organization, tree = _listed(call, context)
    units = [
        {"Id": unit.id, "Arn": _arn("ou", organization, context, unit.id), "Name": unit.name}
        for unit in _children(call, tree)[1]
    ]
    return page_of(call, context, "OrganizationalUnits", units)


def _list_accounts_for_parent(call: Call, context: Context) -> Mapping[str, Any]:
    organization, tree = _listed(call, context)
    accounts = [_account(organization, tree, context, member, listed=False) for member in _children(call, tree)[0]]
    return page_of(call, context, "Accounts", accounts)


def _list_parents(call: Call, context: Context) -> Mapping[str, Any]:
    _, tree = _listed(call, context)
    parent_id = tree.parent_of.get(call.parameters.get("ChildId", ""))
    if parent_id is None:
        raise AwsProblem("ChildNotFoundException", "You specified child that doesn't exist.")
    kind = "ROOT" if parent_id == tree.root_id else "ORGANIZATIONAL_UNIT"
    return page_of(call, context, "Parents", [{"Id": parent_id, "Type": kind}])


def _list_tags(call: Call, context: Context) -> Mapping[str, Any]:
    _, tree = _listed(call, context)
    found = tree.members.get(call.parameters.get("ResourceId", ""))
    if found is None:
        raise AwsProblem("TargetNotFoundException", "You specified a target that doesn't exist.")
    return page_of(call, context, "Tags", [{"Key": key, "Value": value} for key, value in found[0].tags])


ORGANIZATIONS_ACTIONS: Final[Mapping[tuple[str, str], Callable[[Call, Context], Mapping[str, Any]]]] = {
    ("organizations", "ListAccounts"): _list_accounts,
    ("organizations", "ListAccountsForParent"): _list_accounts_for_parent,
    ("organizations", "ListOrganizationalUnitsForParent"): _list_units,
    ("organizations", "ListParents"): _list_parents,
    ("organizations", "ListRoots"): _list_roots,
    ("organizations", "ListTagsForResource"): _list_tags,
}
