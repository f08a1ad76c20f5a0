"""The JSON formats: whole documents, and the published schema."""
# ruff: noqa: E501 - a line of a document is a line here

import hashlib
import io
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from amiguard.core.decision import Verdict
from amiguard.core.grantee import GranteeKind, grantee_kind
from amiguard.core.result import Severity, Status, TargetReport, TargetStatus
from amiguard.report.interface import ALL, Report, StatusFilter, header_v1
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import encode
from amiguard.report.jsonl import render_jsonl, write_header, write_results, write_summary
from amiguard.report.spool import Spool
from tests.unit.report_readers import SCHEMA, check
from tests.unit.report_samples import (
    FRANKFURT,
    HEADER,
    IRELAND,
    OUTCOME,
    REPORTS,
    RESULTS,
    SWITCHES,
    sample_report,
)

JSON = r"""{"schema_version":"1",
"tool":{"name":"amiguard","version":"0.1.0"},
"audit":{"id":"0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01","started_at":"2026-06-15T08:30:00Z","caller_arn":"arn:aws:sts::111122223333:assumed-role/auditor/session","trust_policy_digest":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e","finished_at":"2026-06-15T08:31:05Z","complete":false},
"summary":{"targets":6,"images":12,"pass":4,"fail":4,"suppressed":1,"unknown":4,"vanished":1,"api_calls":{"DescribeImageAttribute":11,"DescribeImages":7},"throttled":3},
"targets":[
{"account_id":"111122223333","region":"af-south-1","status":"skipped","reason":"the region is not enabled in this account","images":0},
{"account_id":"111122223333","region":"ap-east-1","status":"skipped","reason":"the region is not enabled in this account","images":0},
{"account_id":"111122223333","region":"eu-central-1","status":"audited","reason":"","images":6},
{"account_id":"111122223333","region":"us-east-1","status":"failed","reason":"not permitted: ec2:DescribeImages","images":0},
{"account_id":"444455556666","region":"eu-west-1","status":"audited","reason":"","images":5},
{"account_id":"444455556666","region":"us-east-2","status":"failed","reason":"the audit was interrupted","images":1}
],
"results":[
{"check_id":"ami-cross-account-access","status":"fail","severity":"critical","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":{"id":"ami-00000000000000005","arn":"arn:aws:ec2:eu-central-1::image/ami-00000000000000005","name":"golden-2026.05","creation_date":"2026-05-06T10:00:00.000Z","state":"available","public":true,"tags":{}},"grants":[{"kind":"everyone","grantee":"all","decision":"untrusted","reason":"every AWS account may launch it"},{"kind":"account","grantee":"222233334444","decision":"trusted","reason":"trusted: account 222233334444 (Staging)"},{"kind":"account","grantee":"999988887777","decision":"untrusted","reason":"not in the trust policy"}],"message":"Not trusted, and may launch it: everyone and 1 account.","fingerprint":"bbb92633f9f4810c94d4959536e8e7990ff6394317a740d5fb14ad23d0d40a33"},
{"check_id":"ami-cross-account-access","status":"fail","severity":"high","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":{"id":"ami-00000000000000010","arn":"arn:aws:ec2:eu-central-1::image/ami-00000000000000010","name":"crowd","creation_date":"2026-05-17T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[{"kind":"organizational_unit","grantee":"arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb","decision":"undetermined","reason":"unit o-aaaaaaaaaa/ou-root-cccccccc is trusted, and the units above this one were not read"},<a thousand grants>],"message":"Not trusted, and may launch it: 1000 accounts.","fingerprint":"02ab58fa626f236ef804431f92d7e87e08b10b27819f4f7dcc70ca44fe46ab04"},
{"check_id":"ami-cross-account-access","status":"fail","severity":"high","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":{"id":"ami-00000000000000030","arn":"arn:aws:ec2:eu-central-1::image/ami-00000000000000030","name":"[red]x[/red]\u001b]0;owned\u0007\u202egnp.\u009b31m\n  pass  ami-00000000000000000","creation_date":"2026-05-21T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[{"kind":"organization","grantee":"arn:aws:organizations::999988887777:organization/o-foreign1234","decision":"untrusted","reason":"not in the trust policy"},{"kind":"account","grantee":"999988887777","decision":"untrusted","reason":"not in the trust policy"}],"message":"Not trusted, and may launch it: 1 account and 1 organization.","fingerprint":"9937ac359607e5a762c2f0fcd3488f48fbcb29f90cebf83dce70d12edef6f2f3"},
{"check_id":"ami-cross-account-access","status":"suppressed","severity":"critical","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":{"id":"ami-00000000000000040","arn":"arn:aws:ec2:eu-central-1::image/ami-00000000000000040","name":"market-one","creation_date":"2026-05-09T10:00:00.000Z","state":"available","public":true,"tags":{}},"grants":[{"kind":"everyone","grantee":"all","decision":"excepted","reason":"accepted by platform@example.com, until 2027-06-30: marketplace image"},{"kind":"account","grantee":"222233334444","decision":"trusted","reason":"trusted: account 222233334444 (Staging)"},{"kind":"account","grantee":"777788889999","decision":"excepted","reason":"accepted by platform@example.com, until 2027-06-30: marketplace image"}],"message":"Accepted by an exception, and may launch it: everyone and 1 account.","fingerprint":"8a74effdd46881707ce9feb3e98d64a304f07cd775ca8795532c1bf96c17dc1e"},
{"check_id":"ami-cross-account-access","status":"unknown","severity":"high","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":{"id":"ami-00000000000000050","arn":"arn:aws:ec2:eu-central-1::image/ami-00000000000000050","name":"golden-2026.06 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","creation_date":"2026-05-25T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[{"kind":"organizational_unit","grantee":"arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb","decision":"undetermined","reason":"unit o-aaaaaaaaaa/ou-root-cccccccc is trusted, and the units above this one were not read"},{"kind":"account","grantee":"222233334444","decision":"trusted","reason":"trusted: account 222233334444 (Staging)"}],"message":"Whether 1 organizational unit may be trusted could not be determined.","fingerprint":"4af770e8f46600ffc282236c65686b7e91f5b7c40d7392517198699f29654843"},
{"check_id":"ami-cross-account-access","status":"pass","severity":"informational","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":{"id":"ami-000000000000000a0","arn":"arn:aws:ec2:eu-central-1::image/ami-000000000000000a0","name":"base-private","creation_date":"2026-05-21T10:00:00.000Z","state":"available","public":false,"tags":{"Name":"base","Team":"pl\u00e4tform"}},"grants":[],"message":"It is not shared.","fingerprint":"c1ac4166ab2e3bbd16c5c74b732451b1deced7816e34ee87c20f6298dc4646cd"},
{"check_id":"ami-cross-account-access","status":"unknown","severity":"high","account_id":"111122223333","region":"us-east-1","partition":"aws","image":null,"grants":[],"message":"The images could not be listed: not permitted: ec2:DescribeImages (grant ec2:DescribeImages to the caller)","fingerprint":"50151bc54779a9efb94989ee34f152b682c386e70f1a2aa414d2ed876589e7cc"},
{"check_id":"ami-cross-account-access","status":"fail","severity":"high","account_id":"444455556666","region":"eu-west-1","partition":"aws","image":{"id":"ami-00000000000000001","arn":"arn:aws:ec2:eu-west-1::image/ami-00000000000000001","name":"shared","creation_date":"2026-05-02T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[{"kind":"account","grantee":"999988887777","decision":"untrusted","reason":"not in the trust policy"}],"message":"Not trusted, and may launch it: 1 account.","fingerprint":"3d9805e584b6ff583c3f49d7dc9be3a36dc6b3b4fb8ddc276ac81896b6ba897d"},
{"check_id":"ami-cross-account-access","status":"unknown","severity":"high","account_id":"444455556666","region":"eu-west-1","partition":"aws","image":{"id":"ami-00000000000000002","arn":"arn:aws:ec2:eu-west-1::image/ami-00000000000000002","name":"","creation_date":"2026-05-03T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[{"kind":"unrecognized","grantee":"group=everybody","decision":"undetermined","reason":"this version does not know this kind of grant"}],"message":"Whether 1 unrecognized grantee may be trusted could not be determined.","fingerprint":"3d79760e95866ce49c74eed7e2317e089769d6760e3bb33f4ff4dab2cb51f4ce"},
{"check_id":"ami-cross-account-access","status":"pass","severity":"informational","account_id":"444455556666","region":"eu-west-1","partition":"aws","image":{"id":"ami-00000000000000003","arn":"arn:aws:ec2:eu-west-1::image/ami-00000000000000003","name":"retired","creation_date":"2026-05-04T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[],"message":"The image is disabled: AWS has removed its launch permission.","fingerprint":"3f2972fde9ea1d5c87e4c6d841ffe02e4c550cbbf05e998b451c3147a32843b5"},
{"check_id":"ami-cross-account-access","status":"unknown","severity":"high","account_id":"444455556666","region":"eu-west-1","partition":"aws","image":{"id":"ami-00000000000000004","arn":"arn:aws:ec2:eu-west-1::image/ami-00000000000000004","name":"flaky","creation_date":"2026-05-05T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[],"message":"Its launch permission could not be read: EC2 answered HTTP 503, 6 times","fingerprint":"52889225f04af3aee4a140927f0eabc3c5e587954c5dbf77e3fc007cf99f5ca0"},
{"check_id":"ami-cross-account-access","status":"pass","severity":"informational","account_id":"444455556666","region":"eu-west-1","partition":"aws","image":{"id":"ami-00000000000000006","arn":"arn:aws:ec2:eu-west-1::image/ami-00000000000000006","name":"to staging","creation_date":"2026-05-07T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[{"kind":"account","grantee":"222233334444","decision":"trusted","reason":"trusted: account 222233334444 (Staging)"}],"message":"It is shared with trusted grantees only (1).","fingerprint":"04cc1d7d346f1db4ef649061100bcee6725b9e1a0c90086424350204ada925d3"},
{"check_id":"ami-cross-account-access","status":"pass","severity":"informational","account_id":"444455556666","region":"us-east-2","partition":"aws","image":{"id":"ami-00000000000000007","arn":"arn:aws:ec2:us-east-2::image/ami-00000000000000007","name":"cut short","creation_date":"2026-05-08T10:00:00.000Z","state":"available","public":false,"tags":{}},"grants":[],"message":"It is not shared.","fingerprint":"f4c60de4b53a05440c066e0ec8f3fe18b3e884db5ea00469c07829bbc3bad96a"}
]}
"""

HEADER_LINE = """{"type":"header","schema_version":"1","tool":{"name":"amiguard","version":"0.1.0"},"audit":{"id":"0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01","started_at":"2026-06-15T08:30:00Z","caller_arn":"arn:aws:sts::111122223333:assumed-role/auditor/session","trust_policy_digest":"5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"}}"""

SUMMARY_LINE = """{"type":"summary","finished_at":"2026-06-15T08:31:05Z","complete":false,"summary":{"targets":6,"images":12,"pass":4,"fail":4,"suppressed":1,"unknown":4,"vanished":1,"api_calls":{"DescribeImageAttribute":11,"DescribeImages":7},"throttled":3},"targets":[{"account_id":"111122223333","region":"af-south-1","status":"skipped","reason":"the region is not enabled in this account","images":0},{"account_id":"111122223333","region":"ap-east-1","status":"skipped","reason":"the region is not enabled in this account","images":0},{"account_id":"111122223333","region":"eu-central-1","status":"audited","reason":"","images":6},{"account_id":"111122223333","region":"us-east-1","status":"failed","reason":"not permitted: ec2:DescribeImages","images":0},{"account_id":"444455556666","region":"eu-west-1","status":"audited","reason":"","images":5},{"account_id":"444455556666","region":"us-east-2","status":"failed","reason":"the audit was interrupted","images":1}]}"""


def rendered(shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    with sample_report() as report:
        render_json(report, shown, stream)
    return stream.getvalue()


def lines_rendered(shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    with sample_report() as report:
        render_jsonl(report, shown, stream)
    return stream.getvalue()


def shortened(text: str) -> str:
    """The thousand grantees of one image as a word."""
    return re.sub(r'(\{"kind":"account","grantee":"500000000[^}]*\},?){1000}', "<a thousand grants>", text)


def test_the_document() -> None:
    assert shortened(rendered()) == JSON


def test_the_lines() -> None:
    header, *results, summary = shortened(lines_rendered()).splitlines()
    assert header == HEADER_LINE
    assert summary == SUMMARY_LINE
    members = [line.removesuffix(",") for line in JSON.splitlines() if line.startswith('{"check_id"')]
    assert len(members) == len(RESULTS)
    assert results == ['{"type":"result",' + member.removeprefix("{") for member in members]


def test_the_schema_is_one_and_the_outputs_obey_it() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    check(json.loads(rendered()))
    header, *results, summary = map(json.loads, lines_rendered().splitlines())
    check(header, "header_line")
    for result in results:
        check(result, "result_line")
    check(summary, "summary_line")


def test_the_checks_of_these_tests_refuse_other_keys() -> None:
    document = json.loads(rendered())
    for part in (document, document["audit"], document["summary"], document["results"][0], document["targets"][0]):
        part["more"] = 1
        with pytest.raises(ValidationError, match="'more' was unexpected"):
            check(document)
        del part["more"]
    Draft202012Validator(SCHEMA).validate({**document, "more": 1})


SWITCH_LINES = """{"check_id":"ami-block-public-access","status":"fail","severity":"medium","account_id":"111122223333","region":"eu-central-1","partition":"aws","image":null,"grants":[],"message":"Images can be made public: image block public access is off, managed by the account.","fingerprint":"%s","block_public_access":{"state":"unblocked","managed_by":"account"}}
{"check_id":"ami-block-public-access","status":"unknown","severity":"medium","account_id":"111122223333","region":"us-east-1","partition":"aws","image":null,"grants":[],"message":"Image block public access could not be read: not permitted: ec2:DescribeImages (grant ec2:DescribeImages to the caller)","fingerprint":"%s"}
{"check_id":"ami-block-public-access","status":"fail","severity":"medium","account_id":"444455556666","region":"eu-west-1","partition":"aws","image":null,"grants":[],"message":"Images can be made public: image block public access is off, managed by a declarative policy of the organization; enable it in that policy.","fingerprint":"%s","block_public_access":{"state":"unblocked","managed_by":"declarative-policy"}}
{"check_id":"ami-block-public-access","status":"pass","severity":"informational","account_id":"444455556666","region":"us-east-2","partition":"aws","image":null,"grants":[],"message":"No more images can be made public: image block public access is on, managed by the account.","fingerprint":"%s","block_public_access":{"state":"block-new-sharing","managed_by":"account"}}
"""


def test_switches_are_results_of_their_targets_and_no_images() -> None:
    stream = io.StringIO()
    with sample_report(SWITCHES) as report:
        render_json(report, ALL, stream)
    document = json.loads(stream.getvalue())
    check(document)
    of_switch = [line.removesuffix(",") for line in stream.getvalue().splitlines() if "ami-block-public-access" in line]
    prints = [hashlib.sha256(f"ami-block-public-access\naws\n{where}\n".encode()).hexdigest() for where in WHERE]
    assert of_switch == (SWITCH_LINES % tuple(prints)).splitlines()
    keys = [
        (one["account_id"], one["region"], one["image"]["id"] if one["image"] else "", one["check_id"])
        for one in document["results"]
    ]
    assert keys == sorted(keys)
    assert {name: document["summary"][name] for name in ("images", "pass", "fail", "suppressed", "unknown")} == {
        "images": 12,
        "pass": 5,
        "fail": 6,
        "suppressed": 1,
        "unknown": 5,
    }
    assert [one["images"] for one in document["targets"]] == [0, 0, 6, 0, 5, 1]


WHERE = ("111122223333\neu-central-1", "111122223333\nus-east-1", "444455556666\neu-west-1", "444455556666\nus-east-2")


def test_an_empty_audit_is_a_document_too() -> None:
    stream = io.StringIO()
    with Spool() as spool:
        render_json(spool.report(HEADER, OUTCOME), ALL, stream)
    assert stream.getvalue().endswith('"targets":[],\n"results":[]}\n')
    check(json.loads(stream.getvalue()))


@pytest.mark.parametrize("status", list(Status))
def test_a_filter_narrows_the_results_and_nothing_else(status: Status) -> None:
    whole, part = json.loads(rendered()), json.loads(rendered(StatusFilter.of([status])))
    assert part.pop("results") == [one for one in whole.pop("results") if one["status"] == status]
    assert part == whole


def test_documents_are_plain_ascii_whatever_names_hold() -> None:
    for text in (rendered(), lines_rendered()):
        assert text.isascii()
        assert text.replace("\n", "").isprintable()


def test_lines_leave_as_targets_end() -> None:
    stream = io.StringIO()
    with Spool() as spool:
        write_header(header_v1(HEADER), stream)
        for result in RESULTS:
            spool.add(result)
        for report in (REPORTS[1], REPORTS[0]):
            spool.finish(report)
            write_results(spool.results(report.target), stream)
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        write_summary(spool.report(HEADER, OUTCOME), stream)
    assert [line["type"] for line in lines] == ["header"] + ["result"] * 11
    assert [line["region"] for line in lines[1:]] == [IRELAND.region] * 5 + [FRANKFURT.region] * 6
    for one, following in pairwise(lines[1:]):
        assert (one["region"] != following["region"]) or one["image"]["id"] < following["image"]["id"]
    assert json.loads(stream.getvalue().splitlines()[-1])["type"] == "summary"


def test_a_thousand_grants_are_all_there_in_the_order_given() -> None:
    (crowd,) = [one for one in json.loads(rendered())["results"] if len(one["grants"]) > 1000]
    (decided,) = [one for one in RESULTS if len(one.decisions) > 1000]
    assert [grant["reason"] for grant in crowd["grants"]] == [decision.reason for decision in decided.decisions]
    assert [grant["grantee"] for grant in crowd["grants"][1:]] == [f"{500000000000 + number}" for number in range(1000)]


def test_counts_come_from_the_ends_of_targets() -> None:
    with Spool() as spool:
        spool.finish(TargetReport(FRANKFURT, TargetStatus.AUDITED, images=3, vanished=2))
        spool.finish(TargetReport(IRELAND, TargetStatus.FAILED, "cut", images=4, vanished=1))
        summary = spool.summary(OUTCOME)
    assert (summary["targets"], summary["images"], summary["vanished"]) == (2, 7, 3)


def test_the_documented_example_is_what_is_written() -> None:
    text = (Path(__file__).parents[2] / "docs" / "report-json.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    document = json.loads(example)
    check(document)
    stream = io.StringIO()
    report = Report(document["tool"], document["audit"], document["summary"], document["targets"], Saved(document))
    render_json(report, ALL, stream)
    assert stream.getvalue() == example


class Saved:
    """The results of a document that was read back: formats need no spool."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._results = document["results"]

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        return (encode(one) for one in self._results if shown.shows(one["status"]))


def test_the_sample_has_every_word_of_the_contract() -> None:
    assert {result.status for result in RESULTS} == set(Status)
    assert {result.severity for result in (*RESULTS, *SWITCHES)} == set(Severity)
    decisions = [decision for result in RESULTS for decision in result.decisions]
    assert {decision.verdict for decision in decisions} == set(Verdict)
    assert {grantee_kind(decision.grantee) for decision in decisions} == set(GranteeKind)
    assert {report.status for report in REPORTS} == set(TargetStatus)
