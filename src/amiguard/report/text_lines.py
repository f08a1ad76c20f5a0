"""The format `text`: one line a finding, for grep, cut and awk."""

from typing import TextIO

from amiguard.report.finding import explaining, grantee_name, not_seen, verdict_word
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.json_v1 import ResultV1, TargetV1
from amiguard.report.sanitize import printable
from amiguard.report.tally import tally
from amiguard.report.verdict import account_of_it, headline

_NOTHING = "-"


def render_text(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the results that are shown in their order, the targets that were not seen, and last the verdict.

    A line has eight columns, that of the verdict three. A tab stands between columns and nowhere else: texts of others
    are neutralised, tabs included.
    """
    found = tally(report)
    stream.writelines(map(_finding, report.results(shown)))
    stream.writelines(map(_target, not_seen(report)))
    stream.write(_line("verdict", verdict_word(report), f"{headline(report, found)} {account_of_it(report, found)}"))


def _finding(result: ResultV1) -> str:
    image = result["image"]
    # A comma inside a grantee of an unknown kind must not look like two grantees.
    grantees = ",".join(grantee_name(grant).replace(",", r"\x2c") for grant in explaining(result))
    return _line(
        result["status"],
        result["severity"],
        result["account_id"],
        result["region"],
        image["id"] if image else "",
        image["name"] if image else "",
        grantees,
        result["message"],
    )


def _target(target: TargetV1) -> str:
    status = f"target-{target['status']}"
    return _line(status, "", target["account_id"], target["region"], "", "", "", target["reason"])


def _line(*columns: str) -> str:
    # Empty columns would vanish for readers that take many tabs for one.
    return "\t".join(printable(column) or _NOTHING for column in columns) + "\n"
