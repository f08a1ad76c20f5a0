"""Notifications: what counts as a change, who is told of it, and what is kept."""

import json
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from amiguard.core.errors import OutputError, SettingsError
from amiguard.core.notification import NotifyEntry, NotifyOn, TopicTarget, UrlTarget, VariableTarget
from amiguard.files.notify_state import NotifyState, notify_scope
from amiguard.notify.change import to_remember
from amiguard.notify.channels import Channel, open_channels
from amiguard.notify.deliver import DeliveryFailure, deliver
from amiguard.notify.survey import Survey
from tests.unit.notify_surveys import found

URL = "json://user:S3CRET@127.0.0.1:1/S3CRET"


# --- who is told


@dataclass
class Sent:
    answer: str | None = None
    messages: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, title: str, body: str, verdict: str) -> str | None:
        self.messages.append((title, body, verdict))
        return self.answer


@dataclass
class Memory:
    told: dict[str, Mapping[str, str]] = field(default_factory=dict)
    broken: bool = False

    def recall(self, key: str) -> Mapping[str, str] | None:
        return self.told.get(key)

    def remember(self, key: str, failing: Mapping[str, str]) -> None:
        if self.broken:
            raise OutputError("the disk is full")
        self.told[key] = failing


def entry(on: NotifyOn = NotifyOn.ALWAYS, name: str | None = "Team", number: int = 0) -> NotifyEntry:
    return NotifyEntry(UrlTarget(URL), number, "f.yaml:3:5: notify[0]", on, name)


def channel(sender: object, on: NotifyOn = NotifyOn.ALWAYS, name: str | None = "Team", number: int = 0) -> Channel:
    return Channel(entry(on, name, number), sender, f"key of {number}")  # type: ignore[arg-type]  # stubs below


@pytest.mark.parametrize(
    ("on", "survey_", "told"),
    [
        (NotifyOn.ALWAYS, found(fail=0), True),
        (NotifyOn.FAIL, found(fail=0), False),
        (NotifyOn.FAIL, found(fail=0, complete=False), True),
        (NotifyOn.FAIL, found(), True),
        (NotifyOn.CHANGE, found(), True),
        (NotifyOn.CHANGE, found(fail=0), False),
        (NotifyOn.CHANGE, found(fail=0, complete=False), False),
    ],
)
def test_when_people_are_told(on: NotifyOn, survey_: Survey, *, told: bool) -> None:
    sender, memory = Sent(), Memory()
    assert deliver(survey_, [channel(sender, on)], memory=memory) == ()
    assert len(sender.messages) == told
    assert bool(memory.told) == (told and on is NotifyOn.CHANGE)


def test_a_change_is_told_once_and_its_end_too() -> None:
    sender, memory = Sent(), Memory()
    for now in (found(), found(), found(fail=1, complete=False), found(fail=0), found(fail=0)):
        assert deliver(now, [channel(sender, NotifyOn.CHANGE)], memory=memory) == ()
    assert [title for title, _, _ in sender.messages] == [
        "amiguard: FAIL, 1 fail (1 high), 0 unknown, complete",
        "amiguard: clean, nothing fails, 0 unknown, complete",
    ]
    assert "Since" not in sender.messages[0][1]
    assert "Since the last message: 0 new, 1 resolved." in sender.messages[1][1]


def test_what_was_not_delivered_is_told_again() -> None:
    sender, memory = Sent("the service answered HTTP 500"), Memory()
    failure = DeliveryFailure("Team", "the service answered HTTP 500")
    for _ in range(2):
        assert deliver(found(), [channel(sender, NotifyOn.CHANGE)], memory=memory) == (failure,)
    assert str(failure) == "the notification to Team failed: the service answered HTTP 500"
    assert (len(sender.messages), memory.told) == (2, {})


def test_without_a_memory_every_run_is_the_first() -> None:
    sender = Sent()
    for _ in range(2):
        assert deliver(found(), [channel(sender, NotifyOn.CHANGE)]) == ()
    assert len(sender.messages) == 2


def test_what_cannot_be_remembered_is_a_failure() -> None:
    [failure] = deliver(found(), [channel(Sent(), NotifyOn.CHANGE)], memory=Memory(broken=True))
    assert failure.reason.endswith("so the next run tells it again: the disk is full")


def test_one_that_hangs_or_breaks_keeps_nobody_else_from_being_told() -> None:
    let_go = threading.Event()

    class Hangs:
        def send(self, title: str, body: str, verdict: str) -> str | None:
            let_go.wait(60)
            return None

    class Breaks:
        def send(self, title: str, body: str, verdict: str) -> str | None:
            raise RuntimeError(URL)

    good, memory = Sent(), Memory()
    channels = [
        channel(Hangs(), NotifyOn.CHANGE, None, 0),
        channel(Breaks(), NotifyOn.CHANGE, None, 1),
        channel(good, NotifyOn.CHANGE, None, 2),
    ]
    failures = deliver(found(), channels, memory=memory, seconds=0.3)
    assert all(one.daemon for one in threading.enumerate() if one.name == "amiguard-notify")
    let_go.set()
    assert failures == (
        DeliveryFailure("notify[0]", "no answer within 0.3 seconds; it may have arrived all the same"),
        DeliveryFailure("notify[1]", "it could not be sent (RuntimeError)"),
    )
    assert (len(good.messages), list(memory.told)) == (1, ["key of 2"])


def test_the_entrys_own_report_url_is_named() -> None:
    sender = Sent()
    one = channel(sender)
    one = replace(one, entry=replace(one.entry, report_url="https://ci.example/1"))
    deliver(found(), [one, channel(sender)], memory=Memory(), report_files=["r.html"])
    assert sorted(body.split("\n")[-1] for _, body, _ in sender.messages) == [
        "Full report: https://ci.example/1",
        "Full report: r.html",
    ]


# --- opening


def refuse(arn: str) -> Sent:
    raise SettingsError("the topic is elsewhere")


def test_every_entry_that_cannot_be_used_is_told_at_once() -> None:
    entries = [
        NotifyEntry(VariableTarget("UNSET"), 0, "f.yaml:3:5: notify[0]"),
        NotifyEntry(VariableTarget("BLANK"), 1, "f.yaml:4:5: notify[1]"),
        NotifyEntry(VariableTarget("WRONG"), 2, "f.yaml:5:5: notify[2]"),
        NotifyEntry(UrlTarget("nosuch://S3CRET"), 3, "f.yaml:6:5: notify[3]"),
        NotifyEntry(UrlTarget("json://"), 4, "f.yaml:7:5: notify[4]"),
        NotifyEntry(TopicTarget("arn"), 5, "f.yaml:8:5: notify[5]"),
        entry(),
    ]
    with pytest.raises(SettingsError) as caught:
        open_channels(entries, environment={"BLANK": " ", "WRONG": "S3CRET"}, open_topic=refuse)
    mend = "write it as Apprise's documentation of that service says"
    assert caught.value.message.split("\n") == [
        "notify cannot be used: 6 mistakes",
        "f.yaml:3:5: notify[0].url_from: the environment variable UNSET is not set: set it to a URL",
        "f.yaml:4:5: notify[1].url_from: the environment variable BLANK is not set: set it to a URL",
        "f.yaml:5:5: notify[2].url_from: Apprise does not take the URL in the environment variable WRONG: " + mend,
        "f.yaml:6:5: notify[3].url: Apprise does not take this URL: " + mend,
        "f.yaml:7:5: notify[4].url: Apprise does not take this URL: " + mend,
        "f.yaml:8:5: notify[5].sns: the topic is elsewhere",
    ]
    assert caught.value.hint


def test_keys_tell_channels_apart_and_nothing_else() -> None:
    def key(target: UrlTarget | VariableTarget | TopicTarget, name: str | None = None) -> str:
        one = NotifyEntry(target, 0, "f.yaml", name=name)
        return open_channels([one], environment={"HOOK": URL}, open_topic=lambda arn: Sent())[0].key

    keys = [key(UrlTarget(URL)), key(UrlTarget(URL), "a"), key(TopicTarget("arn"), "b"), key(TopicTarget("arn"))]
    assert len(set(keys)) == 4
    assert key(VariableTarget("HOOK")) == keys[0]
    assert key(UrlTarget("json://other"), "a") == keys[1]
    assert "S3CRET" not in repr(open_channels([entry()], environment={}, open_topic=refuse))


def test_without_apprise_only_urls_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    topic = NotifyEntry(TopicTarget("arn"), 0, "f.yaml")
    assert open_channels([topic], environment={}, open_topic=lambda arn: Sent())
    with pytest.raises(SettingsError, match="is not installed") as caught:
        open_channels([entry()], environment={}, open_topic=refuse)
    assert caught.value.hint == "pip install 'amiguard[notify]'"


# --- what is remembered


def test_what_was_told_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    scope = notify_scope("111122223333", tmp_path / "amiguard.yaml", [["eu-central-1"], None])
    state = NotifyState(tmp_path, scope)
    assert state.recall("a") is None
    state.remember("a", {"f" * 64: "high"})
    assert state.recall("a") == {"f" * 64: "high"}
    [path] = (tmp_path / "notify").iterdir()
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    for other in (
        notify_scope("111122223334", tmp_path / "amiguard.yaml", [["eu-central-1"], None]),
        notify_scope("111122223333", None, [["eu-central-1"], None]),
        notify_scope("111122223333", tmp_path / "amiguard.yaml", [["eu-central-2"], None]),
    ):
        assert NotifyState(tmp_path, other).recall("a") is None
    assert state.recall("b") is None
    state.remember("a", {})
    assert state.recall("a") == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version":2,"failing":{}}', b'{"version":1}', b'{"version":1,"failing":{"a":1}}', b"\xff"],
)
def test_a_state_that_is_not_ours_counts_for_none(content: bytes, tmp_path: Path) -> None:
    state = NotifyState(tmp_path, "s")
    state.remember("a", {})
    next((tmp_path / "notify").iterdir()).write_bytes(content)
    assert state.recall("a") is None


def test_a_state_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "notify").touch()
    with pytest.raises(OutputError):
        NotifyState(tmp_path, "s").remember("a", {})
    assert NotifyState(tmp_path, "s").recall("a") is None


def test_hashes_are_all_that_a_state_holds(tmp_path: Path) -> None:
    [one] = open_channels([entry(NotifyOn.CHANGE, None)], environment={}, open_topic=refuse)
    state = NotifyState(tmp_path, notify_scope("1", None, []))
    state.remember(one.key, to_remember(None, found()))
    [path] = (tmp_path / "notify").iterdir()
    assert "S3CRET" not in path.name + path.read_text()
    assert list(json.loads(path.read_text())) == ["failing", "version"]
