"""The trust policy in the HTML report and in saved reports: what lapsed, what will, and how it is read back."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from amiguard.core.errors import InputError
from amiguard.core.exception import (
    parse_accepted_grantee,
    parse_tag_selector,
)
from amiguard.core.trust import parse_trustee
from amiguard.report.interface import ALL, Renderer
from amiguard.report.json_document import render_json
from amiguard.report.jsonl import render_jsonl
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.saved_report import open_saved_report
from amiguard.report.spool import Spool
from tests.unit.html_pages import EXCEPTIONS, POLICY, html_of, page_of, sample_page, text_of
from tests.unit.report_samples import (
    HEADER,
    OUTCOME,
    sample_report,
)


def test_the_policy_shows_what_lapsed_and_what_soon_will() -> None:
    with Spool() as spool:
        header = replace(HEADER, trust_policy=trust_policy_v1(POLICY, EXCEPTIONS))
        page = page_of(html_of(spool.report(header, OUTCOME)))
    assert (
        "As of 2026-06-15. 5 entries and 2 exceptions. Of these, 1 has lapsed and no longer counts and 2 end"
        in text_of(page, "//section[@id='policy']")
    )
    rows = page.xpath("//table[contains(@class, 'entries')]/tbody/tr")
    assert [text_of(row, ".") for row in rows] == [
        "333344445555Contractorlapsed after 2026-06-14",
        "ou-root-bbbbbbbbuntil 2026-06-15, its last day",
        "arn:aws:organizations::999988887777:organization/o-partner1234until 2026-07-15, 30 days left",
        "ownuntil 2027-01-01",
        "222233334444Staginggolden imagesno end",
    ]
    exceptions = text_of(page, "//table[contains(@class, 'exceptions')]")
    assert "name market-* or shop-*and tag Purpose=public or =x" in exceptions
    assert "id ami-00000000000000001and account 111122223333and region eu-west-1 any" in exceptions


def test_a_report_without_its_policy_is_written_without_that_part() -> None:
    page = sample_page()
    assert page.xpath("//section[@id='policy']") == []
    assert page.xpath("//a[@href='#policy']") == []


def test_the_policy_in_words_reads_back_as_the_policy() -> None:
    copied = trust_policy_v1(POLICY, EXCEPTIONS)
    assert [parse_trustee(one["id"]) for one in copied["entries"]] == [one.trustee for one in POLICY.entries]
    assert copied["entries"][0] == {"id": "222233334444", "name": "Staging", "reason": "golden images"}
    assert copied["entries"][1]["expires"] == "2026-06-14"
    market, training = copied["exceptions"]
    assert market["images"] == {"names": ["market-*", "shop-*"], "tags": ["Purpose=public", "=x"]}
    assert [parse_tag_selector(one) for one in market["images"]["tags"]] == list(EXCEPTIONS[0].images.tags)
    assert isinstance(market["grantees"], list)
    assert isinstance(EXCEPTIONS[0].grantees, tuple)
    assert [parse_accepted_grantee(one) for one in market["grantees"]] == list(EXCEPTIONS[0].grantees)
    assert training["grantees"] == "any"
    assert "expires" not in training
    assert set(training["images"]) == {"ids", "accounts", "regions"}


@pytest.mark.parametrize("render", [render_json, render_jsonl])
def test_a_saved_report_holds_the_policy_as_the_schema_has_it(tmp_path: Path, render: Renderer) -> None:
    policy = trust_policy_v1(POLICY, EXCEPTIONS)
    path = tmp_path / "report"
    with Spool() as spool, path.open("w") as stream:
        render(spool.report(replace(HEADER, trust_policy=policy), OUTCOME), ALL, stream)
    assert open_saved_report(path).audit["trust_policy"] == policy
    schema = json.loads(files("amiguard.report").joinpath("report_v1.schema.json").read_text())
    part = {"$ref": "#/$defs/trust_policy", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(part).validate(policy)
    text = path.read_text()
    document = json.loads(text.splitlines()[0] if render is render_jsonl else text)
    assert document["audit"]["trust_policy"] == policy


def test_a_report_without_policy_has_no_such_key() -> None:
    with sample_report() as report:
        assert "trust_policy" not in report.audit


@pytest.mark.parametrize("grantees", ["none", 5, ["a", 5], None])
def test_a_saved_policy_that_is_none_is_refused(tmp_path: Path, grantees: object) -> None:
    policy = trust_policy_v1(POLICY, EXCEPTIONS)
    path = tmp_path / "report.json"
    with Spool() as spool, path.open("w") as stream:
        render_json(spool.report(replace(HEADER, trust_policy=policy), OUTCOME), ALL, stream)
    document = json.loads(path.read_text())
    document["audit"]["trust_policy"]["exceptions"][0]["grantees"] = grantees
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"audit\.trust_policy\.exceptions\[0\]\.grantees"):
        open_saved_report(path)


def test_an_expiry_that_is_no_date_is_shown_as_it_is() -> None:
    policy = trust_policy_v1(POLICY, ())
    policy["entries"][0]["expires"] = "<b>some day</b>"
    with Spool() as spool:
        page = page_of(html_of(spool.report(replace(HEADER, trust_policy=policy), OUTCOME)))
    assert "<b>some day</b>" in text_of(page, "//section[@id='policy']")
