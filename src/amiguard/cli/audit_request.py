"""What the command line asked of `amiguard audit`."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from amiguard.cli.report_formats import TABLE, Output
from amiguard.cli.same_files import refuse_same
from amiguard.core.evidence import EvidenceSettings
from amiguard.core.result import Status
from amiguard.core.scope import Scope
from amiguard.files.settings_record import Settings


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
        outputs: the reports to write.
        checks: ids of the checks to make besides that of images.
        evidence: what is collected about failing images.
        read_bucket: `BURST+REFILL` or `none`, as given.
        directory: where the organization's directory comes from.
        deadline: how long the audit may take; None for as long as it takes.
        checkpoint: the file that keeps what has ended; None for none.
        workers: how many processes share the work.
        notify: whether those whom the settings name are notified.
        baseline: a saved report; what failed there is known, and does not fail the audit again.
        security_hub: whether failing results are sent to AWS Security Hub.
    """

    settings: Settings
    scope: Scope
    profile: str | None = None
    endpoint_url: str | None = None
    image_ids: tuple[str, ...] = ()
    checks: frozenset[str] = frozenset()
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    tags: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    outputs: tuple[Output, ...] = TABLE
    read_bucket: str | None = None
    directory: DirectoryOptions = field(default_factory=DirectoryOptions)
    deadline: timedelta | None = None
    checkpoint: Path | None = None
    workers: int = 1
    baseline: Path | None = None
    security_hub: bool = False
    notify: bool = True
    quiet: bool = False
    verbose: bool = False

    @property
    def streamed(self) -> Output | None:
        """The report whose results leave as soon as their target has ended; None if there is no such one."""
        return next((one for one in self.outputs if one == Output("jsonl")), None)


def refuse_same_files(request: AuditRequest) -> None:
    """No file that is written may be another one that is written or read: one would be lost."""
    files = {
        "--checkpoint": request.checkpoint,
        "--directory": request.directory.file,
        "--baseline": request.baseline,
        "the settings file": request.settings.path,
    }
    written = ((f"the {one.name} report", one.path) for one in request.outputs)
    refuse_same((*files.items(), *written))
