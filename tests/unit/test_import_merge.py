"""What is merged into a settings file: exactly what was found, and not one other character."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiguard.core.errors import AmiguardError, InputError, SettingsError
from amiguard.files.imports.merge import merge
from amiguard.files.imports.reading import read_files
from amiguard.files.settings import load_settings
from amiguard.files.settings_text import quoted
from amiguard.files.trust_starter import STARTER
from amiguard.files.yaml_source import parse
from amiguard.files.yaml_tree import plain
from tests.unit.hostile_strings import HOSTILE

TODAY = date(2026, 8, 1)
A, B = "111111111111", "222222222222"


def merged(folder: Path, before: str | None, *files: Path, owner: str = "o") -> str:
    into = folder / "amiguard.yaml"
    if before is not None:
        into.write_bytes(before.encode())
    merge(read_files(files, rule_id=None), into, owner=owner, today=TODAY, write=True)
    return into.read_bytes().decode()


def profile(folder: Path, accounts: list[str], tags: list[str], name: str = "p.json") -> Path:
    path = folder / name
    setting = {"name": "friendlyAccounts", "values": [{"value": one, "label": None} for one in accounts]}
    rule = {"id": "EC2-0xx", "provider": "aws", "exceptions": {"tags": tags}, "extraSettings": [setting]}
    path.write_text(json.dumps({"ruleSettings": [rule]}), encoding="utf-8")
    return path


def test_comments_stay_and_exceptions_go_below_everything(tmp_path: Path) -> None:
    reason = "imported 2026-08-01 from Conformity profile p.json, rule EC2-0xx"

    assert merged(tmp_path, STARTER, profile(tmp_path, [A], ["k::v"])) == STARTER.replace(
        "  accounts:\n", f'  accounts:\n    - {{id: "{A}", reason: "{reason}"}}\n'
    ) + (f'\nexceptions:\n  - {{images: {{tags: ["k=v"]}}, grantees: any, reason: "{reason}", owner: "o"}}\n')


FILES = {
    "exceptions that are there": (
        f"version: 1\ntrust: {{accounts: ['{A}']}} # t\nexceptions: # e\n  - images: {{ids: [ami-00000000]}}\n"
        "    grantees: any\n    reason: r\n    owner: o\n# end"
    ),
    "an empty list": f"version: 1\r\ntrust:\r\n  accounts:\r\n  - '{A}'\r\nexceptions: []\r\n",
    "null": f"version: 1\ntrust: {{accounts: ['{A}']}}\nexceptions:\n# c\ntargets: {{regions: all}}\n",
    "braces": f"{{version: 1, trust: {{accounts: ['{A}']}}}}\n",
    "no line end": f"version: 1\ntrust:\n  accounts: ['{A}']",
}


@pytest.mark.parametrize("before", FILES.values(), ids=FILES)
def test_every_way_to_write_the_file(tmp_path: Path, before: str) -> None:
    after = merged(tmp_path, before, profile(tmp_path, [A, B], ["k::v"]))

    found = load_settings(tmp_path / "amiguard.yaml", today=TODAY)
    assert [str(entry.trustee) for entry in found.policy.entries] == [A, B]
    assert [one.owner for one in found.exceptions][-1] == "o"
    for line in before.splitlines():
        if "#" in line:
            assert line.partition("#")[2] in after


def test_only_what_is_new_is_added(tmp_path: Path) -> None:
    first = merged(tmp_path, None, profile(tmp_path, [A], ["k::v"]))
    second = merged(tmp_path, None, profile(tmp_path, [A, B], ["k::v", "l::w"]))

    assert second.startswith(first.split("\nexceptions:")[0])
    assert second.count("k=v") == 1
    assert second.count(A) == 1


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("version: 1\ntrust: nobody\n", "says `trust: nobody`: it stays as it is"),
        ("version: 1\n", "cannot be used: 1 mistake"),
        ("", "cannot be used: 1 mistake"),
        (f"version: 1\ntrust: {{accounts: ['{A}']}}\n...\n", "cannot be edited safely"),
    ],
)
def test_files_that_stay_as_they_are(tmp_path: Path, before: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        merged(tmp_path, before, profile(tmp_path, [B], ["k::v"]))
    assert (tmp_path / "amiguard.yaml").read_text(encoding="utf-8") == before


def test_nothing_is_begun_with_exceptions_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only exceptions were found"):
        merged(tmp_path, None, profile(tmp_path, [], ["k::v"]))
    assert not (tmp_path / "amiguard.yaml").exists()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_breaks_out_of_its_quotes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"id": A, "name": text}, {"id": text}]), encoding="utf-8")
    tags = profile(tmp_path, [B], [text, f"k::{text}", f"{text}::v"])

    merged(tmp_path, None, path, tags)

    found = load_settings(tmp_path / "amiguard.yaml", today=TODAY)
    assert [str(entry.trustee) for entry in found.policy.entries] == [A, B]
    assert found.policy.entries[0].name in (None, text.strip())
    for one in found.exceptions:
        for tag in one.images.tags:
            assert text in ((tag.key or ""), (tag.value or "")) or (tag.key, tag.value) in {("k", text), (text, "v")}


IDS = st.lists(st.integers(0, 10**12 - 1).map("{:012d}".format), min_size=1, max_size=12)
NAMES = st.none() | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(IDS, NAMES), min_size=1, max_size=4), st.sampled_from([None, STARTER]))
def test_random_lists_become_exactly_these_entries(
    tmp_path_factory: pytest.TempPathFactory, lists: list[tuple[list[str], str | None]], before: str | None
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    files = []
    for number, (ids, name) in enumerate(lists):
        files.append(folder / f"{number}.json")
        files[-1].write_text(json.dumps([{"id": one, "name": name} for one in ids]), encoding="utf-8")

    merged(folder, before, *files)

    found = load_settings(folder / "amiguard.yaml", today=TODAY)
    expected: dict[str, str | None] = {}
    for ids, name in lists:
        for one in ids:
            expected.setdefault(one, name)
    entries = {str(entry.trustee): entry.name for entry in found.policy.entries if str(entry.trustee) != "own"}
    assert entries == expected
    assert len(found.policy.entries) == len(expected) + (before is not None)


KEYS = (
    *("data", "type", "attributes", "settings", "rules", "id", "ruleSettings", "included", "extraSettings", "name"),
    *("values", "value", "items", "nextLink", "count", "scanRules", "exceptions", "tags", "resources", "policies"),
    *("filters", "resource", "whitelist", "whitelist_from", "url", "expr", "or", "not", "format_version", "aws"),
    *("resource_changes", "planned_values", "root_module", "change", "after", "trusted_accounts", "accounts"),
    *("trusted_account_ids", "profiles"),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([A, "ami", "cross-account", "accounts", "profiles", "friendlyAccounts", "EC2-1", "1.2"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=80)
    | TREES.map(lambda value: json.dumps(value).encode())
    | st.text("# ,;\t\n-:=[]{}\"'a1&*!|\\<", max_size=60).map(str.encode)
)
def test_any_bytes_end_in_settings_or_in_a_message(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "any"
    path.write_bytes(data)
    for rule_id in (None, "EC2-1"):
        try:
            found = read_files([path], rule_id=rule_id)
            merge(found, folder / "any.yaml", owner="o", today=TODAY, write=False)
        except AmiguardError as error:
            assert error.message  # noqa: PT017 - either end is right


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_quoted_text_is_read_back_as_it_was(text: str) -> None:
    top, problems = parse(f"{{a: {quoted(text)}, b: c}}", Path("f"))

    assert top is not None
    assert (plain(top), problems) == ({"a": text, "b": "c"}, [])
    assert quoted(text).isprintable()
