"""Evidence is kept on disk as it comes, and put into the results that it is about."""

import io
from pathlib import Path

import pytest

from amiguard.core.errors import OutputError
from amiguard.core.result import Target
from amiguard.report.evidence_store import EvidenceStore
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Report
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1
from amiguard.report.table import render_table
from tests.unit.evidence_samples import a_bin, all_evidence
from tests.unit.v1_reports import ACCOUNT, REGION, a_report, a_result, a_target


def results(report: Report) -> list[ResultV1]:
    return list(report.results(ALL))


def test_evidence_is_put_into_the_results_that_it_is_about() -> None:
    some = [a_result(number) for number in range(5)]
    with EvidenceStore() as store:
        # Not in the order of the results.
        for number in (3, 1):
            store.keep(some[number]["fingerprint"], {"last_launched_time": str(number)})
        told = results(store.applied_to(a_report(some)))
        assert told == [
            {**one, "evidence": {"last_launched_time": str(number)}} if number in (1, 3) else one
            for number, one in enumerate(some)
        ]
        assert store.evidence_of(some[3]["fingerprint"]) == {"last_launched_time": "3"}
        assert store.evidence_of(some[0]["fingerprint"]) is None


def test_it_can_be_read_while_more_comes_and_the_later_counts() -> None:
    one, other = a_result(1), a_result(2)
    with EvidenceStore() as store:
        store.keep(one["fingerprint"], all_evidence())
        assert results(store.applied_to(a_report([one])))[0]["evidence"] == all_evidence()
        store.keep(other["fingerprint"], {"last_launched_time": "later"})
        store.keep(one["fingerprint"], {"last_launched_time": "now"})
        told = results(store.applied_to(a_report([one, other])))
        assert [result["evidence"]["last_launched_time"] for result in told] == ["now", "later"]


def test_what_does_not_fail_is_left_as_it_is() -> None:
    passing = a_result(1, "pass", grants=[], name='"status":"fail"')
    assert passing["image"] is not None
    passing["image"]["tags"] = {"status": "fail"}
    with EvidenceStore() as store:
        store.keep(passing["fingerprint"], all_evidence())
        store.keep(a_result(2)["fingerprint"], all_evidence())
        report = a_report([passing])
        assert list(store.applied_to(report).source.ordered(ALL)) == list(report.source.ordered(ALL))


def test_a_recycle_bin_is_put_into_its_target() -> None:
    with EvidenceStore() as store:
        store.keep_bin(Target(ACCOUNT, REGION, "aws"), a_bin())
        first, second = store.applied_to(a_report([], [a_target(), a_target("us-east-1")])).targets
    assert first == {**a_target(), "recycle_bin": a_bin()}
    assert second == a_target("us-east-1")


def test_without_evidence_a_report_is_what_it_was() -> None:
    report = a_report([a_result()], [a_target()])
    with EvidenceStore() as store:
        for render in (render_json, render_table):
            before, after = io.StringIO(), io.StringIO()
            render(report, NEEDS_ATTENTION, before)
            render(store.applied_to(report), NEEDS_ATTENTION, after)
            assert before.getvalue() == after.getvalue()


def test_its_file_is_no_ones_else_and_gone_at_the_end(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:
        store.keep("5a" * 32, all_evidence())
        assert store.evidence_of("5a" * 32) == all_evidence()
        assert not [one for one in tmp_path.iterdir() if one.stat().st_mode & 0o077]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="evidence cannot be kept") as caught:
        EvidenceStore(tmp_path / "none")
    assert caught.value.hint is not None
    assert "TMPDIR" in caught.value.hint


def test_a_full_disk_costs_the_evidence_and_not_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    with EvidenceStore() as store:
        store.keep("5a" * 32, all_evidence())
        full = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115, PTH123 - closed by the store
        store._file.close()
        monkeypatch.setattr(store, "_file", full)
        store.keep("5b" * 32, all_evidence())
        assert store.lost is not None
        assert "No space left" in store.lost.message
        store.keep("5c" * 32, all_evidence())
        assert [store.evidence_of(one * 32) for one in ("5a", "5b", "5c")] == [None] * 3
