"""The lean client over HTTP: pages, faults, throttling, signatures, expiry."""

import itertools

import pytest
from botocore.credentials import Credentials as BotocoreCredentials

from amiguard.aws.images import ImageQuery
from amiguard.aws.pacing import BucketSize
from amiguard.core.grantee import Account, Everyone, Organization, OrganizationalUnit, Unrecognized
from amiguard.core.image import Image, ImageNotFound, ImageUnavailable, LaunchPermission, PermissionReply, Unreadable
from benchmarks.fake_ec2 import (
    AwsError,
    Bucket,
    Disconnect,
    DuplicateImages,
    Effect,
    EmptyPage,
    EndlessToken,
    FakeEc2,
    FakeImage,
    Fault,
    HalfBody,
    Hang,
    HttpReply,
    MalformedXml,
    TruncatedXml,
    Vanish,
    WrongImageId,
    account_grant,
    everyone_grant,
    organization_grant,
    raw_grant,
    single_account,
    unit_grant,
)
from tests.integration.aws_reader import ACCOUNT, REGION, Reading, botocore_credentials, read

SHARED = FakeImage("ami-0123456789abcdef0", grants=(account_grant("999988887777"),))
ORGANIZATION_ARN = "arn:aws:organizations::123456789012:organization/o-abcdefghij"
UNIT_ARN = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-cdefghij"


async def permission(reading: Reading) -> PermissionReply:
    return await reading.reader.read_launch_permission(SHARED.id)


async def listing(reading: Reading) -> list[tuple[Image, ...] | Unreadable]:
    return [page async for page in reading.reader.list_images()]


def many(count: int) -> tuple[FakeImage, ...]:
    return tuple(FakeImage(f"ami-{number:017x}") for number in range(count))


def test_every_kind_of_grant() -> None:
    image = FakeImage(
        SHARED.id,
        grants=(
            account_grant("012345678901"),
            everyone_grant(),
            organization_grant(ORGANIZATION_ARN),
            unit_grant(UNIT_ARN),
            raw_grant("<futureKind>x</futureKind>"),
        ),
    )
    with FakeEc2(single_account(image)) as fake:
        assert read(fake, permission) == LaunchPermission(
            (
                Account("012345678901"),
                Everyone(),
                Organization(ORGANIZATION_ARN, "o-abcdefghij", "123456789012"),
                OrganizationalUnit(UNIT_ARN, "o-abcdefghij", "123456789012", "ou-ab12-cdefghij"),
                Unrecognized("futureKind=x"),
            )
        )


def test_an_image_with_a_thousand_grantees() -> None:
    grants = tuple(account_grant(f"{number:012}") for number in range(1000))
    with FakeEc2(single_account(FakeImage(SHARED.id, grants=grants))) as fake:
        reply = read(fake, permission)
    assert isinstance(reply, LaunchPermission)
    assert len(set(reply.grantees)) == 1000


def test_all_pages_are_read_each_image_once() -> None:
    images = many(2500)
    with FakeEc2(single_account(*images)) as fake:
        pages = read(fake, listing)
        assert [len(page) for page in pages if not isinstance(page, Unreadable)] == [1000, 1000, 500]
        assert [image.image_id for page in pages if not isinstance(page, Unreadable) for image in page] == [
            image.id for image in images
        ]
        assert fake.stats.calls["DescribeImages"] == 3


@pytest.mark.parametrize("effect", [EmptyPage(), DuplicateImages(7)])
def test_odd_pages_lose_nothing_and_double_nothing(effect: Effect) -> None:
    images = many(2500)
    with FakeEc2(single_account(*images), faults=[Fault(effect, action="DescribeImages", times=1)]) as fake:
        pages = read(fake, listing)
    ids = [image.image_id for page in pages if not isinstance(page, Unreadable) for image in page]
    assert sorted(ids) == [image.id for image in images]


def test_a_listing_that_never_ends_is_unreadable() -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(EndlessToken(), action="DescribeImages")]) as fake:
        first, problem = read(fake, listing)
    assert isinstance(first, tuple)
    assert problem == Unreadable("the listing does not end: its pages repeat")


def test_a_query_narrows_what_is_asked_of_aws() -> None:
    images = (
        FakeImage("ami-00000000000000001", tags=(("Team", "web"), ("Stage", "prod"))),
        FakeImage("ami-00000000000000002", tags=(("Team", "db"), ("Stage", "prod"))),
        FakeImage("ami-00000000000000003", tags=(("Team", "web"),)),
        FakeImage("ami-00000000000000004"),
    )

    def asked(query: ImageQuery) -> list[str]:
        with FakeEc2(single_account(*images)) as fake:
            pages = read(fake, listing, query=query)
        return [image.image_id[-1] for page in pages if not isinstance(page, Unreadable) for image in page]

    assert asked(ImageQuery()) == ["1", "2", "3", "4"]
    assert asked(ImageQuery(image_ids=(images[1].id, "ami-0000000000000dead"))) == ["2"]
    assert asked(ImageQuery(tags=(("Team", "web"), ("Team", "db")))) == ["1", "2", "3"]
    assert asked(ImageQuery(tags=(("Team", "web"), ("Stage", None)))) == ["1"]


def test_more_named_images_than_a_filter_takes() -> None:
    images = many(450)
    with FakeEc2(single_account(*images)) as fake:
        pages = read(fake, listing, query=ImageQuery(image_ids=tuple(image.id for image in images)))
        assert [len(page) for page in pages] == [200, 200, 50]  # type: ignore[arg-type]


TRANSIENT_EFFECTS: list[Effect] = [
    HttpReply(500),
    HttpReply(502, b"<html>Bad gateway</html>", "text/html"),
    HttpReply(200, b"<html><body>Log in here</body></html>", "text/html"),
    AwsError("InternalError", status=500),
    AwsError("Unavailable", status=503),
    Disconnect(),
    Disconnect(reset=False),
    HalfBody(),
    TruncatedXml(),
    MalformedXml(),
    WrongImageId(),
]


@pytest.mark.parametrize("effect", TRANSIENT_EFFECTS, ids=repr)
def test_a_broken_reply_is_asked_for_again(effect: Effect) -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(effect, times=3)]) as fake:
        assert read(fake, permission) == LaunchPermission((Account("999988887777"),))
        assert fake.stats.calls["DescribeImageAttribute"] == 4


@pytest.mark.parametrize("effect", TRANSIENT_EFFECTS, ids=repr)
def test_a_reply_that_stays_broken_is_unreadable_after_six_tries(effect: Effect) -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(effect)]) as fake:
        reply = read(fake, permission)
        assert isinstance(reply, Unreadable)
        assert reply.reason.endswith("(tried 6 times)")
        assert fake.stats.calls["DescribeImageAttribute"] == 6


def test_a_server_that_never_answers() -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(Hang())]) as fake:
        assert read(fake, permission, reply_within=0.05) == Unreadable("no reply in time (tried 6 times)")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "UnauthorizedOperation",
            Unreadable("not permitted: ec2:DescribeImageAttribute", "grant ec2:DescribeImageAttribute to the caller"),
        ),
        ("InvalidAMIID.NotFound", ImageNotFound()),
        ("InvalidAMIID.Unavailable", ImageUnavailable("Injected by the fake.")),
        ("InvalidParameterValue", Unreadable("InvalidParameterValue: Injected by the fake.")),
    ],
)
def test_awss_word_is_final_at_once(code: str, expected: PermissionReply) -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(AwsError(code))]) as fake:
        assert read(fake, permission) == expected
        assert fake.stats.calls["DescribeImageAttribute"] == 1


def test_a_vanished_image_is_not_found() -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(Vanish(), action="DescribeImageAttribute")]) as fake:
        assert read(fake, permission) == ImageNotFound()


def test_throttled_calls_are_never_lost() -> None:
    """A server's bucket that gives nothing but every fiftieth call: no quota of retries would last."""
    fault = Fault(AwsError("RequestLimitExceeded", status=503), times=49)
    with FakeEc2(single_account(SHARED), faults=[fault]) as fake:

        async def work(reading: Reading) -> tuple[PermissionReply, int]:
            return await permission(reading), reading.stats.throttled

        reply, throttled = read(fake, work, bucket=BucketSize(1000, 1000))
    assert reply == LaunchPermission((Account("999988887777"),))
    assert throttled == 49


def test_a_real_bucket_is_respected_and_survived() -> None:
    clock = itertools.count()
    # A clock that advances a tenth of a second a look, so that the test need not wait for the bucket.
    with FakeEc2(single_account(*many(300)), bucket=Bucket(20, 5), clock=lambda: next(clock) / 10) as fake:

        async def work(reading: Reading) -> list[PermissionReply]:
            return [await reading.reader.read_launch_permission(image.id) for image in many(300)]

        assert read(fake, work, bucket=BucketSize(1000, 100_000)) == [LaunchPermission(())] * 300


@pytest.mark.parametrize("session", [False, True])
def test_every_request_is_signed_as_aws_wants_it(session: bool) -> None:  # noqa: FBT001
    with FakeEc2(single_account(*many(30)), verify_every=1) as fake:

        async def work(reading: Reading) -> None:
            async for page in reading.reader.list_images():
                assert isinstance(page, tuple)
                for image in page:
                    assert await reading.reader.read_launch_permission(image.image_id) == LaunchPermission(())

        read(fake, work, load=lambda: botocore_credentials(session=session))
        assert fake.stats.signatures_checked == 31
        assert fake.stats.signature_failures == 0


def test_credentials_that_expire_in_the_middle_are_renewed() -> None:
    loads = []

    def load() -> BotocoreCredentials:
        loads.append(1)
        return botocore_credentials(session=len(loads) > 1)

    fault = Fault(AwsError("RequestExpired", "Request has expired.", 400), skip=1, times=1)
    with FakeEc2(single_account(SHARED), faults=[fault]) as fake:

        async def work(reading: Reading) -> list[PermissionReply]:
            return [await permission(reading) for _ in range(3)]

        assert read(fake, work, load=load) == [LaunchPermission((Account("999988887777"),))] * 3
    assert len(loads) == 2


def test_credentials_that_cannot_be_renewed_are_said_once_and_not_used_again() -> None:
    with FakeEc2(single_account(SHARED), faults=[Fault(AwsError("ExpiredToken"), skip=1)]) as fake:

        async def work(reading: Reading) -> list[PermissionReply]:
            return [await permission(reading) for _ in range(20)]

        first, *others = read(fake, work)
        assert isinstance(first, LaunchPermission)
        assert {reply.reason for reply in others if isinstance(reply, Unreadable)} == {"the credentials have expired"}
        assert len(others) == 19
        assert fake.stats.calls["DescribeImageAttribute"] == 2


def test_a_wrong_secret_is_aws_s_final_word() -> None:
    wrong = BotocoreCredentials(botocore_credentials().access_key, "wrong", None)
    with FakeEc2(single_account(SHARED)) as fake:
        reply = read(fake, permission, load=lambda: wrong)
        assert isinstance(reply, Unreadable)
        assert reply.reason.startswith("AWS does not accept the credentials")
        assert fake.stats.signature_failures == 1


def test_a_server_that_is_not_there() -> None:
    with FakeEc2(single_account(SHARED)) as fake:
        url = fake.endpoint_url

    class Gone:
        endpoint_url = url

    reply = read(Gone(), permission)  # type: ignore[arg-type]  # only its URL is used
    assert isinstance(reply, Unreadable)
    assert "the connection failed" in reply.reason


def test_the_grants_are_those_of_the_moment() -> None:
    with FakeEc2(single_account(SHARED)) as fake:

        async def work(reading: Reading) -> tuple[PermissionReply, PermissionReply]:
            before = await permission(reading)
            fake.set_grants(ACCOUNT, REGION, SHARED.id)
            return before, await permission(reading)

        assert read(fake, work) == (LaunchPermission((Account("999988887777"),)), LaunchPermission(()))
