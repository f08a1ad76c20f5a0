"""DescribeSnapshots, and who may see a snapshot."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from .calls import Call
from .context import Context
from .dry_run import refuse_dry_run
from .filters import refuse_filters, values_of
from .pages import cut_page
from .replies import AwsProblem
from .snapshots_data import FakeSnapshot
from .store import Store

_MOST_VALUES: Final = 200
"""EC2 User Guide, "List and filter your resources": values of the filters of a call."""
_FORM: Final = re.compile(r"snap-[0-9a-f]{8,17}")


def describe_snapshots(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the snapshots asked for that the caller may see; one that exists, but not for it, is left out."""
    refuse_dry_run(call)
    refuse_filters(call, "snapshot-id")
    if call.listed("RestorableBy"):
        raise AwsProblem("InvalidParameterValue", "The fake does not know RestorableByUserIds.")
    found = [
        (owner, snapshot)
        for owner, snapshot in _candidates(call, context.store)
        if sees_snapshot(call.account_id, owner, snapshot)
    ]
    if call.parameters.get("Filter.1.Name") is not None:
        wanted = values_of(call, "snapshot-id")
        if len(wanted) > _MOST_VALUES:
            raise AwsProblem("FilterLimitExceeded", f"The maximum number of filter values is {_MOST_VALUES}.")
        found = [one for one in found if one[1].id in wanted]
    page = context.effect.page(cut_page(call, found))
    return {"Snapshots": [_described(*one) for one in page.items], "NextToken": page.token}


def _candidates(call: Call, store: Store) -> Iterator[tuple[str, FakeSnapshot]]:
    named = call.listed("Owner")
    owners = {call.account_id if owner == "self" else owner for owner in named}
    for snapshot_id in dict.fromkeys(call.listed("SnapshotId")) or _all_ids(call, store):
        check_form(snapshot_id)
        found = list(store.snapshot_owners(call.region, snapshot_id))
        if not found:
            raise not_found(snapshot_id)
        yield from (pair for pair in found if not owners or pair[0] in owners)


def _all_ids(call: Call, store: Store) -> Iterator[str]:
    for account_id in store.estate.accounts:
        yield from store.snapshot_ids(account_id, call.region)


def check_form(snapshot_id: str) -> None:
    """Raise `AwsProblem` for what is no id of a snapshot."""
    if not _FORM.fullmatch(snapshot_id):
        raise AwsProblem("InvalidSnapshotID.Malformed", f'Invalid id: "{snapshot_id}" (expecting "snap-...")')


def not_found(snapshot_id: str) -> AwsProblem:
    """Return the error about a snapshot that does not exist."""
    return AwsProblem("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def sees_snapshot(account_id: str, owner: str, snapshot: FakeSnapshot) -> bool:
    """Return whether an account may see a snapshot: its own, public ones, and those shared with it."""
    return account_id == owner or any(
        grant.member == "Group" or (grant.member == "UserId" and grant.value == account_id) for grant in snapshot.grants
    )


def _described(owner: str, snapshot: FakeSnapshot) -> dict[str, Any]:
    return {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume_id,
        "State": snapshot.state,
        "StartTime": datetime.fromisoformat(snapshot.start_time),
        "Progress": "100%",
        "OwnerId": owner,
        "Description": snapshot.description,
        "VolumeSize": snapshot.volume_size,
        "Encrypted": snapshot.kms_key_id is not None,
        "KmsKeyId": snapshot.kms_key_id,
        "StorageTier": "standard",
        "Tags": [{"Key": key, "Value": value} for key, value in snapshot.tags] or None,
    }
