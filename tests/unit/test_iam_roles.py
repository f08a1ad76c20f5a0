"""Which roles the policies of a run enter, by what the settings say of accounts."""

from typing import Any

import pytest

from amiguard.core.errors import SettingsError
from amiguard.core.evidence import EvidenceKind
from amiguard.core.exception import ImageSelector, TagSelector
from amiguard.core.iam.guardrails import IMAGES, SWITCHES, guardrails
from amiguard.core.iam.held_images import held_images
from amiguard.core.iam.role_entry import EnteredRole, entered_roles, next_roles
from amiguard.core.iam.role_template import TemplateRole, roles_template
from amiguard.core.iam.tasks import Work, audit_policy, organization_policy
from amiguard.core.remediation import RemediationSettings
from amiguard.core.scope import AccountSelector, AccountTarget, NamedRole, OrganizationTarget, RoleOptions, Scope
from amiguard.core.trust import TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy

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
    found = organization_policy(Work(scope=Scope(accounts=(AccountTarget(A, "arn:aws:iam::1:role/R"),), role=ROLE)))

    assert {one["Sid"] for one in found.statements} == {"ListRegionsAndImages", "AssumeRoles"}
    assert found.notes == ()


OF_B = AccountTarget(B, f"arn:aws:iam::{B}:role/R")


@pytest.mark.parametrize("others", [(), (OF_B,), (AccountTarget(B, profile="b"),)])
def test_an_account_without_a_way_in_is_the_runs_own_and_audited_directly(others: tuple[AccountTarget, ...]) -> None:
    scope = Scope(accounts=(AccountTarget(A), *others))
    checks = frozenset({"ami-snapshot-cross-account"})
    found = organization_policy(Work(scope=scope, checks=checks, topics=("arn:aws:sns:eu-west-1:1:a",)))

    audit = audit_policy(Work(checks=checks, topics=("arn:aws:sns:eu-west-1:1:a",)))
    assert [one for one in found.statements if one["Sid"] != "AssumeRoles"] == list(audit.statements)
    assert any(one["Sid"] == "AssumeRoles" for one in found.statements) is (others == (OF_B,))
    hub = "arn:aws:iam::3:role/Hub"
    chained = Work(scope=Scope(accounts=(AccountTarget(A), OF_B), roles=RoleOptions(chain=(hub,))), checks=checks)
    assert {one["Sid"] for one in organization_policy(chained, after=hub).statements} == {"AssumeRoles"}


def test_an_account_that_may_be_the_runs_own_is_noted() -> None:
    (note,) = organization_policy(Work(scope=Scope(accounts=(AccountTarget(A),), role=ROLE))).notes

    assert note.startswith("if one of the accounts without role_arn or profile is that of these credentials")
    with pytest.raises(SettingsError, match="nothing says which role"):
        organization_policy(Work(scope=Scope(accounts=(AccountTarget(A),))), changing=True)


def test_a_profile_is_told_the_role_of_remediations() -> None:
    role = RemediationSettings(role=NamedRole("Fix"))
    accounts = (AccountTarget(A, "arn:aws:iam::1:role/R", profile="a"), AccountTarget(B, profile="b"))
    options = RoleOptions(source_identity="someone", tags=(("team", "security"),))
    work = Work(scope=Scope(accounts=(*accounts, AccountTarget("777788889999"))), remediation=role)

    first, second, _ = organization_policy(work, changing=True).notes
    assert first.startswith(
        f"the credentials of the profile a need sts:AssumeRole on arn:aws:iam::{A}:role/Fix, unless"
    )
    assert second.startswith(
        f"the credentials of the profile b need sts:AssumeRole on arn:aws:iam::{B}:role/Fix, unless"
    )
    assert organization_policy(work).notes == (
        "the credentials of the profile a need sts:AssumeRole on arn:aws:iam::1:role/R",
    )
    with pytest.raises(SettingsError, match="by profiles") as caught:
        organization_policy(Work(scope=Scope(accounts=accounts, roles=options), remediation=role), changing=True)
    needed = "sts:AssumeRole and sts:SetSourceIdentity and sts:TagSession"
    assert f"the profile b need {needed} on arn:aws:iam::{B}:role/Fix" in (caught.value.hint or "")


OURS, THEIRS = "o-abcdefghij", "o-klmnopqrst"


def unit(organization_id: str | None) -> AccountSelector:
    return AccountSelector(units=(TrustedUnit(organization_id, "ou-ab12-cdefghij"),))


@pytest.mark.parametrize(
    ("include", "exclude", "known"),
    [
        (None, None, False),
        (unit(None), None, False),
        (unit(OURS), None, True),
        (None, unit(OURS), True),
        (unit(OURS), unit(None), True),
        (unit(OURS), unit(THEIRS), False),
    ],
)
@pytest.mark.parametrize("changing", [False, True])
def test_roles_of_every_account_are_those_of_the_organization_where_its_id_is_sure(
    include: AccountSelector | None, exclude: AccountSelector | None, *, known: bool, changing: bool
) -> None:
    members = OrganizationTarget("Audit", "7f3c9a", include, exclude)
    trust = TrustPolicy((TrustEntry(TrustedOrganization(THEIRS)),))  # whom one trusts may be another organization
    role = RemediationSettings(role=NamedRole("Audit", "7f3c9a"))
    accounts = (AccountTarget(A, f"arn:aws:iam::{A}:role/Audit", "7f3c9a"),)
    work = Work(trust=trust, scope=Scope(organization=members, accounts=accounts), remediation=role)
    found = organization_policy(work, changing=changing)

    entered = {
        arn: one["Condition"]["StringEquals"]
        for one in found.statements
        if one["Action"] == "sts:AssumeRole"
        for arn in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
    }
    asked = {"sts:ExternalId": "7f3c9a"}
    assert entered == {
        "arn:aws:iam::*:role/Audit": {**asked, "aws:ResourceOrgID": OURS} if known else asked,
        f"arn:aws:iam::{A}:role/Audit": asked,
    }
    assert any("aws:ResourceOrgID" in note for note in found.notes) is not known


def test_a_runner_with_a_chain_is_told_nothing_of_roles_that_it_does_not_assume() -> None:
    hub = "arn:aws:iam::3:role/Hub"
    work = Work(scope=Scope(organization=OrganizationTarget("Audit"), roles=RoleOptions(chain=(hub,))))

    assert not any("aws:ResourceOrgID" in note for note in organization_policy(work).notes)
    assert any("aws:ResourceOrgID" in note for note in organization_policy(work, after=hub).notes)


def test_what_a_plan_is_widened_by_is_read_by_the_role_of_audits() -> None:
    def same(wide: Work, checked: Work) -> bool:
        pairs = [(audit_policy(wide), audit_policy(checked)), (audit_policy(wide, as_role=True), audit_policy(checked))]
        return all(one == other for one, other in pairs)

    assert same(Work(change_snapshots=True), Work(checks=frozenset({"ami-snapshot-cross-account"})))
    assert same(Work(change_block_public_access=True), Work(checks=frozenset({"ami-block-public-access"})))
    members = Scope(organization=OrganizationTarget("Audit"))
    runner = organization_policy(Work(scope=members, change_snapshots=True, change_block_public_access=True))
    assert {"ReadSnapshotPermissions", "ReadBlockPublicAccess"} < {one["Sid"] for one in runner.statements}


def test_without_a_role_the_hint_says_where_to_name_it() -> None:
    with pytest.raises(SettingsError) as caught:
        organization_policy(Work())

    assert caught.value.message == "nothing says which role is assumed in the accounts"
    assert caught.value.hint == "name it with --role-name, or in targets of the settings"


def test_what_a_runner_needs_beside_its_policy_is_noted() -> None:
    accounts = (
        AccountTarget(A, "arn:aws:iam::1:role/R"),
        AccountTarget(B, "arn:aws:iam::2:role/R", profile="b"),
        AccountTarget("777788889999", profile="c"),
    )
    work = Work(scope=Scope(accounts=accounts, roles=RoleOptions(chain=("arn:aws:iam::3:role/Hub",))))

    own, profile = organization_policy(work).notes
    assert own.startswith("the role arn:aws:iam::3:role/Hub of the chain needs a policy of its own: --chain-role")
    assert profile == "the credentials of the profile b need sts:AssumeRole on arn:aws:iam::2:role/R"
    assert organization_policy(work, after="arn:aws:iam::3:role/Hub").notes == (profile,)
    changing = organization_policy(work, changing=True).notes
    assert changing[:2] == (own, profile)
    assert changing[2].startswith("the account of these credentials is changed directly: ")
    assert organization_policy(work, changing=True, after="arn:aws:iam::3:role/Hub").notes == (profile,)


def test_topics_are_published_to_once_each_and_keys_are_noted() -> None:
    topics = ("arn:aws:sns:eu-west-1:1:b", "arn:aws:sns:eu-west-1:1:a", "arn:aws:sns:eu-west-1:1:b")
    found = audit_policy(Work(topics=topics, evidence=frozenset({EvidenceKind.KEYS})))

    (publish,) = (one for one in found.statements if one["Sid"] == "Publish")
    assert publish["Resource"] == list(topics[:2])
    assert (publish["Action"], "Condition" in publish) == ("sns:Publish", False)
    (keys, encrypted) = found.notes
    assert keys.startswith("a key's own policy decides too: ")
    assert "needs kms:GenerateDataKey* and kms:Decrypt on that key" in encrypted
    assert "kms:Decrypt" not in str(found.statements)
    assert audit_policy(Work()).notes == ()


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


def test_what_iam_cannot_hold_is_said_and_what_it_can_is_denied() -> None:
    protected = (
        ImageSelector(ids=("ami-2", "ami-1"), names=("golden-*", "it's")),
        ImageSelector(tags=(TagSelector("keep", None), TagSelector("Tier", "${prod}"), TagSelector(None, "x"))),
        ImageSelector(ids=("ami-1",), tags=(TagSelector("keep", None),)),
    )

    (_, by_id, any_value, one_value), (first, names, values) = held_images(protected, "aws")

    assert (by_id["Sid"], by_id["Effect"]) == ("LeaveProtectedImages", "Deny")
    assert by_id["Resource"] == ["arn:aws:ec2:*::image/ami-1", "arn:aws:ec2:*::image/ami-2"]
    assert "Condition" not in by_id
    assert (any_value["Sid"], one_value["Sid"]) == ("LeaveProtectedTag1", "LeaveProtectedTag2")
    assert any_value["Condition"] == {"Null": {"aws:ResourceTag/keep": "false"}}
    assert one_value["Condition"] == {"StringEquals": {"aws:ResourceTag/Tier": "${$}{prod}"}}
    assert any_value["Resource"] == one_value["Resource"] == "arn:aws:ec2:*::image/*"
    assert first == (
        "changes of images with the tag amiguard:hold, and of those that remediation.protected_images of the settings "
        "names by id or by tag key, are denied: a rollback cannot give back what was taken from them before, either"
    )
    assert names == (
        "IAM knows no names of images: only amiguard itself leaves 'golden-*', \"it's\" of "
        "remediation.protected_images alone"
    )
    assert values == (
        "IAM cannot ask for a value under any tag key: only amiguard itself leaves '=x' of "
        "remediation.protected_images alone"
    )


@pytest.mark.parametrize(
    ("trusted", "strangers"),
    [
        ((), {"Null": {"ec2:Add/userId": "false"}}),
        ((A,), {"ForAnyValue:StringNotEquals": {"ec2:Add/userId": A}}),
        ((A, B), {"ForAnyValue:StringNotEquals": {"ec2:Add/userId": [A, B]}}),
    ],
)
def test_the_guardrails_as_they_are_pasted(trusted: tuple[str, ...], strangers: dict[str, Any]) -> None:
    others = {"ArnNotLike": {"aws:PrincipalArn": "arn:x"}}
    denied = [
        ("KeepImageSharing", list(IMAGES), others),
        ("KeepBlockPublicAccess", list(SWITCHES), others),
        (
            "KeepSnapshotsFromEveryone",
            "ec2:ModifySnapshotAttribute",
            {**others, "StringEquals": {"ec2:Add/group": "all"}},
        ),
        ("KeepSnapshotsFromStrangers", "ec2:ModifySnapshotAttribute", {**others, **strangers}),
    ]

    assert guardrails(["arn:x"], trusted) == {  # no role, no user: nothing to protect
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition}
            for sid, actions, condition in denied
        ],
    }


def test_a_template_passes_on_who_asks_and_what_for() -> None:
    options = RoleOptions(source_identity="someone", tags=(("team", "security"),), duration=7200)
    made: Any = roles_template([TemplateRole("Remediation", NamedRole("path/R", "id"), ())], options)

    properties = made["Resources"]["RemediationRole"]["Properties"]
    trust = properties["AssumeRolePolicyDocument"]["Statement"]
    assert [(one["Sid"], one["Effect"], one["Action"]) for one in trust] == [
        ("EnterWithExternalId", "Allow", "sts:AssumeRole"),
        ("SetSourceIdentity", "Allow", "sts:SetSourceIdentity"),
        ("TagSession", "Allow", "sts:TagSession"),
    ]
    assert all(one["Condition"]["StringLike"] == {"aws:PrincipalArn": {"Ref": "HubPrincipalArn"}} for one in trust)
    assert properties["MaxSessionDuration"] == 7200
    assert properties["Policies"][0]["PolicyName"] == "AmiguardRemediation"
    assert made["Parameters"]["RemediationRoleName"]["Default"] == "R"
    assert made["Parameters"]["RemediationExternalId"]["Default"] == "id"
    assert made["Parameters"]["HubPrincipalArn"]["Default"] == "*"


def test_a_template_of_the_least_that_can_be_asked_for() -> None:
    made: Any = roles_template([TemplateRole("Audit", NamedRole("A"), ())], RoleOptions(duration=900))

    assert made["Parameters"]["AuditRoleName"]["Default"] == "A"
    assert "Default" not in made["Parameters"]["AuditExternalId"]
    properties = made["Resources"]["AuditRole"]["Properties"]
    assert (properties["Path"], properties["MaxSessionDuration"]) == ("/", 3600)
    assert [one["Sid"] for one in properties["AssumeRolePolicyDocument"]["Statement"]] == ["EnterWithExternalId"]
    assert made["Outputs"] == {"AuditRoleArn": {"Value": {"Fn::GetAtt": ["AuditRole", "Arn"]}}}
