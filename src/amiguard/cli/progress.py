"""The live line on stderr while something runs: only on a terminal."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from amiguard.auditor import AccountOpened, AccountUnreadable, AuditEvent, ImagesListed
from amiguard.core.checks.ami_cross_account_access import METADATA
from amiguard.core.result import CheckResult, Target, TargetReport


@dataclass(slots=True)
class Progress:
    """What has happened so far.

    Attributes:
        calls: tells the requests sent so far.
        throttled: tells how many of them AWS throttled.
        seconds_for: tells how long the token buckets need for so many images in each target.
    """

    calls: Callable[[], int]
    throttled: Callable[[], int]
    seconds_for: Callable[[Counter[Target]], float]
    started: float = field(default_factory=time.monotonic)
    targets: set[Target] = field(default_factory=set)
    targets_done: int = 0
    listed: int = 0
    done: int = 0
    waiting: Counter[Target] = field(default_factory=Counter)

    @classmethod
    def silent(cls) -> "Progress":
        """One that nobody looks at."""
        return cls(calls=lambda: 0, throttled=lambda: 0, seconds_for=lambda _: 0.0)

    def note(self, event: AuditEvent) -> None:
        """Count one event."""
        match event:
            case AccountOpened(targets=targets) | AccountUnreadable(targets=targets):
                self.targets.update(targets)
            case ImagesListed(target, images):
                self.listed += images
                self.waiting[target] += images
            case CheckResult(target=target, image=image, check_id=METADATA.check_id) if image is not None:
                # Every image has one result of this check; its results of other checks count no further image.
                self.done += 1
                self.waiting[target] -= 1
            case CheckResult():
                pass
            case TargetReport(target):
                self.targets_done += 1
                del self.waiting[target]

    def adopt(self, report: TargetReport) -> None:
        """Count a target that ended elsewhere."""
        self.targets.add(report.target)
        self.targets_done += 1
        self.listed += report.images
        self.done += report.images

    def line(self, now: float) -> str:
        """The line: targets and images done, calls a second, throttled, time left of what is listed."""
        seconds = max(now - self.started, 0.1)
        parts = [
            f"targets {self.targets_done}/{len(self.targets)}",
            f"images {self.done:,}/{self.listed:,}",
            f"{self.calls() / seconds:.0f} calls/s",
        ]
        if throttled := self.throttled():
            parts.append(f"{throttled:,} throttled")
        if (left := self.seconds_for(self.waiting)) >= 1:
            parts.append(f"at least {int(left) // 60}:{int(left) % 60:02} left")
        return "  ".join(parts)


@contextmanager
def shown_progress(progress: Progress, *, wanted: bool) -> Iterator[None]:
    """Keep the line on the terminal up to date, and take it away at the end."""
    with shown_line("auditing", lambda: progress.line(time.monotonic()), wanted=wanted):
        yield


@contextmanager
def shown_line(doing: str, line: Callable[[], str], *, wanted: bool) -> Iterator[None]:
    """Show a line that is made anew several times a second, on a terminal only.

    Args:
        doing: what the line begins with.
        line: makes the rest of it.
        wanted: whether to show it at all.
    """
    if not wanted or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def render() -> Text:
        return Text(f"{doing}: {line()}", no_wrap=True, overflow="ellipsis")

    with Live(
        get_renderable=render, console=Console(stderr=True), refresh_per_second=4, transient=True, redirect_stdout=False
    ):
        yield
