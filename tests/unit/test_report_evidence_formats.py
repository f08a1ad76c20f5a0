"""Evidence in each format: snapshots, hostile texts, and what programs are told."""

import io
import json
import shlex
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from amiguard.report.asff import render_asff
from amiguard.report.conformity import SNAPSHOT_RULE, conformity_renderer
from amiguard.report.html import render_html
from amiguard.report.html.commands import reading_commands, removal_commands
from amiguard.report.interface import ALL, Report
from amiguard.report.json_v1 import ResultV1
from amiguard.report.ocsf import render_ocsf
from amiguard.report.sarif import render_sarif
from tests.unit.evidence_reports import (
    FOR_PEOPLE,
    FORMATS,
    USE,
    author,
    page_of,
    through_an_organization,
    words,
    written,
)
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
from tests.unit.hostile_strings import HOSTILE
from tests.unit.report_readers import read_conformity, read_csv, read_junit, read_markdown, read_sarif, read_text
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target

SNAPSHOT_SAYS: dict[str, Callable[[str], bool]] = {
    "table": lambda said: "Snapshots shared with grantees that are not trusted" in said and "may use snap-" in said,
    "text": lambda said: "may use snap-" in said,
    "markdown": lambda said: "snapshots: everyone" in said,
    "html": lambda said: "by its snapshots" in said and "EC2, Snapshots, this snapshot" in said,
}


@pytest.mark.parametrize("name", FORMATS)
def test_shared_snapshots_are_not_told_as_launch_permission(name: str) -> None:
    said = words(name, of_snapshots())
    assert "may create volumes from 2 of its 3 snapshots" in said or name == "markdown"
    assert name not in SNAPSHOT_SAYS or SNAPSHOT_SAYS[name](said)
    if name == "html":
        page = page_of(written(render_html, of_snapshots()))
        said_of_it = page.xpath("string(//*[@class='inside'])")
    else:
        # Its rules stand before the results, also those of other checks.
        said_of_it = said.rpartition('"results":')[2]
    for wrong in ("may launch", "modify-image-attribute --region", "Public: everyone", "Edit AMI permissions"):
        assert wrong not in said_of_it
    if name in FOR_PEOPLE:
        assert "No image can be launched by a grantee that is not trusted." in said
        assert "Snapshots under 1 image are shared with grantees that are not trusted." in said


def test_what_to_do_about_snapshots() -> None:
    said = words("table", of_snapshots())
    assert "amiguard plan --snapshots" in said
    assert (
        f"aws ec2 modify-snapshot-attribute --region eu-central-1 --snapshot-id {SNAPSHOTS[0]} "
        "--attribute createVolumePermission --operation-type remove --group-names all" in said
    )
    assert "allow the audit ec2:DescribeSnapshotAttribute" in said
    assert removal_commands(of_snapshots()) == tuple(
        "aws ec2 modify-snapshot-attribute --region eu-central-1 --snapshot-id "
        f"{snapshot} --attribute createVolumePermission --operation-type remove {who}"
        for snapshot, who in zip(SNAPSHOTS, ("--group-names all", f"--user-ids {STRANGER['grantee']}"), strict=True)
    )
    assert len(reading_commands(of_snapshots())) == 3
    assert all("describe-snapshot-attribute" in one for one in reading_commands(of_snapshots()))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_shell_reads_a_snapshot_as_it_is(text: str) -> None:
    result = of_snapshots()
    for snapshot in result["snapshots"]:
        snapshot["id"] = text
    for command in (*removal_commands(result), *reading_commands(result)):
        assert shlex.split(command)[:2] == ["aws", "ec2"]
        assert len(command.splitlines()) == 1
        assert "--attribute" in shlex.split(command)


def test_pictures_and_counts_are_about_launching() -> None:
    page = page_of(written(render_html, of_snapshots(), a_result(1, "pass", grants=[])))
    tiles = [" ".join(one.text_content().split()) for one in page.xpath("//*[contains(@class,'tile ')]")]
    assert [one.split()[0] for one in tiles] == ["0", "0", "0", "0", "1"]
    assert "No image is shared with anybody." in page.text_content()
    assert "Of 1 image 1 rest on a snapshot that is shared" in page.text_content()
    assert len(page.xpath("//tbody[contains(@class,'image')]")) == 2
    assert "Not all results are shown" not in page.text_content()


@cache
def ocsf_schema() -> Draft202012Validator:
    published = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    return Draft202012Validator(published.get_class_schema(class_name="compliance_finding", profiles=["cloud"]))


def hostile(text: str) -> Report:
    """A report with a text wherever evidence holds texts of others."""
    public = through_an_organization()
    public["evidence"] = all_evidence(lambda _name, _usual: text)
    named: ResultV1 = {**a_result(2, grants=[STRANGER, OTHER]), "evidence": public["evidence"]}
    snapshots = of_snapshots(3)
    for snapshot in snapshots["snapshots"]:
        snapshot["id"] = text
    unknown: Any = {**without("usage", "author", "keys"), "image": a_result(4)["image"]}
    unknown["evidence"]["last_launched_time"] = text
    for kind in ("usage", "author", "keys"):
        unknown["evidence"][kind]["reason"] = text
    return a_report([public, named, snapshots, unknown], [{**a_target(), "recycle_bin": a_bin(text)}])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_evidence_is_text_everywhere(text: str) -> None:
    report = hostile(text)
    stream = {name: io.StringIO(newline="") for name in FORMATS}
    for name, render in FORMATS.items():
        render(report, ALL, stream[name])
    one = {name: each.getvalue() for name, each in stream.items()}
    assert one["table"].replace("\n", "").isprintable()
    for name, read in (
        ("text", read_text),
        ("csv", read_csv),
        ("markdown", read_markdown),
        ("sarif", read_sarif),
        ("junit", read_junit),
        ("conformity", read_conformity),
    ):
        read(one[name])
    for line in one["ocsf"].splitlines():
        event = json.loads(line)
        assert not [f"{error.json_path}: {error.message}" for error in ocsf_schema().iter_errors(event)]
        ComplianceFinding.model_validate(event)
    for found in json.loads(one["asff"]):
        other = found["Resources"][0]["Details"]["Other"]
        assert len(other) <= 50
        assert all(value.strip() and len(value.encode()) < 1024 and value.isprintable() for value in other.values())
    page = page_of(one["html"])
    assert len(page.xpath("//script")) == 2
    assert not page.xpath("//@onmouseover | //@onerror | //img | //b | //iframe")
    assert not page.xpath("//a[not(starts-with(@href,'#') or starts-with(@href,'https://docs.aws.amazon.com/'))]")


def test_ocsf_holds_events_as_evidences_and_the_rest_as_enrichments() -> None:
    (event,) = map(json.loads, written(render_ocsf, with_evidence()).splitlines())
    assert not list(ocsf_schema().iter_errors(event))
    (call,) = event["evidences"]
    assert call["actor"] == {"user": {"uid": WHO}, "session": {"uid": "ada"}}
    assert call["api"]["operation"] == "ModifyImageAttribute"
    assert call["src_endpoint"] == {"ip": "192.0.2.7"}
    stranger, other, missing = event["enrichments"]
    assert stranger["value"] == STRANGER["grantee"]
    assert stranger["data"]["used_by"][0]["use"] == [
        {"type": "ec2:Instance", "count": 14},
        {"type": "ec2:LaunchTemplate", "count": 1},
    ]
    assert other["data"]["key_admission"] == "does_not_admit"
    assert missing["data"] == {"kind": "snapshots", "reason": "EC2 answered HTTP 503 (again)"}


def test_sarif_points_to_snapshots_and_keys() -> None:
    (result,) = json.loads(written(render_sarif, with_evidence()))["runs"][0]["results"]
    near = [one["logicalLocations"][0]["fullyQualifiedName"] for one in result["relatedLocations"]]
    assert near == [f"arn:aws:ec2:eu-central-1::snapshot/{SNAPSHOTS[0]}", KEY]
    assert [one["id"] for one in result["relatedLocations"]] == [1, 2]
    assert result["message"]["text"].endswith(f" In use by {STRANGER['grantee']}: {USE}.")
    first, second = result["properties"]["evidence"]["grantees"]
    assert (first["used_by"], first["key_admission"]) == (USE, "admits")
    assert (second["used_by"], second["key_admission"]) == ("no use known", "does_not_admit")


def test_conformity_has_a_rule_of_its_own_for_snapshots() -> None:
    (check,) = json.loads(written(conformity_renderer("X-1"), of_snapshots()))["data"]
    assert check["relationships"]["rule"]["data"]["id"] == SNAPSHOT_RULE
    assert check["attributes"]["risk-level"] == "EXTREME"
    labels = [one["label"] for one in check["attributes"]["extradata"]]
    assert all(len(label) <= 20 for label in labels)


def test_asff_has_room_for_the_largest() -> None:
    arn = "arn:aws:organizations::999988887777:ou/o-" + "a" * 32
    crowd = [{**ORGANIZATION, "grantee": f"{arn}/ou-{number:032}"} for number in range(2000)]
    result: Any = {**a_result(1, grants=crowd, name="🙂" * 500), "evidence": all_evidence(lambda *_: "🙂" * 500)}  # type: ignore[arg-type]  # grants
    author(result)["shares"][0]["added"] = crowd
    result["evidence"]["keys"]["keys"][0]["admissions"] = [
        {**one, "admission": "undetermined", "reason": "🙂" * 500} for one in crowd
    ]
    result["evidence"]["snapshots"][0]["grants"] = crowd
    (found,) = json.loads(written(render_asff, result))
    other = found["Resources"][0]["Details"]["Other"]
    assert {"UsedBy4", "SharedBy4", "KeyAdmission4", "SnapshotsShared", "UntrustedNotListed"} <= set(other)
    assert len(other) <= 50
    assert all(len(value.encode()) < 1024 for value in other.values())
    assert len(found["Description"].encode()) <= 1024
    assert len(json.dumps(found)) < 240_000
