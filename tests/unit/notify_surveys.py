"""What notifications are made of."""

from amiguard.notify.survey import Survey, survey
from amiguard.report.interface import ALL, Report
from tests.unit.v1_reports import a_report, a_result, a_target


def surveyed(report: Report) -> Survey:
    return survey(audit=report.audit, summary=report.summary, results=report.results(ALL))


def found(*, fail: int = 1, complete: bool = True, first: int = 1) -> Survey:
    return surveyed(a_report([a_result(first + n) for n in range(fail)], [a_target()], complete=complete))
