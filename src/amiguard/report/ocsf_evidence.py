"""Evidence in an OCSF event: who shared the image as `evidences`, what is known of its grantees as `enrichments`."""

from collections.abc import Iterator
from ipaddress import ip_address

from amiguard.report.evidence_facts import EvidenceFacts, full_reason, has_evidence, unavailable
from amiguard.report.evidence_v1 import TrailEventV1
from amiguard.report.finding import moment
from amiguard.report.grant_v1 import GranteeV1, GrantV1
from amiguard.report.json_v1 import ResultV1
from amiguard.report.sanitize import printable

_GRANTEE = "resources[0].data.grants.grantee"
_IMAGE = "resources[0].uid"
_EVENTS = 20
_GRANTEES = 100


def evidence_parts(result: ResultV1) -> dict[str, object]:
    """`evidences` and `enrichments` of an event; neither if there is nothing to tell."""
    if not has_evidence(result):
        return {}
    facts = EvidenceFacts(result)
    events = list(_events(facts))
    enrichments = [*_of_grantees(facts), *_of_image(result, facts)]
    parts: dict[str, object] = {}
    if events:
        parts["evidences"] = events
    if enrichments:
        parts["enrichments"] = enrichments
    return parts


def _events(facts: EvidenceFacts) -> Iterator[dict[str, object]]:
    """The calls that CloudTrail knows, newest first, and the one that made the image."""
    if facts.author is None:
        return
    for event in facts.author["shares"][:_EVENTS]:
        yield _event(event)
    if facts.origin:
        yield _event(facts.origin)


def _event(event: TrailEventV1) -> dict[str, object]:
    actor: dict[str, object] = {"user": {"uid": printable(event["principal"]) or "unknown"}}
    if event["session"]:
        actor["session"] = {"uid": printable(event["session"])}
    when = moment(event["time"])
    return {
        "name": "CloudTrail event",
        "uid": printable(event["event_id"]),
        "actor": actor,
        "api": {"operation": printable(event["name"])},
        **({"src_endpoint": _endpoint(event["source"])} if event["source"] else {}),
        "data": {
            "time": None if when is None else int(when.timestamp() * 1000),
            "added": list(map(_grantee, event["added"])),
            "removed": list(map(_grantee, event["removed"])),
        },
    }


def _endpoint(source: str) -> dict[str, str]:
    try:
        return {"ip": str(ip_address(source))}
    except ValueError:
        return {"svc_name": printable(source)}


def _of_grantees(facts: EvidenceFacts) -> Iterator[dict[str, object]]:
    """What is known of each untrusted grantee, those that use the image first."""
    for grant in facts.worst(_GRANTEES)[0]:
        if data := dict(_known(facts, grant)):
            yield {
                "name": _GRANTEE,
                "value": printable(grant["grantee"]),
                "type": "evidence",
                "provider": "amiguard",
                "data": data,
            }


def _known(facts: EvidenceFacts, grant: GrantV1) -> Iterator[tuple[str, object]]:
    if facts.usage is not None:
        users = [
            {
                "account_id": printable(user.account_id),
                "use": [{"type": printable(kind), "count": count} for kind, count in user.use.items()],
                "certain": user.certain,
            }
            for user in facts.used_by(grant)
        ]
        yield "used_by", users
        yield "usage_as_of", printable(facts.usage["created_at"])
    if event := facts.shared(grant):
        yield "shared_by_event", printable(event["event_id"])
    if snapshots := facts.snapshots(grant):
        yield "snapshots", list(map(printable, snapshots))
    if admitted := facts.admitted(grant):
        yield "key", printable(admitted.key["arn"])
        yield "key_admission", admitted.says["admission"]
        yield "key_reason", printable(admitted.says["reason"])


def _of_image(result: ResultV1, facts: EvidenceFacts) -> Iterator[dict[str, object]]:
    image = result["image"]
    arn = printable(image["arn"]) if image else ""
    common = {"name": _IMAGE, "value": arn, "provider": "amiguard"}
    for kind, problem in unavailable(result):
        yield {**common, "type": "evidence-missing", "data": {"kind": kind, "reason": printable(full_reason(problem))}}
    if facts.usage is None and facts.last_launched:
        yield {**common, "type": "evidence", "data": {"last_launched_time": printable(facts.last_launched)}}
    if only := facts.only_snapshots():
        shared = [{**_grantee(grantee), "snapshots": list(map(printable, ids))} for grantee, ids in only[:_GRANTEES]]
        yield {**common, "type": "evidence", "data": {"may_use_snapshots_only": shared}}


def _grantee(grantee: GranteeV1) -> dict[str, str]:
    return {"kind": grantee["kind"], "grantee": printable(grantee["grantee"])}
