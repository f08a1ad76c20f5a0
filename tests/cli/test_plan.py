"""`amiguard plan` as installed: what it plans, shows and writes. It changes nothing, whatever is asked."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.remediation import HOLD_TAG
from benchmarks.fake_ec2 import AwsError, Estate, FakeAccount, FakeEc2, FakeRegion, Fault, by_id
from tests.cli.remediation_estate import (
    AFTER,
    BEFORE,
    CHANGED,
    EU,
    FOREIGN,
    FOREIGN_UNIT,
    FRIEND,
    HOSTILE_NAME,
    NAMES,
    OWNER,
    PARTNER,
    PLAN,
    STRANGER,
    TRUST,
    US,
    changing_calls,
    estate,
    image,
    image_id,
    made_plan,
    read_json,
)
from tests.conftest import Run, RunAmiguard

SHOWN_NAME = r"=cmd|'/C calc'!A0\n::error::pwned\n\x9b31mred \u202egpj.ima"
TABLE = """\
111122223333  eu-central-1
  ami-00000000000000006  -2  data-6
    - organization arn:aws:organizations::999988887777:organization/o-foreign1234: not in the trust policy
    - organizational unit arn:aws:organizations::999988887777:ou/o-foreign1234/ou-ab12-foreign1: not in the trust policy
      stays: 444455556666

111122223333  us-east-1
  ami-00000000000000001  -2  web-1
    - everyone: every AWS account may launch it
    - account 999988887777: not in the trust policy
      stays: 444455556666
  ami-00000000000000002  -1  web-2
    - everyone: every AWS account may launch it
      stays: 444455556666
  ami-00000000000000003  -1  web-3
    - everyone: every AWS account may launch it
      stays: 222233334444, 444455556666
  ami-00000000000000004  -1  =cmd|'/C calc'!A0\\n::error::pwned\\n\\x9b31mred \\u202egpj.ima
    - account 999988887777: not in the trust policy
      stays: 444455556666

Summary
5 images would be changed (3 no longer public): 7 grants removed, 0 added. The audit read 7 images with 17 grants.
Losing access: everyone, 1 account (999988887777), 1 organization \
(arn:aws:organizations::999988887777:organization/o-foreign1234), 1 organizational unit
(arn:aws:organizations::999988887777:ou/o-foreign1234/ou-ab12-foreign1).
Use unknown of 7 grants: `amiguard plan --evidence usage` asks EC2 who uses the images.
"""


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeEc2]:
    """Nothing here changes the estate, so that one server does for all."""
    with FakeEc2(estate()) as server:
        yield server
        assert changing_calls(server) == 0


def plan(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str) -> Run:
    return run_amiguard("plan", *TRUST, *arguments, env=fake.environment(OWNER))


def changes(file: Path) -> dict[int, tuple[set[str], set[str]]]:
    """By image number whom the plan adds and whom it removes."""
    return {
        int(one["image"]["id"][4:], 16): (
            {grant["grantee"] for grant in one["add"]},
            {grant["grantee"] for grant in one["remove"]},
        )
        for one in read_json(file)["changes"]
        if one["kind"] == "launch_permission"
    }


REMOVED: dict[int, tuple[set[str], set[str]]] = {n: (set(), set(BEFORE[n] - AFTER[n])) for n in CHANGED}


def test_the_plan_shows_and_writes_what_is_to_go(tmp_path: Path) -> None:
    run, file = made_plan(tmp_path, estate())
    assert run.out == TABLE
    assert re.fullmatch(
        r"The plan is in amiguard-plan\.json, for amiguard apply until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n", run.err
    )
    assert file.stat().st_mode & 0o777 == 0o600
    assert changes(file) == REMOVED
    document = read_json(file)
    made, expires = (datetime.fromisoformat(document["plan"][key]) for key in ("created_at", "expires_at"))
    assert expires - made == timedelta(hours=24)
    assert document["plan"]["account_id"] == OWNER
    assert {one["image"]["name"] for one in document["changes"]} == {NAMES[number] for number in CHANGED}
    assert HOSTILE_NAME in {one["image"]["name"] for one in document["changes"]}


def test_where_nothing_is_to_change_the_plan_is_empty(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(estate(AFTER)) as fake:
        run = plan(run_amiguard, fake, "--valid-for", "90m")
        document = read_json(tmp_path / PLAN)
        applied = run_amiguard("apply", PLAN, "--yes", *TRUST, env=fake.environment(OWNER))
        assert changing_calls(fake) == 0
    assert (run.code, run.err) == (0, "")
    assert run.out == "Summary\nNothing to change. The audit read 7 images with 10 grants.\n"
    assert document["changes"] == []
    made, expires = (datetime.fromisoformat(document["plan"][key]) for key in ("created_at", "expires_at"))
    assert expires - made == timedelta(minutes=90)
    assert (applied.code, applied.out, applied.err) == (0, "", "The plan changes nothing.\n")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, fake: FakeEc2) -> dict[str, Path]:
    """Reports of one estate, by what is special about them."""
    from tests.cli.remediation_estate import amiguard

    home = tmp_path_factory.mktemp("reports")
    asked = {"json": ("json",), "jsonl": ("jsonl",), "narrowed": ("json", "--status", "fail")}
    for name, (form, *more) in asked.items():
        run = amiguard(home, "audit", *TRUST, "--format", form, "--output", name, *more, env=fake.environment(OWNER))
        assert run.code == 1
    return {name: home / name for name in asked}


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_report_is_planned_from_without_reading_an_image(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path, form: str
) -> None:
    fake.reset()
    run = plan(run_amiguard, fake, "--from", str(reports[form]))
    assert (run.code, run.out) == (0, TABLE)
    assert changes(tmp_path / PLAN) == REMOVED
    assert set(fake.stats.calls) <= {"GetCallerIdentity", "DescribeRegions"}


def test_each_grant_of_a_report_is_decided_by_the_policy_of_today(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path
) -> None:
    today = ("--trust", FRIEND, "--trust", STRANGER, "--from", str(reports["json"]))
    run = run_amiguard("plan", *today, env=fake.environment(OWNER))
    assert run.code == 0
    expected = {1: {"all"}, 2: {"all"}, 3: {"all", PARTNER}, 5: {PARTNER}, 6: {FOREIGN, FOREIGN_UNIT}, 7: {PARTNER}}
    assert changes(tmp_path / PLAN) == {number: (set(), gone) for number, gone in expected.items()}


def test_a_narrowed_report_makes_an_incomplete_plan(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path
) -> None:
    run = plan(run_amiguard, fake, "--from", str(reports["narrowed"]))
    assert run.code == 3
    assert "does not hold all results of its audit (--status): 2 pass are not looked at" in run.err
    assert changes(tmp_path / PLAN) == REMOVED


def test_what_cannot_be_planned_from_is_refused(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path
) -> None:
    report = str(reports["json"])
    another = run_amiguard("plan", *TRUST, "--from", report, env=fake.environment(PARTNER))
    assert (another.code, another.out) == (2, "")
    assert re.fullmatch(
        rf"amiguard: error: .*json is the report of a caller in another account than yours, {PARTNER}\n  hint: .*\n",
        another.err,
    )
    missing = plan(run_amiguard, fake, "--from", report, "--image", image_id(99))
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith(f"amiguard: error: not in the report: {image_id(99)}\n")
    unsaid = plan(run_amiguard, fake, "--from", report, "--block-public-access")
    assert (unsaid.code, unsaid.out) == (2, "")
    assert "does not say how image block public access stands" in unsaid.err
    assert not (tmp_path / PLAN).exists()


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (("accounts",), {1: {STRANGER}, 4: {STRANGER}}),
        (("organizations",), {6: {FOREIGN}}),
        (
            ("everyone", "units"),
            {1: {"all"}, 2: {"all"}, 3: {"all"}, 6: {FOREIGN_UNIT}},
        ),
    ],
)
def test_only_some_kinds_of_grantee_are_removed(
    run_amiguard: RunAmiguard,
    fake: FakeEc2,
    reports: dict[str, Path],
    tmp_path: Path,
    only: tuple[str, ...],
    expected: dict[int, set[str]],
) -> None:
    options = [part for kind in only for part in ("--only", kind)]
    run = plan(run_amiguard, fake, "--from", str(reports["json"]), *options)
    assert run.code == 0
    assert changes(tmp_path / PLAN) == {number: (set(), gone) for number, gone in expected.items()}
    assert "--only leaves " in run.out
    if only == ("accounts",):
        assert "      no effect: still covered by everyone, which stays\n" in run.out


OWN = "arn:aws:organizations::222233334444:organization/o-partner1234"
OWN_UNIT = "arn:aws:organizations::222233334444:ou/o-partner1234/ou-ab12-partner1"


def test_trusted_grantees_are_added_to_failing_images(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path
) -> None:
    shared = [part for one in (PARTNER, OWN, OWN_UNIT) for part in ("--share-with", one)]
    run = plan(run_amiguard, fake, "--from", str(reports["json"]), "--trust", OWN, *shared)
    assert run.code == 0
    wanted = {PARTNER, OWN, OWN_UNIT}
    assert changes(tmp_path / PLAN) == {n: (wanted - BEFORE[n], removed) for n, (_, removed) in REMOVED.items()}
    assert f"    + account {PARTNER}: trusted: account {PARTNER}\n" in run.out
    assert f"    + organization {OWN}: " in run.out
    assert f"    + organizational unit {OWN_UNIT}: " in run.out


def test_a_named_image_is_shared_although_it_passes(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    third = "777777777777"
    with FakeEc2(estate()) as fake:
        run = plan(run_amiguard, fake, "--trust", third, "--share-with", third, "--image", image_id(5))
        assert (run.code, changes(tmp_path / PLAN)) == (0, {5: ({third}, set())})
        applied = run_amiguard("apply", PLAN, "--yes", *TRUST, "--trust", third, env=fake.environment(OWNER))
        assert applied.code == 0
        found = fake.image(OWNER, US, image_id(5))
    assert found is not None
    assert {grant.value for grant in found.grants} == BEFORE[5] | {third}


@pytest.mark.parametrize(
    ("share_with", "complaint"),
    [
        (STRANGER, rf"amiguard: error: images are shared with trusted grantees only, and {STRANGER} is untrusted for "),
        ("o-partner1234", r"Invalid value for --share-with: a launch permission names organizations and units by "),
    ],
)
def test_nobody_else_is_ever_added(
    run_amiguard: RunAmiguard,
    fake: FakeEc2,
    reports: dict[str, Path],
    tmp_path: Path,
    share_with: str,
    complaint: str,
) -> None:
    run = plan(run_amiguard, fake, "--from", str(reports["json"]), "--share-with", share_with)
    assert (run.code, run.out) == (2, "")
    assert re.search(complaint, run.err)
    assert not (tmp_path / PLAN).exists()


def test_image_and_region_narrow(run_amiguard: RunAmiguard, fake: FakeEc2, tmp_path: Path) -> None:
    assert plan(run_amiguard, fake, "--image", image_id(2), "--image", image_id(6)).code == 0
    assert changes(tmp_path / PLAN) == {number: REMOVED[number] for number in (2, 6)}
    assert plan(run_amiguard, fake, "--region", EU).code == 0
    assert changes(tmp_path / PLAN) == {6: REMOVED[6]}
    before = (tmp_path / PLAN).read_bytes()
    run = plan(run_amiguard, fake, "--image", image_id(99))
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"amiguard: error: not found among the images that were asked for: {image_id(99)}\n")
    assert (tmp_path / PLAN).read_bytes() == before


def test_where_the_plan_cannot_be_written_aws_is_not_asked(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path
) -> None:
    fake.reset()
    settings = tmp_path / "amiguard.yaml"
    settings.write_text("version: 1\ntrust: {accounts: ['444455556666']}\n")
    report = str(reports["json"])
    kept = reports["json"].read_bytes(), settings.read_bytes()
    for arguments, complaint in (
        (("--output", "nowhere/plan.json"), "the folder of nowhere/plan.json does not exist"),
        (("--output", report, "--from", report), f"--output and --from are one file: {report}"),
        (("--output", "amiguard.yaml"), "--output and the settings file are one file"),
    ):
        run = plan(run_amiguard, fake, *arguments)
        assert (run.code, run.out) == (2, ""), arguments
        assert complaint.lower() in run.err.lower()
    assert not fake.stats.calls
    assert (reports["json"].read_bytes(), settings.read_bytes()) == kept


def test_what_cannot_be_read_is_told_and_the_rest_is_planned(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    denied = AwsError("UnauthorizedOperation", status=403)
    faults = [
        Fault(denied, action="DescribeImages", region=EU),
        Fault(denied, action="DescribeImageAttribute", image_id=image_id(1)),
    ]
    with FakeEc2(estate(), faults=faults) as fake:
        run = plan(run_amiguard, fake)
    assert run.code == 3
    assert changes(tmp_path / PLAN) == {number: REMOVED[number] for number in (2, 3, 4)}
    listed = re.sub(r"\n +", " ", run.out[run.out.index("Not planned") : run.out.index("Summary")])
    assert listed.startswith("Not planned: not read, or not decided (2)")
    assert f"{OWNER}  eu-central-1  the whole target: The images could not be listed: not permitted: ec2:Desc" in listed
    assert f"{OWNER}  us-east-1  {image_id(1)}: Its launch permission could not be read: not permitted: ec2:" in listed
    assert "Not in the plan: 0 left out on purpose, 2 not read or not decided.\n" in run.out


def test_held_and_protected_images_are_left_out(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(
        f"version: 1\ntrust: {{accounts: ['{FRIEND}', '{PARTNER}']}}\nremediation:\n  protected_images:\n"
        f"    ids: [{image_id(1)}]\n    names: ['web-2*']\n    tags: [Frozen]\n"
    )
    with FakeEc2(estate()) as fake:
        fake.change_image(OWNER, US, image_id(3), tags=(("Frozen", "yes"),))
        fake.change_image(OWNER, US, image_id(4), tags=((HOLD_TAG, ""),))
        run = run_amiguard("plan", "--quiet", env=fake.environment(OWNER))
    assert (run.code, run.err) == (0, "")
    assert changes(tmp_path / PLAN) == {6: REMOVED[6]}
    protected = "it is in remediation.protected_images of the settings"
    left_out = run.out[run.out.index("Left out") : run.out.index("\nSummary")]
    assert (
        left_out
        == f"""\
Left out on purpose (4)
  {OWNER}  us-east-1  {image_id(1)}: {protected}  web-1
  {OWNER}  us-east-1  {image_id(2)}: {protected}  web-2
  {OWNER}  us-east-1  {image_id(3)}: {protected}  web-3
  {OWNER}  us-east-1  {image_id(4)}: it has the tag amiguard:hold  {SHOWN_NAME}
"""
    )


def switches() -> Estate:
    """Image block public access in its states: off, on, and kept off by the organization."""
    regions: dict[str, Any] = {
        US: FakeRegion(by_id(image(1, BEFORE[1]))),
        EU: FakeRegion(block_public_access="block-new-sharing"),
        "eu-west-1": FakeRegion(block_public_access_managed_by="declarative-policy"),
    }
    return Estate({OWNER: FakeAccount(regions)})


def test_image_block_public_access_is_planned_made_and_undone_first(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(switches()) as fake:
        environment = fake.environment(OWNER)
        run = plan(run_amiguard, fake, "--block-public-access")
        assert run.code == 0
        assert "  image block public access: unblocked -> block-new-sharing\n      takes up to 10 minutes; " in run.out
        assert f"{OWNER}  eu-west-1  the whole target: a declarative policy of the organization keeps " in run.out
        assert "Image block public access would be switched on in 1 target.\n" in run.out
        kinds = [(one["region"], one["kind"]) for one in read_json(tmp_path / PLAN)["changes"]]
        assert kinds == [(US, "launch_permission"), (US, "image_block_public_access")]

        applied = run_amiguard("apply", PLAN, "--yes", "--force", *TRUST, env=environment)
        assert (applied.code, applied.out.splitlines()[-1]) == (0, "2 applied.")
        assert fake.block_public_access(OWNER, US) == "block-new-sharing"

        fake.reset()
        (journal,) = (tmp_path / ".local" / "state" / "amiguard" / "journals").iterdir()
        undone = run_amiguard("rollback", "--yes", str(journal), env=environment)
        assert (undone.code, undone.out.splitlines()[-1]) == (0, "2 undone.")
        assert fake.block_public_access(OWNER, US) == "unblocked"
        changing = [call.action for call in fake.stats.recent if not re.match("Describe|Get", call.action)]
        assert changing == ["DisableImageBlockPublicAccess", "ModifyImageAttribute"]
        found = fake.image(OWNER, US, image_id(1))
    assert found is not None
    assert {grant.value for grant in found.grants} == BEFORE[1]


def test_commands_are_printed_and_no_file_is_written(
    run_amiguard: RunAmiguard, fake: FakeEc2, reports: dict[str, Path], tmp_path: Path
) -> None:
    run = plan(run_amiguard, fake, "--from", str(reports["json"]), "--format", "aws-cli")
    assert (run.code, run.err) == (0, "")
    assert not (tmp_path / PLAN).exists()
    commands = [line for line in run.out.splitlines() if line.startswith("aws ")]
    assert len(commands) == len(CHANGED)
    wanted = json.dumps({"Remove": [{"Group": "all"}, {"UserId": STRANGER}]}, separators=(",", ":"))
    assert commands[1].startswith(
        f"aws ec2 modify-image-attribute --region us-east-1 --image-id {image_id(1)} --launch-permission '{wanted}'"
    )
    assert "\x9b" not in run.out
