"""Evidence in a SARIF result: in its message, its property bag, and the snapshots and keys as related locations."""

from collections.abc import Callable, Iterator, Sequence

from amiguard.report.evidence_facts import EvidenceFacts, unavailable
from amiguard.report.evidence_words import event_words, reason_words, users_words
from amiguard.report.finding import cut, grantee_name
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.json_v1 import ResultV1
from amiguard.report.sanitize import printable

# So short that the most results stay below the 10 MB (compressed) that GitHub takes.
_GRANTEES = 8
_LOCATIONS = 4
_WIDTH = 120
_REASON = 200


def in_use_words(facts: EvidenceFacts) -> str:
    """A sentence for the message; empty if no untrusted grantee is known to use the image."""
    users = facts.users()
    if not users:
        return ""
    named = "; ".join(
        f"{cut(grantee_name(grant), _WIDTH)}: {users_words(grant, by)}" for grant, by in users[:_LOCATIONS]
    )
    more = f" and {len(users) - _LOCATIONS:,} more" if len(users) > _LOCATIONS else ""
    return f" In use by {cut(named, 400)}{more}."


def evidence_properties(result: ResultV1, facts: EvidenceFacts) -> dict[str, object]:
    """What the property bag of the result holds, the untrusted grantees that use the image first."""
    grants, more = facts.worst(_GRANTEES)
    missing = [f"{kind}: {reason_words(problem)}" for kind, problem in unavailable(result)]
    told = [one for grant in grants if len(one := _of(facts, grant)) > 1]
    return {
        **({"usage_as_of": printable(facts.usage["created_at"])} if facts.usage else {}),
        **({"grantees": told} if told else {}),
        **({"grantees_left_out": more} if told and more else {}),
        **({"origin": event_words(facts.origin)} if facts.origin else {}),
        **({"last_launched_time": cut(facts.last_launched, _WIDTH)} if facts.last_launched else {}),
        **({"missing": missing} if missing else {}),
    }


def _of(facts: EvidenceFacts, grant: GrantV1) -> dict[str, object]:
    told: dict[str, object] = {"grantee": cut(grantee_name(grant), _WIDTH)}
    if users := facts.used_by(grant):
        told["used_by"] = users_words(grant, users)
    elif facts.usage is not None:
        told["used_by"] = "no use known"
    if event := facts.shared(grant):
        told["shared_by"] = event_words(event)
        told["event_id"] = cut(event["event_id"], _WIDTH)
    if snapshots := facts.snapshots(grant):
        told["snapshots"] = [cut(one, _WIDTH) for one in snapshots[:_LOCATIONS]]
    if admitted := facts.admitted(grant):
        told["key_admission"] = admitted.says["admission"]
        told["key_reason"] = cut(admitted.says["reason"], _REASON)
    return told


def related(
    result: ResultV1, facts: EvidenceFacts, place: Callable[[Sequence[str]], dict[str, object]]
) -> list[dict[str, object]]:
    """The snapshots that untrusted grantees may use, and the keys that say something about them.

    Args:
        result: of one image.
        facts: of the same.
        place: makes the physical location of a resource, of the last part of its path.
    """
    return [
        {
            "id": number,
            **place((name,)),
            "logicalLocations": [{"name": cut(name, _WIDTH), "fullyQualifiedName": full, "kind": "resource"}],
            "message": {"text": text},
        }
        for number, (name, full, text) in enumerate(_resources(result, facts), start=1)
    ]


def _resources(result: ResultV1, facts: EvidenceFacts) -> Iterator[tuple[str, str, str]]:
    untrusted = facts.worst(_GRANTEES)[0]
    only = [ids for _, ids in facts.only_snapshots()]
    snapshots = dict.fromkeys(one for ids in (*map(facts.snapshots, untrusted), *only) for one in ids)
    arn = f"arn:{printable(result['partition'])}:ec2:{printable(result['region'])}::snapshot/"
    for snapshot in list(snapshots)[:_LOCATIONS]:
        yield snapshot, f"{arn}{printable(snapshot)}", "A snapshot under the image that is shared, too"
    for key in (facts.keys["keys"] if facts.keys else ())[:_LOCATIONS]:
        yield key["arn"], printable(key["arn"]), "A key that encrypts snapshots under the image"
