"""Evidence as the texts that ASFF takes where it has no field: few, short, and none of them empty."""

from collections.abc import Iterator

from amiguard.report.evidence_facts import EvidenceFacts, has_evidence, unavailable
from amiguard.report.evidence_words import event_words, reason_words, users_words
from amiguard.report.finding import cut, grantee_name
from amiguard.report.json_v1 import ResultV1

_GRANTEE = 200
_LISTED = 4
"""How many values a list may fill: with all of them there are at most 20, and ASFF takes 50 in all."""


def evidence_texts(result: ResultV1) -> Iterator[tuple[str, str]]:
    """Keys and values for `Details.Other`; the grantees that use the image come first."""
    if not has_evidence(result):
        return
    facts = EvidenceFacts(result)
    grants = facts.worst(_LISTED)[0]
    if facts.usage is not None:
        yield "GranteesInUse", str(len(facts.users()))
        yield "UsageReportAt", facts.usage["created_at"]
    used = ((grant, users) for grant in grants if (users := facts.used_by(grant)))
    for number, (grant, users) in enumerate(used, start=1):
        yield f"UsedBy{number}", f"{cut(grantee_name(grant), _GRANTEE)}: {users_words(grant, users)}"
    shared = ((grant, event) for grant in grants if (event := facts.shared(grant)))
    for number, (grant, event) in enumerate(shared, start=1):
        yield f"SharedBy{number}", f"{cut(grantee_name(grant), _GRANTEE)}: {event_words(event)}"
    only = [ids for _, ids in facts.only_snapshots()]
    if snapshots := sorted({one for ids in (*map(facts.snapshots, grants), *only[:_LISTED]) for one in ids}):
        yield "SnapshotsShared", ",".join(snapshots)
    decided = ((grant, one) for grant in grants if (one := facts.admitted(grant)))
    for number, (grant, one) in enumerate(decided, start=1):
        says = f"{one.says['admission']}: {one.says['reason']} ({one.key['arn']})"
        yield f"KeyAdmission{number}", f"{cut(grantee_name(grant), _GRANTEE)} {says}"
    if facts.usage is None and facts.last_launched:
        yield "LastLaunchedTime", facts.last_launched
    for number, (kind, problem) in zip(range(1, _LISTED), unavailable(result), strict=False):
        yield f"EvidenceMissing{number}", f"{kind}: {reason_words(problem)}"
