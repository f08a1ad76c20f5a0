"""`amiguard audit --baseline`: what failed in an earlier report is known, and does not fail the audit again.

A finding is known if it failed there and has not become worse: a grantee that is not trusted and was none then makes it
new, and so does a higher severity. What is known stays in the reports, marked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from amiguard.core.result import CheckResult, Status
from amiguard.report.compare_finding import Grantee, fingerprint_of, is_worse
from amiguard.report.interface import Report, ResultSource, StatusFilter
from amiguard.report.json_v1 import BaselineV1, ResultV1, SeverityV1, decode_result, encode, result_v1
from amiguard.report.saved_report import SavedReport, open_saved_report

_FAIL = StatusFilter.of((Status.FAIL,))
# Every line of a result that fails has this in it; a tag may have it, too.
_MAY_FAIL = '"status":"fail"'


@dataclass(frozen=True, slots=True)
class _Known:
    severity: SeverityV1
    untrusted: frozenset[Grantee]


class Baseline:
    """What failed in an earlier report."""

    def __init__(self, report: SavedReport, known: dict[bytes, _Known]) -> None:
        self._report = report
        self._known = known

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a report in the format `json` or `jsonl`.

        Raises:
            InputError: it is none.
        """
        report = open_saved_report(path)
        known: dict[bytes, _Known] = {}
        # Many images are shared with the same grantees.
        pool: dict[frozenset[Grantee], frozenset[Grantee]] = {}
        for result in report.results():
            if result["status"] == "fail":
                untrusted = _untrusted(result)
                known[fingerprint_of(result)] = _Known(result["severity"], pool.setdefault(untrusted, untrusted))
        return cls(report, known)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the baseline does not hold, in words for the user."""
        hidden = self._report.not_shown.get("fail", 0)
        if not hidden:
            return ()
        return (
            f"the baseline {self._report.path} does not hold {hidden:,} of the results that failed (--status): "
            "they count as new",
        )

    def judge(self, result: CheckResult | ResultV1) -> BaselineV1:
        """Whether a result that fails is known from the baseline, or new.

        Raises:
            ValueError: the result does not fail.
        """
        one = result_v1(result) if isinstance(result, CheckResult) else result
        if one["status"] != "fail":
            raise ValueError("only what fails is known or new")
        known = self._known.get(fingerprint_of(one))
        if known is None or is_worse(
            known.untrusted, _untrusted(one), severity_before=known.severity, severity_after=one["severity"]
        ):
            return "new"
        return "known"

    def marked(self, lines: Iterable[str]) -> Iterator[str]:
        """Results as lines of JSON, those that fail with the key `baseline`."""
        for line in lines:
            result = decode_result(line) if _MAY_FAIL in line else None
            if result is not None and result["status"] == "fail":
                result["baseline"] = self.judge(result)
                yield encode(result)
            else:
                yield line

    def applied_to(self, report: Report) -> Report:
        """The same report with its failing results marked, and counted in its summary."""
        counts: dict[BaselineV1, int] = {"known": 0, "new": 0}
        for result in report.results(_FAIL):
            counts[self.judge(result)] += 1
        summary = report.summary.copy()
        summary["baseline"] = {
            "known": counts["known"],
            "new": counts["new"],
            "file": str(self._report.path),
            "started_at": self._report.audit["started_at"],
        }
        return replace(report, summary=summary, source=_Marked(report.source, self))


@dataclass(frozen=True, slots=True)
class _Marked:
    """Results of a source, marked."""

    source: ResultSource
    baseline: Baseline

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        """See `ResultSource`."""
        return self.baseline.marked(self.source.ordered(shown))


def _untrusted(result: ResultV1) -> frozenset[Grantee]:
    return frozenset(Grantee(one["kind"], one["grantee"]) for one in result["grants"] if one["decision"] == "untrusted")
