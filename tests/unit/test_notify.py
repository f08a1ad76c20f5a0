"""Messages: what they say, that nothing in them is markup, what counts as a change, and who is told."""

import json
import re
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiguard.core.errors import OutputError, SettingsError
from amiguard.core.notification import NotifyEntry, NotifyOn, TopicTarget, UrlTarget, VariableTarget
from amiguard.files.notify_state import NotifyState, notify_scope
from amiguard.notify.change import Change, compare, to_remember
from amiguard.notify.channels import Channel, open_channels
from amiguard.notify.deliver import DeliveryFailure, deliver
from amiguard.notify.message import Verdict, build_message
from amiguard.notify.plain import plain, plain_grantee
from amiguard.notify.survey import Survey, survey
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, Report
from amiguard.report.json_v1 import ResultV1
from tests.unit.hostile_strings import HOSTILE
from tests.unit.v1_reports import STRANGER, a_report, a_result, a_target

EVERYONE: GrantV1 = {"kind": "everyone", "grantee": "all", "decision": "untrusted", "reason": "not in the trust policy"}
URL = "json://user:S3CRET@127.0.0.1:1/S3CRET"


def surveyed(report: Report) -> Survey:
    return survey(audit=report.audit, summary=report.summary, results=report.results(ALL))


def found(*, fail: int = 1, complete: bool = True, first: int = 1) -> Survey:
    return surveyed(a_report([a_result(first + n) for n in range(fail)], [a_target()], complete=complete))


def about_a_target(number: int, message: str) -> ResultV1:
    result = a_result(number, severity="medium", grants=())
    result["image"] = None
    result["message"] = message
    return result


# --- what it says


def test_a_whole_message() -> None:
    unit = "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij"
    grants: list[GrantV1] = [
        STRANGER,
        EVERYONE,
        {"kind": "organizational_unit", "grantee": unit, "decision": "untrusted", "reason": ""},
        {"kind": "account", "grantee": "222233334444", "decision": "trusted", "reason": ""},
    ]
    results = [
        *(a_result(number, name="golden_image v1.2") for number in range(1, 6)),
        a_result(6, severity="critical", grants=grants, name="ubuntu/jammy-22.04 (base)"),
        about_a_target(7, "Block public access is off."),
        a_result(8, status="unknown"),
        a_result(9, status="pass"),
    ]
    message = build_message(
        surveyed(a_report(results, [a_target()], complete=False)),
        change=Change(first=False, new=2, changed=1, resolved=0),
        report_files=["out/report.html", "x.json"],
    )
    assert message.verdict is Verdict.FAIL
    assert message.title == "amiguard: FAIL, 7 fail (1 critical, 5 high, 1 medium), 1 unknown, incomplete"
    where = "account 012345678901, eu-central-1"
    assert message.body.split("\n") == [
        "9 images in 1 target audited by account 111122223333. "
        "The audit is incomplete: what was not read may be shared too.",
        "",
        "Since the last message: 2 new, 1 with another severity.",
        "",
        "The worst 5 of 7:",
        f"critical: ami-00000000000000006 (ubuntu/jammy-22.04 (base)), {where}: everyone, 999988887777 and 1 more",
        *(f"high: ami-0000000000000000{n} (golden_image v1.2), {where}: 999988887777" for n in range(1, 5)),
        "",
        "Full report: out/report.html, x.json",
    ]


def test_findings_about_targets_and_units() -> None:
    grants: list[GrantV1] = [
        {
            "kind": "organizational_unit",
            "grantee": "arn:aws:organizations::111122223333:ou/o-abcdefghij/ou-ab12-cdefghij",
            "decision": "untrusted",
            "reason": "",
        }
    ]
    results = [
        about_a_target(1, "It is off: <a>"),
        a_result(2, grants=grants, name=""),
    ]
    body = build_message(surveyed(a_report(results, [a_target()]))).body
    assert "medium: account 012345678901, eu-central-1: It is off\\x3a \\x3ca\\x3e" in body
    assert "ami-00000000000000002, account 012345678901, eu-central-1: o-abcdefghij/ou-ab12-cdefghij\n" in body
    assert body.endswith("The full report is what the command printed.")


@pytest.mark.parametrize(
    ("complete", "title", "verdict"),
    [
        (True, "amiguard: clean, nothing fails, 0 unknown, complete", Verdict.CLEAN),
        (False, "amiguard: INCOMPLETE, nothing known fails, 0 unknown, incomplete", Verdict.INCOMPLETE),
    ],
)
def test_nothing_fails(*, complete: bool, title: str, verdict: Verdict) -> None:
    message = build_message(
        found(fail=0, complete=complete), report_url="https://ci.example/a_b?c#d", report_files=["x"]
    )
    assert (message.title, message.verdict) == (title, verdict)
    assert "fails:" not in message.body
    assert message.body.endswith("Full report: https://ci.example/a_b?c#d")
    assert (
        "resolved"
        not in build_message(
            found(fail=0, complete=False), change=Change(first=False, new=0, changed=0, resolved=3)
        ).body
    )


# --- nothing in it is markup

SAFE = re.compile(r"(?:[\w ()/,+=;%'\"\\-]|\.(?![^\W\d_]))*")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_are_text(text: str) -> None:
    grants: list[GrantV1] = [{**STRANGER, "kind": "unrecognized", "grantee": text}]
    result = a_result(name=text, grants=grants, region=text)
    body = build_message(surveyed(a_report([{**result, "account_id": text}], [a_target()]))).body
    lines = body.split("\n")
    assert len(lines) == 6
    assert not re.search(r"[@<>&*~`\[\]|#!$^{}]|://|www\.|\.example", lines[3])
    assert len(lines[3]) < 300
    assert body.isprintable() or body.replace("\n", "").isprintable()


@given(st.text(), st.integers(10, 80))
def test_plain_text_is_safe_and_fits(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert SAFE.fullmatch(shown)
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my_image-1.2 (x86/64)", "my_image-1.2 (x86/64)"),
        ("R\u00e9f\u00e9rence 2026.05.06", "R\u00e9f\u00e9rence 2026.05.06"),
        ("@channel", r"\x40channel"),
        ("<!here> <@U012>", r"\x3c\x21here\x3e \x3c\x40U012\x3e"),
        ("https://evil.example", r"https\x3a//evil\x2eexample"),
        ("a_b _c_ __d__", r"a_b \x5fc\x5f \x5f\x5fd\x5f\x5f"),
        ("\u202e\U0001f600\ud800", r"\u202e\U0001f600\ud800"),
        ("end.", "end."),
        ("x" * 21, "x" * 17 + "..."),
        ("@" * 10, r"\x40\x40\x40\x40..."),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert plain(text, 40 if len(shown) > 20 else 20) == shown


def test_arns_of_organizations_are_their_ids() -> None:
    assert plain_grantee("arn:aws-cn:organizations::111122223333:organization/o-abcdefghij", 60) == "o-abcdefghij"
    assert plain_grantee("arn:aws:other", 60) == r"arn\x3aaws\x3aother"


# --- what is a change


def test_changes() -> None:
    three = found(fail=3)
    assert compare(None, three) == Change(first=True, new=3, changed=0, resolved=0)
    assert not compare(None, found(fail=0))
    told = to_remember(None, three)
    assert not compare(told, three)
    assert compare(told, found(fail=3, first=2)) == Change(first=False, new=1, changed=0, resolved=1)
    assert compare(dict.fromkeys(told, "critical"), three) == Change(first=False, new=0, changed=3, resolved=0)


def test_an_incomplete_audit_resolves_nothing() -> None:
    told = to_remember(None, found(fail=3))
    cut = found(fail=1, complete=False)
    assert not compare(told, cut)
    other = found(fail=1, complete=False, first=9)
    assert compare(told, other) == Change(first=False, new=1, changed=0, resolved=0)
    kept = to_remember(told, other)
    assert len(kept) == 4
    assert compare(kept, found(fail=0)).resolved == 4
    assert to_remember(kept, found(fail=0)) == {}


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
