"""The way into accounts that are to be changed."""

import pytest

from amiguard.core.errors import TargetsError
from amiguard.core.remediation_access import remediation_accounts
from amiguard.core.scope import AccountTarget, NamedRole, OrganizationTarget, RoleOptions, Scope
from amiguard.core.selection import Access

OWN, MEMBER, OTHER = "111111111111", "222222222222", "333333333333"
ROLE = NamedRole("AmiguardRemediate", "secret-id")
MEMBER_ROLE = f"arn:aws:iam::{MEMBER}:role/AmiguardRemediate"


def ways(*account_ids: str, scope: Scope | None = None, role: NamedRole | None = ROLE) -> dict[str, Access]:
    found = remediation_accounts(account_ids, scope or Scope(), role, own_account_id=OWN, partition="aws")
    return {account_id: account.access for account_id, account in found.items()}


def test_its_own_role_is_assumed_in_place_of_that_of_audits() -> None:
    audited = AccountTarget(MEMBER, role_arn=f"arn:aws:iam::{MEMBER}:role/Audit", external_id="audit")
    assert ways(MEMBER, scope=Scope(accounts=(audited,))) == {MEMBER: Access(None, (), MEMBER_ROLE, "secret-id")}
    by_organization = Scope(organization=OrganizationTarget("Audit", "audit"))
    assert ways(MEMBER, scope=by_organization) == {MEMBER: Access(None, (), MEMBER_ROLE, "secret-id")}


def test_the_own_account_is_entered_with_the_runs_own_credentials() -> None:
    assert ways(OWN) == {OWN: Access()}
    assert ways(OWN, role=None) == {OWN: Access()}


def test_without_a_role_of_its_own_that_of_audits_is_assumed() -> None:
    by_organization = Scope(organization=OrganizationTarget("Audit", "audit"))
    assert ways(MEMBER, scope=by_organization, role=None) == {
        MEMBER: Access(None, (), f"arn:aws:iam::{MEMBER}:role/Audit", "audit")
    }
    named = Scope(accounts=(AccountTarget(MEMBER, role_arn=f"arn:aws:iam::{MEMBER}:role/Mine"),))
    assert ways(MEMBER, scope=named, role=None)[MEMBER].role_arn == f"arn:aws:iam::{MEMBER}:role/Mine"


def test_profiles_and_the_chain_count_here_too() -> None:
    scope = Scope(
        accounts=(AccountTarget(OTHER, profile="other"),), roles=RoleOptions(chain=(f"arn:aws:iam::{OWN}:role/Hub",))
    )
    found = ways(MEMBER, OTHER, scope=scope)
    assert found[MEMBER].chain == (f"arn:aws:iam::{OWN}:role/Hub",)
    assert found[OTHER] == Access("other", (), f"arn:aws:iam::{OTHER}:role/AmiguardRemediate", "secret-id")


def test_accounts_that_are_not_asked_for_are_left_alone() -> None:
    scope = Scope(accounts=(AccountTarget(OTHER, profile="other"),))
    assert set(ways(MEMBER, scope=scope)) == {MEMBER}
    assert ways(scope=scope) == {}


def test_no_way_in_is_an_error() -> None:
    with pytest.raises(TargetsError, match=MEMBER):
        ways(MEMBER, role=None)
