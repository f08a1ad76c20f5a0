"""Puts into moto what no client of AWS can: who uses an image, who shared it, and when. Imports moto."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudtrail.models import cloudtrail_backends
from moto.ec2.models import ec2_backends
from moto.kms.models import kms_backends
from moto.moto_api._internal import mock_random

from amiguard.demo.model import Call, Estate, Image, Key
from amiguard.demo.moto_methods import state_at
from amiguard.demo.recycle_bin import bin_image
from amiguard.demo.trail import Trail
from amiguard.demo.trail_events import IMAGE, Event, permission_change
from amiguard.demo.usage_state import ImageUsage, ImageUse

_KEPT_IN_BIN = timedelta(days=14)
# The actions that EC2 needs of a key to launch an image for another account (EBS User Guide, "Share a KMS key").
_KEY_USE = (
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
    "kms:Decrypt",
)


def seed_evidence(estate: Estate, ids: Mapping[str, str], image_ids: Mapping[Image, str]) -> None:
    """Gives the images of a seeded estate their past.

    It runs after all else: whatever it draws from moto's generator of ids, those of the images stay as they are.

    Args:
        estate: the estate, which is in moto already.
        ids: the ids that AWS gave out, as `SeededEstate` has them.
        image_ids: likewise.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    for account in (estate.caller, *(member.key for member in estate.members)):
        for region in estate.regions:
            # What the seeding itself did is nobody's doing.
            state_at(cloudtrail_backends[ids[account]][region], Trail).events.clear()
    for image, image_id in image_ids.items():
        _seed_image(image, image_id, ids, now)
    for image in estate.binned:
        _seed_binned(image, ids, now)


def _seed_image(image: Image, image_id: str, ids: Mapping[str, str], now: datetime) -> None:
    account_id, region = ids[image.account], image.region
    backend = ec2_backends[account_id][region]
    made: Any = backend.amis[image_id]
    made.creation_date = now - timedelta(days=image.age_days)
    if image.uses:
        uses = tuple(ImageUse(use.account_id.format_map(ids), use.resource_type, use.count) for use in image.uses)
        state_at(backend, ImageUsage).uses[image_id] = uses
        made.last_launched_time = f"{now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    if image.key:
        arn = _create_key(image.key, account_id, region, ids)
        unencrypted = made.ebs_snapshot
        made.ebs_snapshot = backend.copy_snapshot(unencrypted.id, region, unencrypted.description, arn)
        made.ebs_snapshot.from_ami = image_id
        del backend.snapshots[unencrypted.id]
    for grant in image.snapshot_grants:
        entry = grant.resolved(ids)
        backend.add_create_volume_permission(
            made.ebs_snapshot.id,
            user_ids=[entry["UserId"]] if "UserId" in entry else [],
            groups=[entry["Group"]] if "Group" in entry else [],
        )
    trail = state_at(cloudtrail_backends[account_id][region], Trail)
    trail.events.extend(_event(call, image, image_id, ids, now) for call in image.calls)


def _create_key(key: Key, account_id: str, region: str, ids: Mapping[str, str]) -> str:
    """A key of the account, whose policy says who may use it; its ARN."""
    roots = [f"arn:aws:iam::{text.format_map(ids)}:root" for text in key.accounts]
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    others = {"Effect": "Allow", "Principal": {"AWS": roots}, "Action": _KEY_USE, "Resource": "*"}
    statements = [{"Sid": "OwnAccount", **own}] + ([{"Sid": "UseOfTheKey", **others}] if roots else [])
    backend = kms_backends[account_id][region]
    made = backend.create_key(
        policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        key_usage="ENCRYPT_DECRYPT",
        key_spec="SYMMETRIC_DEFAULT",
        description=key.description,
        tags=None,
    )
    return str(made.arn)


def _event(call: Call, image: Image, image_id: str, ids: Mapping[str, str], now: datetime) -> Event:
    account_id = ids[image.account]
    role, _, session = call.caller.partition("/")
    as_role = f"arn:aws:sts::{account_id}:assumed-role/{role}/{session}"
    return Event(
        event_id=str(mock_random.uuid4()),
        name=call.name,
        at=now - timedelta(days=call.days_ago, minutes=call.days_ago),
        account_id=account_id,
        region=image.region,
        caller_arn=as_role if session else f"arn:aws:iam::{account_id}:user/{role}",
        access_key_id="ASIADEMO000000000001" if session else "AKIADEMO000000000001",
        source=call.source,
        resources=((IMAGE, image_id),),
        request=_request(call, image, image_id, ids),
        response=None if call.error_code else _response(call, image_id),
        error_code=call.error_code,
    )


def _request(call: Call, image: Image, image_id: str, ids: Mapping[str, str]) -> dict[str, Any]:
    if call.name == "CreateImage":
        return {"instanceId": "i-0d3a91c4be75f2068", "name": image.name, "noReboot": False}
    added, removed = ([grant.resolved(ids) for grant in grants] for grants in (call.added, call.removed))
    change = permission_change(added, removed)
    return {"attributeType": "launchPermission", "imageId": image_id, "launchPermission": change}


def _response(call: Call, image_id: str) -> dict[str, Any]:
    return {"imageId": image_id} if call.name == "CreateImage" else {"_return": True}


def _seed_binned(image: Image, ids: Mapping[str, str], now: datetime) -> None:
    backend = ec2_backends[ids[image.account]][image.region]
    made = backend.register_image(image.name, image.description)
    made.add_tags(dict(image.tags))
    made.creation_date = now - timedelta(days=image.age_days)
    backend.modify_image_attribute(made.id, [grant.resolved(ids) for grant in image.grants], [])
    entered = now - timedelta(days=image.binned_days_ago or 0)
    bin_image(backend, made.id, entered_at=entered, leaves_at=entered + _KEPT_IN_BIN)
