"""Files that cannot be used are named, each with its place and mend, and nothing is written."""

import json
import os
from pathlib import Path

import pytest

from amiguard.core.errors import InputError
from amiguard.files.imports.document import MAX_BYTES
from amiguard.files.imports.reading import read_files

A = "111111111111"
POLICY = "policies:\n  - name: p\n    resource: ami\n    filters:\n      - type: cross-account\n"

BAD = {
    "cut JSON": (b'{"data": {"type": "accounts", "attr', "FILE:1:31: this JSON is cut: its end is missing"),
    "not JSON": (b'{"a": 1,}', "FILE:1:9: not JSON: Expecting property name enclosed in double quotes"),
    "cut array": (b'["111111111111"', "FILE:1:16: this JSON is cut: its end is missing"),
    "a page": (
        b"<!DOCTYPE html><html>Sign in</html>",
        "FILE: this is HTML or XML, not data: a page was saved (a login, an error), not what it should show",
    ),
    "empty": (b" \n", "FILE: the file is empty"),
    "binary": (b"\x7fELF\0\0", "FILE: this is a binary file, not text"),
    "UTF-16": (f'["{A}"]'.encode("utf-16"), "FILE: this is UTF-16 text: save the file as UTF-8"),
    "Latin-1": (b"# a\n\xfc\n", "FILE:2: byte 0xfc is not UTF-8 text: save the file as UTF-8"),
    "a key twice": (b'{"a": 1, "a": 2}', "FILE: the key a stands twice in one object: keep one"),
    "deep JSON": (b"[" * 100_000, "FILE: nested too deeply"),
    "deep YAML": (b"a: " + b"[" * 20_000, "FILE cannot be used: 1 mistake\nFILE:1:1: the file is nested too deeply"),
    "nulls": (b'{"data": null, "included": null}', "FILE: JSON of no form that is imported"),
    "null account": (
        b'{"data": {"type": "accounts", "id": null, "attributes": null}}',
        "FILE: an account without its rule settings",
    ),
    "null profile": (
        b'{"data": {"type": "profiles", "id": null, "attributes": null}}',
        "FILE: a profile without its rule settings",
    ),
    "no rules": (b'{"ruleSettings": []}', "FILE: there is no rule in the rule settings"),
    "without the rule": (
        b'{"ruleSettings": [{"id": "EC2-001", "enabled": true, "provider": "aws", "exceptions": null}]}',
        "FILE: no rule EC2-* of AWS has friendlyAccounts",
    ),
    "an old plan": (
        b'{"format_version": "0.2", "planned_values": {}}',
        "FILE: Terraform's format_version is 0.2: 1.x is read",
    ),
    "a plan of others": (
        b'{"format_version": "1.2", "planned_values": {}}',
        "FILE: no resource of Conformity or Vision One is in this Terraform output",
    ),
    "two forms": (
        b'{"policies": [], "trusted_accounts": []}',
        "FILE: this may be a Cloud Custodian policy file or Powerpipe variables: keep one of them in the file",
    ),
    "tags": (
        b"policies: !!python/object/apply:os.system [id]\n",
        "FILE:1:11: tags are not read here: delete tag:yaml.org,2002:python/object/apply:os.system",
    ),
    "aliases": (
        b"a: &a [x, x, x, x, x, x, x, x, x]\n"
        + b"".join(
            f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n".encode()
            for before, name in zip("abcdefg", "bcdefgh", strict=True)
        ),
        "FILE cannot be used: 1 mistake\nFILE:1:1: the file comes to more than 200000 values, aliases (*name) written "
        "out: this is no file that is imported",
    ),
    "settings": (
        b"version: 1\ntrust: nobody\n",
        "FILE: this is a settings file of amiguard already: name it by --into",
    ),
    "other policies": (
        b"policies:\n  - {name: p, resource: aws.s3, filters: [cross-account]}\n",
        "FILE: no policy on ami or aws.ami has the filter cross-account: nothing in there says who may launch images",
    ),
    "other HCL": (
        b'region = "eu-west-1"\n',
        "FILE: HCL without trusted_accounts, trusted_organizations, trusted_organization_units: nothing in there says "
        "who is trusted",
    ),
    "cut HCL": (b'trusted_accounts = [\n "111111111111",\n', "FILE:4: not HCL that assigns values: UnexpectedToken"),
    "HCL twice": (b"trusted_accounts = []\ntrusted_accounts = []\n", "FILE: a variable is set twice: keep one"),
    "prose": (
        b"Dear all,\nhere is the list.\n",
        "FILE: not a file that can be imported: it has no rule settings, policies or variables, and is no list of ids",
    ),
    "two columns of ids": (
        f"{A},{A}\n".encode(),
        "FILE:1: 2 columns may hold the ids: name one of them `id` in the first line",
    ),
    "an empty list": (b"[]", "FILE: an empty list: it trusts nobody"),
    "a list that is not there": (
        f"{POLICY}        whitelist_from: {{url: file://no.json}}\n".encode(),
        "FILE: policies[0].filters[0].whitelist_from: the list FOLDER/no.json is not there, or is no file",
    ),
    "a device as list": (
        f"{POLICY}        whitelist_from: {{url: file:///dev/zero, format: txt}}\n".encode(),
        "FILE: policies[0].filters[0].whitelist_from: the list /dev/zero is not there, or is no file",
    ),
}


def refusal(*paths: Path, rule_id: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_files(paths, rule_id=rule_id)
    return caught.value.message.replace(str(paths[0]), "FILE").replace(str(paths[0].parent), "FOLDER")


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named_with_its_mend(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)

    assert refusal(path) == message


def test_folders_and_missing_files(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "FILE: this is a folder, not a file"
    assert refusal(tmp_path / "no") == "FILE: cannot be read: No such file or directory"
    assert refusal(tmp_path / "a\0b") == "FILE: cannot be read: embedded null byte"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        os.truncate(file.fileno(), MAX_BYTES + 1)

    assert refusal(path) == "FILE: larger than 20 MiB: such files are not read"


def test_every_bad_file_of_a_call_is_named(tmp_path: Path) -> None:
    good, cut, page = (tmp_path / name for name in ("good.json", "cut.json", "page.json"))
    good.write_text(json.dumps([A]), encoding="utf-8")
    cut.write_text("[", encoding="utf-8")
    page.write_text("<html>", encoding="utf-8")

    assert refusal(cut, good, page).splitlines() == [
        "2 files cannot be imported",
        "FILE:1:2: this JSON is cut: its end is missing",
        "FOLDER/page.json: this is HTML or XML, not data: a page was saved (a login, an error), not what it should "
        "show",
    ]


def test_a_rule_id_without_rules(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([A]), encoding="utf-8")

    assert refusal(path, rule_id="EC2-0xx") == "--rule-id names a rule, and no file holds rule settings"


def test_a_missing_hcl_reader_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.ppvars"
    path.write_text("trusted_accounts = []\n", encoding="utf-8")
    monkeypatch.setitem(__import__("sys").modules, "hcl2", None)

    assert refusal(path) == "FILE: reading HCL needs python-hcl2, which is not installed"


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([A]), encoding="utf-8")

    found = read_files([path, tmp_path / "." / "list.json"], rule_id=None)

    assert len(found.trustees) == 1
    assert [one.why for one in found.notices] == ["is named twice, and read once"]
