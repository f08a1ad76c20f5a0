"""The ways out that the settings name, opened before the audit starts: no mistake shows up after hours of reading."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from amiguard.core.errors import SettingsError
from amiguard.core.notification import NotifyEntry, TopicTarget, UrlTarget, VariableTarget
from amiguard.notify.apprise_sender import AppriseSender, NotAppriseUrlError, TemplateUrlError

_HINT = "https://appriseit.com/services/ says how the URL of each service reads"


class Sender(Protocol):
    """Sends to one place."""

    def send(self, title: str, body: str, verdict: str) -> str | None:
        """Send plain text; it blocks.

        Args:
            title: one line.
            body: the rest.
            verdict: `fail`, `incomplete` or `clean`.

        Returns:
            Why it was not delivered, without anything secret; None if it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One entry of the settings, ready to send.

    Attributes:
        key: names it in the state folder: from its name, or from where it goes, which it does not tell.
    """

    entry: NotifyEntry
    sender: Sender
    key: str


def open_channels(
    entries: Sequence[NotifyEntry], *, environment: Mapping[str, str], open_topic: Callable[[str], Sender]
) -> tuple[Channel, ...]:
    """Open all, or say everything that is wrong with any.

    Args:
        entries: from the settings.
        environment: where URLs may be.
        open_topic: opens an SNS topic by its ARN; it raises `SettingsError` if that cannot be.

    Raises:
        SettingsError: an environment variable is not set, a URL or a topic cannot be used, or Apprise is not installed.
    """
    opened: list[Channel] = []
    wrong: list[str] = []
    for entry in entries:
        try:
            opened.append(_open(entry, environment, open_topic))
        except _UnusableError as error:
            wrong.append(f"{entry.place}{error}")
    if wrong:
        count = "1 mistake" if len(wrong) == 1 else f"{len(wrong)} mistakes"
        raise SettingsError("\n".join([f"notify cannot be used: {count}", *wrong]), hint=_HINT)
    return tuple(opened)


class _UnusableError(Exception):
    """An entry cannot be used; its text follows the entry's place."""


def _open(entry: NotifyEntry, environment: Mapping[str, str], open_topic: Callable[[str], Sender]) -> Channel:
    match entry.target:
        case TopicTarget(arn):
            try:
                return Channel(entry, open_topic(arn), _key(entry, arn))
            except SettingsError as error:
                raise _UnusableError(f".sns: {error.message}") from error
        case UrlTarget(url):
            return _open_url(entry, url, ".url: Apprise does not take this URL")
        case VariableTarget(variable):
            url = environment.get(variable, "").strip()
            if not url:
                raise _UnusableError(f".url_from: the environment variable {variable} is not set: set it to a URL")
            wrong = f".url_from: Apprise does not take the URL in the environment variable {variable}"
            return _open_url(entry, url, wrong)


def _open_url(entry: NotifyEntry, url: str, wrong: str) -> Channel:
    try:
        return Channel(entry, AppriseSender(url), _key(entry, url))
    except NotAppriseUrlError:
        raise _UnusableError(f"{wrong}: write it as Apprise's documentation of that service says") from None
    except TemplateUrlError:
        key = wrong.partition(":")[0]
        raise _UnusableError(
            f"{key}: the URL names a template: delete `template=`, only amiguard's own messages are sent"
        ) from None


def _key(entry: NotifyEntry, goes_to: str) -> str:
    told_by = f"name {entry.name}" if entry.name is not None else f"to {goes_to}"
    return hashlib.sha256(told_by.encode(errors="surrogatepass")).hexdigest()
