"""The format `csv`: one row a grant, cells that no spreadsheet takes for formulas, and how to get them back."""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.report.csv_table import COLUMNS, render_csv
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report, StatusFilter
from amiguard.report.sanitize import printable
from tests.unit.hostile_strings import HOSTILE
from tests.unit.report_readers import read_csv, undo_csv
from tests.unit.report_samples import sample_report
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target

WHOLE = '''\
account_id,account_name,region,image_id,image_name,image_arn,creation_date,state,public,status,severity,check_id,\
grantee_kind,grantee,decision,reason,message,fingerprint,audit_id,audit_finished_at,\
used_by,in_use,shared_by,shared_at,event_id,key_admission,key_reason,snapshots_shared
012345678901,'=Gold,eu-central-1,ami-00000000000000001,"golden, ""one""",arn:aws:ec2:eu-central-1::image/\
ami-00000000000000001,2026-05-06T10:00:00.000Z,available,false,fail,high,ami-cross-account-access,account,999988887777,\
untrusted,not in the trust policy,"Not trusted, and may launch it: 1 account.",FINGERPRINT,\
0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01,2026-06-15T08:31:05Z,,,,,,,,
012345678901,'=Gold,eu-central-1,ami-00000000000000001,"golden, ""one""",arn:aws:ec2:eu-central-1::image/\
ami-00000000000000001,2026-05-06T10:00:00.000Z,available,false,fail,high,ami-cross-account-access,everyone,all,\
trusted,'-,"Not trusted, and may launch it: 1 account.",FINGERPRINT,\
0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01,2026-06-15T08:31:05Z,,,,,,,,
012345678901,'=Gold,*,,,,,,,target-skipped,,,,,,,suspended,,0b54bb9e-6a3c-4d8c-a5d1-4b1f0f5a5e01,2026-06-15T08:31:05Z,,,,,,,,
'''


def text(report: Report, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO(newline="")
    render_csv(report, shown, stream)
    return stream.getvalue()


def rows_of(written: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written, newline=""), strict=True))


def test_a_whole_table() -> None:
    all_trusted: GrantV1 = {"kind": "everyone", "grantee": "all", "decision": "trusted", "reason": "-"}
    result = a_result(name='golden, "one"', grants=[STRANGER, all_trusted])
    skipped = a_target("*", images=0)
    skipped.update({"status": "skipped", "reason": "suspended", "account_name": "=Gold"})
    written = text(a_report([result], [skipped, a_target()]))
    assert written == WHOLE.replace("FINGERPRINT", result["fingerprint"]).replace("\n", "\r\n")


def test_a_row_a_grant_and_one_for_what_has_none() -> None:
    with sample_report() as report:
        written = text(report)
    read_csv(written)
    rows = rows_of(written)
    images = [row["image_id"] for row in rows]
    assert images.count("ami-00000000000000010") == 1001
    assert images.count("ami-000000000000000a0") == 1
    assert len(rows) == 3 + 1001 + 2 + 3 + 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 4
    (denied,) = (row for row in rows if row["region"] == "us-east-1" and row["check_id"])
    assert (denied["status"], denied["image_id"], denied["public"], denied["grantee"]) == ("unknown", "", "", "")


def test_targets_that_were_not_seen_are_there_whatever_is_shown() -> None:
    with sample_report() as report:
        rows = rows_of(text(report, StatusFilter.of([])))
    assert [(row["status"], row["account_id"], row["region"]) for row in rows] == [
        ("target-skipped", "111122223333", "af-south-1"),
        ("target-skipped", "111122223333", "ap-east-1"),
        ("target-failed", "111122223333", "us-east-1"),
        ("target-failed", "444455556666", "us-east-2"),
    ]
    assert rows[3]["message"] == "the audit was interrupted"


def test_a_filter_keeps_the_others_away() -> None:
    with sample_report() as report:
        statuses = {row["status"] for row in rows_of(text(report, NEEDS_ATTENTION))}
    assert statuses == {"fail", "unknown", "target-failed", "target-skipped"}


def test_account_ids_keep_their_zeros_and_there_is_no_byte_order_mark() -> None:
    written = text(a_report([a_result()]))
    assert written.startswith("account_id,")
    assert rows_of(written)[0]["account_id"] == "012345678901"
    assert tuple(rows_of(written)[0]) == COLUMNS


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("  =1", "  '=1"),
        ('"=1"', '"\'=1"'),
        ("x;=1", "x;'=1"),
        ("'quoted'", "''quoted'"),
        ("a=b - c", "a=b - c"),
        ("\t=1", r"\t=1"),
        ("\uff1d1", "'\uff1d1"),
    ],
)
def test_formulas_become_text(name: str, cell: str) -> None:
    assert rows_of(text(a_report([a_result(name=name)])))[0]["image_name"] == cell


@given(st.text(st.sampled_from("'=+-@; \"a\uff1d,\r\n")))
def test_what_was_neutralised_can_be_had_back(name: str) -> None:
    (row,) = rows_of(text(a_report([a_result(name=name)])))
    assert undo_csv(row["image_name"]) == printable(name)


def test_the_columns_and_the_way_back_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "report-formats.md").read_text(encoding="utf-8")
    assert f"`{', '.join(COLUMNS)}`" in " ".join(page.split())
    scope: dict[str, object] = {}
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code, scope)  # noqa: S102 - our own documentation
    documented = scope["undo"]
    assert callable(documented)
    for hostile in HOSTILE.values():
        (row,) = rows_of(text(a_report([a_result(name=hostile)])))
        assert documented(row["image_name"]) == printable(hostile)
