"""Plan files that are edited, forged, cut or something else: each is refused with its reason."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amiguard.core.errors import InputError
from amiguard.files.plan_file import load_plan, write_plan
from amiguard.files.strict_json import digest_of
from tests.unit.plan_strategies import PLAN, WITH_EVIDENCE

Document = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "plan.json"
    write_plan(written, PLAN)
    return written


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_plan(path)
    assert caught.value.hint
    assert caught.value.message.isprintable()
    return caught.value.message


def sealed(path: Path, change: Callable[[Document], object]) -> Path:
    """Change a plan file as someone would who can make digests."""
    document = json.loads(path.read_bytes())
    del document["digest"]
    change(document)
    path.write_text(json.dumps({**document, "digest": digest_of(document)}))
    return path


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for key in value:
                yield from leaves(value[key], (*way, key))
        case list():
            for place, item in enumerate(value):
                yield from leaves(item, (*way, place))
        case _:
            yield way


def others(value: Any) -> list[Any]:
    match value:
        case str():
            return [value + " ", value[:-1], value.upper(), value.lower(), None, 0]
        case int():
            return [value + 1, float(value), bool(value), str(value), None]
        case _:
            return ["", "ami-11111111", 0, False]


def test_every_single_edit_is_refused(path: Path) -> None:
    document = json.loads(path.read_bytes())
    ways = list(leaves(document))
    assert len(ways) > 60
    for way in ways:
        edited = copy.deepcopy(document)
        above = edited
        for step in way[:-1]:
            above = above[step]
        value = above[way[-1]]
        for other in others(value):
            if other == value and type(other) is type(value):
                continue
            above[way[-1]] = other
            path.write_text(json.dumps(edited))
            message = refused(path)
            if way not in {("type",), ("schema_version",)} and not isinstance(other, float):
                assert message == f"{path}: the plan was edited after it was made"


def parts(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)):
        yield (*way, key)
        if isinstance(value[key], (dict, list)):
            yield from parts(value[key], (*way, key))


def test_nothing_can_be_taken_out(path: Path) -> None:
    document = json.loads(path.read_bytes())
    for way in parts(document):
        edited = copy.deepcopy(document)
        above = edited
        for step in way[:-1]:
            above = above[step]
        del above[way[-1]]
        path.write_text(json.dumps(edited))
        refused(path)


def test_another_layout_is_the_same_plan(path: Path) -> None:
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps(document, sort_keys=True, indent="\t", ensure_ascii=False), encoding="utf-8")
    assert load_plan(path) == PLAN


def test_a_key_named_twice_is_refused(path: Path) -> None:
    text = path.read_text()
    path.write_text(text.replace('"audited": {', '"audited": {"images": 7,'))
    assert refused(path) == f"{path} is not a plan: it names a key twice in one object"


SEALED: list[tuple[str, Callable[[Document], object]]] = [
    ("Extra inputs", lambda one: one.update(more=1)),
    ("Extra inputs", lambda one: one["changes"][0].update(more=1)),
    ("summary", lambda one: one["summary"].update(images=2)),
    ("something is changed twice", lambda one: one["changes"].append(one["changes"][1])),
    ("a grantee is listed twice", lambda one: one["changes"][0]["before"].append(one["changes"][0]["before"][0])),
    ("do not lead", lambda one: one["changes"][0]["after"].pop()),
    ("do not lead", lambda one: one["changes"][0]["remove"].pop()),
    ("added or removed twice", lambda one: one["changes"][0]["add"].append(one["changes"][0]["add"][0])),
    (
        "not understood",
        lambda one: (
            one["changes"][0]["remove"].append({**one["changes"][0]["remove"][0], **one["changes"][0]["before"][3]}),
            one["changes"][0]["after"].pop(),
        ),
    ),
    (
        "only accounts",
        lambda one: (
            one["changes"][0]["remove"].pop(0),
            one["changes"][0]["before"].pop(0),
            one["changes"][0]["after"].append({"kind": "everyone", "grantee": "all"}),
            one["changes"][0]["add"].append({"kind": "everyone", "grantee": "all", "reason": ""}),
        ),
    ),
    (
        "nothing is changed",
        lambda one: one["changes"][0].update(add=[], remove=[], after=one["changes"][0]["before"]),
    ),
    ("grantee", lambda one: one["changes"][0]["before"][0].update(grantee="none")),
    ("kind", lambda one: one["changes"][0]["before"][0].update(kind="planet")),
    ("kind", lambda one: one["changes"][0].update(kind="reset")),
    ("effect", lambda one: one["changes"][0]["remove"][0].update(effect="none")),
    ("switches", lambda one: one["changes"][1].update(before="block-new-sharing", after="unblocked")),
    ("after", lambda one: one["changes"][1].update(after="block")),
    ("account_id", lambda one: one["changes"][1].update(account_id="12345678901")),
    ("account_id", lambda one: one["changes"][1].update(account_id="12345678901\u0662")),
    ("account_id", lambda one: one["changes"][1].update(account_id="123456789012\n")),
    ("region", lambda one: one["changes"][1].update(region="eu-central-1.example.com/")),
    ("region", lambda one: one["changes"][1].update(region="*")),
    ("partition", lambda one: one["changes"][1].update(partition="")),
    ("image.id", lambda one: one["changes"][0]["image"].update(id="ami-1/../..")),
    ("image.id", lambda one: one["changes"][0]["image"].update(id="snap-01234567")),
    ("images", lambda one: one["audited"].update(images=-1)),
    ("images", lambda one: one["audited"].update(images=True)),
    ("images", lambda one: one["audited"].update(images="7")),
    ("created_at", lambda one: one["plan"].update(created_at="2026-06-15T12:00:00")),
    ("created_at", lambda one: one["plan"].update(created_at="2026-06-15T12:00:00+00:00")),
    ("created_at", lambda one: one["plan"].update(created_at="2026-06-15T12:00:00.5Z")),
    ("created_at", lambda one: one["plan"].update(created_at="2026-02-30T12:00:00Z")),
    ("created_at", lambda one: one["plan"].update(created_at="2026-06-15 12:00:00Z")),
    ("created_at", lambda one: one["plan"].update(created_at=1781524800)),
    ("expires before", lambda one: one["plan"].update(expires_at="2026-06-15T11:59:59Z")),
    ("plan.id", lambda one: one["plan"].update(id="../../etc")),
    ("caller_arn", lambda one: one["plan"].update(caller_arn=None)),
    ("tool.name", lambda one: one["tool"].update(name="other")),
]


@pytest.mark.parametrize(("said", "change"), SEALED)
def test_a_digest_does_not_make_a_plan_sound(path: Path, said: str, change: Callable[[Document], object]) -> None:
    message = refused(sealed(path, change))
    assert "is not a sound plan" in message
    assert said in message


SEALED_EVIDENCE: list[tuple[str, Callable[[Document], object]]] = [
    ("state", lambda one: one["changes"][0]["remove"][0]["use"].update(state="perhaps")),
    ("reason", lambda one: one["changes"][0]["remove"][0]["use"].update(reason="")),
    ("as_of", lambda one: one["changes"][0]["remove"][1]["use"].update(as_of="yesterday")),
    ("entries", lambda one: one["changes"][0]["remove"][2]["use"].update(entries=[])),
    ("count", lambda one: one["changes"][0]["remove"][2]["use"]["entries"][0].update(count=-1)),
    ("Extra inputs", lambda one: one["changes"][0]["remove"][2]["use"].update(more=1)),
    ("notes", lambda one: one["changes"][0]["remove"][0].update(notes="one")),
    ("do not lead", lambda one: one["changes"][1]["after"].append(one["changes"][1]["before"][0])),
    ("do not lead", lambda one: one["changes"][1]["remove"].pop()),
    ("removed twice", lambda one: one["changes"][1]["remove"].append(one["changes"][1]["remove"][0])),
    ("removals", lambda one: one["changes"][1].update(remove=[], after=one["changes"][1]["before"])),
    ("accounts and everyone", lambda one: one["changes"][1]["before"].append(one["changes"][0]["before"][1])),
    ("snapshot_id", lambda one: one["changes"][1].update(snapshot_id="ami-01234567")),
    ("image_ids", lambda one: one["changes"][1].update(image_ids=[])),
    ("add", lambda one: one["changes"][1].update(add=[])),
    ("something is changed twice", lambda one: one["changes"].append(one["changes"][1])),
    ("summary", lambda one: one["summary"].update(snapshots=2)),
    ("summary", lambda one: one["summary"].pop("snapshot_grants_removed")),
    ("snapshot_id", lambda one: one["left_out"][1].update(snapshot_id="ami-01234567")),
    ("grantee", lambda one: one["left_out"][0]["removal"].update(kind="everyone")),
]


@pytest.mark.parametrize(("said", "change"), SEALED_EVIDENCE)
def test_a_digest_does_not_make_additions_sound(
    tmp_path: Path, said: str, change: Callable[[Document], object]
) -> None:
    path = tmp_path / "plan.json"
    write_plan(path, WITH_EVIDENCE)
    message = refused(sealed(path, change))
    assert "is not a sound plan" in message
    assert said in message


def test_hostile_keys_and_kinds_stay_on_one_line(path: Path) -> None:
    refused(sealed(path, lambda one: one.update({"\x1b[2J\n": 1})))
    refused(sealed(path, lambda one: one["changes"][0].update(kind="\x1b[2J\nreset")))
    refused(sealed(path, lambda one: one["changes"][0]["before"][0].update(grantee="\x1b[2J\n")))


@pytest.mark.parametrize("version", ["2", "0", 1, None, ["1"], "\x1b[2J"])
def test_another_version_is_named(path: Path, version: object) -> None:
    message = refused(sealed(path, lambda one: one.update(schema_version=version)))
    assert message == f"{path} is of another version: this amiguard reads plans of version 1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"amiguard-plan"',
        b"{",
        b"\x00\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b'{"type":"amiguard-plan","schema_version":"1","a":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"type":"amiguard-plan","schema_version":"1","a":NaN}',
        b'{"type":"amiguard-plan","schema_version":"1","a":1e999}',
        b'{"type":"amiguard-plan","schema_version":"1","a":' + b"9" * 5000 + b"}",
        b'{"type":"amiguard-plan","schema_version":"1","a":"\\ud800"}',
        b'{"type":"amiguard-plan","schema_version":"1","\\ud800":1}',
        b'{"type":"amiguard-plan","schema_version":"1","digest":{}}',
        b'{"schema_version":"1","results":[]}',
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(data)
    refused(path)


def test_a_file_that_is_too_large_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = path.stat().st_size
    monkeypatch.setattr("amiguard.files.plan_file.MAX_BYTES", size)
    assert load_plan(path) == PLAN
    monkeypatch.setattr("amiguard.files.plan_file.MAX_BYTES", size - 1)
    assert refused(path) == f"{path} is larger than 0 MiB: this is no plan"


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} cannot be read: Is a directory"
    assert refused(tmp_path / "none") == f"{tmp_path / 'none'} cannot be read: No such file or directory"
