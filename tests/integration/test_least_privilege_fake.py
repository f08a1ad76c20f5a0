"""What moto cannot show: single calls that the fake denies, and what their explanations say of that."""

import json
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Denied,
    DeniedInCode,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeMember,
    FakeOrganization,
    FakeRegion,
    FakeRole,
    FakeTree,
    FakeUnit,
    Fault,
    account_grant,
    by_id,
)
from tests.conftest import RunAmiguard

HUB, MEMBER = "111122223333", "222233334444"
ROLE = f"arn:aws:iam::{MEMBER}:role/AmiguardAudit"
REGION = "us-east-1"
IMAGES = by_id(FakeImage("ami-00000000000000001", grants=(account_grant(MEMBER),)))
UNITS = (FakeUnit("ou-ab12-cdefghij", accounts=(FakeMember(MEMBER),)),)
TREE = FakeTree(accounts=(FakeMember(HUB),), units=UNITS, paths=False)
ESTATE = Estate(
    {
        HUB: FakeAccount({REGION: FakeRegion(IMAGES)}),
        MEMBER: FakeAccount({REGION: FakeRegion()}, roles={"AmiguardAudit": FakeRole()}),
    },
    FakeOrganization("o-abcdefghij", HUB, tree=TREE),
)
TO_MEMBER = f'{{id: "{MEMBER}", role_arn: "{ROLE}"}}'


def denied(action: str) -> Fault:
    return Fault(Denied(), action=action)


def statuses(report: str) -> dict[str, str]:
    found: dict[str, Any] = json.loads(report)
    return {one["account_id"]: one["status"] for one in found["targets"]}


def test_without_list_parents_members_are_unknown_where_aws_tells_no_paths(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(ESTATE) as fake:
        audit = ("audit", "--trust", "own", "--format", "json")
        assert run_amiguard(*audit, env=fake.environment(HUB)).code == 0
        fake.set_faults(denied("ListParents"))
        run = run_amiguard(*audit, env=fake.environment(HUB))
        everyone = run_amiguard(*audit, "--organization", "--role-name", "AmiguardAudit", env=fake.environment(HUB))

    assert (run.code, "organizations:ListParents" in run.out) == (3, True)
    assert (everyone.code, "organizations:ListParents" in everyone.err) == (2, True)


def test_without_decoding_a_refusal_names_the_action_only(run_amiguard: RunAmiguard) -> None:
    coded = Fault(DeniedInCode(explicit=True), action="DescribeImageAttribute")
    hints = {}
    with FakeEc2(ESTATE) as fake:
        for faults in ((coded,), (coded, denied("DecodeAuthorizationMessage"))):
            fake.set_faults(*faults)
            hints[len(faults)] = run_amiguard("audit", "--trust", MEMBER, env=fake.environment(HUB)).out

    assert "explicitly denies" in hints[1]
    assert "explicitly denies" not in hints[2]
    assert "ec2:DescribeImageAttribute" in hints[2]


@pytest.mark.parametrize(
    ("action", "option"),
    [("sts:SetSourceIdentity", "source_identity: security-team"), ("sts:TagSession", "tags: {team: security}")],
)
def test_without_leave_for_what_it_passes_assume_role_is_refused(
    run_amiguard: RunAmiguard, tmp_path: Any, action: str, option: str
) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        f"version: 1\ntrust: nobody\ntargets: {{accounts: [{TO_MEMBER}], roles: {{{option}}}}}\n"
    )
    message = f"User: me is not authorized to perform: {action} on resource: {ROLE}"
    with FakeEc2(ESTATE) as fake:
        served = run_amiguard("audit", "--format", "json", env=fake.environment(HUB))
        fake.set_faults(Fault(AwsError("AccessDenied", message, 403), action="AssumeRole"))
        refused = run_amiguard("audit", "--format", "json", env=fake.environment(HUB))
    printed = run_amiguard("policy", "organization", "-q")

    assert statuses(served.out) == {MEMBER: "audited"}
    assert statuses(refused.out) == {MEMBER: "failed"}
    assert action in refused.out
    assert f'"{action}"' in printed.out


def test_without_regions_of_the_run_a_mistyped_one_is_found_in_the_accounts_only(
    run_amiguard: RunAmiguard, tmp_path: Any
) -> None:
    (tmp_path / "amiguard.yaml").write_text(f"version: 1\ntrust: nobody\ntargets: {{accounts: [{TO_MEMBER}]}}\n")
    audit = ("audit", "--format", "json", "--region", "us-east-9")
    with FakeEc2(ESTATE) as fake:
        at_once = run_amiguard(*audit, env=fake.environment(HUB))
        fake.set_faults(replace(denied("DescribeRegions"), account_id=HUB))
        later = run_amiguard(*audit, env=fake.environment(HUB))

    assert (at_once.code, at_once.out) == (2, "")
    assert later.code != 2
    assert set(statuses(later.out)) == {MEMBER}
