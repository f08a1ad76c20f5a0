"""`amiguard diff` as a program: whole outputs, exit codes, bad input."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from amiguard.report.interface import ALL
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1
from amiguard.report.jsonl import render_jsonl
from tests.conftest import RunAmiguard
from tests.unit.v1_reports import a_report, a_result, a_target


def save(path: Path, results: Sequence[ResultV1]) -> str:
    stream = io.StringIO()
    report = a_report(results, [a_target()])
    report.audit["id"] = path.name
    (render_jsonl if path.suffix == ".jsonl" else render_json)(report, ALL, stream)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return path.name


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ([a_result()], [a_result()], 0, "Nothing new fails."),
        ([a_result()], [], 0, "Nothing new fails."),
        ([], [a_result()], 1, "Something new fails: 1 fail that did not."),
        ([a_result()], [a_result(severity="critical")], 1, "Something new fails: 1 became worse."),
        (
            [a_result()],
            [a_result(status="unknown")],
            3,
            "Nothing new was seen to fail, but not everything that was known is known now.",
        ),
    ],
)
def test_the_exit_code_says_what_it_comes_to(
    run_amiguard: RunAmiguard, tmp_path: Path, old: list[ResultV1], new: list[ResultV1], code: int, said: str
) -> None:
    run = run_amiguard("diff", save(tmp_path / "old.json", old), save(tmp_path / "new.jsonl", new))
    assert (run.code, run.err) == (code, "")
    assert run.out.splitlines()[1] == said


def test_each_format_is_written_to_a_file(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    reports = save(tmp_path / "old.json", []), save(tmp_path / "new.json", [a_result()])
    for name, begins in (("table", "+1 new"), ("markdown", "## amiguard: something new fails\n"), ("json", "{")):
        run = run_amiguard("diff", *reports, "--format", name, "--output", "out")
        assert (run.code, run.out, run.err) == (1, "", "")
        assert (tmp_path / "out").read_text(encoding="utf-8").startswith(begins)
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8"))["summary"]["new"] == 1


def test_colour_is_for_terminals_that_want_it(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    reports = save(tmp_path / "old.json", []), save(tmp_path / "new.json", [a_result(name="\x1b[2Jx")])
    forced = run_amiguard("diff", *reports, env={"NO_COLOR": "", "FORCE_COLOR": "1", "TERM": "xterm"})
    assert "\x1b[1;31m+1 new\x1b[0m" in forced.out
    assert "\x1b[2J" not in forced.out
    assert "\x1b" not in run_amiguard("diff", *reports).out


def test_bad_input_is_told_and_nothing_is_written(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    good = save(tmp_path / "good.json", [a_result()])
    whole = (tmp_path / good).read_text(encoding="utf-8")
    bad = {
        "cut.json": whole[:-20],
        "newer.json": whole.replace('"schema_version":"1"', '"schema_version":"2"'),
        "foreign.json": '{"results": []}',
        "text.txt": "hello",
        "empty": "",
    }
    for name, text in bad.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in (*bad, "none.json", "."):
        for pair in ((name, good), (good, name)):
            run = run_amiguard("diff", *pair, "--output", "out")
            assert (run.code, run.out) == (2, "")
            assert run.err.startswith("amiguard: error: ")
            assert "hint: " in run.err
            assert not (tmp_path / "out").exists()


def test_reports_are_not_written_over(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    good = save(tmp_path / "good.json", [a_result()])
    before = (tmp_path / good).read_bytes()
    (tmp_path / "link").symlink_to(good)
    for output in (good, "link", "none/out"):
        assert run_amiguard("diff", good, good, "--output", output).code == 2
    assert (tmp_path / good).read_bytes() == before


def test_a_narrowed_report_is_warned_of(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    old = save(tmp_path / "old.json", [a_result()])
    stream = io.StringIO()
    text = (tmp_path / old).read_text(encoding="utf-8")
    stream.write(text[: text.index('"results":[')] + '"results":[]}\n')
    (tmp_path / "new.json").write_text(stream.getvalue(), encoding="utf-8")
    run = run_amiguard("diff", old, "new.json")
    assert run.code == 3
    assert run.err == (
        "amiguard: warning: NEW does not hold 1 fail result of its audit (--status): "
        "what became of others cannot be told\n"
    )
