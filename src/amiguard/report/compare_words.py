"""What the table and the Markdown of a comparison say in the same words."""

from collections.abc import Iterator

from amiguard.report.compare import Comparison, Entry, Kind, Note
from amiguard.report.compare_coverage import Absence
from amiguard.report.compare_finding import Delta, Grantee, Switch
from amiguard.report.json_v1 import StatusV1
from amiguard.report.saved_report import SavedReport
from amiguard.report.verdict import number_of

SIGNS = {
    Kind.NEW: "+",
    Kind.CHANGED: "~",
    Kind.RESOLVED: "-",
    Kind.UNKNOWN: "?",
    Kind.NOT_LOOKED_AT: ".",
    Kind.UNCHANGED: "=",
}
TITLES = {
    Kind.NEW: "New: it fails, and did not",
    Kind.CHANGED: "Changed: it fails as before, and not alike",
    Kind.RESOLVED: "Resolved: it does not fail any more",
    Kind.UNKNOWN: "Not known any more: not resolved",
    Kind.NOT_LOOKED_AT: "Not looked at: it failed, and was not asked for",
}
"""The kinds that are listed, in order; what is unchanged is counted only."""
COUNTED = {
    Kind.NEW: "new",
    Kind.CHANGED: "changed",
    Kind.RESOLVED: "resolved",
    Kind.UNKNOWN: "not known any more",
    Kind.NOT_LOOKED_AT: "not looked at",
    Kind.UNCHANGED: "unchanged",
}
_BEFORE: dict[StatusV1 | Absence, str] = {
    "pass": "it passed before",
    "suppressed": "it was suppressed before",
    "unknown": "it was unknown before",
    Absence.GONE: "it was not there before",
    Absence.NOT_FAILING: "it did not fail before, or was not there",
    Absence.NOT_SHOWN: "OLD does not hold all that fails or is unknown",
    Absence.NOT_READ: "its target was not read before",
    Absence.NOT_LOOKED_AT: "it was not looked at before",
}


def headline(found: Comparison) -> str:
    """What it comes to, in one sentence."""
    counts = found.counts
    if found.fails:
        what = [f"{counts[Kind.NEW]:,} fail that did not"] if counts[Kind.NEW] else []
        what += [f"{found.worse:,} became worse"] if found.worse else []
        return f"Something new fails: {' and '.join(what)}."
    if not found.complete:
        return "Nothing new was seen to fail, but not everything that was known is known now."
    return "Nothing new fails."


def account_of_it(found: Comparison) -> Iterator[Note]:
    """What else there is to say, a sentence each."""
    if found.still_unknown:
        number = number_of(found.still_unknown, "result was", "results were")
        yield Note(f"{number} unknown, and still {_are(found.still_unknown)}")
    if found.others_unread:
        number = number_of(found.others_unread, "result", "results")
        yield Note(f"{number} that did not fail {_are(found.others_unread)} of targets that were not read this time")
    yield from found.notes


def when(report: SavedReport) -> str:
    """Which report it is."""
    whole = "complete" if report.audit["complete"] else "incomplete"
    return f"{report.path}: audit of {report.audit['started_at']}, {whole}"


def why(entry: Entry) -> str:
    """What is said of an entry besides its grants."""
    if entry.kind is Kind.NEW:
        return _BEFORE.get(entry.before, "")
    # Of what is unknown and did not fail before, it matters what it was.
    before = _BEFORE.get(entry.before, "") if entry.kind is Kind.UNKNOWN else ""
    return f"{before}: {entry.reason}" if before else entry.reason


def grantee_words(one: Grantee) -> str:
    """A grantee for a person, with its kind where its text does not tell it."""
    return "everyone" if one.kind == "everyone" else one.grantee


def differences(delta: Delta) -> Iterator[tuple[str, str]]:
    """What differs: a sign, and words (of others, too)."""
    for grant in delta.came:
        yield "+", f"{grantee_words(grant.grantee)}: {grant.decision}"
    for grant in delta.went:
        yield "-", f"{grantee_words(grant.grantee)}: {grant.decision}"
    for one in delta.redecided:
        yield "~", f"{grantee_words(one.grantee)}: {one.before}, now {one.after}"
    if delta.severity is not None:
        yield "~", f"severity: {delta.severity[0]}, now {delta.severity[1]}"
    if delta.switch is not None:
        yield "~", f"block public access: {_switch(delta.switch[0])}, now {_switch(delta.switch[1])}"


def _switch(one: Switch | None) -> str:
    return "not read" if one is None else f"{one.state} (managed by {one.managed_by})"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
