"""Writes the calls that change images and snapshots into the trail of their account and region. Imports moto."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.cloudtrail.models import cloudtrail_backends
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.sts.models import sts_backends

from amiguard.demo.ec2_requests import parameter
from amiguard.demo.moto_methods import served, state_at
from amiguard.demo.trail import Trail
from amiguard.demo.trail_events import IMAGE, SNAPSHOT, Event, permission_change

_FLAT_LISTS = {
    "UserId": "UserIds",
    "Group": "UserGroups",
    "OrganizationArn": "OrganizationArns",
    "OrganizationalUnitArn": "OrganizationalUnitArns",
}
_FLAT_SNAPSHOT_LISTS = {"UserId": "UserIds", "Group": "GroupNames"}


def _modify_image(request: EC2Response) -> dict[str, Any]:
    return {
        "attributeType": "launchPermission",
        "imageId": parameter(request, "ImageId"),
        "launchPermission": _change(request, "LaunchPermission", _FLAT_LISTS),
    }


def _modify_snapshot(request: EC2Response) -> dict[str, Any]:
    return {
        "attributeType": "CREATE_VOLUME_PERMISSION",
        "snapshotId": parameter(request, "SnapshotId"),
        "createVolumePermission": _change(request, "CreateVolumePermission", _FLAT_SNAPSHOT_LISTS),
    }


def _change(request: EC2Response, nested: str, flat: Mapping[str, str]) -> dict[str, Any]:
    """What the request adds and removes, in EC2's nested form or in its flat one."""
    change = parameter(request, nested, {})
    sides = {"add": list(change.get("Add", ())), "remove": list(change.get("Remove", ()))}
    for member, name in flat.items():
        if (side := sides.get(parameter(request, "OperationType"))) is not None:
            side.extend({member: value} for value in parameter(request, name, []))
    return permission_change(sides["add"], sides["remove"])


def _make_image(request: EC2Response) -> dict[str, Any]:
    given = {
        "name": "Name",
        "instanceId": "InstanceId",
        "sourceImageId": "SourceImageId",
        "sourceRegion": "SourceRegion",
    }
    return {ours: value for ours, name in given.items() if (value := parameter(request, name)) is not None}


def _restore_image(request: EC2Response) -> dict[str, Any]:
    return {"imageId": parameter(request, "ImageId")}


_RECORDED: Mapping[str, tuple[str, Callable[[EC2Response], dict[str, Any]]]] = {
    "modify_image_attribute": ("ModifyImageAttribute", _modify_image),
    "modify_snapshot_attribute": ("ModifySnapshotAttribute", _modify_snapshot),
    "register_image": ("RegisterImage", _make_image),
    "create_image": ("CreateImage", _make_image),
    "copy_image": ("CopyImage", _make_image),
    "restore_image_from_recycle_bin": ("RestoreImageFromRecycleBin", _restore_image),
}


def _recorded(
    method: Callable[[EC2Response], ActionResult], name: str, parameters: Callable[[EC2Response], dict[str, Any]]
) -> Callable[[EC2Response], ActionResult]:
    """The method, but that its success is recorded; what raises (a dry run, an error of EC2) is not."""

    def call(request: EC2Response) -> ActionResult:
        asked = parameters(request)  # before the call: moto changes what it reads
        result = method(request)
        answered = result.result if isinstance(result.result, dict) else {}
        _record(request, name, asked, {"imageId": made} if (made := answered.get("ImageId")) else {"_return": True})
        return result

    return call


def _record(request: EC2Response, name: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
    account_id, region = request.current_account, request.region
    key = request.get_access_key()
    _, caller_arn, _ = sts_backends[account_id][request.partition].get_caller_identity(key, region)
    image_id, snapshot_id = answer.get("imageId") or asked.get("imageId"), asked.get("snapshotId")
    event = Event(
        event_id=str(uuid4()),  # not from moto's generator: the ids that it gives out stay what they are
        name=name,
        at=datetime.now(UTC).replace(microsecond=0),
        account_id=account_id,
        region=region,
        caller_arn=caller_arn,
        access_key_id=key,
        source="127.0.0.1",
        resources=tuple((kind, one) for kind, one in ((IMAGE, image_id), (SNAPSHOT, snapshot_id)) if one),
        request=asked,
        response=answer,
        user_agent=str(request.headers.get("User-Agent", "")),
    )
    state_at(cloudtrail_backends[account_id][region], Trail).events.append(event)


def recorded_calls() -> AbstractContextManager[None]:
    """Lets moto record meanwhile, beside what it and the other additions do."""
    calls = {
        method: _recorded(getattr(EC2Response, method), name, parameters)
        for method, (name, parameters) in _RECORDED.items()
    }
    return served(EC2Response, calls)
