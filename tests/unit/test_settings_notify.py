"""The setting `notify`: what it comes to, and every mistake, none of which shows a URL."""

import re
from datetime import date
from pathlib import Path

import pytest

from amiguard.core.errors import SettingsError
from amiguard.core.notification import NotifyOn, TopicTarget, UrlTarget, VariableTarget
from amiguard.files.settings import settings_of
from amiguard.files.settings_record import Settings

HEAD = "version: 1\ntrust: nobody\n"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:amiguard"


def load(section: str) -> Settings:
    return settings_of(HEAD + section, Path("f.yaml"), today=date(2026, 8, 1))


def mistakes(section: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(section)
    assert "S3CRET" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    return caught.value.message.split("\n")[1:]


def test_every_key() -> None:
    url, variable, topic = load(
        "notify:\n"
        "  - {url: 'slack://S3CRET/a#b', on: change, name: Team}\n"
        "  - {url_from: HOOK_2, on: always, report_url: 'https://ci.example/run/1?x=[a]&y=%20#r'}\n"
        f"  - sns: {TOPIC}.fifo\n"
    ).notify
    assert (url.target, url.on, url.name, url.label) == (
        UrlTarget("slack://S3CRET/a#b"),
        NotifyOn.CHANGE,
        "Team",
        "Team",
    )
    assert "S3CRET" not in repr(url)
    assert (variable.target, variable.on, variable.label) == (VariableTarget("HOOK_2"), NotifyOn.ALWAYS, "notify[1]")
    assert variable.report_url == "https://ci.example/run/1?x=[a]&y=%20#r"
    assert (topic.target, topic.on, topic.place) == (
        TopicTarget(f"{TOPIC}.fifo"),
        NotifyOn.FAIL,
        "f.yaml:6:5: notify[2]",
    )


@pytest.mark.parametrize("section", ["", "notify:", "notify: []"])
def test_nobody_is_told(section: str) -> None:
    assert load(section).notify == ()


A_URL = "expected an Apprise URL, such as slack://... or mailto://..."
A_VARIABLE = "expected the name of an environment variable"
A_TOPIC = "expected the ARN of an SNS topic: arn:aws:sns:<region>:<account>:<name>"
A_REPORT = "expected a URL, http:// or https://, of at most 2,000 characters of ASCII"
A_LIST = "write one value a line, each after a dash"


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("notify: slack://S3CRET", f": expected a list, found text: {A_LIST}"),
        ("notify: {slack://S3CRET: a}", f": expected a list, found keys: {A_LIST}"),
        ("notify: [slack://S3CRET]", "[0]: expected keys, found text"),
        (
            "notify: [{slack://S3CRET: a}]",
            "[0].(a URL): unknown key; known here: name, on, report_url, sns, url, url_from",
        ),
        ("notify: [{}]", "[0]: does not say where to send to: write url, url_from or sns"),
        ("notify: [{on: fail}]", "[0]: does not say where to send to: write url, url_from or sns"),
        (
            f"notify: [{{url: 'a://S3CRET', sns: '{TOPIC}'}}]",
            "[0]: has url and sns: keep one of them, and write an entry for each",
        ),
        ("notify: [{url: }]", f"[0].url: {A_URL}, found nothing"),
        ("notify: [{url: S3CRET}]", f"[0].url: {A_URL} (it is not shown here: it is secret)"),
        ("notify: [{url: 'a://S3CRET a'}]", f"[0].url: {A_URL} (it is not shown here: it is secret)"),
        ("notify: [{url: [a://S3CRET]}]", f"[0].url: {A_URL}, found a list"),
        ("notify: [{url_from: 'a://S3CRET'}]", f"[0].url_from: {A_VARIABLE}, this is a URL: its key is url"),
        ("notify: [{url_from: 2S3CRET}]", f"[0].url_from: {A_VARIABLE}: letters, digits and _, such as SLACK_URL"),
        ("notify: [{sns: }]", f"[0].sns: {A_TOPIC}, found nothing"),
        ("notify: [{sns: 'arn:aws:sqs:eu-central-1:123456789012:a'}]", f"[0].sns: {A_TOPIC}"),
        ("notify: [{sns: 'arn:aws:sns:eu-central-1:123456789012:a/b'}]", f"[0].sns: {A_TOPIC}"),
        ("notify: [{sns: 'arn:aws:sns::123456789012:a'}]", f"[0].sns: {A_TOPIC}"),
        ("notify: [{url: 'a://S3CRET', on: sometimes}]", "[0].on: expected `change`, `fail` or `always`"),
        ("notify: [{url: 'a://S3CRET', on: }]", "[0].on: expected `change`, `fail` or `always`"),
        ("notify: [{url: 'a://S3CRET', name: ' '}]", "[0].name: is blank: write something"),
        ("notify: [{url: 'a://S3CRET', report_url: 'ftp://a'}]", f"[0].report_url: {A_REPORT}"),
        ("notify: [{url: 'a://S3CRET', report_url: 'https://a/<b>'}]", f"[0].report_url: {A_REPORT}"),
        (f"notify: [{{url: 'a://S3CRET', report_url: 'https://{'a' * 2000}'}}]", f"[0].report_url: {A_REPORT}"),
        ("notify: [{url: 'a://S3CRET', urls: b}]", "[0].urls: unknown key, did you mean `url`?"),
        ("notify: [{url: 'a://S3CRET', 'b://S3CRET': b, 'b://S3CRET': b}]", None),
        (
            "notify: [{url: 'a://S3CRET', name: a}, {url: 'b://S3CRET', name: a}]",
            "[1].name: notify[0] has this name already: give each its own",
        ),
    ],
)
def test_mistakes(section: str, line: str | None) -> None:
    told = [re.sub(r"^f\.yaml:3:[0-9]+: notify", "", one) for one in mistakes(section)]
    assert line is None or told == [line]
    assert "S3CRET" not in " ".join(told)


def test_the_example_of_the_documentation_loads() -> None:
    text = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(settings_of(example, Path("f.yaml"), today=date(2026, 8, 1)).notify) == 3


def test_values_written_twice_do_not_show_either() -> None:
    warnings = load("notify: [{url: 'a://S3CRET'}, {url: 'a://S3CRET'}]").warnings
    assert "S3CRET" not in " ".join(warnings)
