"""The section `notify` of the settings file: who is told of an audit, and when. URLs are secret: no message has one."""

import re
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from amiguard.core.notification import NotifyEntry, NotifyOn, TopicTarget, UrlTarget, VariableTarget
from amiguard.files.settings_fields import OptionalText, pattern_schema
from amiguard.files.settings_section import Section
from amiguard.files.settings_values import MistakesWithin, text_of

_URL = r"[A-Za-z][A-Za-z0-9]*://\S+"
_VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"
_TOPIC = (
    r"arn:aws[a-z-]*:sns:[a-z]{2,}(?:-[a-z]+)+-[0-9]+:[0-9]{12}:"
    r"(?:[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo)"
)
_REPORT_URL = r"https?://[!#-;=?-\[\]_a-z~]+"
_LONGEST_URL = 2000


def read_url(value: object) -> str:
    """An Apprise URL; whether Apprise takes it shows when it is opened."""
    expected = "an Apprise URL, such as slack://... or mailto://..."
    text = text_of(value, expected)
    if not re.fullmatch(_URL, text):
        raise ValueError(f"expected {expected} (it is not shown here: it is secret)")
    return text


def read_variable(value: object) -> str:
    """The name of an environment variable."""
    expected = "the name of an environment variable"
    text = text_of(value, expected)
    if re.fullmatch(_URL, text):
        raise ValueError(f"expected {expected}, this is a URL: its key is url")
    if not re.fullmatch(_VARIABLE, text):
        raise ValueError(f"expected {expected}: letters, digits and _, such as SLACK_URL")
    return text


def read_topic(value: object) -> str:
    """The ARN of an SNS topic."""
    expected = "the ARN of an SNS topic: arn:aws:sns:<region>:<account>:<name>"
    text = text_of(value, expected)
    if not re.fullmatch(_TOPIC, text, re.ASCII):
        raise ValueError(f"expected {expected}")
    return text


def read_report_url(value: object) -> str:
    """Where the full report will be."""
    expected = f"a URL, http:// or https://, of at most {_LONGEST_URL:,} characters of ASCII"
    text = text_of(value, expected)
    if len(text) > _LONGEST_URL or not re.fullmatch(_REPORT_URL, text):
        raise ValueError(f"expected {expected}")
    return text


_Url = Annotated[
    str | None,
    PlainValidator(read_url),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_URL})$", "writeOnly": True}),
]
_Variable = Annotated[
    str | None,
    PlainValidator(read_variable),
    pattern_schema(_VARIABLE, "The name of an environment variable that holds an Apprise URL.", "SLACK_URL"),
]
_Topic = Annotated[
    str | None,
    PlainValidator(read_topic),
    pattern_schema(_TOPIC, "The ARN of an SNS topic.", "arn:aws:sns:eu-central-1:123456789012:amiguard"),
]
_ReportUrl = Annotated[
    str | None,
    PlainValidator(read_report_url),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_REPORT_URL})$", "maxLength": _LONGEST_URL}),
]
_TARGETS = ("url", "url_from", "sns")


class NotifySection(Section):
    """Someone who is told of audits: exactly one of url, url_from and sns."""

    model_config = ConfigDict(
        title="Notification", json_schema_extra={"oneOf": [{"required": [name]} for name in _TARGETS]}
    )

    url: _Url = Field(default=None, description="An Apprise URL. It holds secrets: prefer url_from.")
    url_from: _Variable = Field(default=None, description="The environment variable that holds an Apprise URL.")
    sns: _Topic = Field(default=None, description="The ARN of an SNS topic.")
    on: Literal["change", "fail", "always"] = Field(
        default="fail",
        description="`fail`: something fails or the audit is incomplete; `change`: what fails is not what was told "
        "last; `always`.",
    )
    name: OptionalText = Field(default=None, description="How messages and errors call it.")
    report_url: _ReportUrl = Field(default=None, description="Where people find the full report.")

    @model_validator(mode="after")
    def _goes_to_one_place(self) -> Self:
        named = [name for name in _TARGETS if name in self.model_fields_set]
        if not named:
            raise ValueError("does not say where to send to: write url, url_from or sns")
        if len(named) > 1:
            raise ValueError(f"has {' and '.join(named)}: keep one of them, and write an entry for each")
        return self

    def entry(self, number: int, place: str) -> NotifyEntry:
        """As core knows it.

        Args:
            number: its place in the list, from 0.
            place: where it is written, for messages.
        """
        return NotifyEntry(self._target(), number, place, NotifyOn(self.on), self.name, self.report_url)

    def _target(self) -> UrlTarget | VariableTarget | TopicTarget:
        if self.url is not None:
            return UrlTarget(self.url)
        if self.url_from is not None:
            return VariableTarget(self.url_from)
        assert self.sns is not None  # noqa: S101 - for mypy: one of them is
        return TopicTarget(self.sns)


def refuse_same_names(entries: list[NotifySection] | None) -> list[NotifySection] | None:
    """A name names one entry: what was told to each is kept by it.

    Raises:
        MistakesWithin: some name stands twice.
    """
    first: dict[str, int] = {}
    twice = [
        ((number, "name"), f"notify[{first[entry.name]}] has this name already: give each its own")
        for number, entry in enumerate(entries or ())
        if entry.name is not None and first.setdefault(entry.name, number) != number
    ]
    if twice:
        raise MistakesWithin(twice)
    return entries
