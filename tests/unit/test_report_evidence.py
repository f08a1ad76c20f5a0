"""Evidence as people read it: who uses an image, who shared it, what its keys say, and what is not known."""

import csv
import io
import json
from typing import Any

import pytest

from amiguard.report.csv_table import render_csv
from amiguard.report.evidence_facts import EvidenceFacts
from amiguard.report.evidence_groups import evidence_groups
from amiguard.report.evidence_words import grant_words, image_words
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.markdown import render_markdown
from amiguard.report.sarif import render_sarif
from amiguard.report.table import render_table
from amiguard.report.tally import tally
from amiguard.report.text_lines import render_text
from tests.unit.evidence_reports import FOR_PEOPLE, FORMATS, USE, author, through_an_organization, words, written
from tests.unit.evidence_samples import (
    KEY,
    ORGANIZATION,
    OTHER,
    SNAPSHOTS,
    WHO,
    a_bin,
    all_evidence,
    of_snapshots,
    with_evidence,
    without,
)
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target


def told(result: ResultV1, grantee: str) -> list[str]:
    grant = next(one for one in result["grants"] if one["grantee"] == grantee)
    return list(grant_words(EvidenceFacts(result), grant))


@pytest.mark.parametrize("name", FORMATS)
def test_every_report_says_who_uses_the_image(name: str) -> None:
    said = words(name, with_evidence())
    if name == "csv":
        (row, other) = csv.DictReader(io.StringIO(written(render_csv, with_evidence())))
        assert (row["used_by"], row["in_use"]) == (STRANGER["grantee"], "15")
        assert (other["used_by"], other["in_use"]) == ("", "0")
    elif name == "ocsf":
        assert '"count":14' in said
    else:
        assert USE in said


@pytest.mark.parametrize("name", FORMATS)
def test_accounts_that_come_in_through_a_grant_to_many_are_named(name: str) -> None:
    said = words(name, through_an_organization())
    assert "777766665555" in said
    assert STRANGER["grantee"] in said


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_people_read_who_shared_it_and_what_the_key_says(name: str) -> None:
    said = words(name, with_evidence())
    assert WHO in said
    assert "192.0.2.7" in said
    assert "no statement and no grant names it" in said
    assert "does not admit" in said
    assert SNAPSHOTS[0] in said


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_what_could_not_be_had_is_said_once_with_its_count(name: str) -> None:
    some = [{**without("usage", "author"), "image": a_result(number)["image"]} for number in range(1, 4)]
    said = words(name, *some)  # type: ignore[arg-type]  # results with other images
    reason = "not permitted: the call for author (allow author)"
    # The page says it also in the details of each image.
    assert said.count(reason) == (4 if name == "html" else 1)
    assert "3 images" in said or name == "html"
    assert "2026-06-01" in said
    assert "not known by whom" in said


def test_the_reporting_lag_is_said_where_use_is_known() -> None:
    for name in ("table", "markdown", "html"):
        assert "up to 24 hours for instances, by some days for launch templates" in words(name, with_evidence())
        assert "24 hours" not in words(name, without("usage"))


@pytest.mark.parametrize("name", FORMATS)
def test_without_evidence_nothing_is_said_of_it(name: str) -> None:
    said = words(name, a_result()).lower()
    for word in ("evidence", "recycle", "usage report", "in use by", "cloudtrail", "enrichments", "snapshots shared"):
        assert word not in said, word


def test_the_sentences_about_a_grantee() -> None:
    assert told(with_evidence(), STRANGER["grantee"]) == [
        f"IN USE: {USE} (usage report of 2026-06-15 08:00 UTC)",
        f"shared on 2026-05-30 12:34 UTC from 192.0.2.7 (ModifyImageAttribute) by {WHO}",
        f"may use {SNAPSHOTS[0]}",
        f"the key admits it: grant 1 ({KEY})",
    ]
    assert told(with_evidence(), OTHER["grantee"]) == [
        "no use known (usage report of 2026-06-15 08:00 UTC)",
        "who shared it: no event in CloudTrail's 90 days names it",
        f"the key does not admit it: no statement and no grant names it ({KEY})",
    ]
    assert list(image_words(EvidenceFacts(with_evidence()))) == [
        "IN USE by accounts that no grant lets in any more: 777766665555: 2 instances"
    ]
    assert told(through_an_organization(), ORGANIZATION["grantee"])[0] == (
        "IN USE: launched by 999988887777: 14 instances, 1 launch template; 777766665555: 2 instances "
        "(through this grant or another) (usage report of 2026-06-15 08:00 UTC)"
    )


def test_of_two_grants_to_many_it_is_not_known_which_lets_an_account_in() -> None:
    everyone = {**ORGANIZATION, "kind": "everyone", "grantee": "all", "decision": "trusted"}
    result = {**through_an_organization(), "grants": [everyone, ORGANIZATION]}
    (said, *_) = told(result, ORGANIZATION["grantee"])  # type: ignore[arg-type]  # a result
    assert "(through this grant or another)" in said


def test_who_has_snapshots_only_is_named_if_it_is_not_trusted() -> None:
    result = with_evidence()
    trusted: GrantV1 = {**OTHER, "grantee": "444455556666", "decision": "trusted"}
    alone: GrantV1 = {**STRANGER, "grantee": "111100001111"}
    result["evidence"]["snapshots"] = [{"id": SNAPSHOTS[0], "status": "known", "grants": [alone, trusted]}]
    said = [one for one in image_words(EvidenceFacts(result)) if "may use" in one]
    assert said == [f"111100001111 may not launch it, and may use {SNAPSHOTS[0]}"]
    for name in ("sarif", "asff"):
        assert SNAPSHOTS[0] in words(name, result)

    wide: ResultV1 = {**result, "grants": [*result["grants"], ORGANIZATION]}
    said = [one for one in image_words(EvidenceFacts(wide)) if "may use" in one]
    assert said == [f"111100001111 has no grant of its own to launch it, and may use {SNAPSHOTS[0]}"]


@pytest.mark.parametrize(
    ("shared", "expected"), [(SNAPSHOTS[:1], "does_not_admit"), (SNAPSHOTS, None)], ids=["its key", "one without a key"]
)
def test_a_key_keeps_out_of_its_own_snapshots_only(shared: tuple[str, ...], expected: str | None) -> None:
    """A result about snapshots: whoever reads one that no key protects is not kept out, and nobody launches."""
    result: ResultV1 = {
        **with_evidence(),
        "check_id": "ami-snapshot-cross-account",
        "snapshots": [{"id": one, "status": "known", "grantees": [OTHER]} for one in shared],
    }
    keys = result["evidence"]["keys"]
    assert keys["status"] == "known"
    keys["keys"][0]["snapshots"] = [SNAPSHOTS[0]]
    facts = EvidenceFacts(result)
    found = facts.admitted(OTHER)
    assert (found.says["admission"] if found else None) == expected
    assert facts.usage is None
    assert "IN USE" not in " ".join((*image_words(facts), *grant_words(facts, OTHER)))


def test_why_it_is_not_known_who_shared_it() -> None:
    result = with_evidence()
    author(result).update(shares=[])
    assert "who shared it: older than CloudTrail's 90 days, or not in CloudTrail yet" in told(
        result, STRANGER["grantee"]
    )
    author(result).update(truncated=True)
    (said,) = (one for one in told(result, STRANGER["grantee"]) if one.startswith("who shared"))
    assert said.endswith("CloudTrail has more")
    session = {**author(with_evidence())["shares"][0], "name": "CopyImage", "principal": "", "session": "s"}
    author(result).update(origin=session, truncated=False)
    assert "who shared it: no event in CloudTrail's 90 days names it" in told(result, STRANGER["grantee"])
    made = (
        "made on 2026-05-30 12:34 UTC from 192.0.2.7 (CopyImage) by somebody whom CloudTrail does not name (session s)"
    )
    assert made in image_words(EvidenceFacts(result))


def test_keys_that_are_aws_own_or_in_another_state_and_snapshots_without_one() -> None:
    result = with_evidence()
    keys: dict[str, Any] = result["evidence"]["keys"]  # type: ignore[assignment]  # one that is known
    keys["unencrypted"] = ["snap-9"]
    keys["keys"][0].update(manager="AWS", state="PendingDeletion")
    said = list(image_words(EvidenceFacts(result)))
    assert not [one for one in said if "snap-9" in one]
    assert "No key protects snap-9." in words("html", result)
    assert f"{', '.join(SNAPSHOTS)}: the key {KEY} is AWS's own, which cannot be shared" in said
    assert f"{', '.join(SNAPSHOTS)}: the key {KEY} is in the state PendingDeletion" in said


def test_of_several_keys_the_one_that_does_not_admit_decides() -> None:
    result = with_evidence()
    keys: Any = result["evidence"]["keys"]
    stranger = keys["keys"][0]["admissions"][0]
    for number, says in enumerate(("undetermined", "does_not_admit", "admits")):
        keys["keys"].append(
            {**keys["keys"][0], "arn": f"key-{number}", "admissions": [{**stranger, "admission": says}]}
        )
    admitted = EvidenceFacts(result).admitted(STRANGER)
    assert admitted is not None
    assert (admitted.key["arn"], admitted.says["admission"]) == ("key-1", "does_not_admit")


def test_a_thousand_grantees_are_told_in_part_and_those_that_use_it_first() -> None:
    crowd = [{**STRANGER, "grantee": f"{number:012d}"} for number in range(1000)]
    result: Any = {**a_result(1, grants=crowd), "evidence": all_evidence()}  # type: ignore[arg-type]  # grants
    entries = result["evidence"]["usage"]["entries"]
    entries.extend(
        {"account_id": f"{number:012d}", "resource_type": "ec2:Instance", "count": 1} for number in range(900, 1000)
    )
    chosen, more = EvidenceFacts(result).worst(8)
    assert [one["grantee"] for one in chosen] == [f"{number:012d}" for number in range(900, 908)]
    assert more == 992
    said = words("table", result)
    assert "000000000900, 000000000901 and 98 more accounts: IN USE: 1 instance (usage report" in said
    assert "000000000000, 000000000001 and 898 more accounts: no use known" in said
    assert len(json.dumps(json.loads(written(render_sarif, result)))) < 20_000
    assert len(written(render_markdown, result).encode()) < 10_000


def crowd_of(number: int) -> Any:
    """An image that so many accounts may launch, each of which uses it in its own way but for the last two."""
    crowd: Any = [{**STRANGER, "grantee": f"{one:012d}"} for one in range(number)]
    result: Any = {**a_result(1, grants=crowd), "evidence": all_evidence()}
    result["evidence"]["usage"]["entries"] = [
        {"account_id": one["grantee"], "resource_type": "ec2:Instance", "count": 1 + place}
        for place, one in enumerate(crowd[:-2])
    ]
    return result


def test_grantees_of_which_the_same_is_known_share_an_entry_and_use_comes_first() -> None:
    groups = evidence_groups(EvidenceFacts(crowd_of(5)))
    assert [[one["grantee"][-1] for one in group.grants] for group in groups] == [["2"], ["1"], ["0"], ["3", "4"]]
    assert [group.in_use for group in groups] == [True, True, True, False]
    assert "and 6 more, of which 4 use it" in words("table", crowd_of(14))
    assert "and 2 more" in [line.strip() for line in written(render_table, crowd_of(10)).splitlines()]
    (last,) = [line for line in written(render_text, crowd_of(5)).splitlines() if "no use known" in line]
    assert last.split("\t")[6] == "000000000003,000000000004"
    assert "000000000002, 000000000003: no use known" in words("markdown", crowd_of(4))


def test_a_key_says_the_same_of_grantees_that_it_names() -> None:
    """As the evaluator does, where nothing admits them."""
    result = with_evidence()
    keys: Any = result["evidence"]["keys"]
    result["evidence"] = {"keys": keys}
    for one in keys["keys"][0]["admissions"]:
        one.update(admission="does_not_admit", reason=f"no grant gives {one['grantee']} any of kms:Decrypt")
    (group,) = evidence_groups(EvidenceFacts(result))
    assert group.words == (f"the key does not admit it: no grant gives it any of kms:Decrypt ({KEY})",)
    assert len(group.grants) == 2
    # Part of something longer, it is no pronoun.
    keys["keys"][0]["admissions"][0]["reason"] = f"arn:aws:iam::{STRANGER['grantee']}:root is not named"
    assert f"::{STRANGER['grantee']}:root is not named" in told(result, STRANGER["grantee"])[0]


@pytest.mark.parametrize("width", [100, 200])
def test_row_heads_and_facts_of_the_table_stand_below_each_other(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    both: Any = {**through_an_organization(), "grants": [ORGANIZATION, STRANGER]}
    lines = written(render_table, both).splitlines()
    head = lines.index(f"      {ORGANIZATION['grantee']}:")
    assert lines[head + 1].startswith(f"{' ' * 20}IN USE: launched by")
    (own,) = [line for line in lines if line.startswith(f"      {STRANGER['grantee']}  ")]
    assert own[20:].startswith("IN USE: 14 instances")


def test_what_is_not_the_case_is_counted_and_not_listed() -> None:
    bare = with_evidence(2)
    keys: Any = bare["evidence"]["keys"]
    keys.update(unencrypted=["snap-9"], keys=[])
    bare["evidence"]["snapshots"] = [{"id": "snap-9", "status": "known", "grants": []}]
    for name in FOR_PEOPLE:
        said = words(name, with_evidence(1), bare)
        assert "Shared with grantees that are not trusted under 1 of 2 images." in said
        assert (
            "Under 1 of 2 images there are snapshots that no key protects. A key keeps out 1 grantee (1 image)." in said
        )
        assert "snap-9" not in said or name == "html"
        assert "No grantee is kept out by a key." in words(name, bare)
        assert "kept out" not in words(name, without("keys"))


def test_the_counts_of_a_whole_report() -> None:
    some = [with_evidence(1), of_snapshots(1), without("usage"), a_result(9), a_result(8, "pass", grants=[])]
    some[2]["image"] = a_result(7)["image"]
    found = tally(a_report(some)).evidence
    assert (found.images, found.usage_reports, found.in_use, found.users) == (2, 1, 1, {STRANGER["grantee"]})
    assert found.missing["snapshots", "EC2 answered HTTP 503 (again)"] == 2
    assert found.missing["usage", "not permitted: the call for usage (allow usage)"] == 1
    # Its second result is about the same image.
    again = tally(a_report([with_evidence(1), {**of_snapshots(1), "evidence": all_evidence()}])).evidence
    assert (again.images, again.usage_reports) == (1, 1)
    assert (again.snapshots_read, again.snapshots_shared) == (1, 1)
    assert (again.keys_read, again.unprotected, again.keeping_out) == (1, 0, 1)
    assert again.kept_out == {("account", OTHER["grantee"])}
    # Evidence without snapshots, and then the check of snapshots.
    first = with_evidence(1)
    del first["evidence"]["snapshots"]
    later = tally(a_report([first, {**of_snapshots(1), "evidence": {}}])).evidence
    assert (later.images, later.snapshots_read, later.snapshots_shared) == (1, 1, 1)


def test_reasons_that_are_all_different_are_counted_together() -> None:
    some = []
    for number in range(60):
        result = without("usage")
        result["image"] = a_result(number)["image"]
        result["evidence"]["usage"] = {"status": "unavailable", "reason": f"request {number}"}
        some.append(result)
    missing = tally(a_report(some)).evidence.missing
    assert len(missing) == 51
    assert missing["usage", "other reasons"] == 11


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_recycle_bins(name: str) -> None:
    empty: TargetV1 = {**a_target("us-east-1"), "recycle_bin": {"status": "known", "images": []}}
    unread: TargetV1 = {
        **a_target("us-east-2"),
        "recycle_bin": {"status": "unavailable", "reason": "not permitted", "hint": "allow it"},
    }
    many = a_bin()
    many["images"] *= 12
    said = words(name, a_result(), targets=[{**a_target(), "recycle_bin": many}, empty, unread])
    assert "12 images: ami-0000000000000b111 (old golden), " in said
    assert "and 4 more" in said
    assert "could not be read: not permitted (allow it)" in said
    if name != "text":
        assert "mpty in 1 target" in said
        assert "remove shares before deregistering" in said
        assert "remove shares" not in words(name, a_result(), targets=[empty])
