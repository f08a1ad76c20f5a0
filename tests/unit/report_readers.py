"""Readers of the report formats that share no code with what writes them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, Draft202012Validator
from lxml import etree
from lxml import html as lxml_html
from markdown_it import MarkdownIt

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Reading:
    """A report that was read back.

    Attributes:
        shape: its structure, without the texts.
        texts: all texts in it.
    """

    shape: object
    texts: tuple[str, ...]


def read_text(text: str) -> Reading:
    assert text.endswith("\n")
    assert text.replace("\t", "").replace("\n", "").isprintable()
    rows = [line.split("\t") for line in text[:-1].split("\n")]
    assert [len(row) for row in rows[:-1]] == [8] * (len(rows) - 1)
    assert len(rows[-1]) == 3
    assert rows[-1][0] == "verdict"
    return Reading([len(row) for row in rows], tuple(cell for row in rows for cell in row))


def read_csv(text: str) -> Reading:
    assert text.endswith("\r\n")
    assert text.replace("\r\n", "").isprintable()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in rows} == {28}
    for row in rows:
        for cell in row:
            # Also where a semicolon begins a new cell, and quotes or spaces stand before what is in it.
            for part in cell.split(";"):
                assert part.lstrip(' "')[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20"), cell
    plain = [[undo_csv(cell) for cell in row] for row in rows]
    return Reading([[bool(cell) for cell in row] for row in rows], tuple(cell for row in plain for cell in row))


def undo_csv(cell: str) -> str:
    """As `docs/report-formats.md` says it."""
    return re.sub(r"""(^|;)([ "]*)'""", r"\1\2", cell)


def read_markdown(text: str) -> Reading:
    assert text.replace("\n", "").replace("&#8203;", "").isprintable()
    assert len(text.encode()) <= 60_000
    rendered = MarkdownIt("gfm-like", {"html": True, "linkify": True}).render(text)
    tree = lxml_html.fragment_fromstring(rendered, create_parent="div")
    elements = [element.tag for element in tree.iter()]
    allowed = {"div", "h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "details"}
    assert set(elements) <= allowed | {"summary", "ul", "li"}
    for element in tree.iter():
        # GitHub makes mentions and references of what stands in the text, but not in code.
        for said in ((element.text if element.tag != "code" else None), element.tail):
            assert not re.search(r"[@#]\w|://", said or "")
    return Reading(
        elements, tuple(" ".join(text.split()) for text in map(_said, tree.iter("td", "li", "p", "summary")))
    )


def _said(element: Any) -> str:
    return "".join(element.itertext())


@cache
def sarif_schema() -> Draft4Validator:
    schema = json.loads((DATA / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def read_sarif(text: str) -> Reading:
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    document = json.loads(text)
    sarif_schema().validate(document)
    texts = tuple(_strings(document))
    assert all(one.replace("\n", "").isprintable() for one in texts)
    return Reading(_without_strings(document), texts)


def read_conformity(text: str) -> Reading:
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    document = json.loads(text)
    texts = tuple(_strings(document))
    assert all(one.isprintable() for one in texts)
    # A tag is a key and a value in one text.
    parts = (part for one in texts for part in (one, one.partition("::")[2]))
    return Reading(_without_strings(document), tuple(parts))


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            for one in value.values():
                yield from _strings(one)
        case _:
            pass


def _without_strings(value: object) -> object:
    match value:
        case str():
            return ""
        case list():
            return list(map(_without_strings, value))
        case dict():
            return {key: _without_strings(one) for key, one in value.items()}
        case _:
            return value


@cache
def junit_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(DATA / "junit-10.xsd"))


def read_junit(text: str) -> Reading:
    assert text.isascii()
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    junit_schema().assertValid(root)
    elements = list(root.iter())
    for suite in root.iter("testsuite"):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for counted, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(counted) == str(len(list(suite.iter(element))))
    for counted in ("tests", "failures", "errors"):
        assert root.get(counted) == str(sum(int(suite.get(counted) or 0) for suite in root.iter("testsuite")))
    texts = [value for element in elements for value in (*map(str, element.attrib.values()), element.text or "")]
    return Reading([(element.tag, sorted(map(str, element.attrib))) for element in elements], tuple(texts))


SCHEMA = json.loads(resources.files("amiguard.report").joinpath("report_v1.schema.json").read_text())


def closed(schema: Any) -> Any:
    """The schema with no other keys than those it names: readers accept additions, these tests do not."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    within = {key: closed(value) for key, value in schema.items() if key != "allOf"}
    for part in schema.get("allOf", ()):
        named = SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]
        within["properties"] = {**closed(named["properties"]), **within["properties"]}
        within["required"] = [*named["required"], *within["required"]]
    if "required" in within:
        within["additionalProperties"] = False
    return within


def check(value: object, definition: str | None = None) -> None:
    schema = closed({"$defs": SCHEMA["$defs"], **SCHEMA["$defs"][definition]} if definition else SCHEMA)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
