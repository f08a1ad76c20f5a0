"""ModifySnapshotAttribute with `CreateVolumePermission`, of which moto knows the flat form only. Imports moto."""

from contextlib import AbstractContextManager

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.responses import EC2Response
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

from amiguard.demo.ec2_requests import bad_value, parameter, required
from amiguard.demo.moto_methods import served


def _modify(request: EC2Response) -> ActionResult:
    """As moto does it, and in the nested form likewise; EC2 takes no call that adds and removes."""
    change = parameter(request, "CreateVolumePermission")
    if change is None:
        return ElasticBlockStore.modify_snapshot_attribute(request)
    snapshot_id = required(request, "SnapshotId")
    if bool(change.get("Add")) == bool(change.get("Remove")):
        raise bad_value(change, "CreateVolumePermission", "It either adds or removes.")
    backend = request.ec2_backend
    backend.get_snapshot(snapshot_id)
    request.error_on_dryrun()
    for items, modify in (
        (change.get("Add", ()), backend.add_create_volume_permission),
        (change.get("Remove", ()), backend.remove_create_volume_permission),
    ):
        user_ids = [item["UserId"] for item in items if "UserId" in item]
        groups = [item["Group"] for item in items if "Group" in item]
        modify(snapshot_id, user_ids=user_ids, groups=groups)
    return EmptyResult()


def served_snapshot_permissions() -> AbstractContextManager[None]:
    """Lets moto know both forms meanwhile."""
    return served(EC2Response, {"modify_snapshot_attribute": _modify})
