"""Notifications over HTTP: what reaches a web hook and a topic, what is told when it does not, and what never shows."""

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.session import AwsSession
from amiguard.aws.sns import open_topic
from amiguard.core.notification import NotifyEntry, NotifyOn, TopicTarget, UrlTarget
from amiguard.demo.server import running_server
from amiguard.files.notify_state import NotifyState
from amiguard.notify.apprise_sender import AppriseSender
from amiguard.notify.channels import open_channels
from amiguard.notify.deliver import DeliveryFailure, deliver
from amiguard.notify.survey import Survey, survey
from amiguard.report.interface import ALL
from tests.unit.v1_reports import a_report, a_result, a_target

SECRET = "S3CRETtokenS3CRETtokenS3CRET"


@dataclass
class Hook:
    """A web hook: what it was sent, and what it answers by the first part of the path."""

    port: int = 0
    got: list[tuple[str, Any]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    def url(self, answer: str = "200", scheme: str = "json") -> str:
        return f"{scheme}://user:{SECRET}@127.0.0.1:{self.port}/{answer}/{SECRET}?rto=60"


@pytest.fixture
def hook() -> Iterator[Hook]:
    receiver = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = self.path.split("/")[1]
            receiver.got.append((self.path, json.loads(body)))
            if answer == "hang":
                receiver.let_go.wait(60)
            elif answer == "close":
                self.close_connection = True
            else:
                self.send_response(int(answer) if answer.isdigit() else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever hung up is not missed

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield receiver
        receiver.let_go.set()
        server.shutdown()
        thread.join()


def found(name: str = "golden") -> Survey:
    report = a_report([a_result(name=name)], [a_target()])
    return survey(audit=report.audit, summary=report.summary, results=report.results(ALL))


def tell(
    urls: list[str], tmp_path: Path, *, on: NotifyOn = NotifyOn.ALWAYS, seconds: float = 30, name: str = "golden"
) -> tuple[DeliveryFailure, ...]:
    entries = [NotifyEntry(UrlTarget(url), n, f"f.yaml:{n}:1: notify[{n}]", on) for n, url in enumerate(urls)]

    def no_topic(arn: str) -> AppriseSender:
        raise AssertionError(arn)

    channels = open_channels(entries, environment={}, open_topic=no_topic)
    return deliver(found(name), channels, memory=NotifyState(tmp_path, "scope"), seconds=seconds)


NASTY = "@channel <!here> <@U012> *b* <b>x</b> [a](https://evil.example) www.evil.example"
SHOWN = r"\x40channel \x3c\x21here\x3e \x3c\x40U012\x3e \x2ab\x2a ..."
LINE = f"high: ami-00000000000000001 ({SHOWN}), account 012345678901, eu-central-1: 999988887777"


def test_json_that_reaches_a_web_hook(hook: Hook, tmp_path: Path) -> None:
    assert tell([hook.url()], tmp_path, name=NASTY) == ()
    [(_, got)] = hook.got
    assert got["title"] == "amiguard: FAIL, 1 fail (1 high), 0 unknown, complete"
    assert got["type"] == "failure"
    assert got["message"].split("\n")[3] == LINE


@pytest.mark.parametrize("mode", ["slack", "mattermost", "rocketchat"])
def test_json_that_reaches_a_chat_service(mode: str, hook: Hook, tmp_path: Path) -> None:
    token = "3ccdd113474722377935511fc85d3dd4"
    url = {
        # Slack's own plugin knows no other host than Slack's; Matrix's speaks as Slack does.
        "slack": f"matrix://{token}@127.0.0.1:{hook.port}/?mode=slack",
        "mattermost": f"mmost://127.0.0.1:{hook.port}/{token}",
        "rocketchat": f"rocket://{token}/{token}@127.0.0.1:{hook.port}/%23general",
    }[mode]
    assert tell([url], tmp_path, name=NASTY) == ()
    [(_, got)] = hook.got
    text = json.dumps(got, ensure_ascii=False)
    for markup in ("@", "<", "&", "*", "https:", "evil.example", "![", "]("):
        assert markup not in text.replace("# amiguard", "")
    assert "image_url" not in text
    assert "http" not in text


def test_slack_is_sent_text_that_is_no_mrkdwn(hook: Hook) -> None:
    sender = AppriseSender("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general")
    sender._plugin.webhook_url = f"http://127.0.0.1:{hook.port}/200"
    assert sender.send("t", LINE, "fail") is None
    [(_, got)] = hook.got
    assert got["mrkdwn"] is False
    [attachment] = got["attachments"]
    assert attachment["text"] == LINE


def test_failures_are_told_without_their_urls(
    hook: Hook, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # caplog itself hears loggers that propagate nothing: nobody else does
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)
    try:
        urls = [hook.url("500"), hook.url("close"), hook.url("hang"), f"json://127.0.0.1:1/{SECRET}", hook.url()]
        failures = tell(urls, tmp_path, on=NotifyOn.CHANGE, seconds=5)
    finally:
        logging.getLogger().removeHandler(handler)
    assert failures == (
        DeliveryFailure("notify[0]", "the service answered HTTP 500"),
        DeliveryFailure("notify[1]", "the service did not answer, or could not be reached"),
        DeliveryFailure("notify[2]", "no answer within 5 seconds; it may have arrived all the same"),
        DeliveryFailure("notify[3]", "the service did not answer, or could not be reached"),
    )
    states = list((tmp_path / "notify").iterdir())
    assert len(states) == 1
    shown = "".join([*capfd.readouterr(), heard.getvalue(), repr(failures), *map(str, states)])
    assert "S3CRET" not in shown + states[0].read_text()


HELD = """
import sys
from amiguard.cli.log import log_to_stderr
from amiguard.core.notification import NotifyEntry, NotifyOn, UrlTarget, VariableTarget
from amiguard.notify.channels import open_channels
from amiguard.notify.deliver import deliver
from tests.integration.test_notify import found
log_to_stderr()
entries = [NotifyEntry(VariableTarget("HOOK"), 0, "f.yaml:1:1: notify[0]", NotifyOn.ALWAYS)]
channels = open_channels(entries, environment=dict(HOOK=sys.stdin.read()), open_topic=None)
for failure in deliver(found(), channels, memory=None, seconds=float(sys.argv[1])):
    print(failure)
"""


@pytest.mark.parametrize(("answer", "said"), [("hang", "no answer within 0.5 seconds"), ("500", "HTTP 500")])
def test_a_slow_web_hook_does_not_hold_the_program(answer: str, said: str, hook: Hook) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", HELD, "0.5" if answer == "hang" else "20"],
        input=hook.url(answer),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "S3CRET" not in done.stdout + done.stderr


def test_urls_that_apprise_does_not_take_are_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    entries = [
        NotifyEntry(UrlTarget(url), 0, "f.yaml:1:1: notify[0]")
        for url in (f"nosuch://{SECRET}", f"slack://{SECRET}", f"json://:{SECRET}", f"discord://{SECRET}")
    ]
    with pytest.raises(Exception, match="notify cannot be used") as caught:
        open_channels(entries, environment={}, open_topic=AppriseSender)
    assert "S3CRET" not in "".join(
        [*capfd.readouterr(), repr(caught.value), str(caught.getrepr(style="long"))]
    ).replace("{SECRET}", "")


# --- SNS


@pytest.fixture
def endpoint_url() -> Iterator[str]:
    with running_server(["us-east-1"]) as url:
        yield url


def test_a_topic_is_told(endpoint_url: str, tmp_path: Path) -> None:
    region = "eu-central-1"
    sns = boto3.client("sns", region_name=region, endpoint_url=endpoint_url)
    sqs = boto3.client("sqs", region_name=region, endpoint_url=endpoint_url)
    arn = sns.create_topic(Name="amiguard")["TopicArn"]
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    session = AwsSession(profile=None, home_region="us-east-1", endpoint_url=endpoint_url, stats=CallStats())
    caller = session.ask_caller()
    entries = [
        NotifyEntry(TopicTarget(arn), 0, "f.yaml", NotifyOn.FAIL),
        NotifyEntry(TopicTarget(f"{arn}-gone"), 1, "f.yaml", NotifyOn.FAIL, "Gone"),
    ]
    channels = open_channels(entries, environment={}, open_topic=lambda one: open_topic(session, caller, one))
    [failure] = deliver(found(NASTY), channels, memory=NotifyState(tmp_path, "scope"))
    assert (failure.name, failure.reason[:27]) == ("Gone", "could not publish: NotFound")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    got = json.loads(message["Body"])
    assert got["Subject"] == "amiguard: FAIL, 1 fail (1 high), 0 unknown, complete"
    assert got["Message"].split("\n")[3] == LINE
    assert got["MessageAttributes"]["verdict"]["Value"] == "fail"
    assert session.stats.calls["Publish"] == 2
    sns.close()
    sqs.close()
