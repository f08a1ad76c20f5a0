"""What the settings say of notifications: where they go, when, and how they are called."""

from dataclasses import dataclass, field
from enum import StrEnum


class NotifyOn(StrEnum):
    """When an audit is told of."""

    CHANGE = "change"
    """What fails is not what failed when it was last told of."""
    FAIL = "fail"
    """Something fails, or the audit is incomplete."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """An Apprise URL. It holds secrets and is never shown."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VariableTarget:
    """An Apprise URL that an environment variable holds."""

    variable: str


@dataclass(frozen=True, slots=True)
class TopicTarget:
    """An SNS topic."""

    arn: str


@dataclass(frozen=True, slots=True)
class NotifyEntry:
    """One entry of the settings.

    Attributes:
        number: its place in the list, from 0.
        place: where it is written: `amiguard.yaml:7:5: notify[0]`.
        name: how people call it; None if they do not.
        report_url: where the full report will be; None if the settings do not say.
    """

    target: UrlTarget | VariableTarget | TopicTarget
    number: int
    place: str
    on: NotifyOn = NotifyOn.FAIL
    name: str | None = None
    report_url: str | None = None

    @property
    def label(self) -> str:
        """How messages call it: its name, or its place in the list. URLs are secret."""
        return self.name if self.name is not None else f"notify[{self.number}]"
