"""Someone's YAML file: what is refused, and what every value is read as."""

import os
from pathlib import Path

import pytest

from amiguard.core.errors import SettingsError
from amiguard.files.yaml_source import MAX_BYTES, parse, read_text
from amiguard.files.yaml_tree import Mapping, find, plain


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(text, Path("f.yaml"))
    assert caught.value.message.startswith("f.yaml cannot be used: 1 mistake\n")
    return caught.value.message.split("\n", 1)[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "trust:\n\taccounts: []\n",
            "f.yaml:2:1: not YAML: while scanning for the next token, found character '\\t' that cannot "
            "start any token; "
            "indent with spaces, not with tabs",
        ),
        (
            "trust: [a\nb: c\n",
            "f.yaml:2:2: not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'",
        ),
        (
            "reason: a: b\n",
            "f.yaml:1:10: not YAML: mapping values are not allowed here; "
            'quote text that holds a colon and a space: "a: b"',
        ),
        (
            "a: @b\n",
            "f.yaml:1:4: not YAML: while scanning for the next token, found character '@' that cannot start any token; "
            "quote text that starts with this character",
        ),
        (
            "names: [*-public]\n",
            "f.yaml:1:9: not YAML: found undefined alias '-public'; "
            'quote text that starts with an asterisk: "*-public"',
        ),
        (
            "a: b\n---\nc: d\n",
            "f.yaml:2:1: not YAML: expected a single document in the stream, but found another document; "
            "keep one document in the file",
        ),
        ("a: b\nc: \x1b[31m\n", "f.yaml:2:4: the control character U+001B cannot stand in YAML: delete it"),
        ("\x00", "f.yaml:1:1: the control character U+0000 cannot stand in YAML: delete it"),
        ('"\\UFFFFFFFF"', "f.yaml:1:1: not YAML: Python int too large to convert to C int"),
        ("[" * 5000, "f.yaml:1:1: the file is nested too deeply"),
    ],
)
def test_what_is_not_yaml(text: str, message: str) -> None:
    assert refusal(text) == message


def test_aliases_that_multiply_each_other_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert refusal("\n".join(lines)) == (
        "f.yaml:1:1: the file comes to more than 200000 values, aliases (*name) written out: this is no settings file"
    )


def problems(text: str) -> list[str]:
    return [f"{one.mark.line}:{one.mark.column} {one.path} {one.message}" for one in parse(text, Path("f.yaml"))[1]]


def test_an_alias_to_itself() -> None:
    assert problems("a: &a [*a]\n") == ["1:4 ('a', 0) an alias to itself never ends: write the value out"]


def test_tags_make_no_objects() -> None:
    assert problems("a: !!python/object/apply:os.system [true]\nb: !x c\n!y d: e\n<<: {}\n") == [
        "1:4 ('a',) tags are not read here: delete tag:yaml.org,2002:python/object/apply:os.system",
        "2:4 ('b',) tags are not read here: delete !x",
        "3:1 ('d',) delete the tag",
        "4:1 ('<<',) merge keys are not read here: write the keys out",
    ]


def test_a_tag_cannot_break_the_line_of_a_message() -> None:
    assert problems("a: !x%0Af.yaml b\n") == ["1:4 ('a',) tags are not read here: delete \"!x\\nf.yaml\""]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("012345670123", "012345670123"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("yes", "yes"),
        ("=", "="),
        ("<<", "<<"),
        ("2027-01-31", "2027-01-31"),
        ("!!int 0123", "0123"),
        ("!!str null", "null"),
        ("'null'", "null"),
        ("null", None),
        ("~", None),
        ("", None),
        ('""', ""),
        ("é # c", "é"),
        (">-\n  a\n  b\n", "a b"),
    ],
)
def test_a_value_is_its_source_text(written: str, text: str | None) -> None:
    top, found = parse(f"a: {written}", Path("f.yaml"))

    assert top is not None
    assert (plain(top), found) == ({"a": text}, [])


def test_an_anchor_may_be_used_again() -> None:
    top, found = parse("a: &x 1\nb: &x 2\nc: *x\n", Path("f.yaml"))

    assert top is not None
    assert (plain(top), found) == ({"a": "1", "b": "2", "c": "2"}, [])


def test_places_are_characters_of_the_file() -> None:
    text = "\ufeffa:\r\n  - é\r\n  - {b: [c, d]} # e\r\nf: |\r\n  g\r\n\r\n# h\r\n"
    top, _ = parse(text, Path("f.yaml"))

    assert isinstance(top, Mapping)
    paths = (("a",), ("a", 0), ("a", 1), ("a", 1, "b"), ("f",))
    written = [text[find(top, path).start : find(top, path).end] for path in paths]
    assert written == ["- é\r\n  - {b: [c, d]}", "é", "{b: [c, d]}", "[c, d]", "|\r\n  g"]


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes("a: é\nb: ü".encode("latin-1"))

    with pytest.raises(SettingsError) as caught:
        read_text(path)

    assert caught.value.message == (
        f"{path} cannot be used: 1 mistake\n{path}:1:4: byte 0xe9 is not UTF-8 text: save the file as UTF-8"
    )


def test_a_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\x7fELF\x02\x01\n\x00\xfe\xff")

    with pytest.raises(SettingsError) as caught:
        read_text(path)

    assert caught.value.message.endswith(f"\n{path}:2:2: byte 0xfe is not UTF-8 text: save the file as UTF-8")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_text(tmp_path)

    assert caught.value.message == f"{tmp_path} is a folder, not a settings file"


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_text(tmp_path / "f.yaml")

    assert caught.value.message == f"{tmp_path}/f.yaml cannot be read: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_must_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.touch(mode=0o000)

    with pytest.raises(SettingsError) as caught:
        read_text(path)

    assert caught.value.message == f"{path} cannot be read: Permission denied"


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(SettingsError) as caught:
        read_text(Path("a\x00b"))

    assert caught.value.message == "a\x00b cannot be read: embedded null byte"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(read_text(path)) == MAX_BYTES

    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SettingsError) as caught:
        read_text(path)

    assert caught.value.message == f"{path} is larger than 1024 KiB: this is no settings file"
