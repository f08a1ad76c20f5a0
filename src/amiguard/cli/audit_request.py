"""What the command line asked of `amiguard audit`."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from amiguard.cli.report_formats import default_statuses
from amiguard.core.errors import OutputError
from amiguard.core.result import Status
from amiguard.core.scope import Scope
from amiguard.files.settings_record import Settings
from amiguard.report.interface import StatusFilter


@dataclass(frozen=True, slots=True)
class DirectoryOptions:
    """Where the organization's directory comes from.

    Attributes:
        file: a directory that was saved; None asks AWS.
        max_age: how old a file may be.
    """

    file: Path | None = None
    max_age: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What the command line asked for.

    Attributes:
        settings: the trust policy and all else from the settings file.
        scope: what is to be audited: the settings' scope, overlaid by the command line.
        image_ids: these images only; empty for all.
        tags: `KEY` or `KEY=VALUE`, as given.
        statuses: shown ones; empty for what the format shows by default.
        report_format: `table`, `json` or `jsonl`.
        checks: ids of the checks to make besides that of images.
        read_bucket: `BURST+REFILL` or `none`, as given.
        directory: where the organization's directory comes from.
        deadline: how long the audit may take; None for as long as it takes.
        checkpoint: the file that keeps what has ended; None for none.
        workers: how many processes share the work.
    """

    settings: Settings
    scope: Scope
    profile: str | None = None
    endpoint_url: str | None = None
    image_ids: tuple[str, ...] = ()
    checks: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    report_format: str = "table"
    output: Path | None = None
    read_bucket: str | None = None
    directory: DirectoryOptions = field(default_factory=DirectoryOptions)
    deadline: timedelta | None = None
    checkpoint: Path | None = None
    workers: int = 1
    quiet: bool = False
    verbose: bool = False

    @property
    def streams(self) -> bool:
        """Whether results leave as soon as their target has ended."""
        return self.report_format == "jsonl" and self.output is None

    @property
    def shown(self) -> StatusFilter:
        """Which results the report shows."""
        return StatusFilter.of(self.statuses) if self.statuses else default_statuses(self.report_format)


def refuse_same_files(request: AuditRequest) -> None:
    """No file that is written may be another one that is written or read: one would be lost."""
    files = {
        "--output": request.output,
        "--checkpoint": request.checkpoint,
        "--directory": request.directory.file,
        "the settings file": request.settings.path,
    }
    seen: dict[str, str] = {}
    for name, path in files.items():
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise OutputError(f"{seen[real]} and {name} are one file: {path}", hint="name another one")
        seen[real] = name
