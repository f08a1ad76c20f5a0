"""The formats of a review: whole outputs, and texts of others that stay texts."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from amiguard.core.directory import MemberAccount
from amiguard.core.grantee import Account
from amiguard.core.review import Review
from amiguard.report.review_json import render_review_json
from amiguard.report.review_markdown import render_review_markdown
from amiguard.report.review_table import render_review
from amiguard.report.review_words import ReviewContext
from amiguard.report.sanitize import printable
from tests.unit.hostile_strings import HOSTILE
from tests.unit.review_samples import FRIEND, MEMBER, TODAY, directory, entry, known, placed, result, reviewed

CONTEXT = ReviewContext(settings="amiguard.yaml", today=TODAY, within=timedelta(days=30), directory=directory())
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def sample(name: str = "Staging", place: str | None = None) -> Review:
    lapsed = TODAY - timedelta(days=1)
    policy = placed(entry(FRIEND, name=name, expires=lapsed), entry("own", name=None, reason=None))
    if place is not None:
        policy = type(policy)(policy.policy, (place, place))
    members = directory(MemberAccount(FRIEND, f"{name}x", "ACTIVE"))
    return reviewed(policy, known(members), [result(1, Account(FRIEND), Account(MEMBER))])


def table(review: Review) -> str:
    stream = io.StringIO()
    render_review(review, CONTEXT, stream)
    return stream.getvalue()


def markdown(review: Review) -> str:
    stream = io.StringIO()
    render_review_markdown(review, CONTEXT, stream)
    return stream.getvalue()


def document(review: Review) -> dict[str, object]:
    stream = io.StringIO()
    render_review_json(review, CONTEXT, stream)
    assert stream.getvalue().isascii()
    return dict(json.loads(stream.getvalue()))


def test_the_table_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert table(sample()) == (
        "2 entries and 0 exceptions reviewed: 1 problem, 1 warning, 0 for your information.\n"
        "settings  amiguard.yaml, as of 2026-09-15\n"
        "directory o-abcdefghij, 3 accounts, read 2026-09-14T00:00:00Z\n"
        "\n"
        "Problems\n"
        "  expired  222233334444  Staging\n"
        "      amiguard.yaml:1:1\n"
        "      expired after 2026-09-14 and trusts nobody, and the report has 1 grant for it.\n"
        "      mend: set a later `expires` there, or amiguard trust remove 222233334444\n"
        "\n"
        "Warnings\n"
        "  name-differs  222233334444  Staging\n"
        "      amiguard.yaml:1:1\n"
        "      is called Staging here, and Stagingx in the directory.\n"
        "      mend: set its `name` there, or check that the id is the one that was meant\n"
        "\n"
        "Entries\n"
        "    1 grant, expired  222233334444    Staging\n"
        # The grant to the member, and that to the account whose own entry has lapsed.
        "            2 grants  own\n"
    )


def test_json_as_a_whole() -> None:
    found = document(sample())
    tool = found.pop("tool")
    assert isinstance(tool, dict)
    assert tool["name"] == "amiguard"
    findings = found.pop("findings")
    assert isinstance(findings, list)
    assert [one["kind"] for one in findings] == ["expired", "name-differs"]
    assert findings[1] == {
        "kind": "name-differs",
        "severity": "warning",
        "subject": FRIEND,
        "name": "Staging",
        "place": "amiguard.yaml:1:1",
        "message": "is called Staging here, and Stagingx in the directory",
        "mend": "set its `name` there, or check that the id is the one that was meant",
    }
    entry_found = {"place": "amiguard.yaml:1:1", "expires": "2026-09-14", "in_force": False, "uses": 1, "may_use": 0}
    own = {"place": "amiguard.yaml:2:1", "expires": None, "in_force": True, "uses": 2, "may_use": 0}
    assert found == {
        "schema_version": "1",
        "type": "amiguard-trust-review",
        "settings": "amiguard.yaml",
        "today": "2026-09-15",
        "within_days": 30,
        "report": None,
        "directory": {"organization_id": "o-abcdefghij", "read_at": "2026-09-14T00:00:00Z", "source": "file"},
        "vendors": None,
        "summary": {"problem": 1, "warning": 1, "information": 0},
        "notes": [],
        "entries": [{"subject": FRIEND, "name": "Staging", **entry_found}, {"subject": "own", "name": None, **own}],
        "exceptions": [],
    }


@hostile
def test_no_text_of_others_breaks_the_table(text: str) -> None:
    lines = table(sample(text, place=text)).split("\n")
    assert all(line == printable(line) for line in lines)
    assert {"Problems", "Entries"} <= set(lines)


@hostile
def test_no_text_of_others_breaks_markdown(text: str) -> None:
    from markdown_it import MarkdownIt

    written = markdown(sample(text, place=text))
    assert all(line == printable(line) for line in written.split("\n"))
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(written)
    assert html.count("<table>") == 3
    assert "<img" not in html
    assert "<a " not in html
    assert "<script" not in html


@hostile
def test_json_gives_every_text_back(text: str) -> None:
    findings = document(sample(text, place=text))["findings"]
    assert isinstance(findings, list)
    assert {one["place"] for one in findings} == {text}


def test_markdown_stays_below_its_limit() -> None:
    policy = placed(*(entry(f"{number:012}", name="x" * 200, reason=None) for number in range(2_000, 400_000, 200)))
    written = markdown(reviewed(policy, known()))
    assert len(written.encode()) <= 60_000
    assert "more, not shown here" in written
    assert written.count("<details>") == written.count("</details>") == 1


def test_the_documented_words_are_those_of_the_format() -> None:
    from amiguard.report import review_json

    text = (Path(__file__).parents[2] / "docs" / "trust-review.md").read_text(encoding="utf-8")
    assert [word for word in vars(review_json)["_KINDS"].values() if f"| `{word}` |" not in text] == []
    found = document(sample())
    assert [key for key in found if f"`{key}`" not in text] == []
