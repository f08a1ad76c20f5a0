"""Audits and remediations under exactly the policies that `amiguard policy` prints, and under all but one action.

The AWS is moto with the demo's additions, its IAM enforcement on (`iam_enforcement`). What moto does not ask about
(session tags, source identity, encoded refusals), never needs (ListParents, with so few units) or does not have
(regions that are not there) is tried on the fake, by denying the single call: `test_least_privilege_fake`.
"""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from amiguard.core.iam.needs import NEEDS, Feature, Need
from tests.integration.least_privilege_world import (
    EXTERNAL_ID,
    IMAGES,
    REMEDIATION,
    REST,
    SETTINGS,
    STRANGER,
    TRUST,
    Result,
    World,
    without,
)
from tests.integration.moto_clients import ACCOUNT as HUB
from tests.integration.moto_clients import code_of, opened

SWITCH, SNAPSHOTS = "ami-block-public-access", "ami-snapshot-cross-account"
CHECK_ALL, EVIDENCE_ALL, HUB_ON = ("--check", "all"), ("--evidence", "all"), ("--security-hub",)
OPTIONS: dict[Feature, tuple[str, ...]] = {
    Feature.BLOCK_PUBLIC_ACCESS: ("--check", SWITCH),
    Feature.SNAPSHOTS: ("--check", SNAPSHOTS),
    Feature.USAGE: ("--evidence", "usage"),
    Feature.AUTHOR: ("--evidence", "author"),
    Feature.SNAPSHOT_EVIDENCE: ("--evidence", "snapshots"),
    Feature.KEYS: ("--evidence", "keys"),
    Feature.RECYCLE_BIN: ("--evidence", "author"),
    Feature.SECURITY_HUB: HUB_ON,
}
"""With what a feature is used; the others are in the settings, or always."""
CHANGES = {Feature.CHANGE_IMAGES, Feature.CHANGE_SNAPSHOTS, Feature.BLOCK}
ON_THE_FAKE = {
    "organizations:ListParents",
    "sts:DecodeAuthorizationMessage",
    "sts:SetSourceIdentity",
    "sts:TagSession",
}
AUDITED = [
    one for one in NEEDS if one.feature not in {*CHANGES, Feature.REGION_NAMES} and one.action not in ON_THE_FAKE
]
CHANGED = [one for one in NEEDS if one.feature in CHANGES]


def named(need: Need) -> str:
    return f"{need.feature.name}-{need.action}"


def audit(world: World, *options: str, missing: str = "") -> Result:
    """Audit the organization under what is printed for just that, but for an action."""
    runner, role = world.printed("organization", *options), world.printed("audit", *options)
    with world.permitted(runner, role, missing=missing):
        return world.run("audit", "--format", "json", *options)


def audit_own(world: World, missing: str = "") -> Result:
    """Audit the hub alone, which shares an image with the member."""
    world.settings(f"version: 1\n{TRUST}\n{REST}\n")
    with world.permitted(world.printed("audit"), missing=missing):
        return world.run("audit", "--format", "json")


def test_an_audit_with_everything_on_needs_what_is_printed_and_no_more(world: World) -> None:
    run = audit(world, *CHECK_ALL, *EVIDENCE_ALL, *HUB_ON)

    assert (run.code, run.report["audit"]["complete"]) == (1, True)
    assert "Security Hub: 5 findings imported" in run.err
    evidence = run.evidence(world.image)
    assert [evidence[kind]["status"] for kind in ("usage", "author", "keys")] == ["known"] * 3
    assert [one["status"] for one in evidence["snapshots"]] == ["known"]
    called = run.report["summary"]["api_calls"].keys() - {"GetCallerIdentity"}
    printed = world.printed("organization", *CHECK_ALL, *EVIDENCE_ALL, *HUB_ON)
    actions = {
        action for one in printed["Statement"] for action in without({"Statement": [one]}, "")["Statement"][0]["Action"]
    }
    unused = {action.partition(":")[2] for action in actions} - called
    # Publish is counted after the report is written.
    assert unused == {"DecodeAuthorizationMessage", "ListParents", "Publish", "BatchImportFindings", "GetFindings"}


def test_the_hub_alone_is_audited_with_what_is_printed_for_it(world: World) -> None:
    run = audit_own(world)

    assert (run.code, run.of(IMAGES, HUB)) == (0, ["pass"])


Check = Callable[[World, Result], None]


def account_is_lost(world: World, run: Result) -> None:
    assert [one["status"] for one in run.report["targets"] if one["account_id"] == world.member] == ["failed"]
    assert run.of(IMAGES, world.member) == ["unknown"]


def images_are_unknown(world: World, run: Result) -> None:
    assert run.code == 3
    assert run.of(IMAGES, world.member) == ["unknown", "unknown"]


def check_is_unknown(check_id: str) -> Check:
    def judge(world: World, run: Result) -> None:
        assert set(run.of(check_id, world.member)) == {"unknown"}
        assert set(run.of(IMAGES, world.member)) == {"fail"}

    return judge


def no_evidence(kind: str) -> Check:
    def judge(world: World, run: Result) -> None:
        found = run.evidence(world.image)[kind]
        assert {one["status"] for one in (found if isinstance(found, list) else [found])} == {"unavailable"}

    return judge


def no_encryption(world: World, run: Result) -> None:
    found = run.evidence(world.image)["keys"]
    assert (len(found["unread"]), found["keys"]) == (1, [])


def key_is_undetermined(world: World, run: Result) -> None:
    [key] = run.evidence(world.image)["keys"]["keys"]
    assert [one["admission"] for one in key["admissions"]] == ["undetermined"]


def no_bin(world: World, run: Result) -> None:
    [place] = [one for one in run.report["targets"] if one["account_id"] == world.member]
    assert place["recycle_bin"]["status"] == "unavailable"


def delivery_failed(world: World, run: Result) -> None:
    assert run.code == 4


def no_directory(world: World, run: Result) -> None:
    assert (run.code, run.out) == (2, "")


BROKEN: dict[tuple[Feature, str], Check] = {
    (Feature.IMAGES, "ec2:DescribeRegions"): account_is_lost,
    (Feature.IMAGES, "ec2:DescribeImages"): account_is_lost,
    (Feature.IMAGES, "ec2:DescribeImageAttribute"): images_are_unknown,
    (Feature.BLOCK_PUBLIC_ACCESS, "ec2:GetImageBlockPublicAccessState"): check_is_unknown(SWITCH),
    (Feature.SNAPSHOTS, "ec2:DescribeSnapshotAttribute"): check_is_unknown(SNAPSHOTS),
    (Feature.SNAPSHOT_EVIDENCE, "ec2:DescribeSnapshotAttribute"): no_evidence("snapshots"),
    (Feature.USAGE, "ec2:CreateImageUsageReport"): no_evidence("usage"),
    (Feature.USAGE, "ec2:DescribeImageUsageReports"): no_evidence("usage"),
    (Feature.USAGE, "ec2:DescribeImageUsageReportEntries"): no_evidence("usage"),
    (Feature.AUTHOR, "cloudtrail:LookupEvents"): no_evidence("author"),
    (Feature.KEYS, "ec2:DescribeSnapshots"): no_encryption,
    (Feature.KEYS, "kms:DescribeKey"): key_is_undetermined,
    (Feature.KEYS, "kms:GetKeyPolicy"): key_is_undetermined,
    (Feature.KEYS, "kms:ListGrants"): key_is_undetermined,
    (Feature.RECYCLE_BIN, "ec2:ListImagesInRecycleBin"): no_bin,
    (Feature.SECURITY_HUB, "securityhub:BatchImportFindings"): delivery_failed,
    (Feature.SECURITY_HUB, "securityhub:GetFindings"): delivery_failed,
    (Feature.ORGANIZATION, "organizations:DescribeOrganization"): no_directory,
    (Feature.MEMBERS, "organizations:ListAccounts"): no_directory,
    (Feature.MEMBERS, "organizations:ListRoots"): no_directory,
    (Feature.MEMBERS, "organizations:ListOrganizationalUnitsForParent"): no_directory,
    (Feature.MEMBERS, "organizations:ListAccountsForParent"): no_directory,
    (Feature.ACCOUNT_TAGS, "organizations:ListTagsForResource"): no_directory,
    (Feature.ROLES, "sts:AssumeRole"): account_is_lost,
    (Feature.NOTIFY, "sns:Publish"): delivery_failed,
}


@pytest.mark.parametrize("need", AUDITED, ids=named)
def test_an_audit_without_an_action_lacks_what_its_explanation_says(world: World, need: Need) -> None:
    run = audit(world, *OPTIONS.get(need.feature, ()), missing=need.action)

    assert need.action in run.out + run.err, "the reason names the action"
    BROKEN[need.feature, need.action](world, run)


@pytest.mark.parametrize(
    "need", [one for one in AUDITED if one.feature in {Feature.ORGANIZATION, Feature.MEMBERS}], ids=named
)
def test_trust_in_the_organization_is_undetermined_without_knowing_it(world: World, need: Need) -> None:
    run = audit_own(world, missing=need.action)

    assert (run.code, run.of(IMAGES, HUB)) == (3, ["unknown"])
    assert need.action in run.out


PLAN = "plan.json"
WIDE = ("--snapshots", "--block-public-access")


def made_plan(world: World) -> None:
    """A plan of everything in the member; the world is as it was before each test, so that one will do for all."""
    if (world.folder / PLAN).exists():
        return
    with world.permitted(world.printed("organization", *CHECK_ALL), world.printed("audit", *CHECK_ALL)):
        run = world.run("plan", *WIDE, "--revoke-in-use", "--account", world.member, "--output", PLAN, "--quiet")
    assert run.code == 0, run.err


def change(world: World, *arguments: str, missing: str = "") -> Result:
    runner = world.printed("organization", "--remediation")
    role = world.printed("remediation", *WIDE)
    with world.permitted(runner, role, name=REMEDIATION, missing=missing):
        return world.run(*arguments, "--yes", "--quiet")


def applied(world: World, missing: str = "") -> Result:
    return change(world, "apply", PLAN, "--journal", journal(world), missing=missing)


def journal(world: World) -> str:
    path = world.folder / "journal.jsonl"
    path.unlink(missing_ok=True)
    return str(path)


def test_apply_and_rollback_need_what_is_printed(world: World) -> None:
    made_plan(world)

    assert applied(world).code == 0
    assert world.shared_with() == (set(), set(), "block-new-sharing")
    undone = change(world, "rollback", str(world.folder / "journal.jsonl"), "--journal", "undone.jsonl")
    (world.folder / "undone.jsonl").unlink()
    assert undone.code == 0, undone.err
    assert world.shared_with() == ({STRANGER}, {STRANGER}, "unblocked")


UNTOUCHED: dict[Feature, int] = {Feature.CHANGE_IMAGES: 0, Feature.CHANGE_SNAPSHOTS: 1, Feature.BLOCK: 2}
SHARED = ({STRANGER}, {STRANGER}, "unblocked")


@pytest.mark.parametrize(
    "need", [one for one in CHANGED if one.action != "ec2:DisableImageBlockPublicAccess"], ids=named
)
def test_an_apply_without_an_action_leaves_what_its_explanation_says(world: World, need: Need) -> None:
    made_plan(world)

    run = applied(world, missing=need.action)

    assert run.code == 4
    assert need.action in run.out
    place = UNTOUCHED[need.feature]
    assert world.shared_with()[place] == SHARED[place]
    if need.action == "ec2:DescribeImages":
        assert world.shared_with()[1] == SHARED[1]


@pytest.mark.parametrize(
    ("action", "place"),
    [
        ("ec2:DisableImageBlockPublicAccess", 2),
        ("ec2:ModifyImageAttribute", 0),
        ("ec2:ModifySnapshotAttribute", 1),
    ],
)
def test_a_rollback_without_an_action_leaves_what_its_explanation_says(world: World, action: str, place: int) -> None:
    made_plan(world)
    assert applied(world).code == 0
    before = world.shared_with()

    undone = change(world, "rollback", str(world.folder / "journal.jsonl"), "--journal", "undone.jsonl", missing=action)
    (world.folder / "undone.jsonl").unlink()

    assert undone.code == 4
    assert action in undone.out
    assert world.shared_with()[place] == before[place]


def test_a_held_image_cannot_be_changed_under_the_policy_whoever_asks(world: World) -> None:
    role = world.printed("remediation")
    change = {"Remove": [{"UserId": STRANGER}]}
    with opened(world.url, "sts") as sts:
        arn = f"arn:aws:iam::{world.member}:role/{REMEDIATION}"
        found = sts.assume_role(RoleArn=arn, RoleSessionName="it", ExternalId=EXTERNAL_ID)["Credentials"]
    keys = {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }
    with world.permitted(role, role, name=REMEDIATION), opened(world.url, "ec2", **keys) as ec2:
        with pytest.raises(ClientError) as refused:
            ec2.modify_image_attribute(ImageId=world.held, LaunchPermission=change)
        ec2.modify_image_attribute(ImageId=world.image, LaunchPermission=change)
    assert code_of(refused) in {"UnauthorizedOperation", "AccessDenied"}


@pytest.mark.parametrize("external_id", ["", "external_id: another1"])
def test_the_roles_of_the_template_let_nobody_in_without_their_external_id(world: World, external_id: str) -> None:
    runner, role = world.printed("organization"), world.printed("audit")
    # The runner may say anything; it is the role that refuses.
    [enter] = [one for one in runner["Statement"] if one["Sid"] == "AssumeRoles"]
    del enter["Condition"]
    world.settings(SETTINGS.replace(f"    external_id: {EXTERNAL_ID}", f"    {external_id}"))
    with world.permitted(runner, role):
        run = world.run("audit", "--format", "json")

    account_is_lost(world, run)


def test_the_runner_can_assume_no_role_but_that_of_the_settings(world: World) -> None:
    keys = {name.lower(): value for name, value in world.keys.items()}
    with world.permitted(world.printed("organization")), opened(world.url, "sts", **keys) as sts:
        for name, external_id in ((REMEDIATION, EXTERNAL_ID), ("audit/AmiguardAudit", "another1")):
            arn = f"arn:aws:iam::{world.member}:role/{name}"
            with pytest.raises(ClientError) as refused:
                sts.assume_role(RoleArn=arn, RoleSessionName="it", ExternalId=external_id)
            assert code_of(refused) == "AccessDenied"
