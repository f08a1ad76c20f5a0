"""What a check says about itself, for reports and documentation."""

from dataclasses import dataclass

from amiguard.core.result import Severity


@dataclass(frozen=True, slots=True)
class CheckMetadata:
    """A check's own words.

    Attributes:
        check_id: stable, in every report.
        title: one line.
        severity: of an ordinary failure; a check may raise it.
        description: what is judged, and why it matters.
        remediation: what to do, in sentences.
        references: links, most useful first.
        on_by_default: it always runs; the others run when they are asked for.
    """

    check_id: str
    title: str
    severity: Severity
    description: str
    remediation: str
    references: tuple[str, ...]
    on_by_default: bool
