"""DescribeSnapshotAttribute and ModifySnapshotAttribute, for who may create volumes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from .attributes import RAW_ITEM, structured
from .calls import Call
from .context import Context
from .dry_run import refuse_dry_run
from .grants import Grant, GrantMember
from .replies import AwsProblem
from .serialize import RawXml
from .snapshots import check_form, not_found, sees_snapshot
from .snapshots_data import FakeSnapshot

_FLAT_FORM: Final[Mapping[str, GrantMember]] = {"UserId": "UserId", "UserGroup": "Group"}
_VALUES: Final[Mapping[GrantMember, re.Pattern[str]]] = {
    "UserId": re.compile(r"[0-9]{12}"),
    "Group": re.compile(r"all"),
}
_MOST_CHANGES: Final = 500


def describe_snapshot_attribute(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the permission of a snapshot that the caller owns."""
    _check_attribute(call)
    snapshot = _owned_snapshot(call, context)
    refuse_dry_run(call)
    permissions = [
        RawXml(RAW_ITEM.format(grant.value)) if grant.member == "raw" else {grant.member: grant.value}
        for grant in context.store.shown_grants(call.account_id, call.region, snapshot)
    ]
    return {"SnapshotId": snapshot.id, "CreateVolumePermissions": permissions}


def _check_attribute(call: Call) -> None:
    if call.parameters.get("Attribute") != "createVolumePermission":
        raise AwsProblem("InvalidParameterValue", "The fake knows the attribute createVolumePermission only.")


def _owned_snapshot(call: Call, context: Context) -> FakeSnapshot:
    snapshot_id = call.parameters.get("SnapshotId", "")
    snapshot = context.store.snapshot(call.account_id, call.region, snapshot_id)
    if snapshot is not None:
        return snapshot
    check_form(snapshot_id)
    if any(sees_snapshot(call.account_id, *pair) for pair in context.store.snapshot_owners(call.region, snapshot_id)):
        raise AwsProblem("AuthFailure", f"Not authorized for snapshot:{snapshot_id}", 403)
    raise not_found(snapshot_id)


def modify_snapshot_attribute(call: Call, context: Context) -> Mapping[str, Any]:
    """Add grants or remove them, never both in one call; what is there already, or not there, changes nothing."""
    snapshot = _owned_snapshot(call, context)
    added, removed = _changes(call)
    if added and removed:
        # That one call cannot do both is documented; with which code EC2 refuses is not.
        raise AwsProblem("InvalidParameterCombination", "You cannot add and remove permissions in a single request.")
    _check_changes(snapshot, [*added, *removed], added)
    refuse_dry_run(call)
    kept = tuple(grant for grant in snapshot.grants if grant not in removed)
    grants = (*kept, *(grant for grant in dict.fromkeys(added) if grant not in kept))
    context.store.modify_snapshot(call.account_id, call.region, snapshot, grants)
    return {}


def _check_changes(snapshot: FakeSnapshot, changes: list[Grant], added: list[Grant]) -> None:
    if not changes:
        raise AwsProblem("MissingParameter", "The request must contain the parameter CreateVolumePermission")
    if len(changes) > _MOST_CHANGES:
        raise AwsProblem("InvalidParameterValue", f"A request can make {_MOST_CHANGES} modifications at most.")
    for grant in changes:
        if not _VALUES[grant.member].fullmatch(grant.value):
            raise AwsProblem("InvalidAttributeValue", f'Invalid value "{grant.value}" for {grant.member}.')
    if Grant("Group", "all") in added and snapshot.kms_key_id is not None:
        # That EC2 refuses is documented; with which code is not.
        raise AwsProblem("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly")


def _changes(call: Call) -> tuple[list[Grant], list[Grant]]:
    """Return the grants to add and to remove, from the structured form or from the flat one."""
    added, removed = (list(structured(call, f"CreateVolumePermission.{side}", _VALUES)) for side in ("Add", "Remove"))
    if "OperationType" in call.parameters:
        _check_attribute(call)
        flat = [Grant(member, value) for prefix, member in _FLAT_FORM.items() for value in call.listed(prefix)]
        match call.parameters["OperationType"]:
            case "add":
                added += flat
            case "remove":
                removed += flat
            case other:
                raise AwsProblem("InvalidParameterValue", f"Value ({other}) for parameter operationType is invalid.")
    return added, removed
