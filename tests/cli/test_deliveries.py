"""What `amiguard audit` sends, as installed: to moto's Security Hub and a web hook; and what it says if it cannot."""

import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.securityhub.models import SecurityHubBackend

from amiguard.demo.server import running_server
from benchmarks.fake_ec2 import FakeEc2, account_grant
from tests.cli.audit_runs import ACCOUNT, PRIVATE, PUBLIC, SHARED_BADLY, STRANGER, TRUSTED, regions
from tests.conftest import Run, RunAmiguard, scrubbed_environment
from tests.fakes.aws_cli import aws_cli

REGION, ELSEWHERE = "eu-central-1", "us-east-1"
SECRET = "S3CRETtokenS3CRETtokenS3CRET"


@pytest.fixture
def moto() -> Iterator[str]:
    with running_server([REGION, ELSEWHERE]) as url:
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=10).close()
        yield url


def findings(url: str, home: Path) -> dict[str, Any]:
    """What the AWS CLI sees: active findings and archived ones, by the name of the image."""
    environment = scrubbed_environment(home, {"AWS_ENDPOINT_URL": url})
    found = aws_cli("securityhub", "get-findings", "--region", REGION, environment=environment)["Findings"]
    return {one["Resources"][0]["Details"]["Other"]["Name"]: one for one in found}


def test_security_hub_takes_what_fails_then_updates_it_and_a_fixed_image_becomes_archived(
    moto: str, run_amiguard: RunAmiguard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=moto)
    names = ("golden", "silver", "bronze")
    ids = {name: ec2.register_image(Name=name, RootDeviceName="/dev/sda1")["ImageId"] for name in names}
    for name in ("golden", "silver"):
        ec2.modify_image_attribute(ImageId=ids[name], LaunchPermission={"Add": [{"UserId": STRANGER}]})

    def audit(*options: str) -> Run:
        arguments = ("audit", "--trust", TRUSTED, "--security-hub", "--format", "jsonl", *options)
        return run_amiguard(*arguments, env={"AWS_ENDPOINT_URL": moto, "AWS_REGION": REGION})

    first = audit()
    assert (first.code, first.err) == (1, "Security Hub: 2 findings imported, 0 updated, 0 archived\n")
    failing = [one for one in map(json.loads, first.out.splitlines()) if one.get("status") == "fail"]
    imported = findings(moto, tmp_path)
    assert {one["Id"] for one in imported.values()} == {f"amiguard/{result['fingerprint']}" for result in failing}
    assert {one["RecordState"] for one in imported.values()} == {"ACTIVE"}

    # The same findings, and nothing is said of it.
    again = audit("--quiet")
    assert (again.code, again.err) == (1, "")
    assert {one["Id"] for one in findings(moto, tmp_path).values()} == {one["Id"] for one in imported.values()}

    ec2.modify_image_attribute(ImageId=ids["golden"], LaunchPermission={"Remove": [{"UserId": STRANGER}]})
    fixed = audit()
    assert (fixed.code, fixed.err) == (1, "Security Hub: 0 findings imported, 1 updated, 1 archived\n")
    states = {name: one["RecordState"] for name, one in findings(moto, tmp_path).items()}
    assert states == {"golden": "ARCHIVED", "silver": "ACTIVE"}

    refuse_one(monkeypatch, imported["silver"]["Id"])
    ec2.modify_image_attribute(ImageId=ids["bronze"], LaunchPermission={"Add": [{"Group": "all"}]})
    refused = audit("--format", "csv=report.csv")
    assert refused.code == 4
    assert refused.err == (
        "Security Hub: 1 finding imported, 0 updated, 0 archived\n"
        f"amiguard: error: Security Hub of 123456789012 in {REGION} did not take {imported['silver']['Id']}: "
        r"InvalidInput: not \x1b[31mthis one" + "\n"
    )
    # The reports are written all the same.
    assert json.loads(refused.out.splitlines()[-1])["type"] == "summary"
    assert ids["bronze"] in (tmp_path / "report.csv").read_text(encoding="utf-8")
    assert set(findings(moto, tmp_path)) == set(names)


def refuse_one(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    """Moto takes whatever has a resource: from now on it does not take this finding."""
    take = SecurityHubBackend.batch_import_findings

    def batch_import_findings(self: Any, findings: list[dict[str, Any]]) -> tuple[int, int, list[dict[str, Any]]]:
        failed, taken, why = take(self, [one for one in findings if one["Id"] != refused])
        told = {"Id": refused, "ErrorCode": "InvalidInput", "ErrorMessage": "not \x1b[31mthis one"}
        return failed + 1, taken, [*why, told]

    monkeypatch.setattr(SecurityHubBackend, "batch_import_findings", batch_import_findings)


@dataclass
class Hook:
    """A web hook: what it was sent; what it answers is the first part of the path."""

    port: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)

    def url(self, answer: int = 200) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.port}/{answer}/{SECRET}"


@pytest.fixture
def hook() -> Iterator[Hook]:
    receiver = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(int(self.path.split("/")[1]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def settings(folder: Path, *entries: Mapping[str, str]) -> None:
    document = {"version": 1, "trust": {"accounts": [TRUSTED]}, "notify": list(entries)}
    # JSON is YAML.
    (folder / "amiguard.yaml").write_text(json.dumps(document), encoding="utf-8")


def no_secret(run: Run, folder: Path) -> None:
    """Neither what was said nor any file but the settings holds it."""
    assert SECRET not in run.out + run.err
    assert "Traceback" not in run.err
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "amiguard.yaml"]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_who_the_settings_name_is_told(run_amiguard: RunAmiguard, tmp_path: Path, hook: Hook) -> None:
    settings(tmp_path, {"url": hook.url()}, {"url_from": "HOOK", "report_url": "https://ci.example.com/1"})
    with FakeEc2(regions(PRIVATE, SHARED_BADLY, PUBLIC)) as fake:
        environment = {**fake.environment(ACCOUNT), "HOOK": f" {hook.url()}\n"}
        run = run_amiguard("audit", "--verbose", "-f", "html=page.html", "-f", "csv=all.csv", env=environment)
        assert (run.code, run.out) == (1, "")
        no_secret(run, tmp_path)
        assert {one["title"] for one in hook.got} == {
            "amiguard: FAIL, 2 fail (1 critical, 1 high), 0 unknown, complete"
        }
        ends = sorted(one["message"].splitlines()[-1] for one in hook.got)
        assert ends == ["Full report: https://ci.example.com/1", "Full report: page.html, all.csv"]
        assert all(f"high: {SHARED_BADLY.id} (leaked), account {ACCOUNT}" in one["message"] for one in hook.got)

        hook.got.clear()
        run = run_amiguard("audit", "--no-notify", "--quiet", "-f", "text", env=fake.environment(ACCOUNT))
        assert (run.code, run.err) == (1, "")
        assert hook.got == []


def test_a_change_is_told_once(run_amiguard: RunAmiguard, tmp_path: Path, hook: Hook) -> None:
    settings(tmp_path, {"url": hook.url(), "on": "change", "name": "Channel"})
    with FakeEc2(regions(PRIVATE, SHARED_BADLY)) as fake:

        def audit() -> list[str]:
            hook.got.clear()
            run = run_amiguard("audit", "-f", "text", env=fake.environment(ACCOUNT))
            assert (run.code, run.err) == (1, "")
            no_secret(run, tmp_path)
            return [one["message"] for one in hook.got]

        (told,) = audit()
        assert SHARED_BADLY.id in told
        assert audit() == []
        fake.set_grants(ACCOUNT, "us-east-1", PRIVATE.id, account_grant(STRANGER))
        (told,) = audit()
        assert "Since the last message: 1 new, 0 resolved." in told


def test_what_does_not_arrive_is_told_and_ends_4(run_amiguard: RunAmiguard, tmp_path: Path, hook: Hook) -> None:
    settings(tmp_path, {"url": hook.url(500), "on": "always"}, {"url": hook.url(), "on": "always"})
    with FakeEc2(regions(PRIVATE)) as fake:
        run = run_amiguard("audit", "-f", "text=findings", env=fake.environment(ACCOUNT))
        assert (run.code, run.out) == (4, "")
        assert run.err == ("amiguard: error: the notification to notify[0] failed: the service answered HTTP 500\n")
        assert len(hook.got) == 2
        assert (tmp_path / "findings").read_text().splitlines()[-1].startswith("verdict\tclean\t")
        # What is told by --verbose is no exception.
        run = run_amiguard("audit", "--verbose", "-f", "text", env=fake.environment(ACCOUNT))
        assert run.code == 4
        no_secret(run, tmp_path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"url": f"nosuch://{SECRET}"}, "notify[0].url: Apprise does not take this URL"),
        ({"url_from": "HOOK"}, "notify[0].url_from: Apprise does not take the URL in the environment variable HOOK"),
        ({"url_from": "UNSET"}, "notify[0].url_from: the environment variable UNSET is not set: set it to a URL"),
        ({"url": f"json:/{SECRET}"}, "notify[0].url: expected an Apprise URL, such as slack://... or mailto://..."),
        ({"sns": f"arn:aws-cn:sns:cn-north-1:{ACCOUNT}:topic"}, "notify[0].sns: "),
        ({"url": f"json://{SECRET}", "on": "failure"}, "notify[0].on: "),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_before_the_audit(
    run_amiguard: RunAmiguard, tmp_path: Path, entry: Mapping[str, str], message: str
) -> None:
    settings(tmp_path, entry)
    with FakeEc2(regions(SHARED_BADLY)) as fake:
        environment = {**fake.environment(ACCOUNT), "HOOK": f"nosuch://{SECRET}"}
        run = run_amiguard("audit", "-f", "text", "-f", "csv=all.csv", env=environment)
        # Who the caller is may be asked: a topic must be of the same partition.
        assert set(fake.stats.calls) <= {"GetCallerIdentity"}
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    no_secret(run, tmp_path)
    assert not (tmp_path / "all.csv").exists()
