"""Edits of the trust policy: what is asked for changes, and not one other character."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiguard.core.errors import OutputError, SettingsError
from amiguard.core.trust import parse_trustee
from amiguard.files.settings import load_settings, settings_of
from amiguard.files.settings_text import NewEntry
from amiguard.files.trust_edit import add_entry, remove_entry
from amiguard.files.trust_starter import STARTER

TODAY = date(2026, 8, 1)
A, B, C = "111111111111", "222222222222", "333333333333"
HEAD = "version: 1\ntrust:\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "amiguard.yaml"


def edited(path: Path, text: str, *, add: NewEntry | str | None = None, remove: str | None = None) -> str:
    path.write_bytes(text.encode())
    if add is not None:
        add_entry(path, NewEntry(add) if isinstance(add, str) else add, today=TODAY)
    if remove is not None:
        remove_entry(path, parse_trustee(remove), today=TODAY)
    return path.read_bytes().decode()


ADDED_TO_ACCOUNTS = {
    "below the last item": (
        f"{HEAD}  accounts:\n    - {A}   # first\n\n    # about nothing\nexceptions: []\n",
        f'{HEAD}  accounts:\n    - {A}   # first\n    - "{B}"\n\n    # about nothing\nexceptions: []\n',
    ),
    "dashes under the key": (
        f"{HEAD}  accounts:\n  - '{A}'\n  organizations:\n  - own\n",
        f"{HEAD}  accounts:\n  - '{A}'\n  - \"{B}\"\n  organizations:\n  - own\n",
    ),
    "wide dashes": (
        f"{HEAD}     accounts:\n         -   id: '{A}'\n             name: x\n",
        f"{HEAD}     accounts:\n         -   id: '{A}'\n             name: x\n         -   \"{B}\"\n",
    ),
    "after a text block": (
        f"{HEAD}  accounts:\n    - id: '{A}'\n      reason: |\n        one\n        two\n\n  # c\n",
        f"{HEAD}  accounts:\n    - id: '{A}'\n      reason: |\n        one\n        two\n    - \"{B}\"\n\n  # c\n",
    ),
    "no line end": (
        f"{HEAD}  accounts:\n    - {A}",
        f'{HEAD}  accounts:\n    - {A}\n    - "{B}"',
    ),
    "Windows line ends": (
        f"{HEAD}  accounts:\n    - {A} # c\ntargets:\n".replace("\n", "\r\n"),
        f'{HEAD}  accounts:\n    - {A} # c\n    - "{B}"\ntargets:\n'.replace("\n", "\r\n"),
    ),
    "byte order mark": (
        f"\ufeff{HEAD}  accounts:\n    - {A}\n",
        f'\ufeff{HEAD}  accounts:\n    - {A}\n    - "{B}"\n',
    ),
    "brackets": (
        f"{HEAD}  accounts: [ {A} ] # c\n",
        f'{HEAD}  accounts: [ {A}, "{B}" ] # c\n',
    ),
    "brackets with a last comma": (
        f"{HEAD}  accounts: [\n    {A}, # c\n  ]\n",
        f'{HEAD}  accounts: [\n    {A}, "{B}", # c\n  ]\n',
    ),
    "empty brackets": (
        f"{HEAD}  accounts: []\n  organizations: [own]\n",
        f'{HEAD}  accounts: ["{B}"]\n  organizations: [own]\n',
    ),
    "a key without items": (
        f"{HEAD}  organizations: [own]\n  accounts: # none yet\n  #  - {A}\n",
        f'{HEAD}  organizations: [own]\n  accounts: # none yet\n    - "{B}"\n  #  - {A}\n',
    ),
    "a key with null": (
        f"{HEAD}  organizations: [own]\n  accounts: ~  # none\n",
        f'{HEAD}  organizations: [own]\n  accounts: ["{B}"]  # none\n',
    ),
    "no key": (
        f"{HEAD}    organizations:\n       - own\n# end\n",
        f'{HEAD}    organizations:\n       - own\n    accounts:\n       - "{B}"\n# end\n',
    ),
    "no key, nothing to learn from": (
        f"{HEAD}  organizations: [own]\n",
        f'{HEAD}  organizations: [own]\n  accounts:\n    - "{B}"\n',
    ),
    "braces": (
        "version: 1\ntrust: {organizations: [own]}\n",
        f'version: 1\ntrust: {{organizations: [own], accounts: ["{B}"]}}\n',
    ),
    "braces, a key without items": (
        "version: 1\ntrust: {accounts: , organizations: [own]}\n",
        f'version: 1\ntrust: {{accounts: ["{B}"] , organizations: [own]}}\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), ADDED_TO_ACCOUNTS.values(), ids=ADDED_TO_ACCOUNTS)
def test_adding_changes_nothing_else(path: Path, before: str, after: str) -> None:
    assert edited(path, before, add=B) == after


@pytest.mark.parametrize(("before", "after"), ADDED_TO_ACCOUNTS.values(), ids=ADDED_TO_ACCOUNTS)
def test_removing_what_was_added_gives_the_file_back(path: Path, before: str, after: str) -> None:
    left = edited(path, after, remove=B)

    if "accounts" in before and "~" not in before and "accounts: ," not in before:
        assert left == before
    settings = load_settings(path, today=TODAY)
    assert settings.policy == settings_of(before, path, today=TODAY).policy


def test_an_entry_with_details(path: Path) -> None:
    new = NewEntry(B, 'The "B" team\\', "größer: # & *", date(2027, 1, 31))

    assert edited(path, STARTER, add=new) == STARTER.replace(
        "  accounts:\n",
        f'  accounts:\n    - {{id: "{B}", name: "The \\"B\\" team\\\\", reason: "größer: # & *", '
        "expires: 2027-01-31}\n",
    )
    assert load_settings(path, today=TODAY).policy.entries[0] == new.entry


@pytest.mark.parametrize(
    ("trustee", "below"),
    [
        ("o-abcdefghij", "    - own\n"),
        ("arn:aws:organizations::123456789012:organization/o-abcdefghij", "    - own\n"),
        ("ou-ab12-cdefghij", "  organizational_units:\n"),
        ("o-abcdefghij/ou-ab12-cdefghij", "  organizational_units:\n"),
        ("arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij", "  organizational_units:\n"),
    ],
)
def test_every_kind_has_its_list(path: Path, trustee: str, below: str) -> None:
    assert edited(path, STARTER, add=trustee) == STARTER.replace(below, f'{below}    - "{trustee}"\n')
    assert edited(path, path.read_text(encoding="utf-8"), remove=trustee) == STARTER


def test_adding_says_where_the_entry_stands(path: Path) -> None:
    path.write_text(STARTER, encoding="utf-8")

    assert add_entry(path, NewEntry(B), today=TODAY) == f"{path}:19:7: trust.accounts[0]"


REMOVED = {
    "first of a list": (
        f"{HEAD}  accounts:\n    - {B} # b\n    # a\n    - {A}\n",
        f"{HEAD}  accounts:\n    # a\n    - {A}\n",
    ),
    "an entry on several lines": (
        f"{HEAD}  accounts:\n    - name: b\n\n      id: {B}  # b\n\n    - {A}\n",
        f"{HEAD}  accounts:\n\n    - {A}\n",
    ),
    "first in brackets": (f"{HEAD}  accounts: [{B}, {A}]\n", f"{HEAD}  accounts: [{A}]\n"),
    "last in brackets": (f"{HEAD}  accounts: [{A} , {{id: {B}, name: b}} ]\n", f"{HEAD}  accounts: [{A} ]\n"),
    "a line of its own in brackets": (
        f"{HEAD}  accounts: [\n    {A}, # a\n    {B},\n    {C}\n  ]\n",
        f"{HEAD}  accounts: [\n    {A}, # a\n    {C}\n  ]\n",
    ),
    "written twice": (f"{HEAD}  accounts:\n    - {B}\n    - {A}\n    - id: {B}\n", f"{HEAD}  accounts:\n    - {A}\n"),
    "the last of its list": (
        f"{HEAD}  accounts:\n    - {B}\n  organizations: [own]",
        f"{HEAD}  accounts:\n  organizations: [own]",
    ),
}


@pytest.mark.parametrize(("before", "after"), REMOVED.values(), ids=REMOVED)
def test_removing_changes_nothing_else(path: Path, before: str, after: str) -> None:
    assert edited(path, before, remove=B) == after


def test_an_id_removes_its_arn_and_an_arn_its_id(path: Path) -> None:
    arn = "arn:aws:organizations::123456789012:organization/o-abcdefghij"
    text = f"{HEAD}  organizations:\n    - own\n    - %s\n"

    assert edited(path, text % arn, remove="o-abcdefghij") == f"{HEAD}  organizations:\n    - own\n"
    assert edited(path, text % "o-abcdefghij", remove=arn) == f"{HEAD}  organizations:\n    - own\n"
    assert "names" in refusal(path, text % arn, remove=arn.replace("123456789012", A))


def refusal(path: Path, text: str, *, add: NewEntry | str | None = None, remove: str | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        edited(path, text, add=add, remove=remove)
    assert path.read_bytes().decode() == text
    hint = f" | {caught.value.hint}" if caught.value.hint else ""
    return (caught.value.message + hint).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}  accounts: [{B}]\n", f"FILE:3:14: trust.accounts[0]: {B} stands here already"),
        (
            f"{HEAD}  accounts: [{{id: {B}, expires: 2026-07-31}}]\n",
            f"FILE:3:14: trust.accounts[0]: {B} stands here already, lapsed after 2026-07-31: set a later day there",
        ),
        (
            "version: 1\ntrust: nobody\n",
            f"FILE says `trust: nobody`: it stays as it is | to trust {B}, replace it by `trust: {{accounts: "
            f'["{B}"]}}`',
        ),
        (
            f"{HEAD}  accounts: [1]\n",
            "FILE cannot be used: 1 mistake\nFILE:3:14: trust.accounts[0]: an account id has 12 digits, this has 1",
        ),
        (
            f"version: 1\ntrust:\n  organizations: [own]\n  accounts: &a ['{A}']\nexceptions:\n"
            "  - {images: {accounts: *a}, grantees: any, reason: a, owner: b}\n",
            "FILE is written in a way that cannot be edited safely: it stays as it is | edit the file by hand",
        ),
    ],
)
def test_what_is_not_added(path: Path, text: str, message: str) -> None:
    assert refusal(path, text, add=B) == message


def test_an_organization_named_by_arn_is_not_added_by_id(path: Path) -> None:
    text = f"{HEAD}  organizations: ['arn:aws:organizations::123456789012:organization/o-abcdefghij']\n"

    assert refusal(path, text, add="o-abcdefghij") == (
        "FILE:3:19: trust.organizations[0]: o-abcdefghij stands here already"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STARTER, f"FILE: no entry of the trust policy names {B}"),
        ("version: 1\ntrust: nobody\n", f"FILE: no entry of the trust policy names {B}"),
        (
            f"{HEAD}  accounts: [{B}, {B}]\n",
            f"FILE: the trust policy has no entry but {B}: it stays | "
            "if you trust no one, replace the section by `trust: nobody`",
        ),
        (
            f"{HEAD}  accounts: [{A}, # a\n    {B}]\n",
            "FILE is written in a way that cannot be edited safely: it stays as it is | edit the file by hand",
        ),
        (
            f"{HEAD}  accounts:\n    - {A}\n    -\n      {B}\n",
            "FILE is written in a way that cannot be edited safely: it stays as it is | edit the file by hand",
        ),
        (
            f"{HEAD}  accounts: [&b '{B}', {A}, *b]\n",
            "FILE is written in a way that cannot be edited safely: it stays as it is | edit the file by hand",
        ),
    ],
)
def test_what_is_not_removed(path: Path, text: str, message: str) -> None:
    assert refusal(path, text, remove=B) == message


def test_mode_and_link_stay(path: Path) -> None:
    real = path.with_name("real.yaml")
    real.write_text(STARTER, encoding="utf-8")
    real.chmod(0o640)
    path.symlink_to("real.yaml")

    add_entry(path, NewEntry(B), today=TODAY)

    assert path.is_symlink()
    assert B in real.read_text(encoding="utf-8")
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(found.name for found in path.parent.iterdir()) == ["amiguard.yaml", "real.yaml"]


def test_a_failed_write_leaves_the_file_and_nothing_beside_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(STARTER, encoding="utf-8")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError) as caught:
        add_entry(path, NewEntry(B), today=TODAY)

    assert caught.value.message == f"{path} cannot be written: No space left on device"
    assert path.read_text(encoding="utf-8") == STARTER
    assert list(path.parent.iterdir()) == [path]


IDS = st.integers(0, 10**12 - 1).map("{:012d}".format)
COMMENTS = st.sampled_from(["", "  # a comment", "\n\n      # on its own line"])
ITEMS = st.tuples(
    st.sampled_from(
        [
            "{id}",
            "'{id}'",
            '"{id}"',
            "{{id: {id}, name: a}}",
            "id: '{id}'\n      name: a # b",
            "id: {id}\n      reason: >\n        a\n\n        b\n",
        ]
    ),
    COMMENTS,
)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, list[str]]:
    ids = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    lines = [
        f"    - {form.format(id=one)}{comment if '>' not in form else ''}"
        for one, (form, comment) in ((one, draw(ITEMS)) for one in ids)
    ]
    end = draw(st.sampled_from(["", "\n", "\n# end\n", "\nexceptions:\n", "\n\n  organizations: [own] # x\n"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return ("\n".join(["version: 1", "# top", "trust: # t", "  accounts:", *lines]) + end).replace("\n", newline), ids


@settings(deadline=None, max_examples=40)
@given(file=_files(), new=IDS, name=st.none() | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_adding_then_removing_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, list[str]], new: str, name: str | None
) -> None:
    text, ids = file
    path = tmp_path_factory.getbasetemp() / "edited.yaml"
    if new in ids:
        return
    path.write_bytes(text.encode())

    add_entry(path, NewEntry(new, name), today=TODAY)
    added = load_settings(path, today=TODAY).policy.entries
    remove_entry(path, parse_trustee(new), today=TODAY)

    assert (str(added[len(ids)].trustee), added[len(ids)].name) == (new, name)
    assert path.read_bytes() == text.encode()


@settings(deadline=None, max_examples=40)
@given(file=_files(), place=st.integers(0, 4))
def test_removing_any_entry_leaves_the_others(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, list[str]], place: int
) -> None:
    text, ids = file
    if len(ids) == 1:
        return
    gone = ids[place % len(ids)]
    path = tmp_path_factory.getbasetemp() / "removed.yaml"
    path.write_bytes(text.encode())

    remove_entry(path, parse_trustee(gone), today=TODAY)

    left = [str(entry.trustee) for entry in load_settings(path, today=TODAY).policy.entries]
    assert [one for one in left if one != "own"] == [one for one in ids if one != gone]
