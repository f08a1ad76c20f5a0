"""`amiguard trust snapshot`: an organization's directory in a file, or a clear error and no file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from amiguard.files.directory_file import load_directory
from benchmarks.fake_ec2 import (
    AwsError,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeMember,
    FakeOrganization,
    FakeTree,
    FakeUnit,
    Fault,
)
from tests.conftest import Run, RunAmiguard

MANAGER, MEMBER, OUTSIDER, BARRED = "111111111111", "222222222222", "999988887777", "333333333333"
ORGANIZATION = "o-abcdefghij"
WORKLOADS, PROD = "ou-ab12-workload", "ou-ab12-prodprod"
TREE = FakeTree(
    accounts=(FakeMember(MANAGER, "Management"), FakeMember(BARRED, "Barred")),
    units=(
        FakeUnit(
            WORKLOADS,
            "Workloads",
            units=(FakeUnit(PROD, "Production", accounts=(FakeMember(MEMBER, "Shop \x1b[31m"),)),),
        ),
    ),
)
HINT = (
    "  hint: use credentials of the organization's management account, or of a delegated administrator, "
    "that may list it\n"
)


@pytest.fixture
def fake() -> Iterator[FakeEc2]:
    organization = FakeOrganization(
        ORGANIZATION, MANAGER, members=frozenset({MANAGER, MEMBER, BARRED}), denied=frozenset({BARRED}), tree=TREE
    )
    accounts = {account_id: FakeAccount({}) for account_id in (MANAGER, MEMBER, OUTSIDER, BARRED)}
    with FakeEc2(Estate(accounts, organization)) as server:
        yield server


def without_day(run: Run) -> Run:
    return Run(run.code, run.out, re.sub(r"\d{4}-\d\d-\d\d", "DAY", run.err))


SAVED = Run(
    0,
    "",
    "saved directory.json: organization o-abcdefghij, 3 accounts and 2 units, as of DAY\n"
    "next: `amiguard audit --directory directory.json` in its member accounts, within 7 days\n",
)


def test_the_directory_is_saved_for_its_owner_only(run_amiguard: RunAmiguard, tmp_path: Path, fake: FakeEc2) -> None:
    run = run_amiguard("trust", "snapshot", "directory.json", env=fake.environment(MANAGER))
    assert without_day(run) == SAVED
    assert fake.stats.calls == {
        "GetCallerIdentity": 1,
        "DescribeOrganization": 1,
        "ListAccounts": 1,
        "ListRoots": 1,
        "ListOrganizationalUnitsForParent": 3,
    }
    path = tmp_path / "directory.json"
    assert path.stat().st_mode & 0o777 == 0o600
    directory = load_directory(path)
    assert (directory.organization_id, directory.management_account_id) == (ORGANIZATION, MANAGER)
    assert {one.account_id: (one.name, one.units) for one in directory.accounts.values()} == {
        MANAGER: ("Management", ()),
        BARRED: ("Barred", ()),
        MEMBER: ("Shop \x1b[31m", (WORKLOADS, PROD)),
    }
    assert f"{directory.read_at:%Y-%m-%d}" in run.err
    assert [one.name for one in tmp_path.iterdir()] == ["directory.json"]


def test_an_older_file_is_replaced_and_a_link_stays(run_amiguard: RunAmiguard, tmp_path: Path, fake: FakeEc2) -> None:
    old = tmp_path / "old.json"
    old.write_text("old")
    old.chmod(0o644)
    (tmp_path / "directory.json").symlink_to("old.json")
    environment = {**fake.environment(MANAGER), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run = run_amiguard("trust", "snapshot", "directory.json", "--endpoint-url", fake.endpoint_url, env=environment)
    assert without_day(run) == SAVED
    assert (tmp_path / "directory.json").is_symlink()
    assert json.loads(old.read_text())["organization_id"] == ORGANIZATION
    assert old.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("account_id", "reason"),
    [
        (OUTSIDER, f"{OUTSIDER}, the account of your credentials, is in no organization"),
        (
            MEMBER,
            f"the organization of {MEMBER} could not be listed: not permitted: organizations:ListAccounts (AWS answers "
            f"it to the management account {MANAGER} and to delegated administrators only)",
        ),
        (
            BARRED,
            f"the organization of {BARRED} could not be listed: not permitted: organizations:DescribeOrganization",
        ),
    ],
    ids=["no organization", "may not list it", "may not ask for it"],
)
def test_who_cannot_read_the_organization_gets_no_file(
    run_amiguard: RunAmiguard, tmp_path: Path, fake: FakeEc2, account_id: str, reason: str
) -> None:
    run = run_amiguard("trust", "snapshot", "directory.json", env=fake.environment(account_id))
    assert run == Run(2, "", f"amiguard: error: {reason}\n{HINT}")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_read_in_part_is_not_saved(
    run_amiguard: RunAmiguard, tmp_path: Path, fake: FakeEc2
) -> None:
    (tmp_path / "directory.json").write_text("old")
    fake.set_faults(Fault(AwsError("AccessDeniedException", status=400), action="ListOrganizationalUnitsForParent"))
    run = run_amiguard("trust", "snapshot", "directory.json", env=fake.environment(MANAGER))
    assert (run.code, run.out) == (2, "")
    assert "not permitted: organizations:ListOrganizationalUnitsForParent" in run.err
    assert (tmp_path / "directory.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("file", "err"),
    [
        ("folder", "folder is a folder: it stays as it is\n  hint: name a file, such as directory.json"),
        (
            "/dev/null",
            "/dev/null is no regular file: it stays as it is\n  hint: name a file, such as directory.json",
        ),
        (
            "no/directory.json",
            "no/directory.json cannot be written: No such file or directory\n"
            "  hint: name a file in a folder that can be written to",
        ),
        (
            "circle",
            "circle cannot be written: Too many levels of symbolic links\n"
            "  hint: name a file in a folder that can be written to",
        ),
    ],
)
def test_what_cannot_be_written_is_said_before_aws_is_asked(
    run_amiguard: RunAmiguard, tmp_path: Path, fake: FakeEc2, file: str, err: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    run = run_amiguard("trust", "snapshot", file, env=fake.environment(MANAGER))
    assert run == Run(2, "", f"amiguard: error: {err}\n")
    assert not fake.stats.calls
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["circle", "folder"]


def test_an_endpoint_that_does_not_answer(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    run = run_amiguard("trust", "snapshot", "directory.json", "--endpoint-url", "http://127.0.0.1:9")
    assert run == Run(
        2,
        "",
        'amiguard: error: could not ask AWS who is calling: Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'
        "  hint: check the network, the region, and --endpoint-url or AWS_ENDPOINT_URL\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_profile_that_is_not_there(run_amiguard: RunAmiguard) -> None:
    assert run_amiguard("trust", "snapshot", "directory.json", "--profile", "nobody") == Run(
        2,
        "",
        "amiguard: error: The config profile (nobody) could not be found\n"
        "  hint: `aws configure list-profiles` lists those that exist\n",
    )


def test_without_a_file_it_is_a_usage_error(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("trust", "snapshot")
    assert (run.code, run.out) == (2, "")
    assert "Missing argument 'FILE'" in run.err
