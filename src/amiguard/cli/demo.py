"""`amiguard demo`: the main job on an embedded AWS."""

from typing import Annotated

import typer

from amiguard.cli.evidence_options import EvidenceOption, evidence_settings
from amiguard.cli.report_formats import FormatOption, OutputOption, read_outputs
from amiguard.core.evidence import EvidenceSettings


def demo(
    *,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Leave the embedded AWS running, and print the environment for trying any command on it."
        ),
    ] = False,
    evidence: EvidenceOption = None,
    report_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Audit an embedded AWS with a small, realistic estate. Nothing outside this machine is contacted.

    Needs the extra `demo`: pip install 'amiguard[demo]'. Ends as the audit does (1: untrusted sharing was found);
    with --keep, 0 once it is stopped. With evidence about snapshots these are checked, too.
    """
    from amiguard.cli.demo_run import run_demo

    wanted = evidence_settings(EvidenceSettings(), evidence, None)  # the settings of the demo name none
    raise typer.Exit(run_demo(read_outputs(report_format, output), keep=keep, evidence=wanted))
