"""What holds for every organization and every scope."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.exception import TagSelector
from amiguard.core.scope import AccountSelector, AccountTarget, OrganizationTarget, Scope
from amiguard.core.selection import AccountTags, Selection, accounts_asked_for_tags, select_accounts
from amiguard.core.trust import TrustedUnit

OWN, STRANGER = "1" * 12, "9" * 12
IDS = [str(digit) * 12 for digit in range(1, 7)]
# A tree: each unit with those above it.
ABOVE = {"ou-root-aaaaaaaa": (), "ou-root-bbbbbbbb": ("ou-root-aaaaaaaa",), "ou-root-cccccccc": ()}
UNITS = {unit_id: Unit(unit_id, "", above) for unit_id, above in ABOVE.items()}
TAGS = [(("Env", "trial"),), (("Env", "prod"), ("Team", "a")), ()]

places = st.sampled_from([(), *((*above, unit_id) for unit_id, above in ABOVE.items())])
states = st.sampled_from(["ACTIVE", "ACTIVE", "SUSPENDED", "CLOSED", "PENDING_CLOSURE"])
members = st.fixed_dictionaries(
    {one: st.builds(MemberAccount, st.just(one), st.just("name"), states, places) for one in IDS}
)
directories = members.map(
    lambda accounts: Directory("o-abcdefghij", IDS[1], accounts, UNITS, datetime(2026, 8, 1, tzinfo=UTC))
)
selectors = st.builds(
    AccountSelector,
    st.lists(st.sampled_from(IDS), max_size=2).map(tuple),
    st.lists(st.sampled_from([TrustedUnit(None, unit_id) for unit_id in UNITS]), max_size=2).map(tuple),
    st.lists(st.sampled_from([TagSelector("Env", "trial"), TagSelector("Team", None)]), min_size=1, max_size=1).map(
        tuple
    ),
)
targets = st.one_of(
    [st.builds(AccountTarget, st.just(one), st.just(f"arn:aws:iam::{one}:role/R")) for one in (*IDS, STRANGER)]
)
scopes = st.builds(
    Scope,
    accounts=st.lists(targets, max_size=3, unique=True).map(tuple),
    organization=st.builds(
        OrganizationTarget, st.just("Audit"), include=st.none() | selectors, exclude=st.none() | selectors
    ),
    suspended_fail=st.booleans(),
)
tags = st.dictionaries(st.sampled_from(IDS), st.sampled_from(TAGS))


def select(scope: Scope, directory: Directory, read: AccountTags) -> Selection:
    return select_accounts(scope, own_account_id=OWN, partition="aws", directory=directory, tags=read)


def ids(selection: Selection) -> list[str]:
    return [one.account_id for kind in (selection.audited, selection.skipped, selection.failed) for one in kind]


@given(scopes, directories, tags)
def test_every_account_has_exactly_one_outcome(scope: Scope, directory: Directory, read: AccountTags) -> None:
    selection = select(scope, directory, read)

    assert selection.problems == ()
    assert sorted(ids(selection)) == sorted({*directory.accounts, *(one.account_id for one in scope.accounts)})


@given(scopes, directories, tags, selectors)
def test_exclude_beats_include(
    scope: Scope, directory: Directory, read: AccountTags, selector: AccountSelector
) -> None:
    assert scope.organization
    both = replace(scope, accounts=(), organization=replace(scope.organization, include=selector, exclude=selector))

    assert select(both, directory, read).audited == ()


@given(scopes, directories, tags)
def test_no_excluded_unit_is_audited_at_any_depth(scope: Scope, directory: Directory, read: AccountTags) -> None:
    assert scope.organization
    exclude = scope.organization.exclude
    excluded = {unit.unit_id for unit in exclude.units} if exclude else set()
    named = {one.account_id for one in scope.accounts}

    for one in select(scope, directory, read).audited:
        assert one.account_id in named or not excluded & {*directory.accounts[one.account_id].units}


def backwards(selector: AccountSelector | None) -> AccountSelector | None:
    return selector and AccountSelector(selector.accounts[::-1], selector.units[::-1], selector.tags[::-1])


@given(scopes, directories, tags)
def test_order_never_matters(scope: Scope, directory: Directory, read: AccountTags) -> None:
    organization = scope.organization
    assert organization
    turned = replace(
        scope,
        accounts=scope.accounts[::-1],
        organization=replace(
            organization, include=backwards(organization.include), exclude=backwards(organization.exclude)
        ),
    )
    other_directory = replace(directory, accounts=dict(sorted(directory.accounts.items(), reverse=True)))

    assert select(turned, other_directory, dict(sorted(read.items(), reverse=True))) == select(scope, directory, read)


@given(scopes, directories, tags)
def test_only_the_tags_that_are_asked_for_matter(scope: Scope, directory: Directory, read: AccountTags) -> None:
    asked = accounts_asked_for_tags(scope, directory)
    needed = {one: read[one] for one in asked if one in read}
    with_all, with_needed = select(scope, directory, read), select(scope, directory, needed)

    assert [one.account_id for one in with_needed.failed] == [one.account_id for one in with_all.failed]
    assert with_needed.audited == with_all.audited


@given(scopes, directories)
def test_with_all_tags_read_nothing_fails_but_by_its_state(scope: Scope, directory: Directory) -> None:
    selection = select(replace(scope, suspended_fail=False), directory, dict.fromkeys(IDS, ()))

    assert selection.failed == ()


@given(scopes, directories, tags)
def test_the_own_account_is_reached_directly(scope: Scope, directory: Directory, read: AccountTags) -> None:
    named = {one.account_id for one in scope.accounts}

    for one in select(scope, directory, read).audited:
        assert (one.access.role_arn is None) == (one.account_id == OWN and OWN not in named)
