"""Which accounts a scope comes to: audited by which way, skipped or failed for which reason, or not as named."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.exception import TagSelector
from amiguard.core.scope import AccountSelector, AccountTarget, NamedRole, OrganizationTarget, RoleOptions, Scope
from amiguard.core.selection import (
    Access,
    AccountLeftOut,
    AuditedAccount,
    Selection,
    accounts_asked_for_tags,
    select_accounts,
)
from amiguard.core.trust import TrustedUnit

OWN, BUILD, TRIAL, NESTED, STRANGER = (digit * 12 for digit in "12349")
ORGANIZATION = "o-abcdefghij"
PRODUCTS, SANDBOX, DEEP = "ou-root-products", "ou-root-sandbox1", "ou-root-deeper01"


def directory(**states: str) -> Directory:
    accounts = (
        MemberAccount(OWN, "Management", "ACTIVE"),
        MemberAccount(BUILD, "Build", states.get("build", "ACTIVE"), (PRODUCTS,)),
        MemberAccount(TRIAL, "Trial", states.get("trial", "ACTIVE"), (SANDBOX,)),
        MemberAccount(NESTED, "Nested", states.get("nested", "ACTIVE"), (SANDBOX, DEEP)),
    )
    units = (Unit(PRODUCTS, "Products"), Unit(SANDBOX, "Sandbox"), Unit(DEEP, "", (SANDBOX,)))
    return Directory(
        ORGANIZATION,
        OWN,
        {one.account_id: one for one in accounts},
        {one.unit_id: one for one in units},
        datetime(2026, 8, 1, tzinfo=UTC),
    )


def select(scope: Scope, known: Directory | None = None, tags: dict[str, dict[str, str]] | None = None) -> Selection:
    read = {account_id: tuple(pairs.items()) for account_id, pairs in (tags or {}).items()}
    return select_accounts(scope, own_account_id=OWN, partition="aws", directory=known, tags=read)


def by_role(account_id: str, name: str = "Audit", partition: str = "aws") -> Access:
    return Access(role_arn=f"arn:{partition}:iam::{account_id}:role/{name}")


def whole(include: AccountSelector | None = None, exclude: AccountSelector | None = None, **more: bool) -> Scope:
    return Scope(organization=OrganizationTarget("Audit", None, include, exclude), **more)  # type: ignore[arg-type]


def unit(unit_id: str, organization_id: str | None = None) -> AccountSelector:
    return AccountSelector(units=(TrustedUnit(organization_id, unit_id),))


def audited_ids(selection: Selection) -> list[str]:
    return [one.account_id for one in selection.audited]


def test_without_a_word_it_is_the_own_account() -> None:
    assert select(Scope()) == Selection((AuditedAccount(OWN, "", Access(), None),))
    assert select(Scope(regions=("eu-central-1",)), directory()) == Selection(
        (AuditedAccount(OWN, "Management", Access(), ("eu-central-1",)),)
    )


def test_a_whole_organization_and_the_own_account_directly() -> None:
    assert select(whole(), directory()) == Selection(
        (
            AuditedAccount(OWN, "Management", Access(), None),
            AuditedAccount(BUILD, "Build", by_role(BUILD), None),
            AuditedAccount(TRIAL, "Trial", by_role(TRIAL), None),
            AuditedAccount(NESTED, "Nested", by_role(NESTED), None),
        )
    )


def test_an_organization_needs_its_directory() -> None:
    with pytest.raises(ValueError, match=r"^the accounts of an organization are selected from its directory$"):
        select(whole())


def test_role_names_carry_path_partition_external_id_and_chain() -> None:
    scope = Scope(
        organization=OrganizationTarget("audit/Amiguard", "secret"), roles=RoleOptions(chain=("arn:of:a:hub",))
    )
    selection = select_accounts(scope, own_account_id=OWN, partition="aws-us-gov", directory=directory())

    assert [one.access for one in selection.audited[:2]] == [
        Access(),
        Access(None, ("arn:of:a:hub",), f"arn:aws-us-gov:iam::{BUILD}:role/audit/Amiguard", "secret"),
    ]


def test_excluded_by_id_unit_and_tag() -> None:
    exclude = AccountSelector((OWN,), (TrustedUnit(None, SANDBOX),), (TagSelector("Env", "trial"),))
    tags = {BUILD: {"Env": "trial"}}

    assert select(whole(exclude=exclude), directory(), tags) == Selection(
        skipped=(
            AccountLeftOut(OWN, "Management", "excluded by account id"),
            AccountLeftOut(BUILD, "Build", "excluded by tag Env=trial"),
            AccountLeftOut(TRIAL, "Trial", f"excluded by unit {SANDBOX} (Sandbox)"),
            AccountLeftOut(NESTED, "Nested", f"excluded by unit {SANDBOX} (Sandbox)"),
        )
    )


def test_a_unit_without_a_name_is_named_by_its_id() -> None:
    assert select(whole(exclude=unit(DEEP, ORGANIZATION)), directory()).skipped == (
        AccountLeftOut(NESTED, "Nested", f"excluded by unit {DEEP}"),
    )


@pytest.mark.parametrize(
    ("selector", "reason"),
    [(TagSelector("Env", None), "Env"), (TagSelector(None, "x"), "=x"), (TagSelector("Env", "x"), "Env=x")],
)
def test_reasons_name_tags_as_they_are_written(selector: TagSelector, reason: str) -> None:
    tags = {account_id: {"Env": "x"} for account_id in (OWN, BUILD, TRIAL, NESTED)}
    selection = select(whole(exclude=AccountSelector(tags=(selector,))), directory(), tags)

    assert {one.reason for one in selection.skipped} == {f"excluded by tag {reason}"}


def test_included_by_any_key() -> None:
    include = AccountSelector((OWN,), (TrustedUnit(None, DEEP),), (TagSelector("Env", None),))
    selection = select(whole(include), directory(), {BUILD: {"Env": ""}, TRIAL: {}})

    assert audited_ids(selection) == [OWN, BUILD, NESTED]
    assert selection.skipped == (AccountLeftOut(TRIAL, "Trial", "not included"),)


def test_exclude_beats_include() -> None:
    selection = select(whole(unit(SANDBOX), AccountSelector(accounts=(NESTED,))), directory())

    assert audited_ids(selection) == [TRIAL]
    assert [one.reason for one in selection.skipped] == ["not included", "not included", "excluded by account id"]


STATES = [
    ("SUSPENDED", "the account is suspended"),
    ("CLOSED", "the account is closed"),
    ("PENDING_ACTIVATION", "the account is not activated yet"),
]


@pytest.mark.parametrize(("state", "reason"), STATES)
def test_accounts_that_nobody_can_read(state: str, reason: str) -> None:
    left_out = (AccountLeftOut(BUILD, "Build", reason),)

    selection = select(whole(), directory(build=state))
    assert (selection.skipped, selection.failed) == (left_out, ())

    selection = select(whole(suspended_fail=True), directory(build=state))
    assert (selection.skipped, selection.failed) == ((), left_out)

    named = Scope(accounts=(AccountTarget(BUILD, f"arn:aws:iam::{BUILD}:role/R"),))
    assert select(named, directory(build=state)).skipped == left_out


@pytest.mark.parametrize("state", ["PENDING_CLOSURE", "SOMETHING_NEW"])
def test_accounts_that_may_be_readable_are_audited(state: str) -> None:
    assert BUILD in audited_ids(select(whole(suspended_fail=True), directory(build=state)))


def test_an_excluded_account_is_excluded_whatever_its_state() -> None:
    scope = whole(exclude=AccountSelector(accounts=(BUILD,)), suspended_fail=True)

    assert select(scope, directory(build="SUSPENDED")).failed == ()


UNREAD = "the tags of the account could not be read, and they decide whether it is audited"


def test_unread_tags_that_decide_fail_the_account() -> None:
    tag = (TagSelector("Env", None),)
    excluding = whole(exclude=AccountSelector((TRIAL,), tags=tag))
    including = whole(AccountSelector((TRIAL,), tags=tag))
    tags = {OWN: {"Env": "a"}, NESTED: {}}
    by_tags = (AccountLeftOut(BUILD, "Build", UNREAD),)

    assert select(excluding, directory(), tags) == Selection(
        audited=(AuditedAccount(NESTED, "Nested", by_role(NESTED), None),),
        skipped=(
            AccountLeftOut(OWN, "Management", "excluded by tag Env"),
            AccountLeftOut(TRIAL, "Trial", "excluded by account id"),
        ),
        failed=by_tags,
    )
    assert select(including, directory(), tags).failed == by_tags
    assert select(including, directory(build="SUSPENDED"), tags).failed == ()


def test_tags_are_asked_for_where_they_decide() -> None:
    tag = (TagSelector("Env", None),)
    known = directory(nested="SUSPENDED")

    assert accounts_asked_for_tags(Scope(), known) == ()
    assert accounts_asked_for_tags(whole(exclude=unit(DEEP)), known) == ()
    assert accounts_asked_for_tags(whole(exclude=AccountSelector((TRIAL,), tags=tag)), known) == (OWN, BUILD)
    assert accounts_asked_for_tags(whole(AccountSelector((TRIAL,), tags=tag)), known) == (OWN, BUILD)
    named = replace(whole(AccountSelector(tags=tag)), accounts=(AccountTarget(OWN), AccountTarget(STRANGER)))
    assert accounts_asked_for_tags(named, known) == (BUILD, TRIAL)


def test_an_entry_of_its_own_counts_before_the_organization() -> None:
    role = f"arn:aws:iam::{TRIAL}:role/Other"
    scope = replace(
        whole(exclude=unit(SANDBOX)),
        regions=("eu-central-1",),
        roles=RoleOptions(chain=("arn:of:a:hub",)),
        accounts=(
            AccountTarget(TRIAL, role, "secret", regions=("us-east-1",)),
            AccountTarget(NESTED, profile="nested"),
            AccountTarget(OWN, f"arn:aws:iam::{OWN}:role/Own"),
        ),
    )

    assert select(scope, directory()).audited == (
        AuditedAccount(
            OWN, "Management", Access(None, ("arn:of:a:hub",), f"arn:aws:iam::{OWN}:role/Own"), ("eu-central-1",)
        ),
        AuditedAccount(
            BUILD, "Build", Access(None, ("arn:of:a:hub",), f"arn:aws:iam::{BUILD}:role/Audit"), ("eu-central-1",)
        ),
        AuditedAccount(TRIAL, "Trial", Access(None, ("arn:of:a:hub",), role, "secret"), ("us-east-1",)),
        AuditedAccount(NESTED, "Nested", Access("nested"), ("eu-central-1",)),
    )


def test_an_entry_without_a_way_takes_the_organizations() -> None:
    scope = replace(whole(), accounts=(AccountTarget(BUILD, external_id="secret", regions=("us-east-1",)),))

    assert select(scope, directory()).audited[1] == AuditedAccount(
        BUILD, "Build", replace(by_role(BUILD), external_id="secret"), ("us-east-1",)
    )


def test_a_role_is_assumed_from_a_profile_without_the_chain() -> None:
    role = f"arn:aws:iam::{STRANGER}:role/R"
    scope = Scope(
        accounts=(AccountTarget(STRANGER, role, "secret", "other"),), roles=RoleOptions(chain=("arn:of:a:hub",))
    )

    assert select(scope).audited == (AuditedAccount(STRANGER, "", Access("other", (), role, "secret"), None),)


def test_accounts_outside_the_organization_are_audited_by_their_role() -> None:
    scope = replace(whole(), accounts=(AccountTarget(STRANGER, f"arn:aws:iam::{STRANGER}:role/R"),))

    assert select(scope, directory()).audited[-1] == AuditedAccount(STRANGER, "", by_role(STRANGER, "R"), None)


def test_a_role_known_by_its_name_is_for_those_without_a_way() -> None:
    scope = replace(
        whole(),
        accounts=(AccountTarget(BUILD), AccountTarget(STRANGER)),
        role=NamedRole("Given", "secret"),
    )

    audited = {one.account_id: one.access for one in select(scope, directory()).audited}
    assert (audited[BUILD], audited[STRANGER]) == (
        by_role(BUILD),
        replace(by_role(STRANGER, "Given"), external_id="secret"),
    )


def test_accounts_without_a_way_in_are_a_problem() -> None:
    selection = select(Scope(accounts=(AccountTarget(STRANGER), AccountTarget(OWN))))

    assert audited_ids(selection) == [OWN]
    assert selection.problems == (
        f"{STRANGER} is not the account of your credentials, and nothing says which role to assume there: give it a "
        "role_arn or a profile under targets.accounts, or add --role-name",
    )


def test_what_the_organization_does_not_have_is_a_problem() -> None:
    include = AccountSelector(
        ("222222222223", "888888888888"),
        (
            TrustedUnit(None, "ou-root-sandbox2"),
            TrustedUnit("o-zzzzzzzzzz", SANDBOX),
            TrustedUnit(ORGANIZATION, SANDBOX, BUILD),
            TrustedUnit(ORGANIZATION, SANDBOX, OWN),
        ),
    )
    selection = select(whole(include, unit("ou-root-deeper02")), directory())

    assert selection.problems == (
        f"targets.organization.include: {ORGANIZATION} has no account 222222222223, did you mean {BUILD} (Build)?",
        f"targets.organization.include: {ORGANIZATION} has no account 888888888888",
        f"targets.organization.include: the management account of {ORGANIZATION} is {OWN}, "
        f"not {BUILD} as the ARN of {ORGANIZATION}/{SANDBOX} says",
        f"targets.organization.include: o-zzzzzzzzzz/{SANDBOX} belongs to another organization than {ORGANIZATION}, "
        "the caller's",
        f"targets.organization.include: {ORGANIZATION} has no unit ou-root-sandbox2, did you mean {SANDBOX} (Sandbox)?",
        f"targets.organization.exclude: {ORGANIZATION} has no unit ou-root-deeper02, did you mean {DEEP}?",
    )


def test_problems_come_to_one_error() -> None:
    assert Selection().error is None
    one, two = Selection(problems=("a",)).error, Selection(problems=("a", "b")).error

    assert one is not None
    assert two is not None
    assert (one.message, two.message) == ("a", "2 targets are not as they are named\na\nb")


def test_an_account_named_twice_in_the_same_way_counts_once() -> None:
    assert audited_ids(select(Scope(accounts=(AccountTarget(OWN), AccountTarget(OWN))))) == [OWN]


def test_an_account_named_twice_otherwise_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^an account is named twice, each time otherwise$"):
        Scope(accounts=(AccountTarget(OWN), AccountTarget(OWN, profile="p")))


def test_an_empty_selector_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^selects nothing: name accounts, units or tags$"):
        AccountSelector()
