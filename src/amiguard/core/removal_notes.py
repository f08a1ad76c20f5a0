"""What evidence says of one grantee that is removed, beside the use of the image: a sentence each."""

from collections.abc import Iterator

from amiguard.core.evidence import Author, Evidence, Keys, TrailEvent
from amiguard.core.grantee import Grantee
from amiguard.core.image import Unreadable
from amiguard.core.plan_words import minute


def notes_on(grantee: Grantee, evidence: Evidence | None) -> tuple[str, ...]:
    """Who shared the image with the grantee, which snapshots it has besides, and which key keeps it out.

    Args:
        grantee: who is removed.
        evidence: of the image; None if none was asked for.

    Returns:
        Sentences without their full stop; they hold what others wrote: neutralise them before they are shown.
    """
    if evidence is None:
        return ()
    # CloudTrail and KMS speak JSON, which can hold half of a character: no file could be written with it.
    return tuple(note.encode(errors="backslashreplace").decode() for note in _notes(grantee, evidence))


def _notes(grantee: Grantee, evidence: Evidence) -> Iterator[str]:
    if isinstance(evidence.author, Author) and (event := evidence.author.shared(grantee)):
        yield _shared(event)
    if ids := _snapshots_shared_with(grantee, evidence):
        snapshots = f"snapshot {ids[0]} under it is" if len(ids) == 1 else f"snapshots {', '.join(ids)} under it are"
        yield f"{snapshots} shared with it, too"
    if isinstance(evidence.keys, Keys) and (found := evidence.keys.mitigates(grantee)):
        key = next(one for one in evidence.keys.keys if found in one.admissions)
        yield f"the key {key.key_arn} does not admit it: {found.reason}"


def _shared(event: TrailEvent) -> str:
    session = f" (session {event.session})" if event.session else ""
    source = f" from {event.source}" if event.source else ""
    return f"shared by {event.principal}{session} on {minute(event.at)}{source}, CloudTrail event {event.event_id}"


def _snapshots_shared_with(grantee: Grantee, evidence: Evidence) -> list[str]:
    return [
        one.snapshot_id
        for one in evidence.snapshots or ()
        if not isinstance(one.decisions, Unreadable) and any(each.grantee == grantee for each in one.decisions)
    ]
