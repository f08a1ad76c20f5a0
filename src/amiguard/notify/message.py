"""What a message says: the verdict and the counts, the worst findings, and where the full report is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from amiguard.notify.change import Change
from amiguard.notify.plain import plain, plain_grantee
from amiguard.notify.survey import WORST, Finding, Survey

_NAME, _GRANTEE, _ID, _PATH, _SENTENCE = 60, 60, 40, 300, 160
_NAMED_GRANTEES = 2


class Verdict(StrEnum):
    """What the audit comes to, as its exit code says it."""

    FAIL = "fail"
    INCOMPLETE = "incomplete"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text, whoever reads it. `title` is one short line of ASCII."""

    title: str
    body: str
    verdict: Verdict


def build_message(
    found: Survey, *, change: Change | None = None, report_files: Sequence[str] = (), report_url: str | None = None
) -> Message:
    """Write the message.

    Args:
        found: what the audit comes to.
        change: what is other than when it was last told of; None if that was not asked.
        report_files: where the full report was written.
        report_url: where people find it; named in place of the files.
    """
    paragraphs = [
        _scope(found),
        *([_since(change, found)] if change is not None and not change.first else []),
        *([_findings(found)] if found.worst else []),
        _where(report_files, report_url),
    ]
    return Message(_title(found), "\n\n".join(paragraphs), _verdict(found))


def _verdict(found: Survey) -> Verdict:
    if found.fail:
        return Verdict.FAIL
    return Verdict.CLEAN if found.complete else Verdict.INCOMPLETE


def _title(found: Survey) -> str:
    ends = "complete" if found.complete else "incomplete"
    if found.fail:
        severities = ", ".join(f"{number:,} {severity}" for severity, number in found.by_severity.items())
        fails = f"FAIL, {found.fail:,} fail" + (f" ({severities})" if severities else "")
    else:
        fails = "clean, nothing fails" if found.complete else "INCOMPLETE, nothing known fails"
    return f"amiguard: {fails}, {found.unknown:,} unknown, {ends}"


def _scope(found: Survey) -> str:
    said = (
        f"{_number(found.images, 'image')} in {_number(found.targets, 'target')} audited by account "
        f"{plain(found.caller_account, _ID)}."
    )
    if not found.complete:
        said += " The audit is incomplete: what was not read may be shared too."
    return said


def _since(change: Change, found: Survey) -> str:
    counts = [f"{change.new:,} new", *([f"{change.changed:,} with another severity"] if change.changed else [])]
    if found.complete:
        counts.append(f"{change.resolved:,} resolved")
    return f"Since the last message: {', '.join(counts)}."


def _findings(found: Survey) -> str:
    head = f"The worst {WORST} of {found.fail:,}:" if found.fail > len(found.worst) else "What fails:"
    return "\n".join([head, *map(_line, found.worst)])


def _line(finding: Finding) -> str:
    where = f"account {plain(finding.account_id, _ID)}, {plain(finding.region, _ID)}"
    if finding.image_id is None:
        return f"{finding.severity}: {where}: {plain(finding.message, _SENTENCE)}"
    name = f" ({plain(finding.image_name, _NAME)})" if finding.image_name else ""
    return f"{finding.severity}: {plain(finding.image_id, _ID)}{name}, {where}: {_who(finding)}"


def _who(finding: Finding) -> str:
    named = ", ".join(plain_grantee(one, _GRANTEE) for one in finding.grantees[:_NAMED_GRANTEES])
    more = len(finding.grantees) - _NAMED_GRANTEES
    return f"{named} and {more:,} more" if more > 0 else named


def _where(files: Sequence[str], url: str | None) -> str:
    if url is not None:
        return f"Full report: {url}"
    if not files:
        return "The full report is what the command printed."
    return f"Full report: {', '.join(_path(file) for file in files)}"


def _path(file: str) -> str:
    # Its dots stay: `report\x2ehtml` names no file.
    return ".".join(plain(part, _PATH) for part in file.split("."))


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
