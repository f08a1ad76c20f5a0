"""The directory in a file: written whole, read strictly, used only while it is young and of the own organization."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.directory import Directory, MemberAccount, Unit
from amiguard.core.errors import OutputError, SettingsError
from amiguard.core.organization import MembersUnread, NoOrganization, OrganizationUnread, OwnOrganization
from amiguard.files.directory_file import load_directory, save_directory, why_not_usable
from tests.unit.directory_samples import DIRECTORY, INNER, MANAGEMENT, ORGANIZATION, OUTER, READ_AT


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    units: dict[str, Unit] = {}
    for number, parent in enumerate(draw(st.lists(st.integers(0, 20), max_size=8))):
        above: tuple[str, ...] = ()
        if parent < number:
            over = units[f"ou-ab12-{parent:08}"]
            above = (*over.above, over.unit_id)
        unit_id = f"ou-ab12-{number:08}"
        units[unit_id] = Unit(unit_id, draw(st.text(max_size=10)), above)
    paths = st.sampled_from([(), *((*unit.above, unit.unit_id) for unit in units.values())])
    account_ids = st.integers(0, 10**12 - 1).map("{:012}".format)
    accounts = {
        account_id: MemberAccount(account_id, draw(st.text(max_size=10)), draw(st.text(max_size=8)), draw(paths))
        for account_id in draw(st.lists(account_ids, max_size=8, unique=True))
    }
    read_at = draw(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    return Directory(ORGANIZATION, draw(account_ids), accounts, units, read_at)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(directories())
def test_what_is_saved_is_loaded(tmp_path: Path, directory: Directory) -> None:
    save_directory(tmp_path / "directory.json", directory)
    assert load_directory(tmp_path / "directory.json") == directory


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "directory.json"
    save_directory(path, DIRECTORY)
    size = path.stat().st_size
    monkeypatch.setattr("amiguard.files.directory_file.MAX_BYTES", size)
    assert load_directory(path).organization_id == DIRECTORY.organization_id
    monkeypatch.setattr("amiguard.files.directory_file.MAX_BYTES", size - 1)
    with pytest.raises(SettingsError, match="this is no directory"):
        load_directory(path)


def test_the_file_is_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    path.write_text("old")
    path.chmod(0o644)
    save_directory(path, DIRECTORY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["directory.json"]
    assert json.loads(path.read_text())["read_at"] == "2026-09-01T12:30:00Z"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "directory.json")
    save_directory(tmp_path / "link", DIRECTORY)
    assert (tmp_path / "link").is_symlink()
    assert load_directory(tmp_path / "directory.json") == DIRECTORY


def test_other_time_zones_become_utc(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    save_directory(path, DIRECTORY)
    document = json.loads(path.read_text())
    document["read_at"] = READ_AT.astimezone(timezone(timedelta(hours=2))).isoformat()
    path.write_text(json.dumps(document))
    assert load_directory(path).read_at == READ_AT
    assert load_directory(path).read_at.tzinfo is UTC


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_directory(tmp_path / "none" / "directory.json", DIRECTORY)


def test_a_directory_of_ten_thousand_accounts(tmp_path: Path) -> None:
    accounts = {f"{number:012}": MemberAccount(f"{number:012}", "x", "ACTIVE", (OUTER,)) for number in range(10_000)}
    directory = Directory(ORGANIZATION, MANAGEMENT, accounts, DIRECTORY.units, READ_AT)
    save_directory(tmp_path / "directory.json", directory)
    assert load_directory(tmp_path / "directory.json") == directory


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def apply(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return json.dumps(document).encode()

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-20], "is not JSON"),
        (lambda data: b"", "is not JSON"),
        (lambda data: b"\xff\xfe", "is not JSON"),
        (lambda data: b"[" * 100_000, "is not JSON"),
        (lambda data: b"[]", "is not a directory file"),
        (lambda data: b'{"version": 1}', "is not a directory file"),
        (changed(lambda one: one.update(schema_version=1)), "is not a directory file"),
        (changed(lambda one: one.update(schema_version="2")), "is of version '2', and this amiguard reads '1'"),
        (changed(lambda one: one.update(schema_version="x")), "is of version 'x'"),
        (changed(lambda one: one.pop("units")), "units: Field required"),
        (changed(lambda one: one.pop("read_at")), "read_at: Field required"),
        (changed(lambda one: one.update(read_at="2026-09-01T12:30:00")), "read_at: Input should have timezone"),
        (changed(lambda one: one.update(read_at=1)), "read_at: "),
        (changed(lambda one: one.update(organization_id="o-x")), "organization_id: "),
        (
            changed(lambda one: one["accounts"][0].update(id=12345678901)),
            r"accounts\[0\].id: Input should be a valid str",
        ),
        (changed(lambda one: one["accounts"][0].update(id=chr(0xFF11) * 12)), r"accounts\[0\].id: "),
        (changed(lambda one: one["accounts"][0].update(id="012345678901\n")), r"accounts\[0\].id: "),
        (changed(lambda one: one["accounts"][0].update(units="ou-ab12-outer000")), r"accounts\[0\].units: "),
        (
            changed(lambda one: one["accounts"][0].update(units=["ou-ab12-nowhere0"])),
            "the units above ou-ab12-nowhere0",
        ),
        (changed(lambda one: one["accounts"][0].update(units=[INNER])), "the units above ou-ab12-inner000"),
        (changed(lambda one: one["accounts"].append(one["accounts"][0])), "an account is listed twice"),
        (changed(lambda one: one["units"].append(one["units"][0])), "a unit is listed twice"),
        (changed(lambda one: one.update(accounts=[{}, {}])), "and 5 more"),
    ],
)
def test_what_is_doubtful_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], message: str) -> None:
    path = tmp_path / "directory.json"
    save_directory(path, DIRECTORY)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SettingsError, match=message) as raised:
        load_directory(path)
    assert raised.value.message.startswith(str(path))
    assert raised.value.hint


def test_a_newer_version_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "new").write_text('{"schema_version": "2.1"}')
    with pytest.raises(SettingsError) as raised:
        load_directory(tmp_path / "new")
    assert raised.value.hint == "install the amiguard that wrote it, or a later one"


def test_additions_to_the_version_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "directory.json"
    save_directory(path, DIRECTORY)
    path.write_bytes(changed(lambda one: one.update(more=1))(path.read_bytes()))
    assert load_directory(path) == DIRECTORY


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            load_directory(path)


OWN = OwnOrganization(ORGANIZATION, MANAGEMENT, MembersUnread("not permitted"))


@pytest.mark.parametrize(
    ("described", "age", "reason"),
    [
        (OWN, timedelta(0), None),
        (OWN, timedelta(days=7), None),
        (OWN, timedelta(days=7, seconds=1), "is of 2026-09-01, and older than 7 days"),
        (OWN, timedelta(minutes=-5), None),
        (OWN, timedelta(minutes=-6), "which is to come"),
        (NoOrganization(), timedelta(0), "the account is in no organization"),
        (OrganizationUnread("not permitted: x"), timedelta(0), "is not known: not permitted: x"),
        (OwnOrganization("o-zzzzzzzzzz", MANAGEMENT, OWN.members), timedelta(0), "the account is in o-zzzzzzzzzz"),
        (OwnOrganization(ORGANIZATION, "222222222222", OWN.members), timedelta(0), "managed by 222222222222"),
    ],
)
def test_when_a_directory_decides(
    described: OwnOrganization | NoOrganization | OrganizationUnread, age: timedelta, reason: str | None
) -> None:
    why = why_not_usable(DIRECTORY, described, now=READ_AT + age)
    assert why is None if reason is None else reason in (why or "")


def test_the_age_can_be_set() -> None:
    why = why_not_usable(DIRECTORY, OWN, now=READ_AT + timedelta(hours=7), max_age=timedelta(hours=6))
    assert why is not None
    assert "older than 6 hours" in why
