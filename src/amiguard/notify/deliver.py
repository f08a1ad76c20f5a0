"""Tell of an audit, on all channels at once and within a bounded time."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from amiguard.core.errors import AmiguardError
from amiguard.core.notification import NotifyOn
from amiguard.notify.change import Change, compare, to_remember
from amiguard.notify.channels import Channel
from amiguard.notify.message import Message, build_message
from amiguard.notify.survey import Survey

SECONDS = 30.0


class Memory(Protocol):
    """What was told, by channel."""

    def recall(self, key: str) -> Mapping[str, str] | None:
        """What failed when that channel was last told; None if it never was, or if that cannot be read."""
        ...

    def remember(self, key: str, failing: Mapping[str, str]) -> None:
        """Keep it.

        Raises:
            AmiguardError: it cannot be kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """A message that was not delivered.

    Attributes:
        name: how the settings call the entry.
        reason: without the URL.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"the notification to {self.name} failed: {self.reason}"


def deliver(
    found: Survey,
    channels: Sequence[Channel],
    *,
    memory: Memory | None = None,
    report_files: Sequence[str] = (),
    seconds: float = SECONDS,
) -> tuple[DeliveryFailure, ...]:
    """Tell the channels that are to be told, and remember what was told where that counts.

    Args:
        found: what the audit comes to.
        channels: from `open_channels`.
        memory: asked for channels with `on: change` only; None remembers nothing.
        report_files: where the full report was written.
        seconds: how long all of it may take. What has not ended by then is left behind: it does not hold the program.

    Returns:
        What went wrong, in the order of the settings; empty if nothing did.
    """
    errands = [errand for one in channels if (errand := _errand(found, one, memory, report_files)) is not None]
    until = time.monotonic() + seconds
    for errand in errands:
        errand.start()
    for errand in errands:
        errand.join(max(0.0, until - time.monotonic()))
    return tuple(
        DeliveryFailure(errand.channel.entry.label, reason)
        for errand in errands
        if (reason := _outcome(errand, found, memory, seconds)) is not None
    )


class _Errand(threading.Thread):
    """One message under way."""

    def __init__(self, channel: Channel, message: Message, before: Mapping[str, str] | None) -> None:
        super().__init__(name="amiguard-notify", daemon=True)
        self.channel = channel
        self.before = before
        self._message = message
        self.ended = False
        self.reason: str | None = None

    def run(self) -> None:
        """Send it."""
        message = self._message
        try:
            self.reason = self.channel.sender.send(message.title, message.body, message.verdict.value)
        except Exception as error:  # noqa: BLE001 - a traceback of it may hold the URL
            self.reason = f"it could not be sent ({type(error).__name__})"
        self.ended = True


def _errand(found: Survey, channel: Channel, memory: Memory | None, report_files: Sequence[str]) -> _Errand | None:
    before: Mapping[str, str] | None = None
    change: Change | None = None
    match channel.entry.on:
        case NotifyOn.CHANGE:
            before = memory.recall(channel.key) if memory else None
            change = compare(before, found)
            if not change:
                return None
        case NotifyOn.FAIL:
            if found.complete and not found.fail:
                return None
        case NotifyOn.ALWAYS:
            pass
    message = build_message(found, change=change, report_files=report_files, report_url=channel.entry.report_url)
    return _Errand(channel, message, before)


def _outcome(errand: _Errand, found: Survey, memory: Memory | None, seconds: float) -> str | None:
    if not errand.ended:
        return f"no answer within {seconds:g} seconds; it may have arrived all the same"
    if errand.reason is not None or memory is None or errand.channel.entry.on is not NotifyOn.CHANGE:
        return errand.reason
    try:
        memory.remember(errand.channel.key, to_remember(errand.before, found))
    except AmiguardError as error:
        return f"it was delivered, and that cannot be remembered, so the next run tells it again: {error.message}"
    return None
