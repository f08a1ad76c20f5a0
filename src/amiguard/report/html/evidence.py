"""What the details of an image hold besides its grants: use, who shared it, its snapshots and their keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from amiguard.report.evidence_facts import EvidenceFacts, User, about_snapshots, full_reason, has_evidence, unavailable
from amiguard.report.evidence_v1 import TrailEventV1
from amiguard.report.evidence_words import image_words, use_words
from amiguard.report.finding import grantee_name
from amiguard.report.html.words import moment
from amiguard.report.json_v1 import ResultV1

_ROWS = 100
"""What one table shows; the JSON has all."""
_ADMISSIONS = {"admits": "admits", "does_not_admit": "does not admit", "undetermined": "undetermined"}


@dataclass(frozen=True, slots=True)
class Section:
    """A table below a heading; texts are neutralised when they are written.

    Attributes:
        notes: sentences above the table.
        head: the titles of the columns; empty if there is no table.
        more: how many rows are left out.
        grave: it is the first thing to look at.
    """

    title: str
    notes: tuple[str, ...]
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = 0
    grave: bool = False


def evidence_sections(result: ResultV1, parties: Mapping[str, str]) -> Iterator[Section]:
    """The sections for which there is something to tell.

    Args:
        result: of one image.
        parties: names of grantees, by id.
    """
    if not has_evidence(result):
        return
    facts = EvidenceFacts(result)
    told = {
        "usage": _usage(facts, parties),
        "author": _author(facts),
        "snapshots": _snapshots(result),
        "keys": _keys(facts),
    }
    titles = {"usage": "Use", "author": "Who shared it", "snapshots": "Snapshots", "keys": "Keys"}
    missing: dict[str, list[str]] = {kind: [] for kind in titles}
    for kind, problem in unavailable(result):
        missing[kind].append(f"Not known: {full_reason(problem)}")
    for kind, title in titles.items():
        if told[kind] is not None or missing[kind]:
            section = told[kind] or Section(title, ())
            notes = (*section.notes, *missing[kind], *_launched(kind, facts))
            yield replace(section, notes=notes)
    if words := tuple(_sentence(one) for one in image_words(facts) if not one.startswith("last launched")):
        yield Section("The image itself", words)


def _sentence(words: str) -> str:
    # Others begin with an id, which keeps its small letters.
    return f"M{words[1:]}." if words.startswith("made ") else f"{words}."


def _launched(kind: str, facts: EvidenceFacts) -> Iterator[str]:
    if kind == "usage" and facts.usage is None and facts.last_launched:
        yield f"Last launched {moment(facts.last_launched)} UTC; it is not known by whom."


def _usage(facts: EvidenceFacts, parties: Mapping[str, str]) -> Section | None:
    if facts.usage is None:
        return None
    when = f"Usage report of {moment(facts.usage['created_at'])} UTC; such reports are late."
    rows = [(grantee_name(grant), *_user(user, parties)) for grant, users in facts.users() for user in users]
    if not rows:
        return Section("Use", (f"No grantee that is not trusted uses it. {when}",))
    return replace(_table("In use", (when,), ("Grantee", "Used by", "What"), rows), grave=True)


def _user(user: User, parties: Mapping[str, str]) -> tuple[str, str]:
    name = f"{user.account_id} {parties.get(user.account_id, '')}".rstrip()
    return name, use_words(user.use) + ("" if user.certain else " (through this grant or another)")


def _author(facts: EvidenceFacts) -> Section | None:
    if facts.author is None:
        return None
    rows = [
        (", ".join(grantee_name(one) for one in event["added"][:_ROWS]) or "nobody that is named", *_event(event))
        for event in facts.author["shares"]
        if event["added"] or not event["removed"]
    ]
    note = "CloudTrail keeps 90 days." + (
        " It has more events than were looked at." if facts.author["truncated"] else ""
    )
    if not rows:
        return Section("Who shared it", (f"No event names a grantee. {note}",))
    return _table("Who shared it", (note,), ("Grantee", "Who", "When (UTC)", "From", "Event"), rows)


def _event(event: TrailEventV1) -> tuple[str, str, str, str]:
    session = "" if event["session"] in event["principal"] else f" (session {event['session']})"
    event_id = f"{event['name']} {event['event_id']}"
    return f"{event['principal']}{session}", moment(event["time"]), event["source"], event_id


def _snapshots(result: ResultV1) -> Section | None:
    rows: list[tuple[str, ...]] = []
    private: list[str] = []
    if about_snapshots(result):
        decided = {(one["kind"], one["grantee"]): one["decision"] for one in result["grants"]}
        for read in result.get("snapshots", ()):
            if read["status"] == "unavailable":
                rows.append((read["id"], f"not known: {full_reason(read)}"))
                continue
            said = [
                f"{grantee_name(one)} ({decided.get((one['kind'], one['grantee']), '-')})" for one in read["grantees"]
            ]
            rows.append((read["id"], _listed(said)))
    else:
        for sharing in result.get("evidence", {}).get("snapshots", ()):
            if sharing["status"] == "known":
                said = [f"{grantee_name(one)} ({one['decision']})" for one in sharing["grants"]]
                if said:
                    rows.append((sharing["id"], _listed(said)))
                else:
                    private.append(sharing["id"])
    notes = (f"Shared with nobody: {_listed(private)}.",) if private else ()
    if not rows:
        return Section("Snapshots", notes) if notes else None
    return _table("Snapshots", notes, ("Snapshot", "Shared with"), rows)


def _keys(facts: EvidenceFacts) -> Section | None:
    if facts.keys is None:
        return None
    rows = [
        (key["arn"], key["state"], grantee_name(one), _ADMISSIONS[one["admission"]], one["reason"])
        for key in facts.keys["keys"]
        for one in key["admissions"]
    ]
    unencrypted = facts.keys["unencrypted"]
    bare = (f"No key protects {_listed(unencrypted)}.",) if unencrypted else ()
    keeps_out = (
        "A grantee that a key does not admit cannot launch the image as long as the key stays as it is; "
        "the permission is still there.",
    )
    if not rows:
        return Section("Keys", bare) if bare else None
    note = keeps_out if facts.kept_out() and not facts.of_snapshots else ()
    return _table("Keys", (*bare, *note), ("Key", "State", "Grantee", "The key", "Why"), rows)


def _table(title: str, notes: tuple[str, ...], head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Section:
    return Section(title, notes, head, tuple(rows[:_ROWS]), len(rows[_ROWS:]))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _ROWS:,} more" if len(names) > _ROWS else ""
    return f"{', '.join(names[:_ROWS])}{more}" if names else "nobody"
