"""The spool: any order in, one order out, on private files, with little in memory."""

import json
import os
import random
import stat
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiguard.core.checks.ami_cross_account_access import target_unreadable
from amiguard.core.errors import OutputError
from amiguard.core.image import Unreadable
from amiguard.core.result import CheckResult, Status, Target, TargetReport, TargetStatus
from amiguard.report.interface import ALL, StatusFilter
from amiguard.report.json_v1 import decode_result, result_v1
from amiguard.report.spool import Spool
from tests.unit.report_samples import (
    FRANKFURT,
    HEADER,
    IRELAND,
    OUTCOME,
    REPORTS,
    RESULTS,
    SWITCHES,
    VIRGINIA,
    image,
    judged,
)

SKIPPED = {(one.target.account_id, one.target.region) for one in REPORTS if one.status is TargetStatus.SKIPPED}
PASSING = judged(image(FRANKFURT, 1, "base"))


def passing(target: Target, image_id: str) -> CheckResult:
    assert PASSING.image is not None
    return replace(
        PASSING,
        target=target,
        image=replace(PASSING.image, image_id=image_id, account_id=target.account_id, region=target.region),
    )


def ids(lines: Iterator[str]) -> list[str | None]:
    images = [decode_result(line)["image"] for line in lines]
    return [one and one["id"] for one in images]


def audited(target: Target, images: int = 0) -> TargetReport:
    return TargetReport(target, TargetStatus.AUDITED, images=images)


@settings(deadline=None)  # a busy machine is no failure
@given(
    order=st.permutations((*RESULTS, *SWITCHES)),
    ends=st.permutations(REPORTS),
    buffered=st.sampled_from([0, 500, 100_000, 10_000_000]),
    ended_early=st.integers(0, len(REPORTS)),
)
def test_any_interleaving_gives_the_same_order(
    order: list[CheckResult], ends: list[TargetReport], buffered: int, ended_early: int
) -> None:
    early = {report.target for report in ends[:ended_early]}
    with Spool(buffered=buffered) as spool:
        # Some targets end before the first result of others is known, as in an audit.
        for result in order:
            if result.target in early:
                spool.add(result)
        for report in ends[:ended_early]:
            spool.finish(report)
        for result in order:
            if result.target not in early:
                spool.add(result)
        for report in (*ends[ended_early:], *spool.unfinished("interrupted")):
            if report.target not in early:
                early.add(report.target)
                spool.finish(report)
        lines = list(spool.ordered())
        targets = list(spool.targets())
        by_target = [
            line for target in targets for line in spool.results(_target(target["account_id"], target["region"]))
        ]
    expected = sorted(
        map(result_v1, (*RESULTS, *SWITCHES)),
        key=lambda one: (one["account_id"], one["region"], (one["image"] or {"id": ""})["id"], one["check_id"]),
    )
    assert list(map(decode_result, lines)) == expected
    assert by_target == lines
    ended = [(one["account_id"], one["region"]) for one in targets]
    assert ended == sorted({(one["account_id"], one["region"]) for one in expected} | SKIPPED)


def _target(account_id: str, region: str) -> Target:
    return Target(account_id, region, "aws")


def test_the_result_about_the_whole_target_comes_first_and_ids_sort_by_character() -> None:
    with Spool() as spool:
        for image_id in ("ami-10", "ami-1", "ami-0ff", "ami-é"):
            spool.add(passing(FRANKFURT, image_id))
        spool.add(target_unreadable(FRANKFURT, Unreadable("cut")))
        spool.finish(audited(FRANKFURT))
        assert ids(spool.results(FRANKFURT)) == [None, "ami-0ff", "ami-1", "ami-10", "ami-é"]


def test_a_filter_narrows_what_is_given_and_no_count() -> None:
    with Spool() as spool:
        for result in RESULTS:
            spool.add(result)
        for report in REPORTS:
            spool.finish(report)
        only_failing = StatusFilter.of([Status.FAIL])
        shown = list(spool.report(HEADER, OUTCOME).results(only_failing))
        assert {one["status"] for one in shown} == {"fail"}
        assert len(list(spool.results(FRANKFURT, only_failing))) == 3
        assert spool.counts == {Status.PASS: 4, Status.FAIL: 4, Status.SUPPRESSED: 1, Status.UNKNOWN: 4}


def test_unfinished_targets_are_named_with_the_images_that_are_known() -> None:
    with Spool() as spool:
        spool.add(passing(IRELAND, "ami-2"))
        spool.add(passing(FRANKFURT, "ami-1"))
        spool.add(target_unreadable(FRANKFURT, Unreadable("cut")))
        assert list(spool.ordered()) == []
        reports = spool.unfinished("the audit was interrupted")
        assert reports == (
            TargetReport(FRANKFURT, TargetStatus.FAILED, "the audit was interrupted", images=1),
            TargetReport(IRELAND, TargetStatus.FAILED, "the audit was interrupted", images=1),
        )
        for report in reports:
            spool.finish(report)
        assert ids(spool.ordered()) == [None, "ami-1", "ami-2"]
        assert spool.unfinished("") == ()


@pytest.mark.parametrize("buffered", [0, 10_000])
def test_the_checks_that_a_target_has_a_result_of_are_known_until_it_ends(buffered: int) -> None:
    with Spool(buffered=buffered) as spool:
        assert spool.told_of(FRANKFURT) == frozenset()
        spool.add(passing(FRANKFURT, "ami-1"))
        assert spool.told_of(FRANKFURT) == frozenset()
        spool.add(SWITCHES[0])
        assert SWITCHES[0].target == FRANKFURT
        assert spool.told_of(FRANKFURT) == {"ami-block-public-access"}
        assert spool.told_of(IRELAND) == frozenset()
        (report,) = spool.unfinished("cut")
        assert report.images == 1
        spool.finish(report)
        assert spool.told_of(FRANKFURT) == frozenset()
        assert ids(spool.ordered()) == [None, "ami-1"]


def test_an_audit_is_complete_when_all_targets_ended_and_nothing_is_unknown() -> None:
    with Spool() as spool:
        assert spool.complete
        spool.add(passing(FRANKFURT, "ami-1"))
        assert not spool.complete
        spool.finish(audited(FRANKFURT, 1))
        spool.finish(TargetReport(VIRGINIA, TargetStatus.SKIPPED, "not enabled"))
        assert spool.complete
        spool.finish(TargetReport(IRELAND, TargetStatus.FAILED, "denied"))
        assert not spool.complete
    with Spool() as spool:
        spool.add(target_unreadable(FRANKFURT, Unreadable("cut")))
        spool.finish(audited(FRANKFURT))
        assert not spool.complete


def test_a_target_ends_once() -> None:
    with Spool() as spool:
        spool.finish(audited(FRANKFURT))
        with pytest.raises(ValueError, match="already ended"):
            spool.finish(audited(FRANKFURT))
        with pytest.raises(ValueError, match="already ended"):
            spool.add(passing(FRANKFURT, "ami-1"))


def test_files_are_private_and_removed_also_after_an_error(tmp_path: Path) -> None:
    modes: set[int] = set()

    def fill_and_stop() -> None:
        with Spool(tmp_path, buffered=0) as spool:
            spool.add(passing(FRANKFURT, "ami-1"))
            spool.add(passing(IRELAND, "ami-1"))
            spool.finish(audited(FRANKFURT))
            (folder,) = tmp_path.iterdir()
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            modes.update(stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir() if file.stat().st_size)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_and_stop()
    assert modes == {0o600}
    assert list(tmp_path.iterdir()) == []


def test_thousands_of_targets_under_way_need_few_open_files(tmp_path: Path) -> None:
    targets = [Target(f"{number // 17:012d}", f"region-{number % 17:02d}", "aws") for number in range(4000)]
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count of descriptors
    with Spool(tmp_path, buffered=100_000) as spool:
        for number in range(2):
            for target in targets:
                spool.add(passing(target, f"ami-{1 - number}"))
        assert len(os.listdir("/proc/self/fd")) - before < 10  # noqa: PTH208 - as above
        for target in reversed(targets):
            spool.finish(audited(target, 2))
        assert ids(spool.ordered()) == ["ami-0", "ami-1"] * 4000
        assert spool.summary(OUTCOME)["images"] == 8000
        assert [(one["account_id"], one["region"]) for one in spool.targets()] == [
            (target.account_id, target.region) for target in targets
        ]


def test_one_target_may_have_a_hundred_thousand_images(tmp_path: Path) -> None:
    numbers = list(range(100_000))
    random.Random(7).shuffle(numbers)
    one = passing(FRANKFURT, "")
    image_of_it = one.image
    assert image_of_it is not None
    with Spool(tmp_path, buffered=1 << 20) as spool:
        for number in numbers:
            spool.add(replace(one, image=replace(image_of_it, image_id=f"ami-{number:017x}")))
        tracemalloc.start()
        spool.finish(audited(FRANKFURT, 100_000))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # The results are 45 MB; an index of them is not.
        assert peak < 30_000_000
        count = 0
        for count, line in enumerate(spool.ordered(ALL), start=1):
            assert f'"id":"ami-{count - 1:017x}"' in line
        assert count == 100_000


def test_a_folder_that_takes_no_files_is_told_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="temporary folder: No such file") as told:
        Spool(tmp_path / "missing")
    assert told.value.hint is not None
    assert "TMPDIR" in told.value.hint


@pytest.mark.parametrize("buffered", [0, 10_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, buffered: int) -> None:
    with Spool(tmp_path, buffered=buffered) as spool:
        for file in (spool._unsorted, spool._sorted):
            os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        spool.add(passing(FRANKFURT, "ami-1"))
        with pytest.raises(OutputError, match="No space left on device"):
            spool.finish(audited(FRANKFURT))
    assert list(tmp_path.iterdir()) == []


def test_lines_hold_the_result_and_no_raw_control_character() -> None:
    with Spool() as spool:
        spool.add(judged(image(FRANKFURT, 1, "tab\tline\nescape\x1bdelete\x7fc1\x9b", tags=(("k\t", "\u2028"),))))
        spool.finish(audited(FRANKFURT))
        (line,) = spool.ordered()
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["image"]["name"] == "tab\tline\nescape\x1bdelete\x7fc1\x9b"


def test_the_temporary_folder_is_the_systems() -> None:
    with Spool() as spool:
        assert Path(spool._folder.name).parent == Path(tempfile.gettempdir())
