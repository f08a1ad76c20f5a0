"""Policies by what they are for, and the guardrails by what they deny."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from amiguard.core.checks.registry import ADDITIONAL
from amiguard.core.errors import SettingsError
from amiguard.core.evidence import EvidenceKind
from amiguard.core.exception import ImageSelector, TagSelector
from amiguard.core.iam.guardrails import LIMITS, ROLES, USERS, WHY, guardrails, limits, protections
from amiguard.core.iam.policy import LONGEST_MANAGED, Document, IamPolicy
from amiguard.core.iam.role_template import ANY_PARTITION, TemplateRole, roles_template
from amiguard.core.iam.tasks import Work, audit_policy, change_policy, organization_policy
from amiguard.core.remediation import RemediationSettings
from amiguard.core.scope import AccountSelector, AccountTarget, NamedRole, OrganizationTarget, RoleOptions, Scope
from amiguard.core.trust import TrustedOrganization, TrustEntry, TrustPolicy
from tests.integration.iam_enforcement import Asked, denies

A, B = "111122223333", "444455556666"
OWN = TrustPolicy((TrustEntry(TrustedOrganization(None)),))
MEMBERS = OrganizationTarget("audit/AmiguardAudit", "7f3c9a")
EVERY_ROLE = "arn:aws:iam::*:role/audit/AmiguardAudit"
HUB_ROLE, NEXT_ROLE = f"arn:aws:iam::{A}:role/Hub", f"arn:aws:iam::{B}:role/Next"
BASE = {"ListRegionsAndImages", "ReadLaunchPermissions", "DecodeRefusals"}
DIRECTORY = {"ReadOrganization"}
WIDEST = Work(
    trust=OWN,
    scope=Scope(
        organization=replace(MEMBERS, include=AccountSelector(tags=(TagSelector("a", "b"),))),
        roles=RoleOptions(source_identity="someone", tags=(("team", "security"),)),
    ),
    checks=ADDITIONAL,
    evidence=frozenset(EvidenceKind),
    security_hub=True,
    topics=(f"arn:aws:sns:us-east-1:{A}:amiguard",),
    change_snapshots=True,
    change_block_public_access=True,
)


def sids(policy: IamPolicy) -> set[str]:
    return {one["Sid"] for one in policy.statements}


def statement(policy: IamPolicy, sid: str) -> Any:
    return next(one for one in policy.statements if one["Sid"] == sid)


def test_an_audit_reads_images_and_nothing_else() -> None:
    assert audit_policy(Work()).document == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ListRegionsAndImages",
                "Effect": "Allow",
                "Action": ["ec2:DescribeImages", "ec2:DescribeRegions"],
                "Resource": "*",
            },
            {
                "Sid": "ReadLaunchPermissions",
                "Effect": "Allow",
                "Action": "ec2:DescribeImageAttribute",
                "Resource": "arn:aws:ec2:*::image/*",
            },
            {
                "Sid": "DecodeRefusals",
                "Effect": "Allow",
                "Action": "sts:DecodeAuthorizationMessage",
                "Resource": "*",
            },
        ],
    }


@pytest.mark.parametrize(
    ("work", "more"),
    [
        (Work(checks=frozenset({"ami-block-public-access"})), {"ReadBlockPublicAccess"}),
        (Work(checks=frozenset({"ami-snapshot-cross-account"})), {"ReadSnapshotPermissions"}),
        (
            Work(evidence=frozenset({EvidenceKind.USAGE})),
            {"CreateUsageReports", "ReadUsageReports", "ListRecycleBin"},
        ),
        (Work(evidence=frozenset({EvidenceKind.AUTHOR})), {"LookUpEvents", "ListRecycleBin"}),
        (Work(evidence=frozenset({EvidenceKind.SNAPSHOTS})), {"ReadSnapshotPermissions", "ListRecycleBin"}),
        (Work(evidence=frozenset({EvidenceKind.KEYS})), {"ReadEncryption", "ReadKeys", "ListRecycleBin"}),
        (Work(security_hub=True), {"ImportFindings", "ReadFindings"}),
        (Work(topics=(f"arn:aws:sns:us-east-1:{A}:t",)), {"Publish"}),
        (Work(trust=OWN), DIRECTORY),
    ],
)
def test_what_an_audit_is_asked_for_widens_its_policy(work: Work, more: set[str]) -> None:
    assert sids(audit_policy(work)) == BASE | more


def test_the_role_of_an_audit_leaves_to_the_run_what_is_the_runs() -> None:
    work = Work(trust=OWN, topics=WIDEST.topics, scope=Scope(organization=MEMBERS))

    assert sids(audit_policy(work)) == BASE
    outsider = Scope(organization=MEMBERS, accounts=(AccountTarget(A, HUB_ROLE),))
    found = audit_policy(replace(work, scope=outsider))
    assert statement(found, "ReadOrganization")["Action"] == "organizations:DescribeOrganization"
    assert sids(organization_policy(work)) == BASE | DIRECTORY | {"Publish", "AssumeRoles"}


def test_the_runner_assumes_exactly_the_roles_of_the_settings() -> None:
    accounts = (
        AccountTarget(A, HUB_ROLE, "7f3c9a"),
        AccountTarget(B, profile="b", role_arn=NEXT_ROLE),
        AccountTarget("777788889999"),
    )
    policy = organization_policy(Work(scope=Scope(organization=MEMBERS, accounts=accounts)))

    entered = statement(policy, "AssumeRoles")
    assert entered["Resource"] == [EVERY_ROLE, HUB_ROLE, "arn:aws:iam::777788889999:role/audit/AmiguardAudit"]
    assert entered["Condition"] == {"StringEquals": {"sts:ExternalId": "7f3c9a"}}
    assert f"the credentials of the profile b need sts:AssumeRole on {NEXT_ROLE}" in policy.notes

    several = organization_policy(Work(scope=Scope(organization=MEMBERS, accounts=(AccountTarget(A, HUB_ROLE),))))
    assert statement(several, "AssumeRoles1")["Resource"] == EVERY_ROLE
    assert statement(several, "AssumeRoles2")["Resource"] == HUB_ROLE
    assert "Condition" not in statement(several, "AssumeRoles2")


def test_each_link_of_a_chain_assumes_the_next() -> None:
    work = Work(scope=Scope(organization=MEMBERS, roles=RoleOptions(chain=(HUB_ROLE, NEXT_ROLE))))

    found = [
        statement(organization_policy(work, after=after), "AssumeRoles")["Resource"]
        for after in (None, HUB_ROLE, NEXT_ROLE)
    ]
    assert found == [HUB_ROLE, NEXT_ROLE, EVERY_ROLE]
    assert sids(organization_policy(work, after=HUB_ROLE)) == {"AssumeRoles"}
    with pytest.raises(SettingsError, match="not in the chain"):
        organization_policy(work, after=f"arn:aws:iam::{A}:role/Other")


def test_a_remediation_is_entered_by_its_own_role() -> None:
    role = RemediationSettings(role=NamedRole("AmiguardRemediation", "other1"))
    policy = organization_policy(Work(trust=OWN, scope=Scope(organization=MEMBERS), remediation=role), changing=True)

    entered = statement(policy, "AssumeRoles")
    assert entered["Resource"] == "arn:aws:iam::*:role/AmiguardRemediation"
    assert entered["Condition"] == {"StringEquals": {"sts:ExternalId": "other1"}}
    assert sids(policy) == DIRECTORY | {"AssumeRoles"}


def test_what_passes_with_the_sessions_is_permitted_as_it_is_written() -> None:
    policy = organization_policy(WIDEST)

    assert statement(policy, "SetSourceIdentity")["Condition"] == {"StringEquals": {"sts:SourceIdentity": "someone"}}
    assert statement(policy, "TagSessions")["Condition"] == {
        "StringEquals": {"aws:RequestTag/team": "security"},
        "ForAllValues:StringEquals": {"aws:TagKeys": "team"},
    }
    assert statement(policy, "TagSessions")["Resource"] == EVERY_ROLE


def test_nothing_to_assume_is_an_error() -> None:
    with pytest.raises(SettingsError, match="nothing says which role"):
        organization_policy(Work())
    with pytest.raises(SettingsError, match="by profiles"):
        organization_policy(Work(scope=Scope(accounts=(AccountTarget(A, profile="a"),))))


def test_a_remediation_leaves_held_and_protected_images_alone_as_far_as_iam_can_tell() -> None:
    tags = (TagSelector("golden", None), TagSelector("team", "${x}"), TagSelector(None, "keep"))
    protected = (
        ImageSelector(ids=("ami-00000000000000001",)),
        ImageSelector(names=("golden-*",)),
        ImageSelector(tags=tags),
    )
    policy = change_policy(Work(remediation=RemediationSettings(protected=protected)))

    denied = {
        one["Sid"]: (one["Resource"], one.get("Condition")) for one in policy.statements if one["Effect"] == "Deny"
    }
    every = "arn:aws:ec2:*::image/*"
    assert denied == {
        "LeaveHeldImages": (every, {"Null": {"aws:ResourceTag/amiguard:hold": "false"}}),
        "LeaveProtectedImages": ("arn:aws:ec2:*::image/ami-00000000000000001", None),
        "LeaveProtectedTag1": (every, {"Null": {"aws:ResourceTag/golden": "false"}}),
        "LeaveProtectedTag2": (every, {"StringEquals": {"aws:ResourceTag/team": "${$}{x}"}}),
    }
    notes = " ".join(policy.notes)
    assert "'golden-*'" in notes
    assert "'=keep'" in notes


def test_a_remediation_may_do_no_more_than_it_is_asked_for() -> None:
    narrow = {"ListRegionsAndImages", "ReadLaunchPermissions", "ChangeLaunchPermissions", "LeaveHeldImages"}
    narrow |= {"DecodeRefusals"}

    assert sids(change_policy(Work())) == narrow
    assert statement(change_policy(Work()), "ListRegionsAndImages")["Action"] == "ec2:DescribeImages"
    snapshots = {"ReadSnapshotPermissions", "ChangeSnapshotPermissions"}
    assert sids(change_policy(Work(change_snapshots=True))) == narrow | snapshots
    switch = {"ReadBlockPublicAccess", "SetBlockPublicAccess"}
    assert sids(change_policy(Work(change_block_public_access=True))) == narrow | switch


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc"])
def test_every_arn_is_in_the_partition(partition: str) -> None:
    work = replace(WIDEST, partition=partition, topics=())

    for policy in (audit_policy(work), change_policy(work), organization_policy(work)):
        arns = [text for text in json.dumps(policy.document).split('"') if text.startswith("arn:")]
        assert arns
        assert {arn.split(":")[1] for arn in arns} == {partition}


def test_roles_and_topics_of_another_partition_are_refused() -> None:
    WIDEST.refuse_other_partitions()
    with pytest.raises(SettingsError, match="is in the partition aws, and the policy is for aws-cn") as refused:
        replace(WIDEST, partition="aws-cn").refuse_other_partitions()
    assert refused.value.hint == "say --partition aws"


def test_the_widest_policies_fit_into_managed_ones() -> None:
    for policy in (audit_policy(WIDEST), change_policy(WIDEST), organization_policy(WIDEST)):
        assert len("".join(json.dumps(policy.document).split())) < LONGEST_MANAGED


def template(*kinds: str, options: RoleOptions = WIDEST.scope.roles) -> dict[str, Any]:
    anywhere = replace(WIDEST, partition=ANY_PARTITION)
    made = {
        "Audit": TemplateRole("Audit", NamedRole("audit/A", "7f3c9a"), audit_policy(anywhere).statements),
        "Remediation": TemplateRole("Remediation", NamedRole("R"), change_policy(anywhere).statements),
    }
    return dict(roles_template([made[kind] for kind in kinds], options))


@pytest.mark.parametrize("kinds", [("Audit",), ("Remediation",), ("Audit", "Remediation")])
def test_cfn_lint_finds_nothing_in_a_template(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    file = tmp_path / "roles.json"
    file.write_text(json.dumps(template(*kinds)))

    program = Path(sys.executable).with_name("cfn-lint")
    linted = subprocess.run(
        [program, "--regions", "us-east-1", "--", file], capture_output=True, text=True, check=False
    )

    assert (linted.returncode, linted.stdout) == (0, "")


def test_a_role_of_the_template_trusts_the_hub_with_its_external_id() -> None:
    made = template("Audit", "Remediation")
    audit, remediation = (made["Resources"][f"{kind}Role"]["Properties"] for kind in ("Audit", "Remediation"))

    enter, identify, tag = audit["AssumeRolePolicyDocument"]["Statement"]
    hub = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${HubAccountId}:root"}}
    assert [one["Principal"] for one in (enter, identify, tag)] == [hub] * 3
    assert enter["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "AuditExternalId"}}
    assert [one["Action"] for one in (identify, tag)] == ["sts:SetSourceIdentity", "sts:TagSession"]
    assert (audit["Path"], audit["RoleName"]) == ("/audit/", {"Ref": "AuditRoleName"})
    assert remediation["Path"] == "/"
    assert made["Parameters"]["AuditExternalId"]["Default"] == "7f3c9a"
    assert "Default" not in made["Parameters"]["RemediationExternalId"]
    # Fn::Sub would take what belongs to IAM for its own.
    assert {"Fn::Sub": "arn:${AWS::Partition}:ec2:*::image/*"} in [
        one["Resource"] for one in remediation["Policies"][0]["PolicyDocument"]["Statement"]
    ]


def test_a_role_lets_its_sessions_last_as_long_as_they_are_asked_for() -> None:
    found = [
        template("Audit", options=RoleOptions(duration=seconds))["Resources"]["AuditRole"]["Properties"]
        for seconds in (900, 7200)
    ]
    assert [one["MaxSessionDuration"] for one in found] == [3600, 7200]


PIPELINE = "arn:aws:iam::*:role/AmiguardRemediation"
ALLOWED, SOMEONE = f"arn:aws:iam::{A}:role/AmiguardRemediation", f"arn:aws:iam::{A}:role/Developer"


def asked(action: str, principal: str, **context: list[str]) -> Asked:
    keys = {"users": "ec2:Add/userId", "groups": "ec2:Add/group", "removed": "ec2:Remove/userId"}
    given = {keys[name]: values for name, values in context.items()}
    return Asked(f"ec2:{action}", ("arn:aws:ec2:us-east-1::any/one",), {"aws:PrincipalArn": [principal], **given})


@pytest.mark.parametrize("action", [action.partition(":")[2] for action in WHY if "ModifySnapshot" not in action])
def test_only_named_principals_decide_about_images(action: str) -> None:
    policy = guardrails([PIPELINE], [B])

    assert denies(policy, asked(action, SOMEONE))
    assert not denies(policy, asked(action, ALLOWED))
    assert not denies(policy, asked("DescribeImages", SOMEONE))


@pytest.mark.parametrize(
    ("trusted", "context", "denied"),
    [
        ([B], {"users": [B]}, False),
        ([B], {"users": [A]}, True),
        ([B], {"users": [B, A]}, True),
        ([B], {"groups": ["all"]}, True),
        ([B], {"removed": [A]}, False),
        ([], {"users": [B]}, True),
        ([], {"removed": [B]}, False),
    ],
)
def test_others_share_snapshots_with_trusted_accounts_only(
    trusted: list[str], context: dict[str, list[str]], *, denied: bool
) -> None:
    policy = guardrails([PIPELINE], trusted)

    assert denies(policy, asked("ModifySnapshotAttribute", SOMEONE, **context)) is denied
    assert not denies(policy, asked("ModifySnapshotAttribute", ALLOWED, **context))


NAMED = "arn:aws:iam::*:role/AmiguardRemediation"
ADMIN = "arn:aws:iam::*:role/stacksets-exec-*"
PERSON, PEOPLE = f"arn:aws:iam::{A}:user/pipeline", f"arn:aws:iam::{A}:user/someone"
STACKS = f"arn:aws:iam::{A}:role/stacksets-exec-1f0c"


def may_alter(policy: Document, action: str, resource: str, principal: str) -> bool:
    return not denies(policy, Asked(action, (resource,), {"aws:PrincipalArn": [principal]}))


@pytest.mark.parametrize("action", ROLES)
def test_nobody_becomes_a_role_that_may_by_its_name(action: str) -> None:
    alone, administered = guardrails([NAMED], []), guardrails([NAMED], [], [ADMIN])

    for principal in (SOMEONE, ALLOWED, STACKS):
        assert not may_alter(alone, action, ALLOWED, principal)
        assert may_alter(alone, action, SOMEONE, principal)
    assert may_alter(administered, action, ALLOWED, STACKS)
    # Whoever could make an administrator could make the rest.
    for resource in (ALLOWED, STACKS):
        assert not may_alter(administered, action, resource, SOMEONE)
        assert not may_alter(administered, action, resource, ALLOWED)


@pytest.mark.parametrize("action", USERS)
def test_nobody_becomes_a_user_that_may_by_its_name(action: str) -> None:
    policy = guardrails([PERSON, NAMED], [], [STACKS])

    assert not may_alter(policy, action, PERSON, SOMEONE)
    assert may_alter(policy, action, PERSON, STACKS)
    assert may_alter(policy, action, PEOPLE, SOMEONE)
    assert may_alter(guardrails([NAMED], []), action, PERSON, SOMEONE)


def test_what_protects_is_of_iam_and_on_the_resources_that_it_knows() -> None:
    known = set(botocore.session.get_session().get_service_model("iam").operation_names)

    for kind, actions in (("Role", ROLES), ("User", USERS)):
        assert {action.partition(":")[2] for action in actions} <= known
        assert all(kind in action or action in OF_USERS for action in actions)


OF_USERS = {"iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"}


ROOT_USER = f"arn:aws:iam::{A}:root"


def test_statements_are_named_by_what_they_keep() -> None:
    policy = guardrails([PERSON, NAMED], [])

    assert [one["Sid"] for one in policy["Statement"]] == [
        "KeepImageSharing",
        "KeepBlockPublicAccess",
        "KeepSnapshotsFromEveryone",
        "KeepSnapshotsFromStrangers",
        "KeepNamedRoles",
        "KeepNamedUsers",
    ]
    assert [one["Sid"] for one in guardrails([ROOT_USER], [])["Statement"]][4:] == []


def test_what_users_and_roots_bring_with_them_is_said_of_them_only() -> None:
    of_users, of_roots = limits([PERSON]), limits([ROOT_USER])

    assert limits([NAMED]) == LIMITS
    assert (of_users[:-1], of_roots[:-1]) == (LIMITS, LIMITS)
    assert of_users[-1].startswith("the named users are protected, but not from being put into groups")
    assert of_roots[-1].startswith("nothing here protects a root user that is named")
    assert limits([NAMED, PERSON, ROOT_USER]) == (*LIMITS, of_users[-1], of_roots[-1])


def test_what_is_protected_is_by_the_kinds_that_are_named() -> None:
    assert protections([NAMED]) == ROLES
    assert protections([PERSON]) == USERS
    assert protections([NAMED, PERSON]) == {**ROLES, **USERS}
    assert protections([ROOT_USER]) == {}
