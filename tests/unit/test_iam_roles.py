"""Which roles the policies of a run enter, by what the settings say of accounts."""

from typing import Any

import pytest

from amiguard.core.exception import TagSelector
from amiguard.core.iam.held_images import held_images
from amiguard.core.iam.role_entry import EnteredRole, entered_roles, next_roles
from amiguard.core.iam.role_template import TemplateRole, roles_template
from amiguard.core.iam.tasks import Work, organization_policy
from amiguard.core.scope import AccountSelector, AccountTarget, NamedRole, OrganizationTarget, RoleOptions, Scope

A, B = "111122223333", "444455556666"
ROLE = NamedRole("Audit", "7f3c9a")


def named(account_id: str, external_id: str | None = ROLE.external_id) -> EnteredRole:
    return EnteredRole(f"arn:aws-cn:iam::{account_id}:role/Audit", external_id)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), ()),
        (Scope(role=ROLE), ()),
        (Scope(accounts=(AccountTarget(A),)), ()),
        (Scope(accounts=(AccountTarget(A),), role=ROLE), (named(A),)),
        (Scope(accounts=(AccountTarget(A, external_id="own"),), role=ROLE), (named(A, "own"),)),
        (Scope(accounts=(AccountTarget(A, profile="a"), AccountTarget(B)), role=ROLE), (named(B),)),
        (Scope(accounts=(AccountTarget(A, "arn:x", "id"),), role=ROLE), (EnteredRole("arn:x", "id"),)),
        (Scope(organization=OrganizationTarget("Audit")), (named("*", None),)),
        (Scope(organization=OrganizationTarget("Org"), accounts=(AccountTarget(A),), role=ROLE),
         (EnteredRole("arn:aws-cn:iam::*:role/Org"), named(A))),
    ],
)  # fmt: skip
def test_the_roles_of_an_audit(scope: Scope, expected: tuple[EnteredRole, ...]) -> None:
    assert entered_roles(scope, "aws-cn") == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), (named("*"),)),
        (Scope(organization=OrganizationTarget("Org")), (named("*"),)),
        (Scope(accounts=(AccountTarget(A, "arn:x"), AccountTarget(B, profile="b"))), (named(A),)),
        (Scope(organization=OrganizationTarget("Org"), accounts=(AccountTarget(A),)), (named("*"), named(A))),
    ],
)
def test_the_role_of_remediations_is_entered_by_its_name_in_each_account(
    scope: Scope, expected: tuple[EnteredRole, ...]
) -> None:
    assert entered_roles(scope, "aws-cn", changing=ROLE) == expected


def test_an_unknown_link_is_told_what_the_chain_is() -> None:
    with pytest.raises(Exception, match=r"^x is not in the chain of roles \(targets.roles.chain\): there is none$"):
        next_roles(RoleOptions(), (), "x")
    with pytest.raises(Exception, match=r"it has arn:a, arn:b$"):
        next_roles(RoleOptions(chain=("arn:a", "arn:b")), (), "x")


@pytest.mark.parametrize(("tags", "asked"), [((), False), ((TagSelector("a", "b"),), True)])
def test_tags_of_accounts_are_read_only_if_they_decide(tags: tuple[TagSelector, ...], *, asked: bool) -> None:
    chosen = AccountSelector(accounts=(A,), tags=tags)
    for members in (OrganizationTarget("Audit", include=chosen), OrganizationTarget("Audit", exclude=chosen)):
        found = organization_policy(Work(scope=Scope(organization=members)))

        assert ("ReadAccountTags" in {one["Sid"] for one in found.statements}) is asked


def test_a_run_over_named_accounts_reads_no_organization() -> None:
    found = organization_policy(Work(scope=Scope(accounts=(AccountTarget(A),), role=ROLE)))

    assert {one["Sid"] for one in found.statements} == {"ListRegionsAndImages", "AssumeRoles"}
    assert found.notes == ()


def test_what_is_held_is_denied_by_its_tag_in_the_partition() -> None:
    statements, notes = held_images((), "aws-cn")

    assert statements == (
        {
            "Sid": "LeaveHeldImages",
            "Effect": "Deny",
            "Action": "ec2:ModifyImageAttribute",
            "Resource": "arn:aws-cn:ec2:*::image/*",
            "Condition": {"Null": {"aws:ResourceTag/amiguard:hold": "false"}},
        },
    )
    assert len(notes) == 1


def test_a_template_of_the_least_that_can_be_asked_for() -> None:
    made: Any = roles_template([TemplateRole("Audit", NamedRole("A"), ())], RoleOptions(duration=900))

    assert made["Parameters"]["AuditRoleName"]["Default"] == "A"
    assert "Default" not in made["Parameters"]["AuditExternalId"]
    properties = made["Resources"]["AuditRole"]["Properties"]
    assert (properties["Path"], properties["MaxSessionDuration"]) == ("/", 3600)
    assert [one["Sid"] for one in properties["AssumeRolePolicyDocument"]["Statement"]] == ["EnterWithExternalId"]
    assert made["Outputs"] == {"AuditRoleArn": {"Value": {"Fn::GetAtt": ["AuditRole", "Arn"]}}}
