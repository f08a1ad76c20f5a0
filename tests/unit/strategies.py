"""Random policies, exceptions, organizations and grants over a small world, so that they meet."""

from datetime import date, timedelta

from hypothesis import strategies as st

from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector, TagSelector
from amiguard.core.grantee import Everyone, Grantee, Unrecognized, parse_grant
from amiguard.core.organization import (
    Members,
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy
from tests.fakes.images import OWNER

TODAY = date(2026, 6, 15)
ACCOUNTS = [OWNER, "111111111111", "222222222222", "333333333333"]
ORGANIZATIONS = ["o-aaaaaaaaaa", "o-bbbbbbbbbb"]
MANAGERS = ["111111111111", "222222222222"]
UNITS = ["ou-root-aaaaaaaa", "ou-root-bbbbbbbb", "ou-root-cccccccc"]

accounts = st.sampled_from(ACCOUNTS)
organization_ids = st.sampled_from(ORGANIZATIONS)
managers = st.sampled_from(MANAGERS)
units = st.sampled_from(UNITS)
dates = st.none() | st.integers(-3, 3).map(lambda days: TODAY + timedelta(days))

trustees = st.one_of(
    accounts.map(TrustedAccount),
    st.builds(TrustedOrganization, st.none() | organization_ids, st.none() | managers),
    st.builds(TrustedUnit, st.none() | organization_ids, units, st.none() | managers),
)
entries = st.builds(TrustEntry, trustees, name=st.none() | st.just("name"), expires=dates)
policies = st.lists(entries, max_size=5).map(lambda some: TrustPolicy(tuple(some)))


def _organization(manager: str, organization_id: str) -> Grantee:
    return parse_grant([("organizationArn", f"arn:aws:organizations::{manager}:organization/{organization_id}")])[0]


def _unit(manager: str, organization_id: str, unit: str) -> Grantee:
    return parse_grant([("organizationalUnitArn", f"arn:aws:organizations::{manager}:ou/{organization_id}/{unit}")])[0]


grantees: st.SearchStrategy[Grantee] = st.one_of(
    st.just(Everyone()),
    accounts.map(lambda account_id: parse_grant([("userId", account_id)])[0]),
    st.builds(_organization, managers, organization_ids),
    st.builds(_unit, managers, organization_ids, units),
    st.just(Unrecognized("group=some")),
)
grants = st.lists(grantees, max_size=6)

members = st.builds(
    Members,
    st.dictionaries(accounts, st.lists(units, max_size=2, unique=True).map(tuple)),
    st.dictionaries(units, st.lists(units, max_size=1).map(tuple)),
)
organizations: st.SearchStrategy[OrganizationView] = st.one_of(
    st.just(NoOrganization()),
    st.just(OrganizationUnread("not permitted")),
    st.builds(OwnOrganization, organization_ids, managers, members | st.just(MembersUnread("not permitted"))),
)
selectors = st.sampled_from(
    [
        ImageSelector(names=("golden-*",)),
        ImageSelector(ids=("ami-other",)),
        ImageSelector(tags=(TagSelector("k", None),)),
    ]
)
exceptions = st.lists(
    st.builds(
        ImageException,
        selectors,
        st.just(AnyGrantee()) | st.lists(st.just(Everyone()) | trustees, min_size=1, max_size=2).map(tuple),
        reason=st.just("reason"),
        owner=st.just("owner"),
        expires=dates,
    ),
    max_size=3,
).map(tuple)
