"""The HTML report as a document: what it says, what it holds back, and what cannot get into it."""

import base64
import hashlib
import json
import shlex
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.grantee import Everyone
from amiguard.core.result import Status, Target, TargetReport, TargetStatus
from amiguard.core.trust import TrustedAccount, TrustEntry, TrustPolicy
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.html import survey as survey_module
from amiguard.report.html.commands import reading_commands, removal_commands
from amiguard.report.html.survey import survey
from amiguard.report.interface import ALL, StatusFilter
from amiguard.report.json_v1 import ResultV1, result_v1
from amiguard.report.policy_v1 import trust_policy_v1
from amiguard.report.sanitize import printable
from amiguard.report.spool import Spool
from tests.unit.html_pages import HOSTILE_NAMES, estate, html_of, page_of, sample_page, text_of
from tests.unit.report_samples import (
    CAPE_TOWN,
    CROWD,
    FRANKFURT,
    HEADER,
    OUTCOME,
    STAGING,
    STRANGER,
    UNIT,
    image,
    judged,
    sample_report,
)


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
