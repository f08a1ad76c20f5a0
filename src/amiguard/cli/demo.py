"""`amiguard demo`: the main job on an embedded AWS."""

from typing import Annotated

import typer

from amiguard.cli.report_formats import FormatOption, OutputOption, read_outputs


def demo(
    *,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Leave the embedded AWS running, and print the environment for trying any command on it."
        ),
    ] = False,
    report_format: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Audit an embedded AWS with a small, realistic estate. Nothing outside this machine is contacted.

    Needs the extra `demo`: pip install 'amiguard[demo]'. Ends as the audit does (1: untrusted sharing was found);
    with --keep, 0 once it is stopped.
    """
    from amiguard.cli.demo_run import run_demo

    raise typer.Exit(run_demo(read_outputs(report_format, output), keep=keep))
