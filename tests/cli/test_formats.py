"""`--format FORMAT[=FILE]` of `amiguard audit` and `demo` as installed: all reports of one run, and no mess."""

import csv
import json
import re
import stat
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from jsonschema import Draft202012Validator
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from benchmarks.fake_ec2 import FakeEc2
from tests.cli.audit_runs import ACCOUNT, PRIVATE, SHARED_BADLY, TRUSTED, regions
from tests.cli.format_runs import (
    FORMATS,
    IMAGES,
    SETTINGS,
    audit_to_files,
    read,
    to_files,
)
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment
from tests.unit.report_readers import read_csv, read_junit, read_markdown, read_sarif, read_text


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of each format, from one audit."""
    folder = tmp_path_factory.mktemp("written")
    done = audit_to_files(folder)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    return folder


def text_of_page(path: Path) -> str:
    return "".join(map(str, lxml.html.document_fromstring(path.read_bytes()).itertext()))


def test_one_audit_writes_every_format_to_private_files_and_leaves_nothing_else(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == {*FORMATS, "amiguard.yaml"}
    assert {stat.S_IMODE((written / name).stat().st_mode) for name in FORMATS} == {0o600}


def test_every_format_is_read_by_a_reader_of_its_own(written: Path) -> None:
    document: dict[str, Any] = json.loads(read(written / "json"))
    schema = json.loads(resources.files("amiguard.report").joinpath("report_v1.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    ids = [result["image"]["id"] for result in document["results"] if result["image"]]
    assert ids == sorted(image.id for image in IMAGES)
    summary = {key: document["summary"][key] for key in ("pass", "fail", "suppressed", "unknown")}
    # Unknown are the odd grant, and what could not be listed.
    assert summary == {"pass": 2, "fail": 4, "suppressed": 1, "unknown": 2}

    lines = [json.loads(line) for line in read(written / "jsonl").splitlines()]
    assert [line["type"] for line in lines] == ["header", *["result"] * 9, "summary"]
    assert [{"type": "result", **result} for result in document["results"]] == lines[1:-1]

    assert read(written / "table").count("Verdict\n") == 1
    assert read_text(read(written / "text")).texts[-3] == "verdict"
    assert read_csv(read(written / "csv")).texts[0] == "account_id"
    assert set(ids) <= {row["image_id"] for row in csv.DictReader(read(written / "csv").splitlines(keepends=True))}
    assert SHARED_BADLY.id in str(read_markdown(read(written / "markdown")).texts)
    page = text_of_page(written / "html")
    assert all(image_id in page for image_id in ids)
    assert SHARED_BADLY.id in str(read_sarif(read(written / "sarif")).texts)
    assert SHARED_BADLY.id in str(read_junit(read(written / "junit")).texts)

    events = [json.loads(line) for line in read(written / "ocsf").splitlines()]
    assert len(events) == 9
    for event in events:
        ComplianceFinding.model_validate(event)
    findings = json.loads(read(written / "asff"))
    assert {one["Id"] for one in findings} == {
        f"amiguard/{result['fingerprint']}" for result in document["results"] if result["status"] == "fail"
    }


def test_formats_for_people_show_what_needs_attention_and_the_others_all(written: Path) -> None:
    for name in FORMATS:
        # Markdown names the passing in its folded part only by --status; SARIF and ASFF never have them.
        holds_all = name not in {"table", "text", "markdown", "sarif", "asff"}
        assert (PRIVATE.id in read(written / name)) == holds_all, name
        assert SHARED_BADLY.id in read(written / name), name


def test_every_format_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "report-formats.md").read_text(encoding="utf-8")
    table = page.split("\n## ", 1)[0]
    for name in FORMATS:
        assert f"`{name}`" in table
        assert name in {"table", "json", "jsonl"} or f"\n## {name}\n" in page


def test_jsonl_streams_to_stdout_beside_files_and_output_is_for_the_one_without(
    run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        environment = fake.environment(ACCOUNT)
        run = run_amiguard(
            *("audit", "--trust", TRUSTED, "-f", "jsonl", "-f", "html=page.html", "-f", "csv=a=b.csv"), env=environment
        )
        assert (run.code, run.err) == (1, "")
        lines = [json.loads(line)["type"] for line in run.out.splitlines()]
        assert lines == ["header", "result", "result", "summary"]
        assert SHARED_BADLY.id in read(tmp_path / "page.html")
        # All before the first = is the format.
        assert read(tmp_path / "a=b.csv").startswith("account_id,")

        arguments = ("audit", "--trust", TRUSTED, "-f", "csv", "-f", "text=findings", "--output", "table.csv")
        run = run_amiguard(*arguments, env=environment)
        assert (run.code, run.out, run.err) == (1, "", "")
        assert read(tmp_path / "table.csv").startswith("account_id,")
        assert read(tmp_path / "findings").startswith("fail\t")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-f", "json", "-f", "csv"), "json and csv would both go to stdout: write FORMAT=FILE"),
        (("-f", "jsno"), "there is no format 'jsno': did you mean json?"),
        (("-f", "XYZ=x"), "there is no format 'XYZ': there are table, text, json, jsonl, csv, markdown, html, sarif,"),
        (("-f", "csv="), "'csv=' names no file"),
        (("-f", "csv=x", "-o", "y"), "every format has a file of its own already"),
        (("-f", "csv=x", "-f", "text=./x"), "the csv report and the text report are one file: x"),
        (("-f", "csv=x", "-f", "text", "-o", "x"), "the csv report and the text report are one file: x"),
        (("-f", "csv=x", "--checkpoint", "./x"), "--checkpoint and the csv report are one file: x"),
        (("-f", "csv=link"), "the settings file and the csv report are one file: link"),
        (("-f", "text=y", "-f", "csv=no/x"), "the folder of no/x does not exist"),
        (("-f", "text=y", "-f", "csv=folder"), "folder is a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_aws_is_asked(
    run_amiguard: RunAmiguard, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "amiguard.yaml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "link").symlink_to("amiguard.yaml")
    (tmp_path / "folder").mkdir()
    with FakeEc2(regions(PRIVATE)) as fake:
        run = run_amiguard("audit", *arguments, env=fake.environment(ACCOUNT))
        assert not fake.stats.calls
    assert (run.code, run.out) == (2, "")
    assert message in re.sub(r"\s+", " ", run.err)
    assert "Traceback" not in run.err
    assert {path.name for path in tmp_path.iterdir()} == {"amiguard.yaml", "link", "folder"}
    assert read(tmp_path / "amiguard.yaml") == SETTINGS


def test_a_full_disk_for_one_file_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    """No file may have more than 32 KiB: the page has, the others have not."""
    (tmp_path / "html").write_text("old", encoding="utf-8")
    options = " ".join(to_files(("json", "html", "csv")))
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        environment = scrubbed_environment(tmp_path, fake.environment(ACCOUNT))
        # The file of what coverage has seen would be too large, too.
        environment = {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}
        done = subprocess.run(
            ["/bin/sh", "-c", f"ulimit -f 64; exec '{PROGRAM}' audit --trust {TRUSTED} {options} -f text=/dev/full"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert "amiguard: error: html cannot be written: File too large" in done.stderr
    assert "amiguard: error: /dev/full cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert read(tmp_path / "html") == "old"
    assert json.loads(read(tmp_path / "json"))["summary"]["fail"] == 1
    assert SHARED_BADLY.id in read(tmp_path / "csv")
    assert {path.name for path in tmp_path.iterdir()} == {"html", "json", "csv"}


def test_the_demo_writes_all_that_it_is_asked_for(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    files = {"html": "report.html", "sarif": "out.sarif", "junit": "out.xml"}
    run = run_amiguard("demo", *(part for name, file in files.items() for part in ("--format", f"{name}={file}")))
    assert (run.code, run.out) == (1, "")
    assert "Traceback" not in run.err
    assert {path.name for path in tmp_path.iterdir()} == set(files.values())
    assert "legacy-webshop-2019" in text_of_page(tmp_path / "report.html")
    (sarif_run,) = json.loads(read(tmp_path / "out.sarif"))["runs"]
    read_sarif(read(tmp_path / "out.sarif"))
    read_junit(read(tmp_path / "out.xml"))
    assert len(sarif_run["results"]) == 13


def test_the_rule_id_of_the_settings_is_in_the_checks(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text(f"{SETTINGS}conformity: {{rule_id: CUSTOM-001}}\n", encoding="utf-8")
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:
        formats = ("--format", "conformity=checks", "--format", "json=saved")
        assert run_amiguard("audit", *formats, env=fake.environment(ACCOUNT)).code == 1
    ids = [check["id"] for check in json.loads(read(tmp_path / "checks"))["data"]]
    assert len(ids) == 2
    assert all(one.startswith(f"ccc:{ACCOUNT}:CUSTOM-001:EC2:") for one in ids)
    # Of a saved audit the settings are not asked.
    run = run_amiguard("report", "saved", "--format", "conformity")
    assert [check["id"] for check in json.loads(run.out)["data"]] == [
        one.replace("CUSTOM-001", "AMI-CrossAccountAccess") for one in ids
    ]
