"""Input that is made to read files, to run for ever, or to send what is not amiguard's."""

import subprocess
import sys
from pathlib import Path

import pytest

from amiguard.aws.ec2_xml import MalformedReplyError, parse_error, parse_reply
from amiguard.core.errors import SettingsError
from amiguard.core.notification import NotifyEntry, UrlTarget
from amiguard.notify.apprise_sender import AppriseSender, TemplateUrlError
from amiguard.notify.channels import open_channels

CANARY = "the-content-of-a-local-file"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.json"
    path.write_text(CANARY)
    return path


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE R [<!ENTITY e SYSTEM "{uri}">]>',
        '<!DOCTYPE R SYSTEM "{uri}">',
        '<!DOCTYPE R [<!ENTITY % p SYSTEM "{uri}"> %p;]>',
        '<!DOCTYPE R PUBLIC "p" "{uri}" [<!ENTITY e SYSTEM "{uri}">]>',
    ],
)
@pytest.mark.parametrize("use", ["&e;", ""])
def test_no_reply_reads_a_local_file(canary: Path, declared: str, use: str) -> None:
    declaration = declared.replace("{uri}", canary.as_uri())
    reply = f"{declaration}<R>{use}</R>".encode()
    with pytest.raises(MalformedReplyError) as caught:
        parse_reply(reply, "R")
    assert CANARY not in str(caught.value)
    error = f"{declaration}<R><Errors><Error><Code>c</Code><Message>{use}</Message></Error></Errors></R>".encode()
    with pytest.raises(MalformedReplyError) as caught:
        parse_error(error)
    assert CANARY not in str(caught.value)


STARS = """
from amiguard.core.exception import ImageSelector
class Named:
    image_id, account_id, region, tags = "ami-1", "1", "r", ()
    def __init__(self, name): self.name = name
for stars in (50, 500):
    for pattern, name in (("*a" * stars + "b", "a" * 5000), ("*[a-b]?" * stars + "c", "ab" * 2500)):
        assert not ImageSelector(names=(pattern,)).matches(Named(name))
"""


def test_a_pattern_of_many_stars_does_not_run_for_ever() -> None:
    """Image names have at most 128 characters. If stars multiplied each other, fifty would take longer than anybody
    can wait; in a process of its own, so that it can be ended then.
    """
    subprocess.run([sys.executable, "-c", STARS], check=True, timeout=60)


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a?template={path}",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?template={path}",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a?template=https://a.example/t.json",
    ],
)
def test_a_notification_does_not_carry_a_file_of_this_machine(canary: Path, url: str) -> None:
    whole = url.replace("{path}", str(canary))
    with pytest.raises(TemplateUrlError):
        AppriseSender(whole)
    AppriseSender(whole.partition("?")[0])
    entry = NotifyEntry(UrlTarget(whole), 0, "f.yaml:1:1: notify[0]")
    with pytest.raises(SettingsError, match=r"notify\[0\]\.url: the URL names a template") as caught:
        open_channels([entry], environment={}, open_topic=AppriseSender)
    assert str(canary) not in str(caught.value)
    assert "T1JJ3T3L2" not in str(caught.value)
