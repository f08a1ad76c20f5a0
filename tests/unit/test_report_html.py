"""The HTML report as a document: what it says, what it holds back, and what cannot get into it."""

import base64
import hashlib
import io
import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import cast

import jsonschema
import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.errors import InputError
from amiguard.core.exception import (
    AnyGrantee,
    ImageException,
    ImageSelector,
    TagSelector,
    parse_accepted_grantee,
    parse_tag_selector,
)
from amiguard.core.grantee import Account, Everyone
from amiguard.core.result import CheckResult, Status, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy, parse_trustee
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.html import render_html
from amiguard.report.html import survey as survey_module
from amiguard.report.html.commands import reading_commands, removal_commands
from amiguard.report.html.picture import Picture, draw
from amiguard.report.html.survey import survey
from amiguard.report.html.words import cut, moment
from amiguard.report.interface import ALL, Renderer, Report, StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1, result_v1
from amiguard.report.jsonl import render_jsonl
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.sanitize import printable
from amiguard.report.saved_report import open_saved_report
from amiguard.report.spool import Spool
from tests.unit.test_report_samples import (
    CAPE_TOWN,
    CROWD,
    FRANKFURT,
    HEADER,
    OUTCOME,
    PARTNER,
    RESULTS,
    STAGING,
    STRANGER,
    UNIT,
    image,
    judged,
    sample_report,
)

HOSTILE_NAMES = (
    "</script><script>window.owned=1</script>",
    "<img src=x onerror=window.owned=1>",
    "\"><b onmouseover='window.owned=1'>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;not a tag&gt; &amp;",
    "\u202egnp.exe\u2066",
    "zero\u200bwidth\ufeff",
    "null\x00byte\x1b[31m\x07",
    "\ud800 alone",
    "a\r\nb\tc",
    "x" * 10_240,
    "\u05d0\u05d1\u05d2 right to left",
    "",
)
POLICY = TrustPolicy(
    (
        TrustEntry(TrustedAccount("222233334444"), name="Staging", reason="golden images"),
        TrustEntry(TrustedAccount("333344445555"), name="Contractor", expires=date(2026, 6, 14)),
        TrustEntry(TrustedOrganization("o-partner1234", "999988887777"), expires=date(2026, 7, 15)),
        TrustEntry(TrustedUnit(None, "ou-root-bbbbbbbb"), expires=date(2026, 6, 15)),
        TrustEntry(TrustedOrganization(None), expires=date(2027, 1, 1)),
    )
)
EXCEPTIONS = (
    ImageException(
        images=ImageSelector(
            names=("market-*", "shop-*"), tags=(TagSelector("Purpose", "public"), TagSelector(None, "x"))
        ),
        grantees=(Everyone(), TrustedAccount("777788889999")),
        reason="marketplace image",
        owner="platform@example.com",
        expires=date(2027, 6, 30),
    ),
    ImageException(
        images=ImageSelector(ids=("ami-00000000000000001",), accounts=("111122223333",), regions=("eu-west-1",)),
        grantees=AnyGrantee(),
        reason="a training",
        owner="academy@example.com",
    ),
)


def html_of(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    render_html(report, shown, stream)
    return stream.getvalue()


def page_of(text: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(text)


def sample_page(shown: StatusFilter = ALL) -> lxml.html.HtmlElement:
    with sample_report() as report:
        return page_of(html_of(report, shown))


def text_of(page: lxml.html.HtmlElement, selector: str) -> str:
    """The words of what an XPath finds, with single spaces."""
    return " ".join(" ".join(str(one.text_content()) for one in page.xpath(selector)).split())


def estate(results: Sequence[CheckResult]) -> Spool:
    spool = Spool()
    for result in results:
        spool.add(result)
    for target, images in Counter(result.target for result in results).items():
        spool.finish(TargetReport(target, TargetStatus.AUDITED, images=images))
    return spool


def drawn(results: Sequence[CheckResult]) -> Picture | None:
    with estate(results) as spool:
        report = spool.report(HEADER, OUTCOME)
        return draw(report, survey(report, ALL), {}, {})


def granted(kind: str, grantee: str, decision: str) -> GrantV1:
    return {"kind": kind, "grantee": grantee, "decision": decision, "reason": ""}  # type: ignore[typeddict-item]


def removed(command: str) -> object:
    """What a command removes, as a shell and the AWS CLI read it."""
    words = shlex.split(command)
    assert words[:3] == ["aws", "ec2", "modify-image-attribute"]
    assert words[3::2] == ["--region", "--image-id", "--launch-permission"]
    return json.loads(words[-1])


def test_the_verdict_and_the_counts_come_first() -> None:
    page = sample_page()
    assert text_of(page, "//h1") == (
        "Untrusted sharing found 4 of 12 images can be launched by grantees that are not trusted: "
        "everyone (1 image), 1,001 accounts, 1 organization."
    )
    assert [text_of(tile, ".") for tile in page.xpath("//li[contains(@class, 'tile')]")] == [
        "1 Fail: public everyone may launch it",
        "3 Fail: shared with a grantee that is not trusted",
        "3 Unknown not read, or not decided",
        "1 Suppressed accepted by an exception",
        "4 Pass trusted grantees only, or not shared",
    ]
    assert "2026-06-15 08:30 to 2026-06-15 08:31 UTC" in text_of(page, "//section[1]")


def test_a_clean_audit_says_so() -> None:
    with estate([judged(image(FRANKFURT, 1, "base"))]) as spool:
        page = page_of(html_of(spool.report(HEADER, replace(OUTCOME, complete=True))))
    assert text_of(page, "//h1").startswith("No untrusted sharing No image can be launched")
    assert text_of(page, "//section[@id='picture']") == "Who can launch what No image is shared with anybody."
    assert "Everything that was asked for was read" in text_of(page, "//section[@id='unseen']")


def test_an_empty_audit_that_was_cut_is_not_clean() -> None:
    with Spool() as spool:
        page = page_of(html_of(spool.report(HEADER, OUTCOME)))
    assert text_of(page, "//h1").startswith("Incomplete No untrusted sharing was found, but not everything")
    assert not page.xpath("//table[@id='table']")


def test_the_policy_of_content_allows_the_own_style_and_script_only() -> None:
    with sample_report() as report:
        text = html_of(report)
    page = page_of(text)
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    for tag, number in (("style", 1), ("script", 2)):
        own = [part.split(f"</{tag}>")[0] for part in text.split(f"<{tag}>")[1:]]
        digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in own]
        assert directives[f"{tag}-src"] == " ".join(f"'sha256-{digest}'" for digest in digests)
        assert len(digests) == number
    assert directives["default-src"] == "'none'"
    assert set(directives) == {"default-src", "style-src", "script-src", "img-src", "base-uri", "form-action"}


def test_nothing_is_inline_and_nothing_is_loaded() -> None:
    page = sample_page()
    assert page.xpath("//@style") == []
    assert page.xpath("//@*[starts-with(name(), 'on')]") == []
    assert page.xpath("//@src") == []
    assert {link.split("/")[2] for link in page.xpath("//a/@href") if not link.startswith("#")} == {
        "docs.aws.amazon.com"
    }
    assert page.xpath("//link/@href") == ["data:,"]


def test_every_reference_within_the_page_leads_somewhere() -> None:
    page = sample_page()
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    wanted = [link[1:] for link in page.xpath("//a/@href") if link.startswith("#")]
    wanted += [one for names in page.xpath("//@aria-controls | //@aria-labelledby") for one in names.split()]
    assert set(wanted) <= set(ids)


def test_rows_are_in_order_the_worst_first() -> None:
    levels = sample_page().xpath("//tbody[contains(@class, 'image')]/@data-level")
    assert levels == ["public"] + ["fail"] * 3 + ["unknown"] * 3 + ["suppressed"] + ["pass"] * 4


def test_filters_change_the_table_and_no_count() -> None:
    page = sample_page(StatusFilter.of([Status.SUPPRESSED]))
    assert page.xpath("//tbody[contains(@class, 'image')]/@data-level") == ["suppressed"]
    assert text_of(page, "//h1") == text_of(sample_page(), "//h1")
    assert "Not all results are shown" in text_of(page, "//section[@id='images']")


def test_a_table_that_would_be_too_long_holds_the_worst_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_module, "MOST_ROWS", 3)
    monkeypatch.setattr("amiguard.report.html.render.MOST_ROWS", 3)
    page = sample_page()
    assert page.xpath("//tbody[contains(@class, 'image')]/@data-level") == ["public", "fail", "fail"]
    said = text_of(page, "//p[@class='warn']")
    assert said.startswith("The table holds the 3 worst of 12 images.")
    assert "--format csv" in said


@given(st.lists(st.sampled_from(["public", "fail", "unknown", "suppressed", "pass"]), max_size=30), st.integers(1, 8))
def test_the_worst_are_kept_in_their_order(levels: list[survey_module.Level], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey_module, "MOST_ROWS", most)
        found = survey_module.Survey()
        for number, level in enumerate(levels):
            found.keep(level, json.dumps([level, number, "x" * (5_000 if number % 2 else 1)]))
        # The lines of this test are no results: what matters is which come back.
        kept = [list(cast("list[object]", one))[:2] for one in found.worst()]
    ranked = sorted(enumerate(levels), key=lambda one: (survey_module.LEVELS.index(one[1]), one[0]))
    assert kept == [[level, number] for number, level in ranked[:most]]
    assert found.rows == len(levels)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_texts_are_texts_everywhere(name: str) -> None:
    target = Target("111122223333", "eu-central-1", "aws")
    with estate([judged(image(target, 1, name, tags=((name, name),)), STRANGER)]) as spool:
        policy = TrustPolicy((TrustEntry(TrustedAccount("222233334444"), name=name, reason=name),))
        header = replace(HEADER, caller_arn=name, trust_policy=trust_policy_v1(policy, ()))
        text = html_of(spool.report(header, OUTCOME, {"111122223333": name}))
    assert text.isprintable() or set(text) - {"\n"} <= {char for char in text if char.isprintable()}
    page = page_of(text)
    assert page.xpath("//main//*[self::script or self::img or self::b]") == []
    assert len(page.xpath("//script")) == 2
    if len(name) > 120:
        assert page.xpath("string(//bdi[@class='long'])") == printable(name)
    if name:
        assert page.xpath("//tbody[contains(@class, 'image')]//th/@title") == [printable(name)]


def test_the_commands_of_an_image_remove_its_untrusted_grantees_and_no_others() -> None:
    result = result_v1(judged(image(FRANKFURT, 5, "x"), Everyone(), STRANGER, STAGING, UNIT))
    (command,) = removal_commands(result)
    assert command == (
        "aws ec2 modify-image-attribute --region eu-central-1 --image-id ami-00000000000000005 --launch-permission "
        '\'{"Remove":[{"Group":"all"},{"UserId":"999988887777"}]}\''
    )
    (reading,) = reading_commands(result)
    assert reading.endswith("--image-id ami-00000000000000005 --attribute launchPermission")


@pytest.mark.parametrize("decision", ["trusted", "excepted", "undetermined"])
def test_there_is_no_command_for_what_is_not_untrusted(decision: str) -> None:
    result = result_v1(judged(image(FRANKFURT, 5, "x"), STRANGER))
    assert removal_commands({**result, "grants": [granted("account", "999988887777", decision)]}) == ()


def test_organizations_and_units_are_removed_by_their_arns() -> None:
    result = result_v1(judged(image(FRANKFURT, 5, "x"), STRANGER))
    grants = [granted("organization", "arn:o", "untrusted"), granted("organizational_unit", "arn:u", "untrusted")]
    (command,) = removal_commands({**result, "grants": grants})
    assert removed(command) == {"Remove": [{"OrganizationArn": "arn:o"}, {"OrganizationalUnitArn": "arn:u"}]}


@given(st.text(st.characters(), min_size=1, max_size=30))
def test_whatever_a_grantee_is_called_a_shell_reads_it_as_it_is(grantee: str) -> None:
    result = result_v1(judged(image(FRANKFURT, 5, "x"), STRANGER))
    (command,) = removal_commands({**result, "grants": [granted("account", grantee, "untrusted")]})
    assert command.isprintable()
    assert command.isascii()
    assert removed(command) == {"Remove": [{"UserId": grantee}]}


def test_a_thousand_grantees_are_removed_by_several_calls_and_shown_in_part() -> None:
    result = result_v1(judged(image(FRANKFURT, 16, "crowd"), *CROWD))
    parts = [removed(command) for command in removal_commands(result)]
    assert [len(part["Remove"]) for part in parts] == [500, 500]  # type: ignore[index]
    page = sample_page()
    (details,) = page.xpath("//tbody[contains(., 'crowd')]//table[@class='grants']")
    assert "and 900 more" in text_of(details, ".")


def test_what_is_unknown_has_no_command_that_changes_anything() -> None:
    for row in sample_page().xpath("//tbody[@data-level='unknown' or @data-level='pass' or @data-level='suppressed']"):
        assert "modify-image-attribute" not in row.text_content()


def test_what_was_not_seen_is_told_with_its_reason() -> None:
    said = text_of(sample_page(), "//section[@id='unseen']")
    assert "Of 1 image the launch permission could not be read." in said
    assert "Of 2 images a grantee could not be decided." in said
    assert "failed The images could not be listed: not permitted: ec2:DescribeImages" in said
    assert "skipped the region is not enabled in this account 111122223333: af-south-1, ap-east-1" in said


def test_many_accounts_that_were_not_seen_for_one_reason_are_cut_with_a_count() -> None:
    with Spool() as spool:
        for number in range(40):
            target = Target(f"{number:012d}", "eu-west-1", "aws")
            spool.finish(TargetReport(target, TargetStatus.SKIPPED, "the account is suspended"))
        said = text_of(page_of(html_of(spool.report(HEADER, OUTCOME))), "//section[@id='unseen']")
    assert said.count("eu-west-1") == 12
    assert "and 28 more accounts" in said


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


def test_few_images_are_drawn_one_by_one() -> None:
    picture = drawn(RESULTS)
    assert picture is not None
    assert picture.by_image
    assert [node.label for node in picture.right][:2] == ["golden-2026.05", "crowd"]
    assert picture.left[0].label == "Everyone"
    assert picture.left[0].detail == "untrusted for 1 image, excepted for 1"
    assert sum(node.label.startswith("and ") for node in picture.left) == 1
    (rest,) = (node for node in picture.left if node.label.startswith("and "))
    untrusted = [node for node in picture.left if node.style == "untrusted"]
    assert len(untrusted) - 1 + int(rest.label.split()[1].replace(",", "")) == 1 + 1001 + 1
    assert picture.styles == ("untrusted", "undetermined", "excepted", "trusted")


def test_many_images_are_drawn_by_account_and_region() -> None:
    results = [
        judged(image(Target(f"{account:012d}", "eu-west-1", "aws"), number, "x"), *CROWD[number : number + 2], STAGING)
        for account in range(30)
        for number in range(5)
    ]
    picture = drawn(results)
    assert picture is not None
    assert not picture.by_image
    assert picture.right[-1].label == "and 16 more places"
    assert sum(node.number for node in picture.right) == len(results)
    # Every image is reached from the one trusted account, through whichever entry it stands in.
    assert {link.right for link in picture.links if link.style == "trusted"} == set(range(len(picture.right)))
    assert len(picture.left) <= 20


def test_one_more_image_than_can_be_drawn_changes_the_side() -> None:
    most = survey_module.MOST_IMAGES_DRAWN
    for number, by_image in ((most, True), (most + 1, False)):
        picture = drawn([judged(image(FRANKFURT, one, "x"), PARTNER) for one in range(number)])
        assert picture is not None
        assert picture.by_image is by_image


@given(st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=6), min_size=1, max_size=40))
def test_no_grant_is_missing_from_the_picture(shares: list[list[int]]) -> None:
    picture = drawn(
        [
            judged(
                image(Target(f"{number % 20:012d}", "eu-west-1", "aws"), number, "x"),
                *(Account(f"{one:012d}") for one in share),
            )
            for number, share in enumerate(shares)
        ]
    )
    assert picture is not None
    assert {link.right for link in picture.links} == set(range(len(picture.right)))
    assert {link.left for link in picture.links} == set(range(len(picture.left)))
    labels = Counter(node.label for node in picture.left)
    assert max(labels.values()) == 1


def test_the_picture_is_told_in_words_too() -> None:
    page = sample_page()
    assert page.xpath("//svg[@role='img']/@aria-labelledby") == ["who-title who-text"]
    words = text_of(page, "//details[@class='astable']")
    assert "Everyone untrusted for 1 image, excepted for 1untrusted2" in words


def test_accounts_and_regions_are_counted_and_cut() -> None:
    results = [
        judged(image(Target(f"{n:012d}", "eu-west-1", "aws"), n, "x"), *([STRANGER] if n == 39 else []))
        for n in range(40)
    ]
    with estate(results) as spool:
        page = page_of(html_of(spool.report(HEADER, OUTCOME, {f"{39:012d}": "The last"})))
    accounts, regions = page.xpath("//table[contains(@class, 'places')]")
    rows = [text_of(row, ".") for row in accounts.xpath("tbody/tr")]
    assert rows[0].startswith("The last 000000000039")
    assert len(rows) == 31
    assert rows[-1].startswith("and 10 more")
    assert [text_of(cell, ".") for cell in regions.xpath("tbody/tr/*")] == ["eu-west-1", "40", "0", "1", "0", "0", "39"]


@pytest.mark.parametrize(
    ("text", "cells", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab\u2026"),
        ("\u65e5\u672c\u8a9e", 4, "\u65e5\u2026"),
        ("\x00" * 9, 5, "\\x00\u2026"),
    ],
)
def test_texts_are_cut_by_what_is_seen(text: str, cells: int, short: str) -> None:
    assert cut(text, cells) == short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-05-06T10:00:59.000Z", "2026-05-06 10:00"),
        ("2026-05-06T10:00:00+02:00", "2026-05-06 08:00"),
        ("", ""),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("<script>", "<script>"),
    ],
)
def test_times_are_in_utc_and_other_texts_are_left(text: str, shown: str) -> None:
    assert moment(text) == shown


def test_a_switch_that_is_off_stands_with_its_places() -> None:
    from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
    from amiguard.core.checks import ami_block_public_access

    state = BlockPublicAccessState(BlockPublicAccess.UNBLOCKED, "account")
    with estate([ami_block_public_access.evaluate(CAPE_TOWN, state)]) as spool:
        said = text_of(page_of(html_of(spool.report(HEADER, OUTCOME))), "//section[@id='places']")
    assert "fail Images can be made public" in said
    assert "111122223333: af-south-1" in said


def test_a_result_without_image_is_no_row() -> None:
    with sample_report() as report:
        found = survey(report, ALL)
    assert found.rows == found.levels.total() == 12
    assert all(one["image"] is not None for one in found.worst())


def test_commands_of_a_result_without_image_are_none() -> None:
    result: ResultV1 = {**result_v1(judged(image(FRANKFURT, 5, "x"), STRANGER)), "image": None}
    assert removal_commands(result) == ()
    assert reading_commands(result) == ()


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
