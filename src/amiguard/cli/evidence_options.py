"""Options about evidence, of every command that audits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from amiguard.cli.completion import offer
from amiguard.cli.time_options import read_duration
from amiguard.core.evidence import EvidenceKind, EvidenceSettings, evidence_kinds

_EVIDENCE, _DEADLINE, _NONE = "--evidence", "--evidence-deadline", "none"

EvidenceOption = Annotated[
    list[str] | None,
    typer.Option(
        _EVIDENCE,
        metavar="KIND",
        autocompletion=offer((*EvidenceKind, "all", _NONE)),
        help=f"Collect evidence about failing images: {', '.join(EvidenceKind)}, several with commas, `all` or `none`. "
        "Repeatable. Default: what the settings name. `usage` makes EC2 write usage reports, which is a write action.",
        show_default=False,
    ),
]
EvidenceDeadlineOption = Annotated[
    str | None,
    typer.Option(
        _DEADLINE,
        metavar="TIME",
        help="How long to wait for evidence once all else is known (90s, 45m). Default: what the settings say, or 30m.",
        show_default=False,
    ),
]


def evidence_settings(
    settings: EvidenceSettings, kinds: Sequence[str] | None, deadline: str | None
) -> EvidenceSettings:
    """The evidence to collect: what the settings say, overlaid by the command line.

    Raises:
        typer.BadParameter: there is no such kind, or the deadline is no span of time.
    """
    wanted = settings.kinds
    if kinds is not None:
        named = [name for text in kinds for name in text.split(",")]
        if _NONE in named and len(named) > 1:
            raise typer.BadParameter(f"`{_NONE}` goes with no other kind", param_hint=_EVIDENCE)
        try:
            wanted = frozenset() if named == [_NONE] else evidence_kinds(named)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint=_EVIDENCE) from error
    waiting = settings.deadline if deadline is None else read_duration(deadline, _DEADLINE)
    return replace(settings, kinds=wanted, deadline=waiting)
