"""`amiguard report` as installed: a saved report in every format, without AWS, the same as from the audit itself."""

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.audit_runs import PRIVATE, SHARED_BADLY
from tests.cli.format_runs import ACCEPTED, FORMATS, audit_to_files, read, to_files
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of each format, from one audit."""
    folder = tmp_path_factory.mktemp("audited")
    assert audit_to_files(folder).returncode == 1
    return folder


@pytest.fixture
def saved(audited: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read(audited / "json"))
    return document


@pytest.mark.parametrize(("source", "seed"), [("json", "1"), ("jsonl", "2")])
def test_every_format_is_that_of_the_audit_byte_for_byte(
    run_amiguard: RunAmiguard, tmp_path: Path, audited: Path, source: str, seed: str
) -> None:
    # No AWS can be asked: nobody listens there. Whatever order sets have in a process must not show.
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "PYTHONHASHSEED": seed}
    run = run_amiguard("report", str(audited / source), *to_files(), env=environment, cold=True)
    assert (run.code, run.out, run.err) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == set(FORMATS)
    different = [name for name in FORMATS if (tmp_path / name).read_bytes() != (audited / name).read_bytes()]
    assert different == []
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in FORMATS} == {0o600}


def test_the_table_is_what_it_shows_on_stdout_and_csv_is_that_of_a_file(
    run_amiguard: RunAmiguard, audited: Path
) -> None:
    run = run_amiguard("report", str(audited / "json"))
    assert (run.code, run.out, run.err) == (0, read(audited / "table"), "")
    command: list[str | Path] = [PROGRAM, "report", "json", "--format", "csv"]
    done = subprocess.run(command, env=scrubbed_environment(audited), cwd=audited, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, (audited / "csv").read_bytes())


def test_lines_that_came_in_any_order_become_the_same_report(
    run_amiguard: RunAmiguard, tmp_path: Path, audited: Path
) -> None:
    """On stdout, targets come as they end."""
    header, *results, summary = read(audited / "jsonl").splitlines(keepends=True)
    (tmp_path / "saved").write_text("".join([header, *reversed(results), summary]), encoding="utf-8")
    run = run_amiguard("report", "saved", "-f", "jsonl=jsonl", "-f", "csv=csv")
    assert (run.code, run.err) == (0, "")
    assert read(tmp_path / "jsonl") == read(audited / "jsonl")
    assert read(tmp_path / "csv") == read(audited / "csv")


def test_status_narrows_what_is_shown_and_never_the_counts(run_amiguard: RunAmiguard, audited: Path) -> None:
    run = run_amiguard("report", str(audited / "json"), "--status", "suppressed", "--format", "json")
    document = json.loads(run.out)
    assert (run.code, run.err) == (0, "")
    assert [result["image"]["id"] for result in document["results"]] == [ACCEPTED.id]
    assert document["summary"] == json.loads(read(audited / "json"))["summary"]
    run = run_amiguard("report", str(audited / "json"), "--status", "pass", "--format", "text")
    assert PRIVATE.id in run.out
    assert SHARED_BADLY.id not in run.out
    # What was not seen stays, and so does the verdict.
    assert "\ntarget-failed\t" in run.out
    assert run.out.splitlines()[-1].startswith("verdict\tfail\t")


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_a_report_that_was_narrowed_when_it_was_saved_says_so(
    run_amiguard: RunAmiguard, tmp_path: Path, audited: Path, name: str
) -> None:
    narrow = run_amiguard("report", str(audited / "json"), "--status", "fail", "-f", f"{name}=narrow")
    assert (narrow.code, narrow.err) == (0, "")
    run = run_amiguard("report", "narrow", "-f", "csv=csv")
    assert run.code == 0
    assert run.err == (
        "amiguard: warning: narrow does not hold all results of its audit (--status): 2 pass, 1 suppressed, 2 unknown "
        "are counted and cannot be shown\n"
    )
    assert SHARED_BADLY.id in read(tmp_path / "csv")
    assert PRIVATE.id not in read(tmp_path / "csv")


Spoil = Callable[[dict[str, Any]], str]


def changed(**members: object) -> Spoil:
    return lambda document: json.dumps({**document, **members})


def spoilt_result(**members: object) -> Spoil:
    return lambda document: json.dumps({**document, "results": [*document["results"], {**members}]})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda document: json.dumps(document)[:2000], "saved is not JSON, or was cut\n"),
        (lambda document: "", "saved is empty\n"),
        (lambda document: "a,b\r\n", "saved is not a report of amiguard in the format json or jsonl\n"),
        (
            lambda document: '{"version": "2.1.0", "runs": []}',
            "saved is not a report of amiguard: it has no schema_ver",
        ),
        (changed(schema_version="2"), "saved is of version '2', and this amiguard reads '1'\n  hint: install the amig"),
        (changed(tool={"name": "other", "version": "1"}), "saved is not a report of amiguard\n"),
        (spoilt_result(status="\x1b[31m"), "saved is not a whole report: results[9].check_id is missing\n"),
    ],
)
def test_what_is_no_whole_report_is_refused_and_nothing_is_written(
    run_amiguard: RunAmiguard, tmp_path: Path, saved: dict[str, Any], spoil: Spoil, message: str
) -> None:
    (tmp_path / "saved").write_text(spoil(saved), encoding="utf-8")
    (tmp_path / "csv").write_text("old", encoding="utf-8")
    refused(run_amiguard("report", "saved", "-f", "csv=csv", "-f", "json"), tmp_path, message, {"saved", "csv"})


def test_lines_that_were_cut_are_refused(run_amiguard: RunAmiguard, tmp_path: Path, audited: Path) -> None:
    lines = read(audited / "jsonl").splitlines(keepends=True)
    (tmp_path / "saved").write_text("".join(lines[:-1]), encoding="utf-8")
    (tmp_path / "csv").write_text("old", encoding="utf-8")
    message = "saved was cut: it has no summary line\n  hint: audit again"
    refused(run_amiguard("report", "saved", "-f", "csv=csv"), tmp_path, message, {"saved", "csv"})


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("nowhere", (), "nowhere cannot be read: No such file or directory\n"),
        (".", (), ". is a folder\n  hint: name the report in it\n"),
        ("/dev/null", (), "/dev/null is not a regular file\n  hint: save the report to a file first"),
        ("csv", ("-f", "html=./csv"), "the saved report and the html report are one file: csv\n"),
        ("csv", ("-f", "text=x", "-f", "html=./x"), "the text report and the html report are one file: x\n"),
        ("csv", ("-f", "html=no/page"), "the folder of no/page does not exist\n"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused(
    run_amiguard: RunAmiguard, tmp_path: Path, path: str, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "csv").write_text("old", encoding="utf-8")
    refused(run_amiguard("report", path, *options), tmp_path, message, {"csv"})


def refused(run: Any, folder: Path, message: str, files: set[str]) -> None:
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"amiguard: error: {message}")
    assert "Traceback" not in run.err
    assert "\x1b" not in run.err
    assert read(folder / "csv") == "old"
    assert {path.name for path in folder.iterdir()} == files
