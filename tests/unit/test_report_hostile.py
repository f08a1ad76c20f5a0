"""What others write goes through every format as text, and nothing else: each output is read back independently."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from amiguard.report.conformity import conformity_renderer
from amiguard.report.csv_table import render_csv
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, Renderer, Report
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.junit import render_junit
from amiguard.report.markdown import render_markdown
from amiguard.report.sanitize import printable
from amiguard.report.sarif import render_sarif
from amiguard.report.text_lines import render_text
from tests.unit.evidence_samples import OTHER, a_bin, all_evidence
from tests.unit.hostile_strings import HOSTILE
from tests.unit.report_readers import (
    Reading,
    read_conformity,
    read_csv,
    read_junit,
    read_markdown,
    read_sarif,
    read_text,
)
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target

BENIGN = "benign"
SURE = 60
"""So much of a long text is shown at least."""


@dataclass(frozen=True)
class Format:
    """A format, what reads it, and the fields that it shows."""

    render: Renderer
    read: Callable[[str], Reading]
    fields: frozenset[str]


EVIDENCE = frozenset({"resource type", "user", "principal", "source", "event name", "snapshot", "why", "key reason"})
EVERYWHERE = frozenset({"image name", "grantee", "message", "target reason"})
FORMATS = {
    "text": Format(render_text, read_text, EVERYWHERE | EVIDENCE | {"binned name"}),
    "csv": Format(
        render_csv,
        read_csv,
        EVERYWHERE
        | {"account name", "reason", "exception's reason", "creation date", "state"}
        | {"principal", "key reason", "snapshot"},
    ),
    "markdown": Format(
        render_markdown,
        read_markdown,
        (EVERYWHERE | {"account name", "resource type", "principal", "why", "binned name"}) - {"message"},
    ),
    "sarif": Format(
        render_sarif,
        read_sarif,
        EVERYWHERE | (EVIDENCE - {"user"}) | {"exception's reason"},
    ),
    "junit": Format(render_junit, read_junit, EVERYWHERE | EVIDENCE | {"account name", "reason", "exception's reason"}),
    "conformity": Format(
        conformity_renderer(),
        read_conformity,
        EVERYWHERE
        | EVIDENCE
        | {"account name", "exception's reason", "tag key", "tag value", "creation date", "state"},
    ),
}


def planted(texts: Mapping[str, str]) -> Report:
    """A report with these texts by field, and benign ones in the others."""

    def at(name: str, usual: str = BENIGN) -> str:
        return texts.get(name, usual)

    stranger: GrantV1 = {
        "kind": "unrecognized",
        "grantee": at("grantee"),
        "decision": "untrusted",
        "reason": at("reason"),
    }
    accepted: GrantV1 = {
        "kind": "everyone",
        "grantee": "all",
        "decision": "excepted",
        "reason": at("exception's reason"),
    }
    results: list[ResultV1] = [
        a_result(1, name=at("image name"), grants=[stranger]),
        a_result(2, "suppressed", "critical", grants=[accepted]),
        a_result(3, "unknown", grants=[]),
        a_result(4, "pass", "informational", name=at("image name"), grants=[]),
        {**a_result(5, grants=[STRANGER, OTHER]), "evidence": all_evidence(at)},
    ]
    for result in results:
        result["message"] = at("message")
        if image := result["image"]:
            image["tags"] = {at("tag key"): at("tag value")}
            image["creation_date"] = at("creation date")
            image["state"] = at("state")
    failed: TargetV1 = {**a_target("us-east-1", images=0), "status": "failed", "reason": at("target reason")}
    skipped: TargetV1 = {**failed, "region": "*", "status": "skipped", "account_name": at("account name")}
    audited: TargetV1 = {
        **a_target(),
        "account_name": at("account name"),
        "recycle_bin": a_bin(at("binned name")),
    }
    return a_report(results, [audited, failed, skipped])


FIELDS = (
    "image name",
    "tag key",
    "tag value",
    "account name",
    "reason",
    "exception's reason",
    "grantee",
    "message",
    "target reason",
    "creation date",
    "state",
    *sorted(EVIDENCE),
    "binned name",
)


ALONE = ("empty", "spaces", "long", "long and hostile")
"""What may leave no place for the text of another field."""
TOGETHER = [name for name in HOSTILE if name not in ALONE]


def rendered(name: str, texts: Mapping[str, str]) -> Reading:
    one = FORMATS[name]
    stream = io.StringIO()
    one.render(planted(texts), ALL, stream)
    # What a stream to a file does with characters that UTF-8 has not: there are none.
    return one.read(stream.getvalue().encode("utf-8").decode("utf-8"))


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_text_and_nothing_else(name: str) -> None:
    """Each report has another hostile text in every field, until each text has been in each."""
    benign = rendered(name, {}).shape
    flaws: list[object] = []
    for turn in range(len(TOGETHER)):
        planned = {field: TOGETHER[(turn + number) % len(TOGETHER)] for number, field in enumerate(FIELDS)}
        reading = rendered(name, {field: HOSTILE[one] for field, one in planned.items()})
        if reading.shape != benign:
            flaws.append(planned)
        flaws += [(field, one) for field, one in planned.items() if not is_shown(reading, name, field, HOSTILE[one])]
    assert flaws == []


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_and_very_much_are_text_too(name: str, field: str) -> None:
    benign = rendered(name, {}).shape
    for one in ALONE:
        text = HOSTILE[one]
        reading = rendered(name, {field: text})
        # Without a text there is no place for it in some formats.
        assert not text or reading.shape == benign, one
        assert is_shown(reading, name, field, text), one


def is_shown(reading: Reading, name: str, field: str, text: str) -> bool:
    """Whether a text is shown where the format shows it."""
    begins = " ".join(as_shown(name, field, printable(text))[:SURE].split())
    shown = any(begins in " ".join(one.split()) for one in reading.texts)
    return shown or field not in FORMATS[name].fields


def as_shown(name: str, field: str, text: str) -> str:
    """What a format changes besides: see `docs/report-formats.md`."""
    match name:
        # A justification or a property is no message: there are neither links nor placeholders in it.
        case "sarif" if field in EVERYWHERE:
            return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")
        case "text" | "conformity" if field == "grantee":
            return text.replace(",", r"\x2c")
        case _:
            return text
