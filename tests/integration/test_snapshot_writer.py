"""Changing snapshots over HTTP: what EC2 is asked, what it shows then, and what comes of refusals and of faults."""

import asyncio
from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials as BotocoreCredentials

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.image_writer import Ec2ImageWriter
from amiguard.core.edit import MOST_SNAPSHOT_GRANTS_A_CALL, Step
from amiguard.core.grantee import Account, Everyone, Grantee
from amiguard.core.ports import Accepted, NoAnswer, Refused, WriteReply
from amiguard.demo.server import running_server
from benchmarks.fake_ec2 import (
    AwsError,
    Disconnect,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeRegion,
    FakeSnapshot,
    Fault,
    account_grant,
    by_snapshot_id,
    everyone_grant,
)
from tests.integration.aws_reader import ACCOUNT, REGION, open_reading
from tests.integration.aws_writer import connect_to, open_writer, write

PARTNER, OTHER = Account("999988887777"), Account("012345678901")
SHARED = FakeSnapshot("snap-0123456789abcdef0", (account_grant(PARTNER.account_id), everyone_grant()))
PRIVATE = FakeSnapshot("snap-0123456789abcdef1")
UNSHARE = Step(remove=(PARTNER, Everyone()))
MODIFY = "ModifySnapshotAttribute"


def estate_of(*snapshots: FakeSnapshot) -> Estate:
    return Estate({ACCOUNT: FakeAccount({REGION: FakeRegion({}, snapshots=by_snapshot_id(*snapshots))})})


async def modify(writer: Ec2ImageWriter, snapshot_id: str, step: Step, *, dry_run: bool = False) -> WriteReply:
    await writer.wait_for_snapshot_turn()
    return await writer.modify_create_volume_permission(snapshot_id, step, dry_run=dry_run)


def unshared(url: str, snapshot_id: str = SHARED.id, step: Step = UNSHARE) -> WriteReply:
    return write(url, lambda writer: modify(writer, snapshot_id, step))


def shown(url: str, snapshot_id: str = SHARED.id) -> set[Grantee]:
    async def main() -> set[Grantee]:
        async with open_reading(url) as reading:
            reply = await reading.reader.read_snapshot_permission(snapshot_id)
            assert isinstance(reply.permission, tuple), reply
            assert len(set(reply.permission)) == len(reply.permission)
            return set(reply.permission)

    return asyncio.run(main())


@pytest.fixture
def moto() -> Iterator[tuple[str, str]]:
    """The embedded AWS, and the id of a snapshot in it."""
    with running_server([REGION]) as url:
        ec2 = connect_to(url)(BotocoreCredentials("demo", "demo"))
        try:
            volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)
            yield url, ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
        finally:
            ec2.close()


@pytest.fixture
def fake() -> Iterator[tuple[str, str]]:
    with FakeEc2(estate_of(PRIVATE)) as running:
        yield running.endpoint_url, PRIVATE.id
        assert running.stats.signature_failures == 0


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_accounts_and_everyone_are_added_and_removed(server: str, request: pytest.FixtureRequest) -> None:
    url, snapshot_id = request.getfixturevalue(server)

    async def main() -> list[object]:
        seen: list[object] = []
        async with open_reading(url) as reading, open_writer(url) as writer:

            async def work(step: Step, *, dry_run: bool = False) -> None:
                seen.append(await modify(writer, snapshot_id, step, dry_run=dry_run))
                reply = await reading.reader.read_snapshot_permission(snapshot_id)
                assert isinstance(reply.permission, tuple)
                seen.append(set(reply.permission))

            await work(Step(add=(Everyone(), PARTNER)), dry_run=True)
            await work(Step(add=(Everyone(), PARTNER)))
            await work(Step(add=(PARTNER, OTHER)))
            await work(Step(remove=(Everyone(), PARTNER)), dry_run=True)
            await work(Step(remove=(Everyone(), PARTNER)))
            await work(Step(remove=(PARTNER, OTHER)))
        return seen

    assert asyncio.run(main()) == [
        *(Accepted(), set()),
        *(Accepted(), {Everyone(), PARTNER}),
        *(Accepted(), {Everyone(), PARTNER, OTHER}),
        *(Accepted(), {Everyone(), PARTNER, OTHER}),
        *(Accepted(), {OTHER}),
        *(Accepted(), set()),
    ]


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_a_snapshot_that_is_not_there(server: str, request: pytest.FixtureRequest) -> None:
    url, _ = request.getfixturevalue(server)
    reply = unshared(url, "snap-0000000000000dead")
    assert reply == Refused("EC2 does not know the snapshot: it is gone, or in another region")

    async def main() -> tuple[bool, object]:
        async with open_reading(url) as reading:
            found = await reading.reader.read_snapshot_permission("snap-0000000000000dead")
            return found.gone, isinstance(found.permission, tuple)

    assert asyncio.run(main()) == (True, False)


def test_as_many_grantees_as_a_call_takes() -> None:
    grantees = tuple(Account(f"{number:012}") for number in range(MOST_SNAPSHOT_GRANTS_A_CALL))
    snapshot = FakeSnapshot(PRIVATE.id, tuple(account_grant(one.account_id) for one in grantees))
    with FakeEc2(estate_of(snapshot)) as fake:
        assert unshared(fake.endpoint_url, snapshot.id, Step(remove=grantees)) == Accepted()
        assert fake.stats.calls == {MODIFY: 1}
        assert shown(fake.endpoint_url, snapshot.id) == set()


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (AwsError("InternalError", status=500, acts=True), True),
        (AwsError("InternalError", status=500), False),
        (Disconnect(acts=False), False),
        (Disconnect(), True),
    ],
    ids=repr,
)
def test_a_call_without_a_usable_reply_is_not_made_again(fault: AwsError | Disconnect, *, done: bool) -> None:
    with FakeEc2(estate_of(SHARED), faults=[Fault(fault, action=MODIFY)]) as fake:
        assert isinstance(unshared(fake.endpoint_url), NoAnswer)
        assert fake.stats.calls == {MODIFY: 1}
        assert shown(fake.endpoint_url) == (set() if done else {PARTNER, Everyone()})


def test_throttled_calls_are_never_lost() -> None:
    stats = CallStats()
    fault = Fault(AwsError("RequestLimitExceeded", status=503), action=MODIFY, times=2)
    with FakeEc2(estate_of(SHARED), faults=[fault]) as fake:
        reply = write(fake.endpoint_url, lambda writer: modify(writer, SHARED.id, UNSHARE), stats=stats)
        assert reply == Accepted()
        assert shown(fake.endpoint_url) == set()
    assert (stats.calls, stats.throttled) == ({MODIFY: 3}, 2)


def test_access_denied_is_in_words_and_changes_nothing() -> None:
    fault = Fault(AwsError("UnauthorizedOperation", "You may not.", 403), action=MODIFY)
    with FakeEc2(estate_of(SHARED), faults=[fault]) as fake:
        assert unshared(fake.endpoint_url) == Refused(
            f"not permitted: ec2:{MODIFY}", f"grant ec2:{MODIFY} to the caller"
        )
        assert shown(fake.endpoint_url) == {PARTNER, Everyone()}


def test_what_keeps_a_snapshot_from_being_public_is_no_matter_of_images() -> None:
    encrypted = FakeSnapshot(PRIVATE.id, kms_key_id=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1")
    with FakeEc2(estate_of(encrypted)) as fake:
        reply = unshared(fake.endpoint_url, encrypted.id, Step(add=(Everyone(),)))
        assert isinstance(reply, Refused)
        assert not reply.blocked_public
        assert reply.reason.startswith("EC2 does not permit it: ")
        assert reply.hint is not None
        assert reply.hint.startswith("snapshot block public access keeps")
        assert shown(fake.endpoint_url, encrypted.id) == set()
