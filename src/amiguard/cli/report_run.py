"""`amiguard report`: a saved report in other formats."""

from collections.abc import Sequence
from pathlib import Path

from amiguard.cli.report_formats import Output, check_outputs, write_reports
from amiguard.cli.same_files import refuse_same
from amiguard.cli.talk import warn
from amiguard.core.result import Status, Target
from amiguard.report.interface import Report
from amiguard.report.saved_report import SavedReport, open_saved_report
from amiguard.report.spool import Spool


def run_report(path: Path, outputs: Sequence[Output], statuses: Sequence[Status]) -> None:
    """Write a saved report in other formats.

    Args:
        path: the saved report.
        outputs: what to write, and where to.
        statuses: results that are shown; empty for what each format shows by default.

    Raises:
        AmiguardError: the report cannot be used, or one of its forms cannot be written.
    """
    refuse_same((("the saved report", path), *((f"the {one.name} report", one.path) for one in outputs)))
    check_outputs(outputs)
    saved = open_saved_report(path)
    if saved.not_shown:
        counts = ", ".join(f"{number:,} {status}" for status, number in saved.not_shown.items())
        warn(f"{path} does not hold all results of its audit (--status): {counts} are counted and cannot be shown")
    with Spool() as spool:
        write_reports(_report(saved, spool), outputs, statuses)


def _report(saved: SavedReport, spool: Spool) -> Report:
    """The report as its audit made it. The results are put in order: in `jsonl` they stand as they came."""
    for result in saved.results():
        spool.keep(Target(result["account_id"], result["region"], result["partition"]), result)
    for ended in spool.unfinished(""):
        spool.finish(ended)
    return Report(saved.tool, saved.audit, saved.summary, saved.targets, spool)
