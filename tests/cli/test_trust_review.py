"""`amiguard trust review`: settings, a report and a directory in, a review and an exit code out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amiguard.core.directory import Directory, MemberAccount
from amiguard.files.directory_file import save_directory
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import NarrowedV1
from benchmarks.fake_ec2 import Estate, FakeAccount, FakeEc2, FakeMember, FakeOrganization, FakeTree
from tests.conftest import RunAmiguard
from tests.unit.v1_reports import a_report, a_result, a_target

OWNER, MANAGER, MEMBER, FRIEND, SLIP = "012345678901", "111111111111", "222222222222", "333344445555", "333344445556"
ORGANIZATION = "o-abcdefghij"
NOW = datetime.now(UTC).replace(microsecond=0)

SETTINGS = f"""\
version: 1
trust:
  accounts:
    - {{id: "{FRIEND}", name: Staging, reason: shared images}}
    - {{id: "{MEMBER}", name: Shop, reason: ours}}
"""


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(SETTINGS)


def save_members(
    path: Path, *accounts: MemberAccount, read_at: datetime = NOW, organization: str = ORGANIZATION
) -> None:
    listed = (MemberAccount(MANAGER, "Management", "ACTIVE"), MemberAccount(OWNER, "Images", "ACTIVE"), *accounts)
    save_directory(path, Directory(organization, MANAGER, {one.account_id: one for one in listed}, {}, read_at))


def grant(account_id: str) -> GrantV1:
    return {"kind": "account", "grantee": account_id, "decision": "untrusted", "reason": "not in the trust policy"}


def save_report(
    path: Path,
    *grantees: str,
    complete: bool = True,
    narrowed_to: NarrowedV1 | None = None,
    missing: int = 0,
    name: str = "golden",
) -> None:
    report = a_report([a_result(1, name=name, grants=list(map(grant, grantees)))], [a_target()], complete=complete)
    report.summary["pass"] += missing
    if narrowed_to is not None:
        report.audit["narrowed_to"] = narrowed_to
    with path.open("w", encoding="utf-8") as stream:
        render_json(report, ALL, stream)


def test_a_review_with_everything(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    save_report(tmp_path / "report.json", FRIEND)
    save_members(tmp_path / "directory.json", MemberAccount(MEMBER, "Shop", "SUSPENDED"))
    run = run_amiguard("trust", "review", "--from", "report.json", "--directory", "directory.json")
    assert (run.code, run.err) == (0, "")
    assert run.out == (
        "2 entries and 0 exceptions reviewed: 0 problems, 2 warnings, 0 for your information.\n"
        f"settings  amiguard.yaml, as of {NOW:%Y-%m-%d}\n"
        "report    report.json: audit 0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01 of 2026-06-15T08:31:05Z\n"
        f"directory o-abcdefghij, 3 accounts, read {NOW:%Y-%m-%dT%H:%M:%SZ}\n"
        "\n"
        "Warnings\n"
        "  account-closed  222222222222  Shop\n"
        "      amiguard.yaml:5:7: trust.accounts[1]\n"
        "      the account is suspended, says the directory of o-abcdefghij.\n"
        "      mend: amiguard trust remove 222222222222\n"
        "  unused  222222222222  Shop\n"
        "      amiguard.yaml:5:7: trust.accounts[1]\n"
        "      no grant names it (1 image of 1 account in 1 region).\n"
        "      mend: amiguard trust remove 222222222222\n"
        "\n"
        "Entries\n"
        "             1 grant  333344445555    Staging\n"
        "            0 grants  222222222222    Shop\n"
    )


def test_without_report_and_directory(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("trust", "review", "--strict")
    assert run.code == 0
    assert "no report was given (--from)" in run.out
    assert "no directory was given (--directory)" in run.out


def test_strict(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    save_report(tmp_path / "report.json", FRIEND)
    arguments = ("trust", "review", "--from", "report.json", "--format", "json")
    assert run_amiguard(*arguments).code == 0
    run = run_amiguard(*arguments, "--strict")
    assert run.code == 1
    assert [one["kind"] for one in json.loads(run.out)["findings"]] == ["unused"]


def test_information_alone_is_not_strict(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(f"version: 1\ntrust: {{accounts: ['{FRIEND}']}}")
    run = run_amiguard("trust", "review", "--format", "json", "--strict")
    assert run.code == 0
    assert [one["kind"] for one in json.loads(run.out)["findings"]] == ["undocumented"]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"complete": False}, "the audit is incomplete"),
        ({"narrowed_to": {"images": ["ami-1"], "tags": []}}, "the audit was narrowed to some images"),
        ({"missing": 3}, "the report does not hold all results"),
    ],
)
def test_a_report_that_is_not_whole(
    run_amiguard: RunAmiguard, tmp_path: Path, how: dict[str, object], why: str
) -> None:
    save_report(tmp_path / "report.json", FRIEND, **how)  # type: ignore[arg-type]  # as `save_report` takes them
    run = run_amiguard("trust", "review", "--from", "report.json", "--format", "json")
    document = json.loads(run.out)
    assert document["findings"] == []
    assert why in document["notes"][0]
    assert [one["uses"] for one in document["entries"]] == [1, 0]


def test_a_slip_in_the_policy(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    save_report(tmp_path / "report.json", SLIP, MEMBER)
    run = run_amiguard(
        "trust", "review", "--from", "report.json", "--format", "json", "--strict", "-c", "amiguard.yaml"
    )
    assert run.code == 1
    (slip,) = (one for one in json.loads(run.out)["findings"] if one["kind"] == "likely-typo")
    assert (slip["severity"], slip["subject"], slip["place"]) == (
        "problem",
        FRIEND,
        "amiguard.yaml:4:7: trust.accounts[0]",
    )
    assert f"amiguard trust remove {FRIEND} --config amiguard.yaml" in slip["mend"]


def test_who_has_left_shows_by_an_earlier_directory(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    save_members(tmp_path / "now.json")
    save_members(tmp_path / "then.json", MemberAccount(MEMBER, "Shop", "ACTIVE"), read_at=NOW - timedelta(days=40))
    arguments = ("trust", "review", "--format", "json", "--directory")
    run = run_amiguard(*arguments, "now.json", "--earlier-directory", "then.json")
    (left,) = json.loads(run.out)["findings"]
    assert (left["kind"], left["subject"]) == ("left-organization", MEMBER)
    swapped = run_amiguard(*arguments, "then.json", "--earlier-directory", "now.json")
    assert swapped.code == 2
    assert "now.json is not older" in swapped.err
    save_members(tmp_path / "other.json", read_at=NOW - timedelta(days=40), organization="o-zzzzzzzzzz")
    other = run_amiguard(*arguments, "now.json", "--earlier-directory", "other.json")
    assert other.code == 2
    assert "other.json is the directory of o-zzzzzzzzzz, not of o-abcdefghij" in other.err


def test_who_has_left_shows_by_the_report(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    save_members(tmp_path / "now.json")
    target = a_target() | {"account_id": MEMBER, "account_name": "Shop"}
    report = a_report([a_result(1, grants=[grant(FRIEND)])], [target])
    report.audit["directory"] = {"organization_id": ORGANIZATION, "read_at": "2026-06-15T08:30:00Z", "source": "aws"}
    with (tmp_path / "report.json").open("w") as stream:
        render_json(report, ALL, stream)
    run = run_amiguard("trust", "review", "--from", "report.json", "--directory", "now.json", "-f", "json")
    left = [one for one in json.loads(run.out)["findings"] if one["kind"] == "left-organization"]
    assert [(one["subject"], one["message"]) for one in left] == [
        (MEMBER, "the account has left o-abcdefghij: it was a member on 2026-06-15, says the report")
    ]


def test_an_old_directory_is_used_and_told(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    save_members(tmp_path / "directory.json", read_at=NOW - timedelta(days=8))
    run = run_amiguard("trust", "review", "--directory", "directory.json")
    assert run.code == 0
    assert "and older than 7 days" in run.err


def test_vendors_have_names(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.yaml").write_text(f"{SETTINGS}vendors: lists/vendors.yaml\n")
    (tmp_path / "conf" / "lists").mkdir()
    (tmp_path / "conf" / "lists" / "vendors.yaml").write_text(
        "- {name: \"Evil \\e[31m\", accounts: ['444455556666', x]}"
    )
    save_report(tmp_path / "report.json", "444455556666")
    run = run_amiguard("trust", "review", "-c", "conf/a.yaml", "--from", "report.json")
    assert run.code == 0
    assert "untrusted-vendor  444455556666  Evil \\x1b[31m\n" in run.out
    assert "amiguard: warning: conf/lists/vendors.yaml:1:" in run.err
    assert "vendors   conf/lists/vendors.yaml" in run.out


def test_the_directory_from_aws(run_amiguard: RunAmiguard) -> None:
    tree = FakeTree(accounts=(FakeMember(MANAGER, "Management"), FakeMember(MEMBER, "Web shop")))
    organization = FakeOrganization(ORGANIZATION, MANAGER, members=frozenset({MANAGER, MEMBER}), tree=tree)
    with FakeEc2(Estate({MANAGER: FakeAccount({})}, organization)) as fake:
        run = run_amiguard("trust", "review", "--ask-aws", "-f", "json", env=fake.environment(MANAGER))
    document = json.loads(run.out)
    assert (run.code, run.err) == (0, "")
    assert document["directory"]["source"] == "aws"
    assert [one["kind"] for one in document["findings"]] == ["name-differs"]


def test_an_organization_that_cannot_be_read(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(Estate({MANAGER: FakeAccount({})})) as fake:
        run = run_amiguard("trust", "review", "--ask-aws", env=fake.environment(MANAGER))
    assert (run.code, run.out) == (2, "")
    assert "is in no organization" in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "none.json"], "none.json cannot be read"),
        (["--from", "amiguard.yaml"], "amiguard.yaml is not a report"),
        (["--directory", "none.json"], "none.json cannot be read"),
        (["--directory", "amiguard.yaml"], "amiguard.yaml is not JSON"),
        (["--config", "none.yaml"], "none.yaml"),
        (["--within", "soon"], "is no time"),
        (["--ask-aws", "--directory", "d.json"], "give one"),
        (["--profile", "p"], "only with --ask-aws"),
        (["--earlier-directory", "d.json"], "give a directory of today too"),
        (["--format", "yaml"], "yaml"),
        (["--output", "amiguard.yaml"], "amiguard.yaml is one of the files that are reviewed"),
        (["--output", "none/out"], "the folder of none/out does not exist"),
    ],
)
def test_bad_input(run_amiguard: RunAmiguard, tmp_path: Path, arguments: list[str], message: str) -> None:
    run = run_amiguard("trust", "review", *arguments)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.replace("│", " ").split())
    assert (tmp_path / "amiguard.yaml").read_text() == SETTINGS


def test_without_a_settings_file(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").unlink()
    run = run_amiguard("trust", "review")
    assert run.code == 2
    assert "there is no settings file" in run.err


def test_a_vendors_file_that_is_not_there(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(f"{SETTINGS}vendors: none.yaml\n")
    run = run_amiguard("trust", "review")
    assert run.code == 2
    assert "none.yaml, the list of vendors, cannot be read" in run.err


def test_hostile_names_and_the_output_file(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(SETTINGS.replace("Shop", '"Sh\\e[2Jop"'))
    save_members(tmp_path / "directory.json", MemberAccount(MEMBER, "\x1b]0;x\x07\u202e|", "ACTIVE"))
    for form in ("table", "markdown"):
        run = run_amiguard("trust", "review", "--directory", "directory.json", "-f", form, "-o", "out")
        assert (run.code, run.out) == (0, "")
        written = (tmp_path / "out").read_text()
        assert "\x1b" not in written
        assert "\u202e" not in written
        assert "name-differs" in written
