"""Reports for people, without what the baseline knows: it is counted, and not listed again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from amiguard.report.interface import Report, ResultSource, StatusFilter
from amiguard.report.json_v1 import decode_result

# Every line of a result that is known has this in it; a tag may have it, too.
_MAY_BE_KNOWN = '"baseline":"known"'


@dataclass(frozen=True, slots=True)
class _Unknown:
    """The results of a source that the baseline does not know."""

    source: ResultSource

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        """See `ResultSource`."""
        for line in self.source.ordered(shown):
            if _MAY_BE_KNOWN not in line or decode_result(line).get("baseline") != "known":
                yield line


def without_known(report: Report) -> Report:
    """The report without findings that its baseline knows; as it is if it has no baseline."""
    if "baseline" not in report.summary:
        return report
    summary = report.summary.copy()
    summary["fail"] = summary["baseline"]["new"]
    return replace(report, summary=summary, source=_Unknown(report.source))
