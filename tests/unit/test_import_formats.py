"""Every fixture of another tool becomes exactly the expected settings, with exactly the expected losses."""

from datetime import date
from pathlib import Path

import pytest

from amiguard.core.errors import InputError
from amiguard.files.imports.merge import Merged, merge
from amiguard.files.imports.reading import read_files
from amiguard.files.imports.record import Found

DATA = Path(__file__).parent.parent / "data" / "imports"
TODAY = date(2026, 8, 1)
CASES = {
    "account-settings": ("account-settings.json",),
    "profile": ("profile.json",),
    "profile-downloaded": ("profile-downloaded.json",),
    "scan-rules": ("scan-rules-1.json", "scan-rules-2.json"),
    "terraform-plan": ("terraform-plan.json",),
    "custodian": ("custodian.yml",),
    "perimeter-hcl": ("perimeter.ppvars",),
    "perimeter-json": ("perimeter.json",),
    "prowler": ("prowler.yaml",),
    "accounts-txt": ("accounts.txt",),
    "accounts-csv": ("accounts.csv",),
    "accounts-json": ("accounts.json",),
}


def imported(into: Path, *files: Path, rule_id: str | None = None) -> tuple[Found, Merged]:
    found = read_files(files, rule_id=rule_id)
    return found, merge(found, into, owner="imported", today=TODAY, write=True)


def report(found: Found) -> str:
    lines = [f"look: {one.place}: {one.what}: {one.why}" for one in found.notices]
    lines += [f"lost: {one.place}: {one.what}: {one.why}" for one in found.losses]
    return "".join(f"{line}\n" for line in lines).replace(f"{DATA}/", "")


@pytest.mark.parametrize("name", CASES)
def test_a_fixture_becomes_the_expected_settings_and_report(tmp_path: Path, name: str) -> None:
    into = tmp_path / "amiguard.yaml"

    found, _ = imported(into, *(DATA / file for file in CASES[name]))

    assert into.read_text(encoding="utf-8") == (DATA / "expected" / f"{name}.yaml").read_text(encoding="utf-8")
    assert report(found) == (DATA / "expected" / f"{name}.report.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_importing_twice_changes_nothing(tmp_path: Path, name: str) -> None:
    into = tmp_path / "amiguard.yaml"
    files = [DATA / file for file in CASES[name]]
    imported(into, *files)
    before, inode = into.read_bytes(), into.stat().st_ino

    _, again = imported(into, *files)

    assert not again.changed
    assert (into.read_bytes(), into.stat().st_ino) == (before, inode)


def test_files_of_many_tools_in_one_call(tmp_path: Path) -> None:
    files = [DATA / file for files in CASES.values() for file in files]
    into = tmp_path / "amiguard.yaml"

    with pytest.raises(InputError, match="no file has the rule EC2-999"):
        imported(into, *files, rule_id="EC2-999")
    found, merged = imported(into, *files)

    assert len({entry.written_id for entry in merged.added}) == len(merged.added)
    assert any("differ" in one.what for one in found.notices)


def rules(tmp_path: Path, *settings: str) -> Path:
    path = tmp_path / "profile.json"
    path.write_text(f'{{"ruleSettings": [{", ".join(settings)}]}}', encoding="utf-8")
    return path


def rule(rule_id: str, *accounts: str, enabled: str = "true", provider: str = "aws") -> str:
    values = ", ".join(f'{{"value": "{one}"}}' for one in accounts)
    return (
        f'{{"id": "{rule_id}", "enabled": {enabled}, "provider": "{provider}", "exceptions": {{"tags": ["k::v"]}}, '
        f'"extraSettings": [{{"name": "friendlyAccounts", "values": [{values}]}}]}}'
    )


def test_rules_that_disagree_are_listed_and_refused(tmp_path: Path) -> None:
    path = rules(tmp_path, rule("EC2-0xx", "1" * 12), rule("EC2-0yy", "2" * 12))

    with pytest.raises(InputError) as caught:
        read_files([path], rule_id=None)

    assert caught.value.message == (
        "2 rules have friendlyAccounts, and they disagree\n"
        f"EC2-0xx ({path}): 111111111111; 1 exceptions\n"
        f"EC2-0yy ({path}): 222222222222; 1 exceptions"
    )
    assert caught.value.hint == "say which one is meant: --rule-id EC2-0xx"
    assert [str(one.trustee) for one in read_files([path], rule_id="EC2-0yy").trustees] == ["2" * 12]


def test_rules_that_agree_need_no_choice(tmp_path: Path) -> None:
    found = read_files([rules(tmp_path, rule("EC2-0xx", "1" * 12), rule("EC2-0yy", "1" * 12))], rule_id=None)

    assert {str(one.trustee) for one in found.trustees} == {"1" * 12}


def test_donor_rules_count_only_when_they_are_named(tmp_path: Path) -> None:
    path = rules(tmp_path, rule("S3-015", "1" * 12))

    with pytest.raises(InputError) as caught:
        read_files([path], rule_id=None)
    assert caught.value.message == f"{path}: no rule EC2-* of AWS has friendlyAccounts"
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("name it: --rule-id S3-015")

    found = read_files([path], rule_id="S3-015")
    assert [str(one.trustee) for one in found.trustees] == ["1" * 12]
    assert found.selectors == []
    assert "an exception of S3-015 is not about images" in [one.why for one in found.losses]


def test_a_disabled_rule_counts_only_when_it_is_named(tmp_path: Path) -> None:
    path = rules(tmp_path, rule("EC2-0xx", "1" * 12, enabled="false"))

    with pytest.raises(InputError, match="but for disabled ones"):
        read_files([path], rule_id=None)
    found = read_files([path], rule_id="EC2-0xx")
    assert [one.why for one in found.notices] == ["is disabled, and carried as --rule-id names it"]
    assert len(found.trustees) == 1


def test_a_page_that_is_missing_is_refused_or_lost(tmp_path: Path) -> None:
    first = DATA / "scan-rules-1.json"

    with pytest.raises(InputError, match="nextLink names a further page"):
        read_files([first], rule_id=None)
    found = read_files([first], rule_id="EC2-001")
    assert any(one.what == "nextLink" for one in found.losses)


def test_pages_in_one_array(tmp_path: Path) -> None:
    pages = ", ".join((DATA / f"scan-rules-{number}.json").read_text(encoding="utf-8") for number in (1, 2))
    path = tmp_path / "pages.json"
    path.write_text(f"[{pages}]", encoding="utf-8")

    assert len(read_files([path], rule_id=None).trustees) == 2


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        ("[@, @][]", "this expression is not evaluated here: save its result as a list"),
        ("accounts[].split(`-`, id)", "this expression is not evaluated here: save its result as a list"),
        ("nothing", "finds nothing in the file"),
        ("accounts[", "is no expression that fits the file"),
        ("accounts[0].id", "the list comes to a single value, where ids were expected"),
        ("a" * 400, "this expression is not evaluated here: save its result as a list"),
    ],
)
def test_expressions_that_are_not_evaluated_are_lost(tmp_path: Path, expr: str, why: str) -> None:
    (tmp_path / "list.json").write_text('{"accounts": [{"id": "123456789012"}]}', encoding="utf-8")
    policy = tmp_path / "policy.yml"
    policy.write_text(
        "policies:\n  - name: p\n    resource: ami\n    filters:\n      - type: cross-account\n"
        f"        whitelist_from: {{url: list.json, expr: '{expr}'}}\n",
        encoding="utf-8",
    )

    found = read_files([policy], rule_id=None)

    assert (found.trustees, [one.why for one in found.losses]) == ([], [why])
