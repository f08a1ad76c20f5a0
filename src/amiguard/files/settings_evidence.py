"""The section `evidence` of the settings file: what is collected about failing images, and how long that may take."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, PlainValidator, Tag, WithJsonSchema, model_validator

from amiguard.core.evidence import DEFAULT_DEADLINE, DEFAULT_USAGE_MAX_AGE, EvidenceKind, EvidenceSettings
from amiguard.files.settings_section import SECTION, WORD, Section, word_or_section
from amiguard.files.settings_values import text_of

_SPAN = "[0-9]{1,6}[smhd]"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=30)
"""EC2 User Guide, "View your AMI usage": reports are deleted after 30 days."""


def read_span(value: object) -> timedelta:
    """A span of time.

    Raises:
        ValueError: it is none, of no length, or more than 30 days.
    """
    text = text_of(value, "a span of time, such as 24h")
    if not re.fullmatch(_SPAN, text):
        raise ValueError("expected a span of time: a number with s, m, h or d (30m, 24h)")
    span = timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    if not timedelta() < span <= _LONGEST:
        raise ValueError("expected more than nothing and at most 30d")
    return span


def read_kind(value: object) -> EvidenceKind:
    """A kind of evidence.

    Raises:
        ValueError: there is no such one.
    """
    text = text_of(value, "a kind of evidence")
    if text == "all":
        raise ValueError("for every kind write `collect: all`, without a list")
    if text not in list(EvidenceKind):
        raise ValueError(f"unknown kind of evidence; known: {', '.join(EvidenceKind)}")
    return EvidenceKind(text)


_Span = Annotated[
    timedelta,
    PlainValidator(read_span),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_SPAN})$", "examples": ["30m", "24h"]}),
]
_Kind = Annotated[
    EvidenceKind, PlainValidator(read_kind), WithJsonSchema({"enum": [kind.value for kind in EvidenceKind]})
]


class EvidenceSection(Section):
    """What is collected about failing images, beside their launch permissions."""

    model_config = ConfigDict(title="Evidence", json_schema_extra={"minProperties": 1})

    collect: Annotated[
        Annotated[Literal["all"], Tag(WORD)] | Annotated[list[_Kind], Tag(SECTION), Field(min_length=1)],
        Discriminator(word_or_section),
    ] = Field(
        default_factory=list,
        description="Kinds of evidence: a list, or `all`. `usage` makes EC2 write usage reports.",
    )
    usage_max_age: _Span = Field(
        default=DEFAULT_USAGE_MAX_AGE,
        json_schema_extra={"default": "24h"},
        description="A usage report that is younger is used again.",
    )
    deadline: _Span = Field(
        default=DEFAULT_DEADLINE,
        json_schema_extra={"default": "30m"},
        description="How long a report waits for evidence once all else is known.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty: write collect, or delete the key")
        return self

    def settings(self) -> EvidenceSettings:
        """As core knows it."""
        kinds = frozenset(EvidenceKind) if self.collect == "all" else frozenset(self.collect)
        return EvidenceSettings(kinds, self.usage_max_age, self.deadline)
