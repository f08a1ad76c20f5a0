"""Changing images over HTTP: what EC2 is asked, what comes of every fault, and how the fake shows it late."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials as BotocoreCredentials

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.image_writer import Ec2ImageWriter
from amiguard.aws.pacing import BucketSize
from amiguard.core.edit import Step
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit
from amiguard.core.image import LaunchPermission
from amiguard.core.ports import Accepted, NoAnswer, Refused, WriteReply
from amiguard.demo.server import running_server
from benchmarks.fake_ec2 import (
    AwsError,
    Disconnect,
    Effect,
    Estate,
    FakeAccount,
    FakeEc2,
    FakeImage,
    FakeRegion,
    Fault,
    HalfBody,
    Hang,
    HttpReply,
    MalformedXml,
    TruncatedXml,
    Vanish,
    account_grant,
    by_id,
    everyone_grant,
    single_account,
)
from tests.integration.aws_reader import ACCOUNT, REGION, botocore_credentials, open_reading
from tests.integration.aws_writer import connect_to, modify, open_writer, write

PARTNER, OTHER = Account("999988887777"), Account("012345678901")
ORGANIZATION_ARN = "arn:aws:organizations::123456789012:organization/o-abcdefghij"
UNIT_ARN = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij"
ORGANIZATION = Organization(ORGANIZATION_ARN, "o-abcdefghij", "123456789012")
UNIT = OrganizationalUnit(UNIT_ARN, "o-abcdefghij", "123456789012", "ou-ab12-cdefghij")
EVERY_KIND: tuple[Grantee, ...] = (Everyone(), ORGANIZATION, UNIT, PARTNER)
SHARED = FakeImage("ami-0123456789abcdef0", grants=(account_grant(PARTNER.account_id), everyone_grant()))
PRIVATE = FakeImage("ami-0123456789abcdef1")
UNSHARE = Step(remove=(PARTNER, Everyone()))
MODIFY = "ModifyImageAttribute"


def unshared(url: str, **options: Any) -> WriteReply:
    return write(url, lambda writer: modify(writer, SHARED.id, UNSHARE), **options)


def is_unshared(fake: FakeEc2) -> bool:
    image = fake.image(ACCOUNT, REGION, SHARED.id)
    assert image is not None
    return not image.grants


@pytest.fixture
def moto() -> Iterator[tuple[str, str]]:
    """The embedded AWS, and the id of an image in it."""
    with running_server([REGION]) as url:
        ec2 = connect_to(url)(BotocoreCredentials("demo", "demo"))
        try:
            yield url, ec2.register_image(Name="golden")["ImageId"]
        finally:
            ec2.close()


@pytest.fixture
def fake() -> Iterator[tuple[str, str]]:
    with FakeEc2(single_account(PRIVATE)) as running:
        yield running.endpoint_url, PRIVATE.id
        assert running.stats.signature_failures == 0


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_every_kind_of_grantee_is_added_and_removed(server: str, request: pytest.FixtureRequest) -> None:
    url, image_id = request.getfixturevalue(server)

    async def main() -> list[object]:
        async with open_reading(url) as reading:
            seen: list[object] = []

            async def work(writer: Ec2ImageWriter, step: Step, *, dry_run: bool = False) -> None:
                seen.append(await modify(writer, image_id, step, dry_run=dry_run))
                reply = await reading.reader.read_launch_permission(image_id)
                assert isinstance(reply, LaunchPermission)
                assert len(reply.grantees) == len(set(reply.grantees))
                seen.append(set(reply.grantees))

            async with open_writer(url) as writer:
                await work(writer, Step(add=EVERY_KIND), dry_run=True)
                await work(writer, Step(add=EVERY_KIND))
                await work(writer, Step(add=(PARTNER, OTHER, UNIT)))
                await work(writer, Step(remove=(Everyone(), ORGANIZATION)), dry_run=True)
                await work(writer, Step(remove=(Everyone(), ORGANIZATION)))
                await work(writer, Step(remove=(Everyone(), UNIT, PARTNER)))
            return seen

    assert asyncio.run(main()) == [
        *(Accepted(), set()),
        *(Accepted(), set(EVERY_KIND)),
        *(Accepted(), {*EVERY_KIND, OTHER}),
        *(Accepted(), {*EVERY_KIND, OTHER}),
        *(Accepted(), {UNIT, PARTNER, OTHER}),
        *(Accepted(), {OTHER}),
    ]


@pytest.mark.parametrize("server", ["moto", "fake"])
def test_an_image_that_is_not_there(server: str, request: pytest.FixtureRequest) -> None:
    url, _ = request.getfixturevalue(server)
    reply = write(url, lambda writer: modify(writer, "ami-0000000000000dead", UNSHARE))
    assert reply == Refused("EC2 does not know the image: it is gone, or in another region")


def test_a_thousand_grantees_in_one_call() -> None:
    grantees = tuple(Account(f"{number:012}") for number in range(1000))
    image = FakeImage(PRIVATE.id, grants=tuple(account_grant(one.account_id) for one in grantees))
    with FakeEc2(single_account(image)) as fake:
        reply = write(fake.endpoint_url, lambda writer: modify(writer, image.id, Step(remove=grantees)))
        assert reply == Accepted()
        assert fake.stats.calls == {MODIFY: 1}
        left = fake.image(ACCOUNT, REGION, image.id)
        assert left is not None
        assert left.grants == ()


@pytest.mark.parametrize(
    ("effect", "done"),
    [
        (AwsError("InternalError", status=500), False),
        (AwsError("InternalError", status=500, acts=True), True),
        (AwsError("Unavailable", status=503, acts=True), True),
        (HttpReply(502, b"<html>Bad gateway</html>", "text/html"), False),
        (HttpReply(200, b"<html><body>Log in here</body></html>", "text/html"), False),
        (HttpReply(403, b"<html><body>Not here</body></html>", "text/html"), False),
        (HttpReply(200), False),
        (Disconnect(acts=False), False),
        (Disconnect(), True),
        (Disconnect(reset=False), True),
        (HalfBody(), True),
        (TruncatedXml(), True),
        (MalformedXml(), True),
    ],
    ids=repr,
)
def test_a_call_without_a_usable_reply_is_not_made_again(effect: Effect, *, done: bool) -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(effect, action=MODIFY)]) as fake:
        reply = unshared(fake.endpoint_url)
        assert isinstance(reply, NoAnswer), reply
        assert reply.reason
        assert fake.stats.calls == {MODIFY: 1}
        assert is_unshared(fake) is done


@pytest.mark.parametrize("acts", [False, True])
def test_a_server_that_never_answers(acts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with FakeEc2(single_account(SHARED), faults=[Fault(Hang(acts=acts), action=MODIFY)]) as fake:
        reply = unshared(fake.endpoint_url, reply_within=0.1)
        assert isinstance(reply, NoAnswer)
        assert "ReadTimeoutError" in reply.reason
        assert fake.stats.calls == {MODIFY: 1}
        assert is_unshared(fake) is acts


def test_a_server_that_is_not_there() -> None:
    with FakeEc2(single_account(SHARED)) as fake:
        url = fake.endpoint_url
    reply = unshared(url)
    assert isinstance(reply, NoAnswer)
    assert "Could not connect" in reply.reason


def test_throttled_calls_are_never_lost() -> None:
    stats = CallStats()
    fault = Fault(AwsError("RequestLimitExceeded", status=503), action=MODIFY, times=3)
    with FakeEc2(single_account(SHARED), faults=[fault]) as fake:
        assert unshared(fake.endpoint_url, stats=stats, bucket=BucketSize(1000, 1000)) == Accepted()
        assert is_unshared(fake)
    assert stats.calls == {MODIFY: 4}
    assert stats.throttled == 3


def test_refusals_are_in_words_and_change_nothing() -> None:
    faults = [
        Fault(AwsError("UnauthorizedOperation", "You may not.", 403), action=MODIFY, image_id=SHARED.id, times=1),
        Fault(AwsError("ResourceLimitExceeded", "Too many."), action=MODIFY, image_id=SHARED.id),
    ]
    with FakeEc2(single_account(SHARED, PRIVATE), faults=faults) as fake:

        async def work(writer: Ec2ImageWriter) -> list[WriteReply]:
            return [
                await modify(writer, PRIVATE.id, Step(add=(OTHER,))),
                await modify(writer, SHARED.id, UNSHARE),
                await modify(writer, SHARED.id, UNSHARE),
            ]

        permitted, *refused = write(fake.endpoint_url, work)
        assert permitted == Accepted()
        assert [reply.reason for reply in refused if isinstance(reply, Refused)] == [
            f"not permitted: ec2:{MODIFY}",
            "a quota is used up (ResourceLimitExceeded): Too many.",
        ]
        assert not is_unshared(fake)


def test_images_that_cannot_be_changed() -> None:
    pending = FakeImage("ami-0123456789abcdef2", state="pending")
    foreign = FakeImage("ami-0123456789abcdef3", grants=(account_grant(ACCOUNT),))
    estate = Estate(
        {
            ACCOUNT: FakeAccount({REGION: FakeRegion(by_id(pending, SHARED))}),
            "222233334444": FakeAccount({REGION: FakeRegion(by_id(foreign))}),
        }
    )
    with FakeEc2(estate, faults=[Fault(Vanish(), image_id=SHARED.id)]) as fake:

        async def work(writer: Ec2ImageWriter) -> list[str]:
            replies = [await modify(writer, image.id, UNSHARE) for image in (pending, foreign, SHARED)]
            return [reply.reason for reply in replies if isinstance(reply, Refused)]

        assert write(fake.endpoint_url, work) == [
            f"the image cannot be changed in its present state: The image ID '{pending.id}' is not available",
            f"the image belongs to another account: Not authorized for image:{foreign.id}",
            "EC2 does not know the image: it is gone, or in another region",
        ]


def test_credentials_that_expire_in_the_middle_are_renewed() -> None:
    sessions = itertools.count()
    fault = Fault(AwsError("RequestExpired", "Request has expired."), action=MODIFY, times=1)
    with FakeEc2(single_account(SHARED), faults=[fault]) as fake:
        load = lambda: botocore_credentials(session=next(sessions) > 0)  # noqa: E731 - a name for the argument
        assert unshared(fake.endpoint_url, load=load) == Accepted()
        assert [call.access_key_id[:4] for call in fake.stats.recent] == ["AKIA", "ASIA"]
        assert fake.stats.signature_failures == 0


def test_a_wrong_secret_is_a_refusal() -> None:
    wrong = BotocoreCredentials(botocore_credentials().access_key, "wrong", None)
    with FakeEc2(single_account(SHARED)) as fake:
        reply = unshared(fake.endpoint_url, load=lambda: wrong)
        assert isinstance(reply, Refused)
        assert reply.reason.startswith("AWS does not accept the credentials")


def test_calls_of_one_target_run_at_once() -> None:
    images = tuple(FakeImage(f"ami-{number:017x}", grants=SHARED.grants) for number in range(40))
    with FakeEc2(single_account(*images), latency=0.02) as fake:

        async def work(writer: Ec2ImageWriter) -> list[WriteReply]:
            return await asyncio.gather(*(modify(writer, image.id, UNSHARE) for image in images))

        assert write(fake.endpoint_url, work) == [Accepted()] * 40
        assert fake.stats.max_in_flight[ACCOUNT, REGION] > 1


def test_the_call_goes_to_the_region_of_the_target() -> None:
    with FakeEc2(single_account(SHARED, more_regions=("eu-north-1",))) as fake:
        assert unshared(fake.endpoint_url) == Accepted()
        assert [call.region for call in fake.stats.recent] == [REGION]


def test_a_change_shows_late() -> None:
    with FakeEc2(single_account(SHARED), late_reads=2) as fake:

        async def main() -> list[set[Grantee]]:
            async with open_reading(fake.endpoint_url) as reading:

                async def seen() -> set[Grantee]:
                    reply = await reading.reader.read_launch_permission(SHARED.id)
                    assert isinstance(reply, LaunchPermission)
                    return set(reply.grantees)

                async with open_writer(fake.endpoint_url) as writer:
                    views = [await seen()]
                    await modify(writer, SHARED.id, Step(add=(OTHER,)))
                    views.append(await seen())
                    await modify(writer, SHARED.id, Step(remove=(PARTNER, Everyone())))
                    views += [await seen(), await seen(), await seen()]
                    return views

        before, now = {PARTNER, Everyone()}, {OTHER}
        assert asyncio.run(main()) == [before, before, before, before, now]
        assert fake.image(ACCOUNT, REGION, SHARED.id).grants == (account_grant(OTHER.account_id),)  # type: ignore[union-attr]
