"""What moto and the fake both know of snapshots and of keys, asked of both with boto3: the answers must be the same."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from benchmarks.fake_ec2 import (
    Estate,
    FakeAccount,
    FakeEc2,
    FakeKey,
    FakeKeyGrant,
    FakeRegion,
    FakeSnapshot,
    account_grant,
    by_snapshot_id,
    key_policy,
)

ACCOUNT, PARTNER, OTHER = "123456789012", "999988887777", "222233334444"
"""moto takes every key that it did not give out for its own account's."""
REGION = "us-east-1"
PREFIX = f"arn:aws:kms:{REGION}:{ACCOUNT}:"
UNKNOWN_KEY = "00000000-0000-4000-8000-000000000000"
POLICY = key_policy(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"}, "Action": "kms:Decrypt", "Resource": "*"},
)
CONSTRAINTS = {"EncryptionContextEquals": {"aws:ebs:id": "vol-1"}}
OPERATIONS = ["Decrypt", "CreateGrant"]


@dataclass(frozen=True)
class Side:
    """One of the two servers, and the ids of what is in it by name."""

    ec2: Any
    kms: Any
    ids: dict[str, str]


Ask = Callable[[Side], Any]


def side_at(url: str, ids: dict[str, str]) -> Side:
    keys = {"aws_access_key_id": f"AKIA{ACCOUNT}USER", "aws_secret_access_key": "not-checked"}
    once = Config(retries={"total_max_attempts": 1})
    ec2, kms = (
        boto3.client(service, endpoint_url=url, region_name=REGION, config=once, **keys) for service in ("ec2", "kms")
    )
    return Side(ec2, kms, ids)


def make_keys(side: Side) -> None:
    """Make the keys of the estate in moto; no question changes them."""
    kms, ids = side.kms, side.ids
    symmetric = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
    for name in ("key", "leaving"):
        ids[name] = kms.create_key(Policy=POLICY, Description="of images", **symmetric)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/images", TargetKeyId=ids["key"])
    kms.schedule_key_deletion(KeyId=ids["leaving"])
    grantee = f"arn:aws:iam::{PARTNER}:root"
    for name, constraints in (("grant", {}), ("constrained", {"Constraints": CONSTRAINTS})):
        given = kms.create_grant(KeyId=ids["key"], GranteePrincipal=grantee, Operations=OPERATIONS, **constraints)
        ids[name] = given["GrantId"]


def make_snapshots(side: Side) -> None:
    """Make the snapshots of the estate in moto, new ones each time."""
    ec2, ids = side.ec2, side.ids
    volume = ids["volume"] = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=9)["VolumeId"]
    for name in ("private", "shared"):
        ids[name] = ec2.create_snapshot(VolumeId=volume, Description=name)["SnapshotId"]
    ids["encrypted"] = ec2.copy_snapshot(
        SourceSnapshotId=ids["private"], SourceRegion=REGION, KmsKeyId=f"{PREFIX}key/{ids['key']}", Encrypted=True
    )["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=ids["shared"], Attribute="createVolumePermission", OperationType="add", UserIds=[PARTNER]
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Side]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    side = side_at(f"http://{host}:{port}", {})
    make_keys(side)
    yield side
    # moto's state outlives its server.
    side.kms.delete_alias(AliasName="alias/images")
    side.ec2.close()
    side.kms.close()
    running.stop()


@pytest.fixture
def moto(server: Side) -> Side:
    make_snapshots(server)
    return server


@pytest.fixture
def fake(moto: Side) -> Iterator[Side]:
    """The same estate, with the ids that moto gave."""
    ids = moto.ids
    volume = {"volume_id": ids["volume"], "volume_size": 9}
    snapshots = (
        FakeSnapshot(ids["private"], description="private", **volume),  # type: ignore[arg-type]
        FakeSnapshot(ids["shared"], (account_grant(PARTNER),), description="shared", **volume),  # type: ignore[arg-type]
        FakeSnapshot(ids["encrypted"], (), f"{PREFIX}key/{ids['key']}", **volume),  # type: ignore[arg-type]
    )
    grantee = f"arn:aws:iam::{PARTNER}:root"
    grants = (
        FakeKeyGrant(ids["grant"], grantee, tuple(OPERATIONS)),
        FakeKeyGrant(ids["constrained"], grantee, tuple(OPERATIONS), (("aws:ebs:id", "vol-1"),)),
    )
    keys = (
        FakeKey(ids["key"], POLICY, grants, aliases=("alias/images",), description="of images"),
        FakeKey(ids["leaving"], POLICY, state="PendingDeletion", description="of images"),
    )
    region = FakeRegion(snapshots=by_snapshot_id(*snapshots), keys=keys)
    # moto neither gives nor checks secrets, so both sides are asked with the same made-up one.
    with FakeEc2(Estate({ACCOUNT: FakeAccount({REGION: region})}), verify_every=0) as running:
        side = side_at(running.endpoint_url, ids)
        yield side
        side.ec2.close()
        side.kms.close()


def refused(ask: Ask) -> Ask:
    """The error of a call."""

    def refusal(side: Side) -> Any:
        with pytest.raises(ClientError) as caught:
            ask(side)
        return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]

    return refusal


def snapshots(*names: str, filtered: tuple[str, ...] = (), **arguments: Any) -> Ask:
    """What a listing says of each snapshot, as far as it matters."""
    members = ("VolumeId", "VolumeSize", "OwnerId", "State", "Progress", "Encrypted", "KmsKeyId")

    def ask(side: Side) -> Any:
        wanted: dict[str, Any] = {"SnapshotIds": [side.ids.get(name, name) for name in names]} if names else {}
        if filtered:
            wanted["Filters"] = [{"Name": "snapshot-id", "Values": [side.ids.get(name, name) for name in filtered]}]
        listed = side.ec2.describe_snapshots(**wanted, **arguments)["Snapshots"]
        known = {side.ids[name]: name for name in ("private", "shared", "encrypted")}
        return {
            known[one["SnapshotId"]]: [one.get(member) for member in members]
            for one in listed
            if one["SnapshotId"] in known
        }

    return ask


def grants(name: str) -> Ask:
    def ask(side: Side) -> Any:
        snapshot_id = side.ids.get(name, name)
        reply = side.ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
        assert reply["SnapshotId"] == snapshot_id
        # moto keeps sets.
        return sorted(map(str, reply["CreateVolumePermissions"]))

    return ask


def modified(name: str, operation: str, **change: Any) -> Ask:
    """The permission of a snapshot after a change."""

    def ask(side: Side) -> Any:
        side.ec2.modify_snapshot_attribute(
            SnapshotId=side.ids.get(name, name),
            Attribute="createVolumePermission",
            OperationType=operation,
            **change,
        )
        return grants(name)(side)

    return ask


def key(name: str) -> Ask:
    """What KMS says of a key; braces name one by what it is called here."""
    members = (
        "Arn",
        "KeyId",
        "AWSAccountId",
        "KeyManager",
        "KeyState",
        "Enabled",
        "Description",
        "KeyUsage",
        "KeySpec",
    )

    def ask(side: Side) -> Any:
        described = side.kms.describe_key(KeyId=name.format(**side.ids))["KeyMetadata"]
        return [*(described[member] for member in members), "DeletionDate" in described]

    return ask


def policy(name: str, **arguments: Any) -> Ask:
    return lambda side: side.kms.get_key_policy(KeyId=name.format(**side.ids), **arguments)["Policy"]


def key_grants(name: str, **arguments: str) -> Ask:
    def ask(side: Side) -> Any:
        wanted = {member: text.format(**side.ids) for member, text in arguments.items()}
        reply = side.kms.list_grants(KeyId=name.format(**side.ids), **wanted)
        assert reply["Truncated"] is False
        return [
            (one["GrantId"], one["GranteePrincipal"], one["Operations"], one.get("Constraints") or None)
            for one in reply["Grants"]
        ]

    return ask


UNKNOWN = "snap-0123456789abcdef0"
QUESTIONS: dict[str, Ask] = {
    "snapshots by id": snapshots("private", "encrypted"),
    "own snapshots": snapshots(OwnerIds=["self"]),
    "own snapshots by a filter, in pages": snapshots(
        OwnerIds=["self"], MaxResults=1000, filtered=("shared", "encrypted", UNKNOWN)
    ),
    "an unknown snapshot": refused(snapshots(UNKNOWN)),
    "the permission of a private snapshot": grants("private"),
    "the permission of a shared snapshot": grants("shared"),
    "the permission of an unknown snapshot": refused(grants(UNKNOWN)),
    "add accounts": modified("private", "add", UserIds=[OTHER, PARTNER]),
    "add what is there": modified("shared", "add", UserIds=[PARTNER]),
    "add everyone": modified("shared", "add", GroupNames=["all"]),
    "remove an account": modified("shared", "remove", UserIds=[PARTNER]),
    "remove what is not there": modified("shared", "remove", UserIds=[OTHER], GroupNames=["all"]),
    "share an encrypted snapshot": modified("encrypted", "add", UserIds=[PARTNER]),
    "change an unknown snapshot": refused(modified(UNKNOWN, "add", UserIds=[PARTNER])),
    "change it, dry": refused(modified("private", "add", UserIds=[PARTNER], DryRun=True)),
    "a key by id": key("{key}"),
    "a key by ARN": key(PREFIX + "key/{key}"),
    "a key by alias": key("alias/images"),
    "a key by the ARN of its alias": key(PREFIX + "alias/images"),
    "a key that is to be deleted": key("{leaving}"),
    "an unknown key": refused(key(UNKNOWN_KEY)),
    "an unknown ARN": refused(key(f"{PREFIX}key/{UNKNOWN_KEY}")),
    "an unknown alias": refused(key("alias/nobody")),
    "what is no key": refused(key("my key")),
    "a key policy": policy("{key}", PolicyName="default"),
    "a key policy by ARN": policy(PREFIX + "key/{leaving}", PolicyName="default"),
    "a key policy with another name": refused(policy("{key}", PolicyName="other")),
    "the policy of an alias": refused(policy("alias/images", PolicyName="default")),
    "the policy of an unknown key": refused(policy(UNKNOWN_KEY, PolicyName="default")),
    "the grants of a key": key_grants("{key}"),
    "the grants of a key by ARN": key_grants(PREFIX + "key/{key}"),
    "one grant": key_grants("{key}", GrantId="{constrained}"),
    "the grants of a key that has none": key_grants("{leaving}"),
}
EMPTY = {"the permission of a private snapshot", "remove an account", "the grants of a key that has none"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_answer_the_same(moto: Side, fake: Side, question: str) -> None:
    expected = QUESTIONS[question](moto)

    assert QUESTIONS[question](fake) == expected
    assert bool(expected) == (question not in EMPTY)
