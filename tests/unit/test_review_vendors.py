"""Lists of vendors: ids stay ids whatever YAML makes of them, and what is not understood is passed over and told."""

import json
from datetime import date
from pathlib import Path

import pytest

from amiguard.core.errors import AmiguardError, InputError, SettingsError
from amiguard.files.settings import settings_of
from amiguard.files.vendors_file import MAX_BYTES, load_vendors


def saved(folder: Path, text: str | bytes) -> Path:
    path = folder / "vendors.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_public_format(tmp_path: Path) -> None:
    text = """\
# comment
- name: 'Example Monitoring'
  source: ['https://example.com/docs', 'https://example.com/blog']
  accounts: ['012345678901', "222222222222", 333333333333]
- name: Other
  type: aws
  source: https://example.org
  accounts:
    - 012345670123
    - '222222222222'
"""
    vendors = load_vendors(saved(tmp_path, text))
    assert vendors.names == {
        "012345678901": "Example Monitoring",
        "222222222222": "Example Monitoring",
        "333333333333": "Example Monitoring",
        "012345670123": "Other",
    }
    assert vendors.warnings == ()


def test_json_is_yaml(tmp_path: Path) -> None:
    text = json.dumps([{"name": "a", "accounts": [12345678901]}])
    assert load_vendors(saved(tmp_path, text)).names == {"012345678901": "a"}


@pytest.mark.parametrize(
    ("written", "account_id"),
    [
        ("12345678901", "012345678901"),
        ("1234567890", "001234567890"),
        ("123456789", "000123456789"),
        ("'12345678901'", None),
        ("12345678", None),
        ("1234567890123", None),
        ("1.2345678901e+11", None),
        ("0x1CBE991A14", None),
        ("123_456_789_012", None),
        ("1234-5678-9012", None),
        ("\uff11" * 12, None),
        ("null", None),
        ("[123456789012]", None),
        ("{a: 123456789012}", None),
    ],
)
def test_ids_that_lost_zeros_get_them_back_and_nothing_else_is_guessed(
    tmp_path: Path, written: str, account_id: str | None
) -> None:
    vendors = load_vendors(saved(tmp_path, f"- {{name: a, accounts: ['111122223333', {written}]}}"))
    assert vendors.names == {"111122223333": "a", **({account_id: "a"} if account_id else {})}
    assert len(vendors.warnings) == (0 if account_id else 1)
    assert all("vendors.yaml:1:" in one and "passed over" in one for one in vendors.warnings)


@pytest.mark.parametrize(
    "vendor", ["text", "{name: a}", "{accounts: ['222222222222']}", "{name: '', accounts: []}", "[]"]
)
def test_vendors_without_name_or_accounts_are_passed_over(tmp_path: Path, vendor: str) -> None:
    vendors = load_vendors(saved(tmp_path, f"- {vendor}\n- {{name: b, accounts: ['111122223333']}}"))
    assert vendors.names == {"111122223333": "b"}
    assert len(vendors.warnings) == 1


def test_warnings_do_not_flood(tmp_path: Path) -> None:
    bad = "- x\n" * 100
    vendors = load_vendors(saved(tmp_path, f"{bad}- {{name: b, accounts: ['111122223333']}}"))
    assert len(vendors.warnings) == 11
    assert vendors.warnings[-1].endswith("... and 90 more")


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    assert load_vendors(saved(tmp_path, "[]")).names == {}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", InputError, "is not a list of vendors"),
        ("name: a", InputError, "is not a list of vendors"),
        ("<html><body>Not found</body></html>", InputError, "is not a list of vendors"),
        ("- text", InputError, "names no account"),
        (b"\xff\xfe", InputError, "is not UTF-8 text"),
        ("- {name: a", SettingsError, "not YAML"),
        ("a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n" * 1, InputError, "is not a list of vendors"),
        ("[" * 5_000, SettingsError, "nested too deeply"),
        (b"#" * (MAX_BYTES + 1), InputError, "is larger than 4 MiB"),
    ],
)
def test_what_is_no_list_is_refused(
    tmp_path: Path, text: str | bytes, error: type[AmiguardError], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        load_vendors(saved(tmp_path, text))
    assert "vendors.yaml" in raised.value.message


def test_a_tag_is_never_executed(tmp_path: Path) -> None:
    text = "- !!python/object/apply:os.system ['false']\n- {name: b, accounts: ['111122223333']}"
    vendors = load_vendors(saved(tmp_path, text))
    assert vendors.names == {"111122223333": "b"}
    assert "tags are not read here" in vendors.warnings[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            load_vendors(path)


@pytest.mark.parametrize(
    ("written", "path"), [("v.yaml", "/etc/a/v.yaml"), ("../v.yaml", "/etc/a/../v.yaml"), ("/v", "/v")]
)
def test_the_settings_name_it_beside_themselves(written: str, path: str) -> None:
    settings = settings_of(
        f"version: 1\ntrust: nobody\nvendors: {written}", Path("/etc/a/amiguard.yaml"), today=date(2026, 8, 1)
    )
    assert settings.vendors == Path(path)


@pytest.mark.parametrize("written", ["", "[]", "{}", "' '"])
def test_what_is_no_path_is_refused(written: str) -> None:
    text = f"version: 1\ntrust: nobody\nvendors: {written}"
    with pytest.raises(SettingsError, match=r"amiguard.yaml:3:\d+: vendors: "):
        settings_of(text, Path("amiguard.yaml"), today=date(2026, 8, 1))
